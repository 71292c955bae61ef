// How calls ended that could not be recorded at once: the state database was away, or too busy. Kept in memory and
// recorded when it is there again, so that the ledger says what happened and not that nobody knows. A gate that ends
// before that leaves them `unknown`, as a crash does.
import type { Outcome } from '../execute/outcome.ts'
import type { Store } from '../state/store.ts'
import type { Recorder } from './recorder.ts'

/** So many are kept; of more the outcome is `unknown` when the gate ends. */
export const LATE_OUTCOMES_MAX = 10_000

interface Late {
  readonly outcome: Outcome
  /** What follows from it, once it is recorded. */
  readonly then: () => Promise<unknown>
  isRecorded: boolean
}

export class LateOutcomes {
  readonly #store: Pick<Store, 'progressOf' | 'endEffect'>
  readonly #recorder: Pick<Recorder, 'record'>
  readonly #late = new Map<string, Late>()
  #running: Promise<void> | null = null

  constructor(parts: {
    readonly store: Pick<Store, 'progressOf' | 'endEffect'>
    readonly recorder: Pick<Recorder, 'record'>
  }) {
    this.#store = parts.store
    this.#recorder = parts.recorder
  }

  get size(): number {
    return this.#late.size
  }

  /** The recording of this outcome failed, or nobody knows whether it did. */
  add(effect: string, outcome: Outcome, then: () => Promise<unknown>): void {
    if (this.#late.size < LATE_OUTCOMES_MAX)
      this.#late.set(effect, { outcome, then, isRecorded: false })
  }

  /** Records what is left, the oldest first, until one fails; whoever asks meanwhile waits for the same. */
  record(): Promise<void> {
    if (this.#late.size === 0) return Promise.resolve()
    this.#running ??= this.#record().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #record(): Promise<void> {
    for (const [effect, late] of this.#late) {
      const progress = await this.#store.progressOf(effect)
      // Where the answer to the first attempt was lost, it may be there: an effect has one outcome.
      if (progress === 'begun' && !late.isRecorded) {
        await this.#recorder.record({ type: 'outcome', effect, outcome: late.outcome })
        late.isRecorded = true
      }
      // Another gateway took this one for dead, and said that nobody knows: nothing follows from it here.
      if (progress !== 'gone') await late.then()
      this.#late.delete(effect)
      await this.#store.endEffect(effect)
    }
  }
}

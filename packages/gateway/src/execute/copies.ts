// Copies of one call: the same signature again, or the same SDK invocation with the same digest. A copy
// gets the first one's answer and never makes a second effect (red team H11). Memory only: answers
// are never stored, and those that hold secrets not even here.
import type { Clock } from '../lib/clock.ts'
import type { Reply } from '../receive/received.ts'

/** How long a repeated signature gets the first one's answer, in milliseconds after it was given. */
export const SIGNATURE_COPY_MS = 60_000
/** How long the same SDK invocation with the same digest does. */
export const INVOCATION_COPY_MS = 5 * 60_000
export const COPIES_MAX = 10_000
/** What is past its time is looked for this often at most: a look goes over all that is kept. */
const SWEEP_MS = 1_000
/** Larger answers are not kept; a copy is then told that the call was made. */
export const COPY_BYTES_MAX = 64 * 1024

export interface Performed {
  readonly reply: Reply
  /** True when this call reached the upstream, so that its answer is that of an effect. */
  readonly executed: boolean
  /** False for answers that hold a secret. */
  readonly mayBeKept: boolean
}

interface Kept {
  readonly performed: Promise<Performed>
  forgetAtMs: number
}

export class Copies {
  readonly #kept = new Map<string, Kept>()
  readonly #clock: Clock
  #sweptAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Answers that are remembered, and calls under way. */
  get count(): number {
    return this.#kept.size
  }

  /**
   * Runs `perform` once for all calls that share a key, and gives each its answer. `keys` is the
   * signature key first, then the invocation key where the client sent one.
   */
  async join(
    keys: readonly [string, ...string[]],
    perform: () => Promise<Performed>,
  ): Promise<Reply> {
    const nowMs = this.#clock.nowMs()
    for (const key of keys) {
      const kept = this.#kept.get(key)
      if (kept && kept.forgetAtMs > nowMs) return (await kept.performed).reply
    }
    this.#sweep(nowMs)
    const performed = perform()
    const kept = keys.map((key) => {
      const entry: Kept = { performed, forgetAtMs: Number.POSITIVE_INFINITY }
      this.#kept.set(key, entry)
      return entry
    })
    try {
      const done = await performed
      const finishedMs = this.#clock.nowMs()
      kept.forEach((entry, index) => {
        const lifeMs = index === 0 ? SIGNATURE_COPY_MS : INVOCATION_COPY_MS
        entry.forgetAtMs = done.executed && keepable(done) ? finishedMs + lifeMs : 0
      })
      return done.reply
    } catch (cause) {
      for (const entry of kept) entry.forgetAtMs = 0
      throw cause
    }
  }

  #sweep(nowMs: number): void {
    if (this.#kept.size < COPIES_MAX) return
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) {
      this.#sweptAtMs = nowMs
      for (const [key, { forgetAtMs }] of this.#kept) {
        if (forgetAtMs <= nowMs) this.#kept.delete(key)
      }
    }
    // Still full: forget the oldest finished one. Its signature stays in the state, so a copy of it is
    // refused rather than executed.
    for (const [key, { forgetAtMs }] of this.#kept) {
      if (this.#kept.size < COPIES_MAX) break
      if (forgetAtMs !== Number.POSITIVE_INFINITY) this.#kept.delete(key)
    }
  }
}

function keepable({ reply, mayBeKept }: Performed): boolean {
  return mayBeKept && reply.body instanceof Uint8Array && reply.body.byteLength <= COPY_BYTES_MAX
}

/** An answer that is no effect's. */
export function notExecuted(reply: Reply): Performed {
  return { reply, executed: false, mayBeKept: false }
}

// Whoever waits for a request to be answered: held calls and status calls, woken when something changes.
import { EventEmitter } from 'node:events'

/** Calls that may be held at once, over all sessions. */
export const HELD_CALLS_MAX = 1_000
/** Those about requests of one session and its children: an agent that asks on every connection leaves room for the others. */
export const HELD_PER_SESSION_MAX = 100
/**
 * How often a held call looks by itself, in milliseconds: where several gateways share the state, not every end is
 * told to each of them, and an entry may be heard of before the state follows it.
 */
const LOOK_MS = 1_000

const END = Symbol('end')

export interface Holding {
  /** The session whose request it is, or that opened that one. */
  readonly owner: string
  readonly holdMs: number
  readonly isOpen: () => Promise<boolean>
  readonly gone?: AbortSignal | undefined
}

export class Waiters {
  readonly #changes = new EventEmitter().setMaxListeners(HELD_CALLS_MAX + 1)
  #held = 0
  readonly #heldBy = new Map<string, number>()
  #isEnded = false
  #overflowed = 0

  /** Calls that are held now, and how many since the start were not because others were. */
  get held(): { readonly depth: number; readonly overflowed: number } {
    return { depth: this.#held, overflowed: this.#overflowed }
  }

  wake(id: string): void {
    this.#changes.emit(id)
  }

  /** Nobody waits from now on: the gate stops. */
  end(): void {
    this.#isEnded = true
    this.#changes.emit(END)
  }

  /**
   * Resolves when nothing is open any more, after `holdMs`, when `gone` fires, or at `end`; at once where too many
   * are held already.
   */
  async hold(id: string, holding: Holding): Promise<void> {
    const { owner } = holding
    const held = this.#heldBy.get(owner) ?? 0
    const isFull = this.#held >= HELD_CALLS_MAX || held >= HELD_PER_SESSION_MAX
    if (this.#isEnded || holding.holdMs === 0) return
    if (isFull) {
      this.#overflowed++
      return
    }
    this.#held++
    this.#heldBy.set(owner, held + 1)
    try {
      await this.#waited(id, holding)
    } finally {
      this.#held--
      const left = (this.#heldBy.get(owner) ?? 1) - 1
      if (left > 0) this.#heldBy.set(owner, left)
      else this.#heldBy.delete(owner)
    }
  }

  #waited(id: string, { holdMs, isOpen, gone }: Holding): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        clearInterval(looks)
        this.#changes.off(id, look)
        this.#changes.off(END, done)
        gone?.removeEventListener('abort', done)
      }
      const done = () => {
        end()
        resolve()
      }
      const look = () => {
        isOpen().then(
          (open) => {
            if (!open) done()
          },
          (cause: unknown) => {
            end()
            reject(cause)
          },
        )
      }
      const timer = setTimeout(done, holdMs)
      const looks = setInterval(look, LOOK_MS)
      this.#changes.on(id, look)
      this.#changes.on(END, done)
      gone?.addEventListener('abort', done, { once: true })
      if (gone?.aborted) return done()
      // Looked at only now that a wake would be heard.
      look()
    })
  }
}

// Whoever waits for a request to be answered: held calls and status calls, woken when something changes.
import { EventEmitter } from 'node:events'

/** Calls that may be held at once, over all sessions. */
export const HELD_CALLS_MAX = 1_000
/**
 * How often a held call looks by itself, in milliseconds: where several gateways share the state, not every end is
 * told to each of them, and an entry may be heard of before the state follows it.
 */
const LOOK_MS = 1_000

const END = Symbol('end')

export class Waiters {
  readonly #changes = new EventEmitter().setMaxListeners(HELD_CALLS_MAX + 1)
  #held = 0
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

  /** Resolves when nothing is open any more, after `holdMs`, when `gone` fires, or at `end`. */
  async hold(
    id: string,
    {
      holdMs,
      isOpen,
      gone,
    }: { holdMs: number; isOpen: () => Promise<boolean>; gone?: AbortSignal | undefined },
  ): Promise<void> {
    if (this.#isEnded || holdMs === 0) return
    if (this.#held >= HELD_CALLS_MAX) {
      this.#overflowed++
      return
    }
    this.#held++
    try {
      await new Promise<void>((resolve, reject) => {
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
    } finally {
      this.#held--
    }
  }
}

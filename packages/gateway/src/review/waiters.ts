// Whoever waits for a request to be answered: held calls and status calls, woken when something changes.
import { EventEmitter } from 'node:events'

/** Calls that may be held at once, over all sessions. */
export const HELD_CALLS_MAX = 1_000

export class Waiters {
  readonly #changes = new EventEmitter().setMaxListeners(HELD_CALLS_MAX + 1)
  #held = 0

  wake(id: string): void {
    this.#changes.emit(id)
  }

  /** Resolves when `id` is woken, after `holdMs`, when `gone` fires, or at once where nothing is open. */
  async hold(
    id: string,
    {
      holdMs,
      isOpen,
      gone,
    }: { holdMs: number; isOpen: () => Promise<boolean>; gone?: AbortSignal | undefined },
  ): Promise<void> {
    if (this.#held >= HELD_CALLS_MAX || holdMs === 0) return
    this.#held++
    try {
      await new Promise<void>((resolve, reject) => {
        const end = () => {
          clearTimeout(timer)
          this.#changes.off(id, done)
          gone?.removeEventListener('abort', done)
        }
        const done = () => {
          end()
          resolve()
        }
        const timer = setTimeout(done, holdMs)
        this.#changes.on(id, done)
        gone?.addEventListener('abort', done, { once: true })
        if (gone?.aborted) return done()
        // Looked at only now that a wake would be heard.
        isOpen().then(
          (open) => {
            if (!open) done()
          },
          (cause: unknown) => {
            end()
            reject(cause)
          },
        )
      })
    } finally {
      this.#held--
    }
  }
}

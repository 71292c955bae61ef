// The one clock of several gateways: the database's, carried on between two looks by this process's own
// monotonic clock. It never goes back (red team M10).
import type { Clock } from '../lib/clock.ts'

/** A gateway whose own clock is further off than this, in milliseconds, answers refusals only. */
export const SKEW_MS_MAX = 5_000

export class DatabaseClock implements Clock {
  /** What is added to the monotonic clock of the process. */
  #offsetMs: number
  #highWaterMs = 0
  #skewMs = 0

  constructor(seen: { databaseMs: number; askedAtMs: number }) {
    this.#offsetMs = 0
    this.saw(seen)
  }

  nowMs(): number {
    const nowMs = Math.floor(performance.now() + this.#offsetMs)
    this.#highWaterMs = Math.max(this.#highWaterMs, nowMs)
    return this.#highWaterMs
  }

  /** How far this machine's clock is from the database's; positive where it is ahead. */
  get skewMs(): number {
    return this.#skewMs
  }

  /** `askedAtMs`: by `performance.now()`, when it was asked. The answer is from between then and now. */
  saw({ databaseMs, askedAtMs }: { databaseMs: number; askedAtMs: number }): void {
    const middleMs = (askedAtMs + performance.now()) / 2
    this.#offsetMs = databaseMs - middleMs
    this.#skewMs = Date.now() - databaseMs
  }
}

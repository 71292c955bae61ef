// The one clock of several gateways: the database's, carried on between two looks by this process's own
// monotonic clock. It never goes back (red team M10).
import type { Clock } from '../lib/clock.ts'

/** A gateway whose own clock is further off than this, in milliseconds, answers refusals only. */
export const SKEW_MS_MAX = 5_000
/** A look that took longer than this, in milliseconds, moves the clock only as far as it proves it wrong. */
const QUICK_MS_MAX = 250

/** One look at the database's clock, which said this at some moment between the other two. */
export interface ClockLook {
  readonly databaseMs: number
  /** By `performance.now()`. */
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

export class DatabaseClock implements Clock {
  /** What is added to the monotonic clock of the process; null before the first look. */
  #offsetMs: number | null = null
  #highWaterMs = 0

  nowMs(): number {
    this.#highWaterMs = Math.max(this.#highWaterMs, this.#databaseMs())
    return this.#highWaterMs
  }

  notBefore(ms: number): void {
    this.#highWaterMs = Math.max(this.#highWaterMs, ms)
  }

  behindMs(): number {
    return Math.max(0, this.#highWaterMs - this.#databaseMs())
  }

  /** How far this machine's clock is from the database's; positive where it is ahead. */
  get skewMs(): number {
    return Date.now() - this.#databaseMs()
  }

  /** What the database's clock says now, as far as is known. */
  #databaseMs(): number {
    // Before the first look nobody asks.
    return Math.floor(performance.now() + (this.#offsetMs ?? Number.NaN))
  }

  /** A slow look is no news of the moment in its middle; it is proof of all that lies outside of it. */
  saw({ databaseMs, askedAtMs, answeredAtMs }: ClockLook): void {
    const middleMs = databaseMs - (askedAtMs + answeredAtMs) / 2
    const isQuick = answeredAtMs - askedAtMs <= QUICK_MS_MAX
    if (this.#offsetMs === null || isQuick) {
      this.#offsetMs = middleMs
      return
    }
    const [leastMs, mostMs] = [databaseMs - answeredAtMs, databaseMs - askedAtMs]
    this.#offsetMs = Math.min(mostMs, Math.max(leastMs, this.#offsetMs))
  }
}

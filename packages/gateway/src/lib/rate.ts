// Counts how often somebody did something lately, and says when it was too often. A bucket each, refilled
// evenly; buckets not in use take no memory, and there are never more than KEYS_MAX.
import { GatewayError } from '../errors.ts'
import type { Clock } from './clock.ts'

/** Names counted at once; past it the longest unused gives way. */
export const KEYS_MAX = 10_000

export interface RateLimit {
  /** How often at once. */
  readonly burst: number
  /** And then, how many a minute. */
  readonly perMinute: number
}

interface Bucket {
  readonly left: number
  readonly atMs: number
}

export class Rate {
  readonly #clock: Clock
  #limit: RateLimit
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock, limit: RateLimit) {
    this.#clock = clock
    this.#limit = limit
  }

  /** What is left in a bucket stays, up to the new size. */
  configure(limit: RateLimit): void {
    this.#limit = limit
  }

  /** Errors: `rate_limited`. */
  take(name: string): void {
    const { burst, perMinute } = this.#limit
    const nowMs = this.#clock.nowMs()
    const { left, atMs } = this.#buckets.get(name) ?? { left: burst, atMs: nowMs }
    const refilled = Math.min(burst, left + (Math.max(0, nowMs - atMs) * perMinute) / 60_000)
    this.#buckets.delete(name)
    if (this.#buckets.size >= KEYS_MAX) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    this.#buckets.set(name, { left: Math.max(0, refilled - 1), atMs: nowMs })
    if (refilled >= 1) return
    throw new GatewayError(
      'rate_limited',
      'this was asked too often within a minute; nothing was done',
      'wait a minute, and look what asks so often',
    )
  }
}

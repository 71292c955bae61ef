// How often one session may call at all: whoever runs wild is refused, and leaves the gate to the others.
import type { Clock } from '../lib/clock.ts'
import { Rate, type RateLimit } from '../lib/rate.ts'
import type { GateMetrics } from '../telemetry/gate-metrics.ts'

export class SessionRate {
  readonly #rate: Rate
  readonly #metrics: GateMetrics

  constructor(clock: Clock, limit: RateLimit, metrics: GateMetrics) {
    this.#rate = new Rate(clock, limit)
    this.#metrics = metrics
  }

  configure(limit: RateLimit): void {
    this.#rate.configure(limit)
  }

  /** Errors: `rate_limited`. */
  take(session: string): void {
    try {
      this.#rate.take(session)
    } catch (cause) {
      this.#metrics.rateLimited.add(['session'])
      throw cause
    }
  }
}

// How many refusals of one session the ledger takes that nothing else limits, since they come before its calls are
// counted: an agent that has run wild is answered each time and fills it with nothing. The next entry of that session's
// refusals says how many have none of their own.
import type { Clock } from '../lib/clock.ts'
import { Rate, type RateLimit } from '../lib/rate.ts'

/** Of one session. */
export const TOO_OFTEN_RECORDED: RateLimit = { burst: 20, perMinute: 10 }
/** Sessions whose refusals without an entry are counted. */
const COUNTED_MAX = 10_000

export class TooOften {
  readonly #recorded: Rate
  readonly #unrecorded = new Map<string, number>()

  constructor(clock: Clock, limit = TOO_OFTEN_RECORDED) {
    this.#recorded = new Rate(clock, limit)
  }

  /**
   * How many of this session were answered without an entry since its last; null where this one gets none either.
   * `isCounted`: the call took from what its session may call, so that its refusal always has an entry.
   */
  before(session: string, isCounted: boolean): number | null {
    const isRecorded = isCounted || this.#isWithin(session)
    const before = this.#unrecorded.get(session) ?? 0
    this.#unrecorded.delete(session)
    if (isRecorded) return before
    if (this.#unrecorded.size >= COUNTED_MAX) {
      const [oldest] = this.#unrecorded.keys()
      if (oldest !== undefined) this.#unrecorded.delete(oldest)
    }
    this.#unrecorded.set(session, before + 1)
    return null
  }

  #isWithin(session: string): boolean {
    try {
      this.#recorded.take(session)
      return true
    } catch {
      return false // which is all that a rate says
    }
  }
}

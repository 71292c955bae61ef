// The part of seconder.yaml about how often one session may do something. Limits of size are beside what they limit.
import { z } from 'zod'
import type { RateLimit } from './lib/rate.ts'
import { LOOK_UP_LIMITS, type LookUpLimits } from './path/look-ups.ts'

/**
 * Calls of one session with its children: far more than an agent makes, and few enough that one that runs wild leaves
 * the gate to the others. At once fewer than the connections upstream (execute/exchange.ts), which are for all.
 */
export const SESSION_CALLS: SessionLimit = { burst: 20_000, perMinute: 60_000, atOnce: 200 }

export interface SessionLimit extends RateLimit {
  /** Calls of it that may be under way: those held for people, and answers still being sent, included. */
  readonly atOnce: number
}

/**
 * Refusals of calls under no session, which anybody on this host can make: each is an entry. What comes faster gets no
 * answer, so that nobody fills the disk of the ledger.
 */
export const UNVERIFIED_CALLS: RateLimit = { burst: 10_000, perMinute: 6_000 }

const count = (most: number) => z.number().int().min(1).max(most)

const RATE = (defaults: RateLimit) =>
  z
    .strictObject({
      burst: count(10_000_000).default(defaults.burst),
      perMinute: count(100_000_000).default(defaults.perMinute),
    })
    .prefault({})
const BUDGET = z.strictObject({ atOnce: count(1_000_000), perSecond: count(100_000) })

export const LIMITS = z
  .strictObject({
    session: z
      .strictObject({
        burst: count(10_000_000).default(SESSION_CALLS.burst),
        perMinute: count(100_000_000).default(SESSION_CALLS.perMinute),
        atOnce: count(2_000).default(SESSION_CALLS.atOnce),
      })
      .prefault({}),
    unverified: RATE(UNVERIFIED_CALLS),
    /** Look-ups upstream that the gate makes for reviewers, by session and by account. */
    lookUps: z
      .strictObject({
        session: BUDGET.default(LOOK_UP_LIMITS.session),
        account: BUDGET.default(LOOK_UP_LIMITS.account),
      })
      .prefault({}),
  })
  .prefault({})

export interface LimitsConfig {
  readonly session: SessionLimit
  readonly unverified: RateLimit
  readonly lookUps: Pick<LookUpLimits, 'session' | 'account'>
}

export const LIMITS_DEFAULT: LimitsConfig = {
  session: SESSION_CALLS,
  unverified: UNVERIFIED_CALLS,
  lookUps: LOOK_UP_LIMITS,
}

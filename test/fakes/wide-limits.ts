// Limits for tests and measurements in which one session does more than an agent would.
import { LIMITS_DEFAULT, type LimitsConfig } from '@seconder/gateway/limits-config'

export const WIDE_LIMITS: LimitsConfig = {
  ...LIMITS_DEFAULT,
  unverified: { burst: 10_000_000, perMinute: 100_000_000 },
  session: { burst: 10_000_000, perMinute: 100_000_000, atOnce: 2_000 },
}

/** The same as a line of seconder.yaml. */
export const WIDE_LIMITS_LINE = `limits: ${JSON.stringify({ session: WIDE_LIMITS.session, unverified: WIDE_LIMITS.unverified })}`

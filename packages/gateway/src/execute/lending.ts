// Puts the lending of credentials together as seconder.yaml asks for it, and says in words what an
// operator should know about it. The wiring of this folder; it decides nothing.
import { assumesRoles, type Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import { callerIdentity } from './assume-role.ts'
import { ownCredentials } from './credential-sources/own-credentials.ts'
import { type AccessOptions, DEFAULT_REGIONS, UpstreamAccess } from './credentials.ts'
import { createExchange } from './exchange.ts'

/** Milliseconds for STS; it answers within one second, and a caller waits for it. */
export const STS_TIMEOUT_MS = 5_000

/** STS of the gate's own identity where the configuration names no region. */
const OWN_REGION = 'us-east-1'

/** The way upstream of a gate with this configuration. */
export function lendingFor(
  config: Config,
  clock: Clock,
  facts: Pick<AccessOptions, 'accounts' | 'isOpen'>,
): UpstreamAccess {
  const { upstream } = config
  const exchange = createExchange(upstream)
  const timeoutMs = Math.min(upstream.timeoutMs, STS_TIMEOUT_MS)
  const stsExchange = createExchange({ endpoint: upstream.endpoint, timeoutMs })
  const sts = { exchange: stsExchange, clock, region: upstream.region ?? OWN_REGION }
  return new UpstreamAccess({
    exchange,
    stsExchange,
    clock,
    source: ownCredentials(upstream.credentials, sts),
    assumeRole: assumesRoles(config),
    region: upstream.region,
    ...facts,
  })
}

/**
 * The gate's own ARN, as STS says it; null where an emulator stands for AWS and nothing is lent.
 * Errors: `credentials_unavailable`. GetCallerIdentity needs no permission, so silence is not a refusal.
 */
export async function ownIdentity(config: Config, clock: Clock): Promise<string | null> {
  const { upstream } = config
  if (upstream.endpoint !== null && !assumesRoles(config)) return null
  const timeoutMs = Math.min(upstream.timeoutMs, STS_TIMEOUT_MS)
  const exchange = createExchange({ endpoint: upstream.endpoint, timeoutMs })
  try {
    const sts = { exchange, clock, region: upstream.region ?? regionLike(config) }
    return await callerIdentity(sts, await ownCredentials(upstream.credentials, sts).current())
  } finally {
    exchange.close()
  }
}

/** A region of the partition that the configured roles are in. */
function regionLike({ roles }: Config): string {
  const [first] = Object.values(roles)
  return DEFAULT_REGIONS[first?.arn.split(':')[1] ?? 'aws'] ?? OWN_REGION
}

/** What an operator should know about the credentials that calls go out under. */
export function credentialNotices(config: Config): string[] {
  const words: string[] = []
  if (Object.keys(config.roles).length === 0) {
    words.push('no role is configured: no session can be opened and no call goes out')
  }
  if (config.upstream.endpoint === null && !assumesRoles(config)) {
    words.push(
      "upstream.aws.assumeRole is false: calls to real AWS go out under the gate's own credentials, not narrowed to the call",
    )
  }
  return words
}

// Signs one request with real credentials and sends it on: with assume-role.ts the only code that
// reveals them. Nothing of the caller's own signature, host or connection goes with it.
import { sign } from '@seconder/aws/sigv4/sign'
import type { WireRequest } from '@seconder/aws/wire-request'
import type { UpstreamCredentials } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import type { ReceivedBody } from '../receive/received.ts'
import { type Exchange, type Scope, type UpstreamAnswer, withHost } from './exchange.ts'

export { type Scope, type UpstreamAnswer, UpstreamSilence } from './exchange.ts'

/**
 * Resolves with the upstream's answer, whatever its status; rejects with UpstreamSilence where there
 * was none, or with GatewayError `upstream_not_allowed`.
 */
export type SendUpstream = (
  request: WireRequest<ReceivedBody>,
  scope: Scope,
) => Promise<UpstreamAnswer>

/** A sender under these credentials and no others. */
export function senderAs(
  credentials: UpstreamCredentials,
  exchange: Exchange,
  clock: Clock,
): SendUpstream {
  return async (request, scope) => {
    const to = exchange.destination(scope)
    const signed = sign(
      { ...request, headers: withHost(request.headers, to.authority) },
      {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey.reveal(),
        ...(credentials.sessionToken && { sessionToken: credentials.sessionToken.reveal() }),
      },
      { service: scope.service, region: to.signingRegion },
      clock.nowMs(),
    )
    return exchange.send(to, request, signed)
  }
}

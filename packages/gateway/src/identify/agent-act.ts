// Who an agent is that speaks to the gate itself: the session whose key signed the call (SigV4, service
// `seconder`). A call signed for AWS is none to the gate, nor the other way round. No person's verb is here.
import { SigV4Error } from '@seconder/aws/sigv4/errors'
import { type VerifiedSignature, verifyAsking } from '@seconder/aws/sigv4/verify'
import type { WireRequest } from '@seconder/aws/wire-request'
import { GatewayError } from '../errors.ts'
import { sha256Hex } from '../lib/canonical-json.ts'
import type { Rate } from '../lib/rate.ts'
import type { SessionRow, Store } from '../state/store.ts'
import { requireSessionToken } from './child-opening.ts'
import { requireOpen } from './open-session.ts'

/** The service and region that such a call is signed for. */
export const AGENT_SCOPE = { service: 'seconder', region: 'local' } as const

/** How often one session may say something to the gate itself. */
export const SAID_PER_SESSION = { burst: 300, perMinute: 120 }

/**
 * Returns the open session that signed this call, body and all; each signed call counts once, and `rate` counts the
 * calls of each session. Errors: `signature_invalid`, `session_closed`, `session_suspended`, `replayed`, `rate_limited`.
 */
export async function agentSession(
  request: WireRequest,
  store: Store,
  nowMs: number,
  rate: Pick<Rate, 'take'>,
): Promise<SessionRow> {
  let session: SessionRow | undefined
  const verified = await verifiedOrRefused(request, nowMs, async (accessKeyId) => {
    session = await store.sessionByAccessKey(accessKeyId)
    return session?.secretAccessKey || undefined
  })
  const { form, payloadKind, service, region } = verified
  const isOurs = service === AGENT_SCOPE.service && region === AGENT_SCOPE.region
  if (form !== 'header' || payloadKind !== 'signed' || !isOurs) {
    throw invalid('it is not signed, with its body, for the service `seconder`')
  }
  const open = requireOpen(session, nowMs)
  requireSessionToken(verified, open)
  // Before anything is kept of it.
  rate.take(open.id)
  if (!(await store.useNonce(`agent ${sha256Hex(verified.signature)}`, nowMs))) {
    throw new GatewayError('replayed', 'this very signed call was already made', 'sign it again')
  }
  return open
}

async function verifiedOrRefused(
  request: WireRequest,
  nowMs: number,
  lookup: (accessKeyId: string) => Promise<string | undefined>,
): Promise<VerifiedSignature> {
  try {
    return await verifyAsking(request, lookup, nowMs)
  } catch (cause) {
    if (cause instanceof SigV4Error) throw invalid(cause.message, cause)
    throw cause
  }
}

function invalid(why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'signature_invalid',
    `this is no call of a session: ${why}`,
    'run it with the keys of the session in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    cause === undefined ? undefined : { cause },
  )
}

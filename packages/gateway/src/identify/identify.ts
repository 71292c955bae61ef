// Makes a Caller from a verified signature: which session's key signed, for whom, under which role.
// A request that does not verify, or whose session is not open, has no caller and goes no further.
import { type VerifiedSignature, verify } from '@seconder/aws/sigv4/verify'
import { GatewayError } from '../errors.ts'
import type { Received } from '../receive/received.ts'
import type { SessionRow, Store } from '../state/store.ts'
import type { Caller } from './caller.ts'

export interface Identified {
  readonly caller: Caller
  readonly verified: VerifiedSignature
  readonly session: SessionRow
}

/**
 * Returns who is asking.
 * Errors: SigV4Error of packages/aws; `session_closed` when the session has ended.
 */
export function identify(received: Received, store: Store, nowMs: number): Identified {
  let session: SessionRow | undefined
  const verified = verify(
    received.request,
    (accessKeyId) => {
      session = store.sessionByAccessKey(accessKeyId)
      // A closed session has no key left; its requests fail here as those of an unknown key would.
      return session?.secretAccessKey ? session.secretAccessKey : undefined
    },
    nowMs,
  )
  if (!session || session.closedAtMs !== null || session.expiresAtMs <= nowMs) {
    throw new GatewayError(
      'session_closed',
      'this session has ended',
      'let the operator open a new one: `seconder session open`',
    )
  }
  const caller: Caller = {
    sessionId: session.id,
    agent: session.agent,
    operator: session.operator,
    role: { name: session.roleName, arn: session.roleArn },
    isolation: received.isolation,
  }
  return { caller, verified, session }
}

// How a call of a session comes onto the path: from where its keys are used, and within the limits of the session.
import type { Identified } from '../identify/identify.ts'
import { requirePeer } from '../identify/session-peer.ts'
import type { Received } from '../receive/received.ts'
import type { GatewayParts } from './on-path.ts'
import { isPresigned } from './presigned.ts'

/**
 * Returns what ends the call. Children count as the session that opened them: else they would multiply its limits.
 * Errors: `session_elsewhere`, `session_closed`; `rate_limited`, `limit_reached`.
 */
export async function entered(
  parts: GatewayParts,
  { session, verified }: Pick<Identified, 'session' | 'verified'>,
  peer: Received['peer'],
): Promise<() => void> {
  await requirePeer(parts, session, peer, isPresigned(verified) ? 'url' : 'key')
  return parts.limits.enter(session.parent ?? session.id)
}

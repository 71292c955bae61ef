// Whether a session may be used now. What has ended, and what was suspended because its keys were used from
// elsewhere (red team H17), opens nothing, at whichever door it is tried.
import { GatewayError } from '../errors.ts'
import type { SessionRow } from '../state/store.ts'

export function isOpen(session: SessionRow | undefined, nowMs: number): session is SessionRow {
  return session !== undefined && isAlive(session, nowMs) && session.suspendedAtMs === null
}

/** Errors: `session_closed`, `session_suspended`. */
export function requireOpen(session: SessionRow | undefined, nowMs: number): SessionRow {
  if (!session || !isAlive(session, nowMs)) throw sessionClosed()
  if (session.suspendedAtMs !== null) throw sessionSuspended(session.parent ?? session.id)
  return session
}

function isAlive({ closedAtMs, expiresAtMs }: SessionRow, nowMs: number): boolean {
  return closedAtMs === null && expiresAtMs > nowMs
}

export function sessionClosed(): GatewayError {
  return new GatewayError(
    'session_closed',
    'this session has ended',
    'let the operator open a new one: `seconder session open`',
  )
}

function sessionSuspended(id: string): GatewayError {
  return new GatewayError(
    'session_suspended',
    'the keys of this session were used from elsewhere, so it is suspended; nothing was done',
    `let its operator look, and give it new keys: \`seconder session resume ${id}\``,
  )
}

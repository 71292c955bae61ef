// Holds a session's keys to where they were used first: the user on this host, or the address (red team H17).
// Keys that were read from an environment, a log or a child are worth nothing anywhere else.
import { GatewayError } from '../errors.ts'
import type { SessionRow, Store } from '../state/store.ts'

/**
 * Binds a session, and with it its children, to the first peer that uses it; afterwards only that one may.
 * Where no peer can be told, as on a host without procfs, a session that is not bound stays so.
 * Errors: `session_elsewhere`.
 */
export async function requirePeer(
  store: Pick<Store, 'sessionPeer' | 'bindPeer'>,
  { id, parent }: Pick<SessionRow, 'id' | 'parent'>,
  measured: () => Promise<string | null>,
): Promise<void> {
  const bound = parent ?? id
  const peer = await measured()
  const first =
    (await store.sessionPeer(bound)) ??
    (peer === null ? undefined : await store.bindPeer(bound, peer))
  if (first === undefined || first === peer) return
  throw new GatewayError(
    'session_elsewhere',
    'the keys of this session were first used by another user or from another address; nothing was done',
    'let the operator close it if this is not expected: seconder session close; each agent has a session of its own',
  )
}

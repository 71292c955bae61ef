// Holds a session's keys to where they were used first: the user on this host, or the address (red team H17).
// Keys that were read from an environment, a log or a child are worth nothing anywhere else, and whoever tries
// suspends the session: its operator must look, and give it new ones.
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Recorder } from '../record/recorder.ts'
import type { SessionRow, Store } from '../state/store.ts'
import { sessionClosed } from './open-session.ts'

export interface PeerParts {
  readonly store: Pick<Store, 'sessionPeer' | 'bindPeer' | 'suspendSession' | 'alone'>
  readonly recorder: Pick<Recorder, 'owed' | 'recordOwed'>
  readonly clock: Clock
}

/** How a call shows that it is the session's: by its key, or by a URL that was signed before and handed on. */
export type Shown = 'key' | 'url'

type Session = Pick<SessionRow, 'id' | 'parent' | 'accessKeyId' | 'operator'>

/**
 * Binds a session, and with it its children, to the first peer that uses it; afterwards only that one may.
 * Where no peer can be told, as on a host without procfs, a session that is not bound stays so.
 * Errors: `session_elsewhere`, and `session_closed` where its keys were replaced meanwhile.
 */
export async function requirePeer(
  parts: PeerParts,
  session: Session,
  measured: () => Promise<string | null>,
  shown: Shown = 'key',
): Promise<void> {
  const { store } = parts
  const bound = session.parent ?? session.id
  const peer = await measured()
  const known = await store.sessionPeer(bound)
  if (known === undefined && peer === null) return
  const first = known ?? (await store.bindPeer(bound, session.accessKeyId, peer ?? ''))
  if (first === undefined) throw sessionClosed()
  if (first === peer) return
  // Who was not seen may be the agent itself, and an address that travelled is no key that did.
  const suspends = peer !== null && shown === 'key'
  if (suspends) await suspend(parts, session, peer)
  throw elsewhere(bound, suspends)
}

/** One at a time with its being resumed, so that the ledger tells both in the order that they had. */
async function suspend({ store, recorder, clock }: PeerParts, session: Session, from: string) {
  const { id, parent, accessKeyId, operator } = session
  const bound = parent ?? id
  await store.alone(`session ${bound}`, async () => {
    const said = { session: bound, operator, used: id, accessKeyId, from }
    const owed = [recorder.owed({ type: 'session-suspended', ...said })]
    // The keys end with the entry that the ledger is owed; that is recorded next, here or after a crash.
    if (await store.suspendSession(bound, accessKeyId, clock.nowMs(), owed)) {
      await recorder.recordOwed(owed)
    }
  })
}

function elsewhere(id: string, suspends: boolean): GatewayError {
  const what = suspends ? 'it is suspended and nothing was done' : 'nothing was done'
  return new GatewayError(
    'session_elsewhere',
    `the keys of this session were first used by another user or from another address; ${what}`,
    `let its operator look: \`seconder session resume ${id}\` gives it new keys, \`seconder session close ${id}\` ends it`,
  )
}

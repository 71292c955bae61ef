// What an entry of the ledger took away, taken from a state that does not know of it: one that lost its last
// changes with the power, or one that somebody put back from before. Nothing here gives anybody a right.
import type { Ledger } from '@seconder/ledger/ledger'
import { OWED_TYPES, owedText } from '../lib/owed-id.ts'
import type { Store } from '../state/store.ts'
import { closedWith } from './ended-by.ts'
import type { Entry, SignedAct } from './entry.ts'

/**
 * Ends what the entry ended, puts in force the epoch that it put in force, and uses up the nonces in it. Changes
 * nothing that the state has already. Errors: LedgerError where the content of an epoch cannot be read.
 */
export async function caughtUp(entry: Entry, ledger: Ledger, store: Store): Promise<void> {
  const atMs = Date.parse(entry.at)
  for (const nonce of noncesOf(entry)) await store.useNonce(nonce, atMs)
  if (OWED_TYPES.has(entry.type)) await store.settleOwed(owedText(entry).id)
  switch (entry.type) {
    case 'epoch-activated':
      return followedEpoch(entry, ledger, store)
    case 'outcome':
      if (entry.outcome.result === 'confirmed') await store.endFollowed(entry.effect)
      return
    case 'session-closed':
    case 'session-suspended':
    case 'session-resumed':
      return endedKeys(entry, store)
    case 'gate-restored':
      await store.endEverything(atMs)
      return
    case 'review': {
      const { request, reviewer, verdict } = entry
      if (verdict === 'approve') return
      const state = verdict === 'deny' ? 'denied' : 'changes_requested'
      await store.closeRequest(request, state, reviewer, null)
      return
    }
    case 'request-closed':
      if (isEnd(entry.state)) await store.closeRequest(entry.request, entry.state, entry.by, null)
      return
    case 'request-cancelled':
      await store.closeRequest(entry.request, 'cancelled', entry.signer, null)
      return
    case 'grant-revoked':
      await store.endGrant(entry.grant, { state: 'revoked', by: entry.signer, why: entry.why })
      return
    case 'grant-expired':
      await store.endGrant(entry.grant, { state: 'expired', by: null, why: 'unused in time' })
      return
    case 'plan-stopped': {
      const { plan, step, why } = entry
      await store.endPlan(plan, { state: 'stopped', step, why })
      return
    }
    default:
      return
  }
}

/** Takes away the keys that opened something before this entry. */
async function endedKeys(entry: KeysEnd, store: Store): Promise<void> {
  const atMs = Date.parse(entry.at)
  const { session } = entry
  switch (entry.type) {
    case 'session-closed':
      await store.closeSession(session, atMs)
      return
    case 'session-suspended':
      if (entry.accessKeyId === undefined) return
      await store.suspendSession(session, entry.accessKeyId, atMs)
      return
    case 'session-resumed':
      // Where the state has the new keys this is of the past; where it lost them, the old ones end all the same.
      if (entry.replaced === undefined) return
      return store.endReplacedKeys(session, entry.replaced, atMs, closedWith(atMs))
  }
}

type KeysEnd = Extract<Entry, { type: 'session-closed' | 'session-suspended' | 'session-resumed' }>

/** An approved request has its grant, or nothing: what the state lacks of that is asked for again. */
function isEnd(state: string): state is 'denied' | 'changes_requested' | 'expired' | 'cancelled' {
  return ['denied', 'changes_requested', 'expired', 'cancelled'].includes(state)
}

/** Puts an epoch in force that the ledger says was activated, where the state does not know of it. */
export async function followedEpoch(
  { epoch: number, version, content: digest, at }: Extract<Entry, { type: 'epoch-activated' }>,
  ledger: Pick<Ledger, 'readPayload'>,
  store: Store,
): Promise<void> {
  const active = await store.activeEpoch()
  if (active !== undefined && active.number >= number) return
  const content = new TextDecoder().decode(await ledger.readPayload(digest))
  await store.activateEpoch({ number, version, content, activatedAtMs: Date.parse(at) })
}

function noncesOf(entry: Entry): string[] {
  const { act, acts = [] } = entry as { act?: SignedAct | null; acts?: readonly SignedAct[] }
  return [...acts, ...(act ? [act] : [])].flatMap(({ statement }) => nonceOf(statement))
}

function nonceOf(statement: string): string[] {
  try {
    const { nonce } = JSON.parse(statement) as { nonce?: unknown }
    return typeof nonce === 'string' ? [nonce] : []
  } catch {
    return [] // what is no statement was never taken for one
  }
}

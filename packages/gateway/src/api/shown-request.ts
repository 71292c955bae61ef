// A request as the API shows it: its state, who may still answer, what became of its approval, and what an
// agent should be told now.
import { againstOf, type ShownAgain } from '../review/again.ts'
import { closedWords, needsWords } from '../review/words.ts'
import type { GrantState, RequestRow, RequestState, Store } from '../state/store.ts'

export interface ShownRequest {
  readonly requestId: string
  readonly state: RequestState
  readonly operation: string
  readonly sessionId: string
  readonly operator: string
  readonly digest: string
  readonly requirement: readonly string[]
  readonly needs: string
  readonly openedAt: string
  readonly expiresAt: string
  readonly closedBy: string | null
  readonly comment: string | null
  /** What became of the approval; null before there is one. */
  readonly grant: ShownGrant | null
  /** Who said no to the same within a day. */
  readonly deniedBefore: readonly { readonly request: string; readonly by: string }[]
  /** Of others since it was opened: what makes again what this one removes, or the other way (red team L1). */
  readonly again: readonly ShownAgain[]
  /** Teams that are or will be told when nobody answers. */
  readonly escalations: readonly ShownEscalation[]
  /** What an agent should be told now. */
  readonly guidance: string
  readonly waitCommand: string
}

export interface ShownGrant {
  readonly state: GrantState
  readonly expiresAt: string
  readonly endedBy: string | null
}

export interface ShownEscalation {
  readonly team: string
  readonly dueAt: string
  readonly at: string | null
  /** What of the team policy would take instead; null where it takes none, or nobody looked yet. */
  readonly alternative: readonly string[] | null
}

const iso = (ms: number) => new Date(ms).toISOString()

export async function shownRequest(store: Store, row: RequestRow): Promise<ShownRequest> {
  const grant = row.state === 'approved' ? await store.grantForRequest(row.id) : undefined
  const escalations = await store.escalations(row.id)
  const isPending = row.state === 'pending'
  return {
    requestId: row.id,
    state: row.state,
    operation: row.operation,
    sessionId: row.sessionId,
    operator: row.operator,
    digest: row.digest,
    requirement: row.requirement,
    needs: needsWords(row),
    openedAt: iso(row.openedAtMs),
    expiresAt: iso(row.expiresAtMs),
    closedBy: row.closedBy,
    comment: row.comment,
    grant: grant
      ? { state: grant.state, expiresAt: iso(grant.expiresAtMs), endedBy: grant.endedBy }
      : null,
    deniedBefore: row.deniedBefore,
    again: await againSince(store, row),
    escalations: escalations.map(({ team, dueAtMs, atMs, alternative }) => {
      return { team, dueAt: iso(dueAtMs), at: atMs === null ? null : iso(atMs), alternative }
    }),
    guidance: isPending ? 'wait for a reviewer; nothing was done' : closedWords(row, grant),
    waitCommand: `seconder wait ${row.id}`,
  }
}

/** Its document has what was asked for before; a document never changes. */
async function againSince(store: Store, row: RequestRow): Promise<ShownAgain[]> {
  const own = await store.touchesOf(row.id)
  if (own.length === 0) return []
  const { id: request, operator, openedAtMs } = row
  const found = await againstOf(store, { request, operator }, own, openedAtMs)
  return found.filter(({ at }) => Date.parse(at) > openedAtMs)
}

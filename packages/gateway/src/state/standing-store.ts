// The part of the state port about what stands beside requests: denials that outlast them, how many somebody
// asks for, teams that are told later, and approvals that ended unused.
import type { SeatCount } from '../decide/decision.ts'
import type { OwedEntry } from './owed-store.ts'
import type { GrantRow, RequestRow, ReviewRow } from './store.ts'

/** What a call would do to what, as far as two calls are compared by it. */
export interface Reach {
  readonly service: string
  readonly effects: readonly string[]
  readonly resources: readonly string[]
}

/** A no that stands over the request it was said to (red team H5). */
export interface DenialRow extends Reach {
  readonly requestId: string
  readonly operator: string
  readonly deniedBy: string
  readonly comment: string
  readonly atMs: number
  readonly untilMs: number
}

/** A thing that a request would remove or make, for as long as that request may live (red team L1). */
export interface TouchRow {
  readonly requestId: string
  readonly sessionId: string
  readonly operator: string
  readonly operation: string
  readonly does: 'removes' | 'makes'
  readonly resource: string
  readonly atMs: number
  readonly untilMs: number
}

/** A team that is told of a request when nobody has answered for a while. */
export interface EscalationRow {
  readonly requestId: string
  readonly team: string
  readonly dueAtMs: number
  /** When it was told; null before. */
  readonly atMs: number | null
  /** What of this team would be enough instead, by policy; null where policy takes no such approval. */
  readonly alternative: readonly SeatCount[] | null
}

export interface EndedGrant {
  readonly state: 'revoked' | 'expired'
  readonly by: string | null
  readonly why: string
}

/** What comes with the end of something, in one transaction with it. */
export interface AlongWith {
  readonly owed?: readonly OwedEntry[]
  readonly denials?: readonly DenialRow[]
  readonly review?: ReviewRow
}

export interface StandingStore {
  /** Denials of this operator's calls that still stand. */
  denials(operator: string, nowMs: number): Promise<readonly DenialRow[]>
  /** Forgets denials and touches that are over. */
  pruneStanding(nowMs: number): Promise<void>

  addTouches(rows: readonly TouchRow[]): Promise<void>
  /** What requests of this operator that are open or approved, and alive at `nowMs`, do to the thing, newest first; a few. */
  touched(
    operator: string,
    resource: string,
    does: TouchRow['does'],
    nowMs: number,
  ): Promise<readonly TouchRow[]>
  touchesOf(requestId: string): Promise<readonly TouchRow[]>

  /** Requests of this operator that are open, and that were opened since. */
  requestCounts(
    operator: string,
    sinceMs: number,
  ): Promise<{ readonly open: number; readonly since: number }>
  /** The newest requests of a session that somebody wanted changed. */
  changesAsked(sessionId: string, sinceMs: number, limit: number): Promise<readonly RequestRow[]>

  addEscalations(rows: readonly EscalationRow[]): Promise<void>
  escalations(requestId: string): Promise<readonly EscalationRow[]>
  /** Of pending requests, not told yet, due by now. */
  dueEscalations(nowMs: number): Promise<readonly EscalationRow[]>
  endEscalation(row: EscalationRow): Promise<void>

  /** Ready grants past their expiry. */
  dueGrants(nowMs: number): Promise<readonly GrantRow[]>
  /** False where it is not ready any more; then nothing of `along` is kept. */
  endGrant(id: string, ended: EndedGrant, along?: AlongWith): Promise<boolean>
}

// Tells a second team of what nobody has answered, as the epoch's rule for the environment says. It never
// changes what policy asks: it finds out whether people of that team would be enough instead, and says so.
import type { SeatCount } from '../decide/decision.ts'
import type { Recorder } from '../record/recorder.ts'
import type { EscalationRow } from '../state/standing-store.ts'
import type { RequestRow, Store } from '../state/store.ts'
import type { Escalate } from './review-config.ts'
import type { Reviewer } from './reviewer.ts'

/** People of the team that are tried at most. */
const ALTERNATIVE_PEOPLE_MAX = 3

export interface EscalationRule extends Escalate {
  readonly environment: string
}

/** The teams to be told of a request, each at its earliest time; only before the request ends. */
export function escalationsFor(
  request: Pick<RequestRow, 'id' | 'openedAtMs' | 'expiresAtMs'>,
  rules: readonly EscalationRule[],
): EscalationRow[] {
  const due = new Map<string, number>()
  for (const { to, afterMs } of rules) {
    const dueAtMs = request.openedAtMs + afterMs
    if (dueAtMs < request.expiresAtMs) due.set(to, Math.min(dueAtMs, due.get(to) ?? dueAtMs))
  }
  return [...due].map(([team, dueAtMs]) => ({
    requestId: request.id,
    team,
    dueAtMs,
    atMs: null,
    alternative: null,
  }))
}

/** The least number of the team that policy would allow it for, with nobody else; null where none is enough. */
export function alternativeOf(
  team: string,
  allows: (reviewers: readonly Reviewer[]) => boolean,
): readonly SeatCount[] | null {
  for (let count = 1; count <= ALTERNATIVE_PEOPLE_MAX; count++) {
    // Nobody's names: they are asked about, and never approve anything.
    const people = Array.from({ length: count }, (_, at): Reviewer => {
      return { name: `\u0000${at}`, teams: [team], strength: 'hardware' }
    })
    if (allows(people)) return [`${team}:${count}`]
  }
  return null
}

/** Recorded first: whoever is told can find it in the ledger. Once, whichever sweep or gateway found it due too. */
export async function escalate(
  { store, recorder }: { readonly store: Store; readonly recorder: Recorder },
  row: EscalationRow,
  alternative: readonly SeatCount[] | null,
  nowMs: number,
): Promise<void> {
  const { requestId: request, team } = row
  const all = await store.escalations(request)
  if (all.some((one) => one.team === team && one.atMs !== null)) return
  await recorder.record({ type: 'request-escalated', request, team, alternative })
  await store.endEscalation({ ...row, atMs: nowMs, alternative })
}

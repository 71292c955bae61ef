// What the ledger is to say of what ended with something else: sessions with the keys that opened them, approvals and
// sessions with the people they rested on.
import { owedText } from '../lib/owed-id.ts'
import type { OwedEntry, OwedOf } from '../state/owed-store.ts'
import type { AppliedChange } from '../state/people-store.ts'
import type { ClosedSessions } from '../state/store.ts'
import type { Unrecorded } from './recorder.ts'

const WHY = 'an approval of it is by somebody, or a key or team, that was removed'

/** Owed since `sinceMs`, by a change of people. */
export function endedByPeople(sinceMs: number): OwedOf<AppliedChange> {
  return ({ revokedGrants, closedSessions }) => [
    ...revokedGrants.map(({ id: grant, requestId: request }) =>
      owedSince(sinceMs, {
        type: 'grant-revoked',
        ...{ grant, request, why: WHY, signer: null, act: null },
      }),
    ),
    ...closedWith(sinceMs)({ children: closedSessions }),
  ]
}

/** Owed since `sinceMs`, by the end of the session or the keys that opened them. */
export function closedWith(sinceMs: number): OwedOf<Pick<ClosedSessions, 'children'>> {
  return ({ children }) =>
    children.map((session) => owedSince(sinceMs, { type: 'session-closed', session, act: null }))
}

function owedSince(sinceMs: number, entry: Unrecorded): OwedEntry {
  return { ...owedText(entry), sinceMs }
}

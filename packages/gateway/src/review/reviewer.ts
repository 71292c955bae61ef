// The noun of somebody who approves: with the teams that count, and what the signature proves.
import type { Strength } from '../lib/signed-act.ts'
import { type PersonRecord, teamsAt } from '../state/people-store.ts'
import type { RequestRow } from '../state/store.ts'

export interface Reviewer {
  readonly name: string
  readonly teams: readonly string[]
  readonly strength: Strength
}

/** With the teams that were this person's when the request was opened. */
export function asReviewer(
  person: PersonRecord,
  request: Pick<RequestRow, 'openedAtMs'>,
  strength: Strength,
): Reviewer {
  return { name: person.name, teams: teamsAt(person, request.openedAtMs), strength }
}

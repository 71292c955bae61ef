// What a denial asks of later requests for the same: it stands for a day, and one more person than policy
// wants must sign over it, or the one who said no (red team H5).
import type { Decision } from '../decide/decision.ts'
import type { DenialRow, Reach } from '../state/standing-store.ts'
import type { RequestRow, Store } from '../state/store.ts'
import type { DeskPolicy } from './desk-options.ts'
import type { AnyDocument } from './plan-document.ts'
import { partsOf } from './plan-document.ts'
import { meets, reachOf } from './reach.ts'
import type { Reviewer } from './reviewer.ts'

/** How long a denial stands, in milliseconds. */
export const DENIAL_STANDS_MS = 24 * 60 * 60 * 1000

/** Denials shown with one request; each of them counts. */
export const DENIALS_SHOWN_MAX = 20

/** A denial as the next reviewers see it, first of all. */
export interface ShownDenial {
  readonly request: string
  readonly by: string
  readonly at: string
  readonly comment: string
}

export async function standingDenials(
  store: Store,
  operator: string,
  reaches: readonly Reach[],
  nowMs: number,
): Promise<ShownDenial[]> {
  const all = await store.denials(operator, nowMs)
  const found = all.filter((denial) => reaches.some((reach) => meets(denial, reach)))
  // The newest of each person: one no of one person is one no.
  const byPerson = new Map(found.map((denial) => [denial.deniedBy, denial]))
  return [...byPerson.values()].slice(-DENIALS_SHOWN_MAX).map(shownDenial)
}

function shownDenial({ requestId, deniedBy, comment, atMs }: DenialRow): ShownDenial {
  return { request: requestId, by: deniedBy, at: new Date(atMs).toISOString(), comment }
}

/**
 * Whether these approvals are enough over those denials: after one of them is put aside for each person who
 * denied and has not approved, policy must still allow.
 */
export function overcomes(
  deniedBy: readonly string[],
  approvers: readonly Reviewer[],
  decideWith: (approvers: readonly Reviewer[]) => Decision,
): boolean {
  const names = new Set(approvers.map(({ name }) => name))
  const missing = new Set(deniedBy.filter((name) => !names.has(name))).size
  if (missing === 0) return decideWith(approvers).answer === 'allow'
  return without(approvers, missing).some((fewer) => decideWith(fewer).answer === 'allow')
}

/** Policy's answer to these approvals, and what a standing denial asks on top of it (red team H5). */
export function decided(
  policy: DeskPolicy,
  request: RequestRow,
  document: AnyDocument,
  approvers: readonly Reviewer[],
): Decision {
  const decideWith = (some: readonly Reviewer[]) => policy.decideWith(document, some)
  const decision = decideWith(approvers)
  const deniedBy = request.deniedBefore.map(({ by }) => by)
  if (decision.answer !== 'allow' || overcomes(deniedBy, approvers, decideWith)) return decision
  const { requirement, policies } = document
  return { answer: 'review', requirement, policies, reason: 'the same was denied within a day' }
}

/** Every way to put `count` of them aside; at most as many as there are of eight people. */
function without(all: readonly Reviewer[], count: number): (readonly Reviewer[])[] {
  if (count === 0) return [all]
  if (count >= all.length) return []
  return all.flatMap((_, index) => {
    const later = all.slice(index + 1)
    return without(later, count - 1).map((kept) => [...all.slice(0, index), ...kept])
  })
}

/** What is remembered of a no, also over what was not asked yet: one row for each call it was said to. */
export function denialsOf(
  { id: requestId, operator }: Pick<RequestRow, 'id' | 'operator'>,
  document: AnyDocument,
  { reviewer: deniedBy, comment }: { readonly reviewer: string; readonly comment: string },
  atMs: number,
): DenialRow[] {
  return partsOf(document).map(({ action, evidence }) => {
    const said = { requestId, operator, deniedBy, comment, atMs }
    return { ...reachOf(action, evidence), ...said, untilMs: atMs + DENIAL_STANDS_MS }
  })
}

// Every least way in which people could let an Action through, for people who ask beforehand. The gate itself
// asks for the first one alone (inquiry.ts); the order of the search, and so the first, is the same.
import type { Action } from '../describe/action.ts'
import type { Evidence } from '../resolve/evidence.ts'
import { candidatesOf } from './candidates.ts'
import { openInquiry } from './decide.ts'
import type { DecideContext, SeatCount } from './decision.ts'
import { firstRefused, InquiryFault } from './inquiry.ts'
import type { PolicySet } from './policy-set.ts'
import { requirementOf, type Seating } from './seats.ts'

/** Ways that are found, and approvals that are tried for them. */
export const WAYS_MAX = 8
export const TRIED_MAX = 256

export interface Ways {
  /** Each alone would do, least first, and none holds another: `sre:1`, or `dba:2`. */
  readonly ways: readonly (readonly SeatCount[])[]
  /** True where there are more, or may be: the limits are reached. */
  readonly isCut: boolean
}

const NONE: Ways = { ways: [], isCut: false }

/** No ways where nothing would do, or policy could not answer. */
export function waysThrough(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
  policySet: PolicySet,
): Ways {
  const inquiry = openInquiry(action, evidence, context, policySet)
  if ('answer' in inquiry) return NONE
  const found: Seating[] = []
  const candidates = candidatesOf(policySet.seatCounts) ?? []
  let tried = 0
  for (const seating of candidates) {
    if (found.some((less) => holds(seating, less))) continue
    if (tried === TRIED_MAX) return { ways: found.map(requirementOf), isCut: true }
    tried++
    try {
      if (firstRefused(inquiry, inquiry.questions, seating) !== null) continue
    } catch (error) {
      if (error instanceof InquiryFault) return NONE // the decision beside this says what failed
      throw error
    }
    if (found.length === WAYS_MAX) return { ways: found.map(requirementOf), isCut: true }
    found.push(seating)
  }
  return { ways: found.map(requirementOf), isCut: false }
}

/** Whether everybody of `less` sits in `seating` too. */
function holds(seating: Seating, less: Seating): boolean {
  if (less.all > seating.all) return false
  return [...less.teams].every(([team, count]) => count <= (seating.teams.get(team) ?? 0))
}

// A Decision from an Action, its Evidence and a policy set: allow, deny, or the least review that
// would make it an allow. Synchronous and without clock, network, disk or chance, because replay
// runs the same code over history. Every path that is not a plain yes from Cedar ends in deny or
// review.
import type { Action } from '../describe/action.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { DecideContext, Decision } from './decision.ts'
import {
  type Answer,
  answerTo,
  firstRefused,
  type Inquiry,
  InquiryFault,
  inquiryOf,
  leastSeating,
  NOBODY,
} from './inquiry.ts'
import type { PolicySet } from './policy-set.ts'
import type { Question, Refusal } from './request.ts'
import { REVIEWERS_MAX, type Reviewer, requirementOf, type Seating, seatings } from './seats.ts'

/**
 * - `denied_by_policy`: a forbid matched, or nothing permits it whoever approves.
 * - `policy_error`: Cedar could not answer; nothing was decided, so nothing may happen.
 * - `invalid_request`: the Action is not whole (an empty list, an unknown value, a malformed text).
 * - `reserved_key`: `__entity` or `__extn` among the parameters.
 * - `too_many_resources`: more resources than are decided for one Action.
 * - `credential_answer`: the answer would carry a credential; no policy and no person lets it pass.
 * - `too_many_reviewers`: more reviewers, or more ways to seat them, than are tried.
 */
export type DenyCode =
  | 'denied_by_policy'
  | 'policy_error'
  | 'invalid_request'
  | 'reserved_key'
  | 'too_many_resources'
  | 'credential_answer'
  | 'too_many_reviewers'

/** UTF-16 units of a name, and reasons of policies, shown in one reason; the ids are all listed. */
const SHOWN_LENGTH_MAX = 200
const SHOWN_REASONS_MAX = 5

/**
 * Policy's answer to an Action. Every effect is decided for every resource that policy can tell
 * apart; the answer is allow only if each is, and a deny of one is a deny of all. A review asks for
 * the least seat counts that allow everything at once. A deny carries one of `DenyCode`.
 */
export function decide(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
  policySet: PolicySet,
): Decision {
  return refusingFaults(() => {
    const inquiry = openInquiry(action, evidence, context, policySet)
    return 'answer' in inquiry ? inquiry : decideInquiry(inquiry)
  })
}

/**
 * Policy's answer to an Action that these people approved: allow where some way of seating each of
 * them once satisfies the policies for every effect and resource, otherwise what `decide` answers.
 * Who may review is not judged here. More than `REVIEWERS_MAX` people, or `SEATINGS_MAX` ways to
 * seat them: deny `too_many_reviewers`.
 */
export function decideWithReviewers(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
  policySet: PolicySet,
  reviewers: readonly Reviewer[],
): Decision {
  return refusingFaults(() => {
    const inquiry = openInquiry(action, evidence, context, policySet)
    if ('answer' in inquiry) return inquiry
    const decision = decideInquiry(inquiry)
    if (decision.answer !== 'review') return decision
    if (reviewers.length > REVIEWERS_MAX) {
      return deny('too_many_reviewers', `more than ${REVIEWERS_MAX} reviewers cannot be seated`)
    }
    // The hardware-signed approvals alone may be enough; with the others the weakest one counts.
    const hardware = reviewers.filter(({ strength }) => strength === 'hardware')
    const weaker: Inquiry = { ...inquiry, strength: 'software', answered: new Map() }
    return allowedBy(inquiry, hardware) ?? allowedBy(weaker, reviewers) ?? decision
  })
}

function allowedBy(inquiry: Inquiry, reviewers: readonly Reviewer[]): Decision | null {
  const ways = seatings(reviewers, inquiry.policySet.teams) ?? []
  const seating = ways.find((way) => firstRefused(inquiry, inquiry.questions, way) === null)
  if (seating === undefined) return null
  return { answer: 'allow', policies: policiesOf(inquiry, inquiry.questions, seating) }
}

/**
 * Whether approvals signed without proof of a person's presence can ever be enough for this Action
 * (red team C3). False also when nothing can be told.
 */
export function acceptsSoftware(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
  policySet: PolicySet,
): boolean {
  const decision = refusingFaults(() => {
    const inquiry = openInquiry(action, evidence, context, policySet)
    return 'answer' in inquiry ? inquiry : decideInquiry({ ...inquiry, strength: 'software' })
  })
  return decision.answer !== 'deny'
}

/**
 * Whether the answer could be another one if the agent stood nearer to the gate or further from it.
 * Where it could not, any isolation may stand in the context of `decide`.
 */
export function readsIsolation(
  action: Action,
  evidence: Evidence,
  { isolationReadFor }: PolicySet,
): boolean {
  return [...action.effects, ...evidence.addedEffects].some((effect) =>
    isolationReadFor.has(effect),
  )
}

/** Why Cedar's answer is no, in words for the agent and the reviewer. */
export function reasonOfDeny(policySet: PolicySet, question: Question, answer: Answer): string {
  if (answer.policies.length > 0) return `denied: ${reasonsOf(policySet, answer.policies)}`
  const resource = shown(question.resource.arn)
  const environment = shown(question.environment)
  return `no policy permits \`${question.effect}\` on \`${resource}\` in \`${environment}\``
}

/** The `@reason` of the first policies, or the id where one has none, each once. */
export function reasonsOf(policySet: PolicySet, ids: readonly string[]): string {
  const reasons = ids.map((id) => policySet.policies.get(id)?.reason ?? `policy \`${id}\``)
  const distinct = [...new Set(reasons)]
  const more = distinct.length - SHOWN_REASONS_MAX
  const first = distinct.slice(0, SHOWN_REASONS_MAX).join('; ')
  return more > 0 ? `${first}; and ${more} more` : first
}

/** The inquiry for an Action, or the deny that stands before any policy is asked. */
export function openInquiry(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
  policySet: PolicySet,
): Inquiry | Decision {
  // In code and not only in policy (redteam C4): no policy file can open this.
  if (action.reveals === 'credential') {
    return deny('credential_answer', 'the answer would carry a credential, which never passes')
  }
  const inquiry: Inquiry | Refusal = inquiryOf(action, evidence, context, policySet)
  return 'code' in inquiry ? deny(inquiry.code, inquiry.reason) : inquiry
}

/** The Decision on all questions of an inquiry together; throws what `answerTo` throws. */
export function decideInquiry(inquiry: Inquiry): Decision {
  const { policySet, questions } = inquiry
  const allowing = new Set<string>()
  const open: Question[] = []
  for (const question of questions) {
    const answer = answerTo(inquiry, question, NOBODY)
    if (!answer.allowed) open.push(question)
    else for (const id of answer.policies) allowing.add(id)
  }
  if (open.length === 0) return { answer: 'allow', policies: [...allowing].sort() }
  const search = leastSeating(inquiry, open)
  if (search.result === 'none') {
    const reason = reasonOfDeny(policySet, search.question, search.answer)
    return deny('denied_by_policy', reason, search.answer.policies)
  }
  const requirement = requirementOf(search.seating)
  const policies = policiesOf(inquiry, open, search.seating)
  const reason = `needs ${requirement.join(' and ')}: ${reasonsOf(policySet, policies)}`
  return { answer: 'review', requirement, policies, reason }
}

/** The permits that allow these questions under the seating, sorted. */
function policiesOf(
  inquiry: Inquiry,
  questions: readonly Question[],
  seating: Seating,
): readonly string[] {
  const ids = questions.flatMap((question) => answerTo(inquiry, question, seating).policies)
  return [...new Set(ids)].sort()
}

/** What throws has not answered: a deny, with words of ours only. */
export function refusingFaults(decided: () => Decision): Decision {
  try {
    return decided()
  } catch (error) {
    if (error instanceof InquiryFault) return deny('policy_error', error.message, error.policies)
    return deny('policy_error', 'the policy engine failed while deciding')
  }
}

function deny(code: DenyCode, reason: string, policies: readonly string[] = []): Decision {
  return { answer: 'deny', code, policies, reason }
}

function shown(text: string): string {
  if (text.length <= SHOWN_LENGTH_MAX) return text
  // A cut through a surrogate pair would leave half of it; the canonical form refuses that.
  return `${text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}…`
}

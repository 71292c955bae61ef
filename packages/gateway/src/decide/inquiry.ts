// One Action's questions put to one policy set: what Cedar answers to each under given approvals,
// and the least approvals under which all are allowed. It judges one thing only: an error, a
// failure or a throw leaves here as a throw, never as an answer.
import type { Action, Effect } from '../describe/action.ts'
import type { Evidence } from '../resolve/evidence.ts'
import { candidatesOf, widestOf } from './candidates.ts'
import type { DecideContext, SeatCount } from './decision.ts'
import { type PolicySet, type Slice, sliceFor } from './policy-set.ts'
import {
  cedarCall,
  DISTINCT_RESOURCES_MAX,
  factsRead,
  type Question,
  questionsOf,
  type Refusal,
  refusalOf,
  requestFacts,
} from './request.ts'
import { type ApprovalStrength, approvedByFor, type Seating } from './seats.ts'

/** Cedar's answer to one question: allowed or not, and the policies that made it so. */
export interface Answer {
  readonly allowed: boolean
  /** The permits of an allow, the forbids of a deny; empty when nothing permitted. */
  readonly policies: readonly string[]
}

/** Everything needed to ask on behalf of one Action. */
export interface Inquiry {
  readonly policySet: PolicySet
  readonly context: DecideContext
  readonly facts: ReturnType<typeof requestFacts>
  readonly questions: readonly Question[]
  /** The weakest approval there is; the search for the least review assumes the strongest. */
  readonly strength: ApprovalStrength
  /** Answers already had, by question and approvals; an inquiry lasts as long as one decision. */
  readonly answered: Map<Question, Map<string, Answer>>
}

/** Cedar could not answer: a policy errored, or the request does not fit the schema. */
export class InquiryFault extends Error {
  /** The policies that errored; empty when the call itself failed. */
  readonly policies: readonly string[]

  constructor(message: string, policies: readonly string[]) {
    super(message)
    this.name = 'InquiryFault'
    this.policies = policies
  }
}

export const NOBODY: Seating = { teams: new Map(), all: 0 }

/** The inquiry for an Action, or why there can be none. */
export function inquiryOf(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
  policySet: PolicySet,
  strength: ApprovalStrength = 'hardware',
): Inquiry | Refusal {
  const refusal = refusalOf(action, evidence, context)
  if (refusal !== null) return refusal
  const facts = (effect: Effect, environment: string) =>
    sliceFor(policySet, effect, environment).resourceFacts
  const questions = questionsOf(action, evidence, policySet.environments, facts)
  if (questions === null) {
    const reason = `the action touches more than ${DISTINCT_RESOURCES_MAX} distinct resources`
    return { code: 'too_many_resources', reason }
  }
  return {
    policySet,
    context,
    facts: requestFacts(action, context),
    questions,
    strength,
    answered: new Map(),
  }
}

/**
 * Cedar's answer to a question under a seating. A question the gate itself is uncertain about is
 * not allowed while nobody has approved. Throws InquiryFault, and whatever the WASM instance
 * throws.
 */
export function answerTo(inquiry: Inquiry, question: Question, seating: Seating): Answer {
  const approvedBy = approvedByFor(seating)
  const key = approvedBy.join(' ')
  const known = inquiry.answered.get(question) ?? new Map<string, Answer>()
  const answer = known.get(key) ?? askCedar(inquiry, question, approvedBy)
  known.set(key, answer)
  inquiry.answered.set(question, known)
  return answer
}

function askCedar(inquiry: Inquiry, question: Question, approvedBy: readonly SeatCount[]): Answer {
  const { policySet, context, facts } = inquiry
  const strength = approvedBy.length === 0 ? 'none' : inquiry.strength
  const approvals = { approvedBy, strength } as const
  const slice = sliceOf(inquiry, question)
  const read = factsRead(question, facts, context, approvals, slice)
  const call = () => cedarCall(question, facts, context, approvals)
  const answer = policySet.engine.ask(slice.name, read, call)
  if (answer.type !== 'success') {
    const causes = answer.errors.map((error) => error.message).join(': ')
    throw new InquiryFault(`the request does not fit the policies: ${causes}`, [])
  }
  const { decision, diagnostics } = answer.response
  // Cedar skips a policy that errors and answers from the rest (hazard 2); here that is no answer.
  if (diagnostics.errors.length > 0) {
    const policies = diagnostics.errors.map((error) => error.policyId).sort()
    throw new InquiryFault(`a policy failed while deciding: \`${policies.join('`, `')}\``, policies)
  }
  const policies = [...diagnostics.reason].sort()
  if (decision !== 'allow') return { allowed: false, policies }
  const mayPass = !question.uncertain || approvedBy.length > 0
  return { allowed: mayPass, policies }
}

/** The first question that the seating does not allow, or null when it allows all. */
export function firstRefused(
  inquiry: Inquiry,
  questions: readonly Question[],
  seating: Seating,
): { question: Question; answer: Answer } | null {
  for (const question of questions) {
    const answer = answerTo(inquiry, question, seating)
    if (!answer.allowed) return { question, answer }
  }
  return null
}

/** What the search found: the least seating that allows every question, or what none allows. */
export type Search =
  | { readonly result: 'least'; readonly seating: Seating }
  | { readonly result: 'none'; readonly question: Question; readonly answer: Answer }

/**
 * The least seating (fewest people, then fewest of a named team) that allows all the questions.
 *
 * Sound because policies are monotone in approvals (approvals.ts): what the widest seating refuses,
 * every seating refuses.
 */
export function leastSeating(inquiry: Inquiry, questions: readonly Question[]): Search {
  const candidates = candidatesOf(seatCountsOf(inquiry, questions)) ?? []
  const refused = firstRefused(inquiry, questions, widestOf(candidates))
  if (refused !== null) return { result: 'none', ...refused }
  // The question that refused last is asked first: it will most likely refuse the next one too.
  const order = [...questions]
  for (const seating of candidates) {
    const found = firstRefused(inquiry, order, seating)
    if (found === null) return { result: 'least', seating }
    order.splice(order.indexOf(found.question), 1)
    order.unshift(found.question)
  }
  throw new InquiryFault('the widest approvals allow what no approvals found do', [])
}

function seatCountsOf(inquiry: Inquiry, questions: readonly Question[]): SeatCount[] {
  const mentioned = new Set(questions.flatMap((question) => sliceOf(inquiry, question).seatCounts))
  if (questions.some((question) => question.uncertain)) mentioned.add('any:1')
  return [...mentioned].sort()
}

function sliceOf(inquiry: Inquiry, question: Question): Slice {
  return sliceFor(inquiry.policySet, question.effect, question.environment)
}

// What the path answers to a call of a session that has a plan: recorded and not done, not changed while it is
// recorded, or the end of an approved plan that it is no part of.
import type { GatewayError } from '../errors.ts'
import type { Course, PlanDesk } from '../plans/plan-desk.ts'
import { passesWords, recordedWords } from '../plans/plan-words.ts'
import { nextStep, type Turn, whyNotNow } from '../plans/turn.ts'
import type { Reply } from '../receive/received.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { PlanRow } from '../state/plan-store.ts'
import { decidedOf } from './deciding.ts'
import { callFacts, contextOf } from './facts.ts'
import { couldNotLookAgain, NOT_THE_SAME } from './failures.ts'
import type { newRequest } from './new-request.ts'
import type { GatewayParts, OnPath } from './on-path.ts'
import { denied, refusal } from './refusals.ts'

/** A call as a request would be opened for it. */
export type Asked = ReturnType<typeof newRequest> & { readonly summary: string }

/** Records it as the next step; nothing is done. Errors: those of PlanDesk.record. */
export async function recordedAsStep(
  plans: PlanDesk,
  call: OnPath,
  plan: PlanRow,
  asked: Asked,
): Promise<Reply> {
  const { action, evidence, context, summary, requirement, policies, reason } = asked
  const { actionDigest, digest, epoch, history } = asked
  const shown = { action, evidence, context, summary, requirement, policies, reason }
  const facts = callFacts(call.caller, decidedOf(call, evidence), digest, epoch)
  const step = { ...shown, actionDigest, digest, epoch, history, facts }
  const number = await plans.record(plan, step)
  call.received.span.settled('review')
  const words = recordedWords(action.operation, number, plan.id)
  return refusal(call.received, denied(words, 'plan_step'))
}

/** Nothing is changed while a plan is recorded, not even what needs no review. */
export function notWhileRecorded(call: OnPath, { id }: PlanRow): Reply {
  call.received.span.settled('deny')
  const words = passesWords(call.action.operation, id)
  return refusal(call.received, denied(words, 'plan_recording'))
}

/** What needs a review and is not the next call of an approved plan ends that plan. */
export async function strayed(
  plans: PlanDesk,
  call: OnPath,
  { plan }: Course & { readonly is: 'running' },
): Promise<GatewayError> {
  const next = nextStep(await plans.steps(plan))?.number ?? null
  const why = `${call.action.operation} needs a review and is not its next call, or is made again`
  return plans.stopped(plan, next, why)
}

/** A step that policy denies as it is made, whoever approved it, is the last of its plan. */
export function deniedStep(
  plans: PlanDesk,
  { course, step }: Turn,
  reason: string,
): Promise<GatewayError> {
  return plans.stopped(course.plan, step.number, `policy denies this call as it is made: ${reason}`)
}

/**
 * A step that meets what earlier steps left: those who approved the plan must be enough for that too.
 * Errors: `look_up_failed`, where the plan stands; `plan_stopped`.
 */
export async function requireStill(
  { plans, desk }: Pick<GatewayParts, 'plans' | 'desk'>,
  call: OnPath,
  evidence: Evidence,
  { course, step }: Turn,
): Promise<void> {
  if (step.follows.length === 0) return
  const context = contextOf(call.caller, await call.received.isolation())
  const part = { action: call.action, evidence, context }
  const signed = await plans.signed(course, step.number)
  const why = await whyNotNow(part, signed, () => desk.stillAllows(course.request, part))
  if (why === 'unread') throw couldNotLookAgain()
  if (why !== null) throw await plans.stopped(course.plan, step.number, NOT_THE_SAME)
}

// The two ends of one effect: what it passes by is used up and its intent recorded before it, its outcome
// recorded after it. A step of a plan that cannot get from one end to the other is the last of its plan.

import { GatewayError } from '../errors.ts'
import type { Executed } from '../execute/execute.ts'
import { sha256Hex } from '../lib/canonical-json.ts'
import { randomId } from '../lib/ids.ts'
import type { Turn } from '../plans/turn.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { StepPlace } from '../state/plan-store.ts'
import type { GrantRow, OpenEffect } from '../state/store.ts'
import { decidedOf } from './deciding.ts'
import { callFacts } from './facts.ts'
import { alreadyUsed, notRecorded } from './failures.ts'
import type { HeadDecision } from './head.ts'
import type { GatewayParts, OnPath } from './on-path.ts'
import { type Glass, keptUnder } from './under-glass.ts'
import { used } from './using.ts'

/** Why one call may pass, and as what it is recorded. */
export interface Passing {
  readonly decision: HeadDecision
  readonly evidence: Evidence
  readonly digest: string
  readonly grant: GrantRow | null
  readonly turn: Turn | null
  readonly glass: Glass | null
  /** What `observe` let pass. */
  readonly observed: string | null
}

/**
 * Uses up what the call passes by and records its intent, durable when this resolves. Where it rejects, nothing
 * may be sent. Errors: `request_closed`, `replayed`, `not_witnessed`, those of state and ledger.
 */
export async function beginEffect(
  parts: GatewayParts,
  call: OnPath,
  passing: Passing,
): Promise<OpenEffect> {
  const { grant, turn, glass } = passing
  const { id: sessionId } = call.session
  const effect = { id: randomId('e'), sessionId, operation: call.action.operation }
  const signature = sha256Hex(call.verified.signature)
  const facing = { signature, epoch: call.epoch.number, nowMs: parts.clock.nowMs() }
  const place = placeOf(turn)
  let isUsed: boolean | null = null
  try {
    // A crash after this line leaves a consumed grant without an effect: asked for again, never twice.
    isUsed = await used(parts.store, { grant, place, glass }, effect, facing)
    if (isUsed && turn) await requireReady(parts, turn)
    if (isUsed) await recordIntent(parts, call, passing, { effect, signature, place })
  } catch (cause) {
    const mayBeUsed = isUsed || (cause instanceof GatewayError && cause.code === 'state_unknown')
    if (turn && mayBeUsed) await endPlan(parts, turn, 'its call was not begun')
    if (turn && isWithheld(cause)) await parts.store.endEffect(effect.id)
    throw cause
  }
  if (!isUsed) throw alreadyUsed(grant)
  return effect
}

/** Nothing was begun, for certain: there is no intent, or one that says so. */
function isWithheld(cause: unknown): boolean {
  return cause instanceof GatewayError && /^(not_witnessed|request_closed)$/.test(cause.code)
}

/**
 * The approval of a plan stands while its steps are taken, and may be taken back between a step and its intent. Where
 * several gateways share the state it is asked for once more with the place of the intent (cluster/approvals.ts).
 */
async function requireReady({ store }: GatewayParts, { course }: Turn): Promise<void> {
  const grant = await store.grantForRequest(course.request.id)
  if (grant?.state !== 'ready') throw alreadyUsed(course.grant)
}

async function recordIntent(
  { recorder }: GatewayParts,
  call: OnPath,
  { decision, evidence, digest, grant, glass, observed }: Passing,
  begun: { effect: OpenEffect; signature: string; place: StepPlace | null },
): Promise<void> {
  const { effect, signature, place } = begun
  await recorder.record({
    type: 'intent',
    effect: effect.id,
    request: grant?.requestId ?? null,
    grant: grant?.id ?? null,
    signature,
    policies: decision.policies,
    observed,
    ...(place && { plan: place }),
    ...(glass && (await keptUnder(recorder, glass, call, evidence, digest))),
    ...callFacts(call.caller, decidedOf(call, evidence), digest, call.epoch.number),
  })
}

/**
 * Records the outcome, durable when this resolves, and what follows from it. Errors: `outcome_unrecorded`; what could
 * not be recorded is then recorded later, where this gate lives to do it.
 */
export async function endEffect(
  parts: GatewayParts,
  call: OnPath,
  { id }: OpenEffect,
  { outcome, answer }: Executed,
  { evidence, turn }: Pick<Passing, 'evidence' | 'turn'>,
): Promise<void> {
  const { recorder, following, plans, store } = parts
  const { id: sessionId } = call.session
  const followed = async () => {
    if (outcome.result !== 'accepted') return
    await following.begin({ id, sessionId }, call.action, evidence, answer)
  }
  try {
    await recorder.record({ type: 'outcome', effect: id, outcome }).catch((cause: unknown) => {
      following.late.add(id, outcome, followed)
      throw cause
    })
    await followed()
    const place = placeOf(turn)
    if (turn && place) await plans.ended(turn.course.plan, place, outcome.result)
    await store.endEffect(id)
  } catch (cause) {
    if (turn) await endPlan(parts, turn, 'how its call ended could not be recorded')
    // What was never sent has not happened, whatever is recorded of it.
    const isNotSent = outcome.result === 'failed' && outcome.errorCode === 'NotSent'
    throw isNotSent ? cause : notRecorded(cause)
  }
}

function placeOf(turn: Turn | null): StepPlace | null {
  return turn && { plan: turn.course.plan.id, step: turn.step.number }
}

/** Where this fails too, the plan is found by whoever looks for steps that nobody is at any more. */
async function endPlan(
  { plans }: GatewayParts,
  { course, step }: Turn,
  why: string,
): Promise<void> {
  await plans.stopped(course.plan, step.number, why).catch(() => undefined)
}

// Whose turn it is in an approved plan: the one step that a call may be now, or why it is none.

import type { DecideContext } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { bindingRead } from '../resolve/binding.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { PlanStep } from '../review/plan-document.ts'
import { followsBinding } from '../review/plan-document.ts'
import type { PlanStepRow } from '../state/plan-store.ts'
import type { Course } from './plan-desk.ts'
import { underWay } from './plan-words.ts'

export interface Turn {
  readonly course: Course & { readonly is: 'running' }
  readonly step: PlanStepRow
}

/** The first step that is not done; null where all are. */
export function nextStep(steps: readonly PlanStepRow[]): PlanStepRow | null {
  return steps.find(({ state }) => state !== 'done') ?? null
}

/**
 * The step that this call is, where it is its turn; undefined where it is not the next call of the plan.
 * Errors: `limit_reached` where it is the one under way, or comes right after it.
 */
export function turnOf(
  course: Turn['course'],
  steps: readonly PlanStepRow[],
  actionDigest: string,
): Turn | undefined {
  const next = nextStep(steps)
  if (!next) return undefined
  if (next.state === 'consumed') {
    const after = steps.find(({ number }) => number === next.number + 1)
    if ([next, after].some((step) => step?.actionDigest === actionDigest)) {
      throw underWay(course.plan.id, next.number)
    }
    return undefined
  }
  return next.actionDigest === actionDigest ? { course, step: next } : undefined
}

/** The evidence as it enters the step's digest: what earlier steps change is in no digest. */
export function asSigned(evidence: Evidence, turn: Turn | null): Evidence {
  if (turn === null || turn.step.follows.length === 0) return evidence
  return { ...evidence, binding: followsBinding(turn.step.follows) }
}

interface Now {
  readonly action: Action
  readonly evidence: Evidence
  readonly context: DecideContext
}

/**
 * Why a step whose evidence earlier steps change may not run on what is found now; null where it may. Policy
 * is asked again, with those who approved; an effect that was not signed is never let through by that.
 */
export async function whyNotNow(
  { evidence }: Now,
  signed: PlanStep | undefined,
  policyAllows: () => Promise<boolean>,
): Promise<'unread' | 'effects' | 'policy' | null> {
  if (!signed) return 'policy'
  const same = canonicalJson(evidence.binding) === canonicalJson(signed.evidence.binding)
  if (!bindingRead(evidence) && !same) return 'unread'
  const known = new Set([...signed.action.effects, ...signed.evidence.addedEffects])
  if (evidence.addedEffects.some((effect) => !known.has(effect))) return 'effects'
  return (await policyAllows()) ? null : 'policy'
}

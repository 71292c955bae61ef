// The review document of a plan: its calls in order, each with what was found and the digest that will have
// to be met, as canonical JSON under one hash. Client and gate recompute every digest in it.
import type { DecideContext, SeatCount } from '../decide/decision.ts'
import type { Action, JsonObject } from '../describe/action.ts'
import { canonicalJson, digestOf, parseCanonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { DocumentFrame, ReviewDocument } from './document.ts'

/** Calls of one plan. */
export const PLAN_STEPS_MAX = 50

export interface PlanStep {
  /** From 1. */
  readonly number: number
  readonly digest: string
  readonly action: Action
  readonly evidence: Evidence
  readonly context: DecideContext
  readonly summary: string
  readonly requirement: readonly SeatCount[]
  readonly policies: readonly string[]
  readonly reason: string
  /**
   * Earlier steps that change everything this one touches. What it will meet is what they leave, so what was
   * found now is no part of its digest; before its effect the gate looks and asks policy again.
   */
  readonly follows: readonly number[]
}

/** Steps that are one thing to a reader: a thing removed and made again is replaced. */
export type PlanItem =
  | { readonly kind: 'step'; readonly steps: readonly number[] }
  | { readonly kind: 'replace'; readonly steps: readonly number[]; readonly resource: string }

export interface PlanDocument extends DocumentFrame {
  readonly type: 'seconder-plan-document@v1'
  readonly steps: readonly PlanStep[]
  readonly items: readonly PlanItem[]
  /** How long its calls may be made after approval, in milliseconds. */
  readonly windowMs: number
}

export type AnyDocument = ReviewDocument | PlanDocument

/** One call, as policy is asked about it. */
export type PlanPart = Pick<PlanStep, 'action' | 'evidence' | 'context'>
export type Decidable = PlanPart | Pick<PlanDocument, 'steps'>

/** What is decided, call by call. */
export function partsOf(document: Decidable): readonly PlanPart[] {
  return 'steps' in document ? document.steps : [document]
}

interface Bound {
  readonly session: string
  readonly roleArn: string
  readonly epoch: number
}

/** What a step that follows others is bound to instead of what was found. */
export function followsBinding(follows: readonly number[]): JsonObject {
  return { follows: [...follows] }
}

export function stepDigest(
  { action, evidence, follows }: Pick<PlanStep, 'action' | 'evidence' | 'follows'>,
  { session, roleArn, epoch }: Bound,
): string {
  return digestOf({
    action: action as unknown as JsonObject,
    session,
    role: roleArn,
    epoch,
    binding: follows.length > 0 ? followsBinding(follows) : evidence.binding,
  })
}

export function planDigest(
  plan: string,
  steps: readonly { readonly digest: string }[],
  { session, roleArn, epoch }: Bound,
): string {
  return digestOf({
    plan,
    steps: steps.map(({ digest }) => digest),
    session,
    role: roleArn,
    epoch,
  })
}

/**
 * Parses a plan's document and recomputes every digest in it.
 * Throws when one is not that of its content, or the steps are not numbered from 1.
 */
export function checkPlanDocument(text: string): {
  readonly document: PlanDocument
  readonly shown: string
} {
  const document = parseCanonicalJson(text) as unknown as PlanDocument
  const { request, session, roleArn, epoch } = document
  const bound = { session, roleArn, epoch }
  const isWhole =
    document.type === 'seconder-plan-document@v1' &&
    document.steps.every(
      (step, index) =>
        step.number === index + 1 &&
        step.follows.every((earlier) => earlier < step.number) &&
        stepDigest(step, bound) === step.digest,
    ) &&
    planDigest(request, document.steps, bound) === document.digest
  if (!isWhole) throw new Error('the plan does not match its own digests: do not sign it')
  return { document, shown: sha256Hex(text) }
}

export function planText(document: PlanDocument): string {
  return canonicalJson(document as unknown as JsonObject)
}

// The part of the state port about plans: calls that were recorded, then approved once, then made in order.
import type { OwedEntry } from './owed-store.ts'
import type { OpenEffect, PageOf } from './store.ts'

/** `submitted` is the rest of its life: what the review says, and how far its steps have come. */
export type PlanState = 'recording' | 'submitted' | 'done' | 'stopped' | 'abandoned'

export interface PlanRow {
  /** `p-...`; also the id of its request, once it is submitted. */
  readonly id: string
  readonly sessionId: string
  readonly operator: string
  readonly state: PlanState
  /** The agent's words. */
  readonly reason: string
  readonly epoch: number
  readonly openedAtMs: number
  /** The step at which it stopped, and why; null while it has not. */
  readonly stoppedAt: number | null
  readonly why: string | null
}

export interface PlanStepRow {
  /** From 1. */
  readonly number: number
  readonly operation: string
  readonly actionDigest: string
  /** What its call must come to; as in the document, once that is made. */
  readonly digest: string
  readonly follows: readonly number[]
  /** JSON of what is shown of it; empty once it is in a document, or the plan has ended. */
  readonly content: string
  readonly state: 'recorded' | 'consumed' | 'done'
}

export interface StepPlace {
  readonly plan: string
  readonly step: number
}

export interface PlanStore {
  /** False where the session has a plan that is recorded or submitted. */
  addPlan(plan: PlanRow): Promise<boolean>
  plan(id: string): Promise<PlanRow | undefined>
  /** Newest first. */
  plans(page: PageOf): Promise<readonly PlanRow[]>
  /** How many this operator's sessions have begun since. */
  plansSince(operator: string, sinceMs: number): Promise<number>
  /** The plan of a session that is recorded or submitted. */
  openPlan(sessionId: string): Promise<PlanRow | undefined>
  /** Returns its number; null where the plan is full, or records no more. */
  addStep(
    planId: string,
    step: Omit<PlanStepRow, 'number' | 'state'>,
    max: number,
  ): Promise<number | null>
  steps(planId: string): Promise<readonly PlanStepRow[]>
  /** From `recording`, with the digests and what follows what; false where it records no more, or has other steps. */
  submitPlan(
    id: string,
    steps: readonly Pick<PlanStepRow, 'number' | 'digest' | 'follows'>[],
  ): Promise<boolean>
  /** Ends a plan that is open, and its ready approval, in one transaction; false where it had ended. */
  endPlan(
    id: string,
    ended: { state: PlanState; step: number | null; why: string },
    owed?: readonly OwedEntry[],
  ): Promise<boolean>
  /**
   * As `consumeGrant`, for one step: true only if besides that every earlier step is done and this one was
   * never begun.
   */
  consumeStep(
    place: StepPlace,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): Promise<boolean>
  /** After the last one the plan is done and its approval consumed, in one transaction. */
  endStep(place: StepPlace): Promise<void>
  /** Open plans with a step that was begun, has not ended, and is under way in no gateway that lives. */
  interruptedSteps(): Promise<readonly StepPlace[]>
}

// Keeps the plan of each session: begun, recorded step by step, submitted to the reviewers as one document,
// made in order, stopped at the first thing that is not as it was signed. It starts no effect.
import type { DecideContext } from '../decide/decision.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import type { CallFacts } from '../record/entry.ts'
import type { Recorder } from '../record/recorder.ts'
import type { ReviewDesk } from '../review/desk.ts'
import type { ReviewDocument } from '../review/document.ts'
import { PLAN_STEPS_MAX, type PlanDocument, planDigest } from '../review/plan-document.ts'
import type { PlanRow, PlanStepRow, StepPlace } from '../state/plan-store.ts'
import type { GrantRow, RequestRow, SessionRow, Store } from '../state/store.ts'
import {
  boundSteps,
  itemsOf,
  type RecordedStep,
  summaryOf,
  unionOf,
  worstOf,
} from './composition.ts'
import {
  planFull,
  planOpen,
  planStopped,
  plansOfDay,
  planUnknown,
  policyChanged,
  stepTooLarge,
} from './plan-words.ts'

/** Characters of one step's content, and of all those of a plan. */
const STEP_CHARS_MAX = 1024 * 1024
const PLAN_CHARS_MAX = 8 * 1024 * 1024

/** Plans one operator may begin within 24 hours, over all sessions. */
export const PLANS_PER_DAY_MAX = 200
const DAY_MS = 24 * 60 * 60_000

const WINDOW_MS = 30 * 60_000

export interface PlanDeskOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly desk: ReviewDesk
  /** How long an approved plan may run; absent = 30 minutes. */
  readonly windowMs: number | undefined
}

/** Where a session's plan stands, as its next call meets it. */
export type Course =
  | { readonly is: 'recording'; readonly plan: PlanRow }
  | { readonly is: 'pending'; readonly plan: PlanRow; readonly request: RequestRow }
  | {
      readonly is: 'running'
      readonly plan: PlanRow
      readonly request: RequestRow
      readonly grant: GrantRow
    }

interface Over {
  readonly is: 'over'
  readonly plan: PlanRow
  readonly why: string
}

/** What a call says of itself when it is recorded. */
export interface StepAsked extends Omit<RecordedStep, 'number' | 'context'> {
  readonly context: DecideContext
  readonly actionDigest: string
  readonly digest: string
  readonly epoch: number
  readonly history: ReviewDocument['history']
  readonly facts: CallFacts
}

export class PlanDesk {
  readonly #options: PlanDeskOptions

  constructor(options: PlanDeskOptions) {
    this.#options = options
  }

  /** Begins to record; one plan of a session at a time. Errors: `limit_reached`. */
  begin(session: SessionRow, reason: string, epoch: number): Promise<PlanRow> {
    return this.#options.store.alone(`plans ${session.id}`, () =>
      this.#begun(session, reason, epoch),
    )
  }

  async #begun(session: SessionRow, reason: string, epoch: number): Promise<PlanRow> {
    const { store, clock, recorder } = this.#options
    const open = await this.#courseWithin(session.id)
    if (open) throw planOpen(open.plan.id)
    const { id: sessionId, operator, agent } = session
    const begun = await store.plansSince(operator, clock.nowMs() - DAY_MS)
    if (begun >= PLANS_PER_DAY_MAX) throw plansOfDay(operator, begun)
    const row: PlanRow = {
      id: randomId('p'),
      sessionId,
      operator,
      state: 'recording',
      reason,
      epoch,
      openedAtMs: clock.nowMs(),
      stoppedAt: null,
      why: null,
    }
    const said = { plan: row.id, session: sessionId, operator, agent, epoch }
    await recorder.record({ type: 'plan-recording', ...said })
    if (!(await store.addPlan(row))) throw planOpen('of another call just now')
    return row
  }

  /** The plan that this session's next call meets. One that ended by its review, or its time, ends here. */
  async courseOf(sessionId: string): Promise<Course | undefined> {
    const found = await this.#look(sessionId)
    if (found?.is !== 'over') return found
    // One without a request may be on its way to the reviewers: then that comes first.
    return this.#options.store.alone(`plans ${sessionId}`, () => this.#courseWithin(sessionId))
  }

  /** `courseOf`, for whoever has the turn of the session's plans. */
  async #courseWithin(sessionId: string): Promise<Course | undefined> {
    const found = await this.#look(sessionId)
    if (found?.is !== 'over') return found
    await this.#end(found.plan, 'stopped', null, found.why)
    return undefined
  }

  async #look(sessionId: string): Promise<Course | Over | undefined> {
    const { store, clock } = this.#options
    const plan = await store.openPlan(sessionId)
    if (!plan) return undefined
    if (plan.state === 'recording') return { is: 'recording', plan }
    const request = await store.request(plan.id)
    const nowMs = clock.nowMs()
    if (request?.state === 'pending' && request.expiresAtMs > nowMs) {
      return { is: 'pending', plan, request }
    }
    const grant = request && (await store.grantForRequest(plan.id))
    if (request && grant?.state === 'ready' && grant.expiresAtMs > nowMs) {
      return { is: 'running', plan, request, grant }
    }
    const last = grant?.state ?? request?.state ?? 'it was not opened'
    const how = /^(pending|ready)$/.test(last) ? 'expired' : last
    return { is: 'over', plan, why: `its review ended: ${how}` }
  }

  steps(plan: PlanRow): Promise<readonly PlanStepRow[]> {
    return this.#options.store.steps(plan.id)
  }

  /** Records a call as the next step. Returns its number. Errors: `epoch_changed`, `limit_reached`. */
  record(plan: PlanRow, asked: StepAsked): Promise<number> {
    return this.#options.store.alone(`plans ${plan.sessionId}`, () => this.#recorded(plan, asked))
  }

  async #recorded(plan: PlanRow, asked: StepAsked): Promise<number> {
    const { store, recorder } = this.#options
    const { actionDigest, digest, epoch, facts, ...content } = asked
    if (epoch !== plan.epoch) throw policyChanged(plan.id)
    const text = JSON.stringify(content)
    const { operation } = asked.action
    const before = (await store.steps(plan.id)).reduce((sum, step) => sum + step.content.length, 0)
    if (text.length > STEP_CHARS_MAX || before + text.length > PLAN_CHARS_MAX) {
      throw stepTooLarge(operation)
    }
    const row = { operation, actionDigest, digest, follows: [], content: text }
    const step = await store.addStep(plan.id, row, PLAN_STEPS_MAX)
    if (step === null) throw planFull(plan.id)
    await recorder.record({ type: 'plan-step', plan: plan.id, step, ...facts })
    return step
  }

  /** Opens the review of what was recorded. Errors: `request_unknown`, `epoch_changed`, `limit_reached`. */
  submit(session: SessionRow): Promise<RequestRow> {
    return this.#options.store.alone(`plans ${session.id}`, () => this.#submitted(session))
  }

  async #submitted(session: SessionRow): Promise<RequestRow> {
    const { store, desk, windowMs = WINDOW_MS } = this.#options
    const course = await this.#courseWithin(session.id)
    if (course && course.is !== 'recording') return course.request
    const rows = course ? await store.steps(course.plan.id) : []
    if (!course || rows.length === 0) throw planUnknown()
    const { id, epoch, reason } = course.plan
    if ((await store.activeEpoch())?.number !== epoch) throw policyChanged(id)
    const contents = rows.map(({ number, content }) => {
      return { number, ...(JSON.parse(content) as Omit<StepAsked, 'number'>) }
    })
    const bound = { session: session.id, roleArn: session.roleArn, epoch }
    const steps = boundSteps(
      contents.map(({ history: _, ...step }) => step),
      bound,
    )
    const items = itemsOf(steps)
    const worst = worstOf(steps)
    const last = contents.at(-1)
    if (!last) throw planUnknown()
    // No more steps from here on; a crash before the request is opened leaves a plan that ends at the next look.
    if (!(await store.submitPlan(id, steps))) throw planUnknown()
    return desk.openPlan({
      ...bound,
      request: id,
      digest: planDigest(id, steps, bound),
      context: worst.context,
      summary: summaryOf(steps, items),
      requirement: unionOf(steps.map(({ requirement }) => requirement)),
      policies: [...new Set(steps.flatMap(({ policies }) => policies))].sort(),
      reason: worst.reason,
      agentSays: reason,
      history: last.history,
      steps,
      items,
      windowMs,
    })
  }

  /** The agent's own: takes back a plan, whatever its state. */
  cancel(sessionId: string, id: string): Promise<void> {
    return this.#options.store.alone(`plans ${sessionId}`, () => this.#cancelled(sessionId, id))
  }

  async #cancelled(sessionId: string, id: string): Promise<void> {
    const { store, desk } = this.#options
    const plan = await store.plan(id)
    if (plan?.sessionId !== sessionId) throw planUnknown()
    if (plan.state === 'recording')
      await this.#end(plan, 'abandoned', null, 'the agent withdrew it')
    else await desk.cancel(sessionId, id)
  }

  /** The step as it was signed, with what was found then. */
  async signed(course: Course & { is: 'running' }, step: number) {
    const document = (await this.#options.desk.document(course.request)) as PlanDocument
    return document.steps.find(({ number }) => number === step)
  }

  /** Stops a plan for good; returns the error to answer with. */
  async stopped(plan: PlanRow, step: number | null, why: string) {
    await this.#end(plan, 'stopped', step, why)
    return planStopped(plan.id, step, why)
  }

  /** After the outcome of a step is durable: the next one may begin, or none any more. */
  async ended(plan: PlanRow, place: StepPlace, result: string): Promise<void> {
    if (result === 'succeeded' || result === 'accepted') await this.#options.store.endStep(place)
    else await this.#end(plan, 'stopped', place.step, `its call ended as ${result}`)
  }

  /** A step that a gate began and left without an end, by whichever of its ways to end, is the last of its plan. */
  async stopInterrupted(): Promise<void> {
    const { store } = this.#options
    for (const { plan: id, step } of await store.interruptedSteps()) {
      const plan = await store.plan(id)
      if (plan) await this.#end(plan, 'stopped', step, 'the gate stopped while it was under way')
    }
  }

  /** Plan and approval end with the entry that the ledger is owed; that is recorded next. */
  async #end(
    { id: plan, sessionId: session }: PlanRow,
    state: 'stopped' | 'abandoned',
    step: number | null,
    why: string,
  ): Promise<void> {
    const { store, recorder } = this.#options
    const owed = [recorder.owed({ type: 'plan-stopped', plan, session, step, why })]
    if (await store.endPlan(plan, { state, step, why }, owed)) await recorder.recordOwed(owed)
  }
}

// Plans as the API shows them, and what an agent may do with its own: begin to record one, and submit it.
import type { Hono } from 'hono'
import { z } from 'zod'
import type { Gate } from '../gate.ts'
import { planUnknown } from '../plans/plan-words.ts'
import type { PlanRow, PlanStepRow } from '../state/plan-store.ts'
import { agentSaid, NONCE } from './agent-acts.ts'
import { paged } from './paging.ts'
import { shownPayload } from './payloads.ts'
import type { ReadingEnv } from './reading.ts'
import { type ShownRequest, shownRequest } from './shown-request.ts'

const BEGIN = z.strictObject({ reason: z.string().min(1).max(1_000), nonce: NONCE })
const SUBMIT = z.strictObject({ nonce: NONCE })

export interface ShownPlan {
  readonly planId: string
  /** Its own state; while it is reviewed that of its request, and of its approval after that. */
  readonly state: string
  readonly sessionId: string
  readonly operator: string
  /** The agent's words, a claim. */
  readonly reason: string
  readonly openedAt: string
  readonly steps: readonly Pick<
    PlanStepRow,
    'number' | 'operation' | 'digest' | 'follows' | 'state'
  >[]
  readonly stoppedAt: number | null
  readonly why: string | null
  readonly request: ShownRequest | null
}

export function addPlans(app: Hono<ReadingEnv>, gate: Gate): void {
  app.get('/api/plans', async (context) => {
    const { page, next } = await paged(context, (of) => gate.store.plans(of))
    const plans = await Promise.all(page.map((plan) => shownPlan(gate, plan)))
    return context.json({ plans, next })
  })
  app.get('/api/plans/:id', async (context) => {
    const plan = await gate.store.plan(context.req.param('id'))
    if (!plan) throw planUnknown()
    const request = await gate.store.request(plan.id)
    const shown = request
      ? await shownPayload(gate, request.documentSha256)
      : { document: null, gone: null }
    const reviews = request ? await gate.store.reviews(plan.id) : []
    return context.json({ plan: await shownPlan(gate, plan), ...shown, reviews })
  })
  app.post('/api/agent/plans', async (context) => {
    const { session, said } = await agentSaid(gate, context, BEGIN)
    const plan = await gate.plans.begin(session, said.reason, (await gate.facts()).epoch)
    return context.json(await shownPlan(gate, plan))
  })
  app.post('/api/agent/plans/submit', async (context) => {
    const { session } = await agentSaid(gate, context, SUBMIT)
    const { id } = await gate.plans.submit(session)
    return context.json(await shownPlan(gate, (await gate.store.plan(id)) ?? unknown()))
  })
}

function unknown(): never {
  throw planUnknown()
}

export async function shownPlan(gate: Gate, plan: PlanRow): Promise<ShownPlan> {
  const row = await gate.store.request(plan.id)
  const request = row ? await shownRequest(gate.store, row) : null
  const steps = await gate.store.steps(plan.id)
  return {
    planId: plan.id,
    state: stateOf(plan, request, steps),
    sessionId: plan.sessionId,
    operator: plan.operator,
    reason: plan.reason,
    openedAt: new Date(plan.openedAtMs).toISOString(),
    steps: steps.map(({ number, operation, digest, follows, state }) => {
      return { number, operation, digest, follows, state }
    }),
    stoppedAt: plan.stoppedAt,
    why: plan.why,
    request,
  }
}

function stateOf(
  { state }: PlanRow,
  request: ShownRequest | null,
  steps: readonly PlanStepRow[],
): string {
  if (state !== 'submitted') return state
  if (request?.state !== 'approved') return request?.state ?? 'stopped'
  if (request.grant?.state !== 'ready') return request.grant?.state ?? 'stopped'
  return steps.every((step) => step.state === 'recorded') ? 'approved' : 'running'
}

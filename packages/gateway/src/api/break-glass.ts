// Break-glass as the API shows it: who went ahead alone, within what, what of it was used, and who has looked.
import type { Hono } from 'hono'
import type { Gate } from '../gate.ts'
import type { BreakGlassRow } from '../state/break-glass-store.ts'
import { givenAct } from './given-act.ts'
import type { ReadingEnv } from './reading.ts'

const LISTED_MAX = 1_000

export interface ShownBreakGlass
  extends Omit<BreakGlassRow, 'openedAtMs' | 'untilMs' | 'closedAtMs'> {
  readonly state: 'open' | 'after-review' | 'closed'
  readonly openedAt: string
  readonly until: string
  readonly reviews: readonly { readonly reviewer: string; readonly comment: string }[]
}

export function addBreakGlass(app: Hono<ReadingEnv>, gate: Gate): void {
  app.get('/api/break-glass', (context) => {
    const all = gate.store.breakGlasses(LISTED_MAX).map((row) => shown(gate, row))
    return context.json({ breakGlass: all })
  })
  app.post('/api/break-glass', async (context) =>
    context.json(shown(gate, await gate.breakGlass.open(await givenAct(context.req)))),
  )
  app.post('/api/break-glass/reviews', async (context) =>
    context.json(shown(gate, await gate.breakGlass.review(await givenAct(context.req)))),
  )
}

function shown(
  gate: Gate,
  { openedAtMs, untilMs, closedAtMs, ...row }: BreakGlassRow,
): ShownBreakGlass {
  const isLive = untilMs > gate.clock.nowMs() && row.used < row.effectsMax
  return {
    ...row,
    state: closedAtMs !== null ? 'closed' : isLive ? 'open' : 'after-review',
    openedAt: new Date(openedAtMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    reviews: gate.store
      .breakGlassReviews(row.id)
      .map(({ reviewer, comment }) => ({ reviewer, comment })),
  }
}

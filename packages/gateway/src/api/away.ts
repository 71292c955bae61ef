// Who is told instead of somebody who is away: read, and changed by the signature of the one who goes.
import type { Hono } from 'hono'
import type { Gate } from '../gate.ts'
import { givenAct } from './given-act.ts'
import type { ReadingEnv } from './reading.ts'

export function addAway(app: Hono<ReadingEnv>, gate: Gate): void {
  app.get('/api/away', (context) => context.json({ away: gate.away() }))
  app.post('/api/away', async (context) =>
    context.json({ away: await gate.takeAway(await givenAct(context.req)) }),
  )
}

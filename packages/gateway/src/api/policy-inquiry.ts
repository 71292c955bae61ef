// "What would it take?": what the policies in force would say to a call, asked by a person who reads. It asks
// nothing of AWS, opens no request and leaves no entry.
import type { Hono } from 'hono'
import type { Gate } from '../gate.ts'
import { questionOf } from '../hypothetical/question.ts'
import { operationNames, whatItTakes } from '../hypothetical/what-it-takes.ts'
import { Rate } from '../lib/rate.ts'
import type { ReadingEnv } from './reading.ts'

/** How often one person may ask: somebody who types, not a program that searches. */
const ASKED = { burst: 60, perMinute: 60 }

export function addPolicyInquiry(app: Hono<ReadingEnv>, gate: Gate): void {
  const rate = new Rate(gate.clock, ASKED)
  app.get('/api/policies/inquiry', async (context) => {
    rate.take(context.get('reader')?.person ?? '')
    const question = questionOf(new URL(context.req.url).searchParams)
    return context.json(await whatItTakes(await gate.inForce(), question, gate.clock.nowMs()))
  })
  app.get('/api/policies/operations', (context) => {
    rate.take(context.get('reader')?.person ?? '')
    return context.json({ operations: operationNames(context.req.query('service') ?? '') })
  })
}

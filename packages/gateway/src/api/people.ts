// The part of the API about people: who they are, signed changes of that, the first member, new passkeys.
import type { Hono } from 'hono'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import { Rate } from '../lib/rate.ts'
import { shownPerson } from '../people/desk.ts'
import { REGISTRATION } from '../people/enrolment.ts'
import { peerOf } from '../receive/peer.ts'
import { givenAct, jsonBody } from './given-act.ts'
import { type ReadingEnv, socketOf } from './reading.ts'

const NAMED = z.object({ name: z.string().min(1).max(64) })

/** Passkeys that one address may begin to make: their challenges are few, and push out those of others. */
const BEGUN = { burst: 60, perMinute: 60 }

export function addPeople(app: Hono<ReadingEnv>, { people, store, clock }: Gate): void {
  const { desk, firstMember, enrolment } = people
  const begun = new Rate(clock, BEGUN)
  app.get('/api/people', async (context) => {
    const members = await store.people()
    const shown = await Promise.all(members.map((person) => shownPerson(store, person)))
    return context.json({ people: shown, changes: await desk.open() })
  })
  app.post('/api/people/changes', async (context) =>
    context.json(await desk.sign(await givenAct(context.req))),
  )
  app.post('/api/people/changes/cancel', async (context) =>
    context.json(await desk.cancel(await givenAct(context.req))),
  )
  app.post('/api/people/first', async (context) =>
    context.json(await firstMember.join(await givenAct(context.req))),
  )
  app.post('/api/passkeys/options', async (context) => {
    begun.take((await peerOf(socketOf(context.env))) ?? '')
    return context.json(await enrolment.options((await read(context.req, NAMED)).name))
  })
  app.post('/api/passkeys', async (context) =>
    context.json(await enrolment.made(await read(context.req, REGISTRATION))),
  )
}

async function read<T>(request: Parameters<typeof jsonBody>[0], shape: z.ZodType<T>): Promise<T> {
  const parsed = shape.safeParse(await jsonBody(request))
  if (parsed.success) return parsed.data
  throw new GatewayError(
    'statement_invalid',
    'the body is not what is asked for',
    'see docs/api.md',
  )
}

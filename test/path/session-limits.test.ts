// How much one session may ask of the gate, or nobody at all, and that whoever runs wild leaves it to the others.
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { LIMITS_DEFAULT } from '@seconder/gateway/limits-config'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

test('a session has so many calls under way and so many in a minute; what is more is refused, recorded, and its own alone', async () => {
  upstream = await startFakeUpstream()
  const session = { burst: 4, perMinute: 1, atOnce: 2 }
  gate = await Harness.start({ upstream: upstream.url, limits: { ...LIMITS_DEFAULT, session } })
  const [wild, other] = [await gate.open('alice'), await gate.open('alice')]
  const read = (keys: typeof wild) =>
    gate.dynamodb(keys).send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }))
  const words = (cause: unknown) => String((cause as Error).message)
  const answer = Promise.withResolvers<void>()
  const usual = upstream.script
  upstream.script = async (seen) => {
    await answer.promise
    return usual(seen)
  }
  const held = [read(wild), read(wild)]
  await expect.poll(() => upstream.seen.length, { timeout: 60_000 }).toBe(2)
  expect(await read(wild).catch(words)).toMatch(/2 calls of this session are under way already/)
  const others = read(other)
  await expect.poll(() => upstream.seen.length, { timeout: 60_000 }).toBe(3)
  answer.resolve()
  await Promise.all([...held, others])
  // The one that was refused took nothing of what is left for this minute.
  await read(wild)
  await read(wild)
  expect(await read(wild).catch(words)).toMatch(/too often within a minute/)
  await read(other)
  const refused = (await gate.entries()).filter(({ type }) => type === 'refused')
  expect(refused.map(({ code }) => code)).toEqual(['limit_reached', 'rate_limited'])
  expect(upstream.seen).toHaveLength(6)
})

test('refusals of calls under no session are entries up to a rate; beyond it nobody is answered, and sessions are', async () => {
  upstream = await startFakeUpstream()
  const unverified = { burst: 3, perMinute: 1 }
  gate = await Harness.start({ upstream: upstream.url, limits: { ...LIMITS_DEFAULT, unverified } })
  const keys = await gate.open('alice')
  const told = []
  for (let count = 0; count < 6; count++) {
    const answer = await fetch(keys.endpoint, { method: 'POST', body: '{}' }).catch(() => null)
    told.push(answer?.status ?? 'no answer')
  }
  expect(told.slice(3)).toEqual(['no answer', 'no answer', 'no answer'])
  expect(told.slice(0, 3)).not.toContain('no answer')
  await gate.dynamodb(keys).send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }))
  const entries = await gate.entries()
  expect(entries.filter(({ type }) => type === 'unverified')).toHaveLength(3)
  expect(entries.filter(({ type }) => type === 'read')).toHaveLength(1)
})

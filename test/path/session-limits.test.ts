// How much one session may ask of the gate, or nobody at all, and that whoever runs wild leaves it to the others.
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { UPSTREAM_SOCKETS_MAX } from '@seconder/gateway/execute/exchange'
import { LIMITS_DEFAULT, SESSION_CALLS } from '@seconder/gateway/limits-config'
import { TOO_OFTEN_RECORDED } from '@seconder/gateway/path/too-often'
import { HELD_PER_SESSION_MAX } from '@seconder/gateway/review/waiters'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { FrozenClock, idIn, underClock } from './acts.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { uploads } from './large.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const LIST = dynamodbCall('ListTables', {})
const POLL = { timeout: 60_000 }

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
  await underClock(gate, new FrozenClock())
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
  await underClock(gate, new FrozenClock())
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

/** A gate whose sessions may have one call under way. */
async function oneAtOnce(): Promise<Keys> {
  upstream = await startFakeUpstream()
  const session = { ...SESSION_CALLS, atOnce: 1 }
  gate = await Harness.start({ upstream: upstream.url, limits: { ...LIMITS_DEFAULT, session } })
  return gate.open('alice')
}

/** A call that is under way until it is let go of. */
async function underWay(keys: Keys) {
  const answer = Promise.withResolvers<void>()
  const usual = upstream.script
  upstream.script = async (seen) => {
    await answer.promise
    return usual(seen)
  }
  const call = rawCall(keys, LIST)
  await expect.poll(() => upstream.seen.length, POLL).toBe(1)
  return async () => {
    answer.resolve()
    expect((await call).status).toBe(200)
  }
}

const refusals = async () => (await gate.entries()).filter(({ type }) => type === 'refused')

test('refusals that no limit of the session counts fill no ledger: the next entry says how many there were', async () => {
  const keys = await oneAtOnce()
  await underClock(gate, new FrozenClock())
  const end = await underWay(keys)
  const more = 7
  for (let count = 0; count < TOO_OFTEN_RECORDED.burst + more; count++) {
    const { status, body } = await rawCall(keys, LIST)
    expect([status, body]).toEqual([400, expect.stringContaining('under way already')])
  }
  await end()
  await rawCall(keys, dynamodbCall('NoSuchOperation', {}))
  const said = await refusals()
  expect(said).toHaveLength(TOO_OFTEN_RECORDED.burst + 1)
  expect(said.at(-1)).toMatchObject({ code: 'unknown_operation', more })
})

test('a large body is one of the calls of its session, from before it is put on the disk until it is answered', async () => {
  const keys = await oneAtOnce()
  const end = await underWay(keys)
  const large = { size: 17 * 1024 * 1024 }
  expect((await uploads(keys, large)).body).toContain('under way already')
  expect(await refusals()).toMatchObject([{ code: 'limit_reached', session: keys.sessionId }])
  await end()
  // While it comes, and not twice.
  const going = uploads(keys, { ...large, stopAfter: 1024, stall: true }).catch(() => null)
  await expect.poll(() => gate.spool().files, POLL).toBe(1)
  expect((await rawCall(keys, LIST)).body).toContain('under way already')
  await gate.running.close()
  await going
  await gate.restart()
  const { body } = await uploads(keys, large)
  expect(body).toMatch(/needs review|PutObject/)
  expect((await rawCall(keys, LIST)).status).toBe(200)
})

test('an answer is under way until the last of it is sent, and few enough are that others have connections upstream', async () => {
  expect(SESSION_CALLS.atOnce).toBeLessThan(UPSTREAM_SOCKETS_MAX)
  const keys = await oneAtOnce()
  const rest = Promise.withResolvers<void>()
  const usual = upstream.script
  upstream.script = () => ({ status: 200, body: pieces(rest.promise) })
  const slow = rawCall(keys, LIST)
  await expect.poll(() => upstream.seen.length, POLL).toBe(1)
  // The head of the answer has long gone to the client when this is asked for the last time.
  for (let count = 0; count < 20; count++) {
    expect((await rawCall(keys, LIST)).body).toContain('under way already')
  }
  rest.resolve()
  expect((await slow).body).toBe('{"TableNames":[]}')
  upstream.script = usual
  await expect.poll(async () => (await rawCall(keys, LIST)).status, POLL).toBe(200)
})

async function* pieces(rest: Promise<void>) {
  yield Buffer.from('{"TableNames":')
  await rest
  yield Buffer.from('[]}')
}

test('a session and its children have one limit between them, of calls and of held ones', async () => {
  const keys = await oneAtOnce()
  const { endpoint, accessKeyId, secretAccessKey } = keys
  const settings = { endpoint, region: 'eu-west-1', maxAttempts: 1 }
  const sts = new STSClient({ ...settings, credentials: { accessKeyId, secretAccessKey } })
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/agent-deploy`
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'one' }))
  const child = {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  }
  const tables = new DynamoDBClient({ ...settings, credentials: child })
  const read = () => tables.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }))
  await read()
  upstream.seen.length = 0
  const end = await underWay(keys)
  await expect(read()).rejects.toThrow('1 calls of this session are under way already')
  await end()
  await read()
  const { store, desk } = gate.running.gate
  const [{ id: sessionId } = { id: '' }] = (await store.sessions()).filter(({ parent }) => parent)
  const id = idIn(await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' })))
  const held = Array.from({ length: HELD_PER_SESSION_MAX }, () =>
    desk.hold({ id, sessionId: keys.sessionId }, 600_000),
  )
  await expect.poll(() => desk.waiters.held.depth, POLL).toBe(HELD_PER_SESSION_MAX)
  // Answered at once, as after its hold.
  await desk.hold({ id, sessionId }, 600_000)
  desk.endHolds()
  await Promise.all(held)
})

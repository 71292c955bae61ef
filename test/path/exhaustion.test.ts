// What one agent, or whoever reaches the gate, could fill: plans, held calls, streams that nobody reads, challenges
// of others. Each has its limit, a test at it and one past it, and leaves room for everybody else.
import { agentPost } from '@seconder/cli/agent-client'
import { EPOCH_NAMESPACE, EPOCH_STATEMENT } from '@seconder/gateway/epoch/activation'
import { ACTS_PER_PERSON } from '@seconder/gateway/lib/signed-act'
import { LIMITS_DEFAULT } from '@seconder/gateway/limits-config'
import { TOO_OFTEN_RECORDED } from '@seconder/gateway/path/too-often'
import { CHALLENGES_MAX } from '@seconder/gateway/people/enrolment'
import { PLANS_PER_DAY_MAX } from '@seconder/gateway/plans/plan-desk'
import { HELD_PER_SESSION_MAX, Waiters } from '@seconder/gateway/review/waiters'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Authenticator } from '../fakes/authenticator.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { FrozenClock, nonce, underClock } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const begin = () =>
  agentPost<{ planId: string }>(gate.client, keys, '/api/agent/plans', { reason: 'a plan' })
const cancel = (request: string) => agentPost(gate.client, keys, '/api/agent/cancel', { request })

test('H5 an operator begins so many plans a day; what a plan was made of goes when it ends', async () => {
  const { store, clock } = gate.running.gate
  const { planId } = await begin()
  await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  expect((await store.steps(planId))[0]?.content).toContain('orders')
  await cancel(planId)
  expect(await store.steps(planId)).toMatchObject([
    { operation: 'dynamodb:DeleteTable', content: '' },
  ])
  for (let count = 1; count < PLANS_PER_DAY_MAX - 1; count++) {
    const id = `p-${count}`
    const row = { id, sessionId: `s-${count}`, operator: 'alice', reason: '', epoch: 1 }
    const times = { openedAtMs: clock.nowMs(), stoppedAt: null, why: null }
    await store.addPlan({ ...row, ...times, state: 'recording' })
  }
  await cancel((await begin()).planId)
  await expect(begin()).rejects.toMatchObject({ code: 'limit_reached' })
})

test('one session holds so many calls, and leaves room for those of others', async () => {
  const waiters = new Waiters()
  // Longer than a test may take: what is held here ends by `end` alone.
  const open = { isOpen: async () => true, holdMs: 3_600_000 }
  const held = Array.from({ length: HELD_PER_SESSION_MAX }, (_, at) =>
    waiters.hold(`r-${at}`, { ...open, owner: 'one' }),
  )
  expect(waiters.held).toEqual({ depth: HELD_PER_SESSION_MAX, overflowed: 0 })
  // Past it, a call is answered at once, as it would be after its hold.
  await waiters.hold('r-past', { ...open, owner: 'one' })
  expect(waiters.held).toEqual({ depth: HELD_PER_SESSION_MAX, overflowed: 1 })
  const other = waiters.hold('r-other', { ...open, owner: 'two' })
  expect(waiters.held).toEqual({ depth: HELD_PER_SESSION_MAX + 1, overflowed: 1 })
  waiters.end()
  await Promise.all([...held, other])
  expect(waiters.held.depth).toBe(0)
})

test('whoever sends signed acts of the ledger again uses up nothing of what their signer may sign', async () => {
  const { gate: gateId } = await gate.client.facts()
  const said = { type: EPOCH_NAMESPACE, gate: gateId, from: 1, version: 'ab'.repeat(32) }
  const statement = (ms: number) => {
    const expiresAt = new Date(Date.now() + ms).toISOString()
    return { ...said, signer: 'bob', nonce: nonce(), expiresAt }
  }
  const old = await gate.act('bob', statement(-1), EPOCH_NAMESPACE)
  // Asked for before the loop: a connection that was idle through it may be gone.
  const fresh = await gate.act('bob', statement(600_000), EPOCH_NAMESPACE)
  const { acts } = gate.running.gate.people
  for (let count = 0; count <= ACTS_PER_PERSON.burst; count++) {
    await acts.verify(old, EPOCH_NAMESPACE, EPOCH_STATEMENT)
  }
  expect(await acts.verify(fresh, EPOCH_NAMESPACE, EPOCH_STATEMENT)).toMatchObject({
    person: { name: 'bob' },
  })
})

test('whoever begins to make passkeys without end pushes out nobody else, and is told to wait', async () => {
  await underClock(gate, new FrozenClock())
  const { rpId, origins } = (await gate.client.facts()).relyingParty
  const begun = (name: string) =>
    gate.client.post<{ challenge: string }>('/api/passkeys/options', { name })
  const { challenge } = await begun('bob')
  let told: unknown
  for (let count = 0; count < CHALLENGES_MAX && told === undefined; count++) {
    await begun('mallory').catch((error: unknown) => {
      told = error
    })
  }
  expect(told).toMatchObject({ code: 'rate_limited' })
  // What another began before is still there to be ended.
  const authenticator = new Authenticator('ES256')
  const made = authenticator.create({ challenge, rpId, origin: origins[0] ?? '' })
  expect(await gate.client.post('/api/passkeys', made)).toMatchObject({
    passkey: authenticator.line(),
  })
})

test('a session over its rate is refused without end, and the ledger takes so many of that', async () => {
  const list = (by: Keys) => rawCall(by, dynamodbCall('ListTables', {}))
  const session = { ...LIMITS_DEFAULT.session, burst: 3, perMinute: 1 }
  await underClock(gate, new FrozenClock(), { limits: { ...LIMITS_DEFAULT, session } })
  for (let count = 0; count < 3; count++) expect((await list(keys)).status).toBe(200)
  const calls = TOO_OFTEN_RECORDED.burst + 20
  for (let count = 0; count < calls; count++) {
    expect((await list(keys)).body).toContain('asked too often')
  }
  const told = (await gate.entries()).filter(({ type }) => type === 'refused')
  expect(told).toHaveLength(TOO_OFTEN_RECORDED.burst)
  expect(upstream.seen.filter(({ operation }) => operation === 'ListTables')).toHaveLength(3)
})

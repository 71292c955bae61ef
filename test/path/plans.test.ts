// Bounded plans at the public doors: recorded by running the calls, signed once, then exactly those calls, in
// order, once each; anything else that needs a review ends the plan and says at which step.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { agentPost } from '@seconder/cli/agent-client'
import { signerFor } from '@seconder/cli/signing'
import { signWithdrawal } from '@seconder/cli/withdrawing'
import type { ShownPlan } from '@seconder/gateway/api/plans'
import { checkPlanDocument, PLAN_STEPS_MAX } from '@seconder/gateway/review/plan-document'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession, idIn } from './acts.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { dynamodbCall, type RawAnswer, type RawCall, rawCall, send, signed } from './wire.ts'

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

const remove = (name: string) => dynamodbCall('DeleteTable', { TableName: name })
const tag = (value: string) =>
  dynamodbCall('TagResource', {
    ResourceArn: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`,
    Tags: [{ Key: 'a', Value: value }],
  })
const writes = () =>
  upstream.seen
    .map(({ operation }) => operation)
    .filter((operation) => /^(Delete|Tag|Create)/.test(operation))

/** A machine that is busy may not look in time; then the gate says so, and the approval stands. */
async function run(call: RawCall, as = keys): Promise<RawAnswer> {
  for (let tries = 0; ; tries++) {
    const answer = await rawCall(as, call)
    if (tries === 5 || !answer.body.includes('could not look again')) return answer
  }
}

const begin = (as = keys) =>
  agentPost<ShownPlan>(gate.client, as, '/api/agent/plans', { reason: 'clean <b>up</b>' })
const submit = (as = keys) => agentPost<ShownPlan>(gate.client, as, '/api/agent/plans/submit', {})
const shown = async (id: string) => {
  const found = await gate.client.get<{ plan: ShownPlan; document: string }>(`/api/plans/${id}`)
  return found.plan
}
const documentOf = async (id: string) => {
  const { document } = await gate.client.get<{ document: string }>(`/api/plans/${id}`)
  return checkPlanDocument(document).document
}

/** Recorded and submitted; returns its id. */
async function planned(calls: readonly RawCall[]): Promise<string> {
  const { planId } = await begin()
  for (const [index, call] of calls.entries()) {
    expect((await run(call)).body).toContain(`as step ${index + 1} of plan ${planId}`)
  }
  expect(await submit()).toMatchObject({ planId, state: 'pending' })
  return planId
}

async function approved(calls: readonly RawCall[]): Promise<string> {
  const id = await planned(calls)
  expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
  return id
}

const stoppedIn = async (id: string) =>
  (await gate.entries()).filter((entry) => entry['type'] === 'plan-stopped' && entry['plan'] === id)

test('a plan of three calls is recorded without any effect, signed once, and made in order, once each', async () => {
  const id = await planned([tag('1'), tag('2'), remove('orders')])
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
  expect(writes()).toEqual([])
  const document = await documentOf(id)
  expect(document.steps.map(({ action }) => action.operation)).toEqual([
    'dynamodb:TagResource',
    'dynamodb:TagResource',
    'dynamodb:DeleteTable',
  ])
  expect(document.requirement).toEqual(['sre:1'])
  expect(document.summary).toContain('3 calls, in this order. Worst, step 3:')
  expect((await run(tag('1'))).body).toContain(`Request ${id} is open`)
  await expect(gate.review('alice', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  expect(await gate.review('carol', id)).toMatchObject({ state: 'pending' })
  expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
  for (const call of [tag('1'), tag('2'), remove('orders')]) {
    expect((await run(call)).status).toBe(200)
  }
  expect(writes()).toEqual(['TagResource', 'TagResource', 'DeleteTable'])
  expect(await shown(id)).toMatchObject({
    state: 'done',
    request: { grant: { state: 'consumed' } },
  })
  const intents = (await gate.entries()).filter(({ type }) => type === 'intent')
  expect(intents.map(({ plan }) => plan)).toEqual([1, 2, 3].map((step) => ({ plan: id, step })))
  // And once only: a further run is a request of its own.
  const again = { ...tag('1'), signedAtMs: Date.now() - 60_000 }
  expect(idIn(await run(again))).not.toBe(id)
  expect(writes()).toHaveLength(3)
})

test.each([
  ['another order', [tag('2')], 1],
  ['a step made again', [tag('1'), tag('1')], 2],
  ['a call that is no step', [tag('1'), remove('carts')], 2],
  ['a step with another value', [tag('3')], 1],
])(
  '%s stops the plan, says at which step, and what is left runs no more',
  async (_, calls, step) => {
    const id = await approved([tag('1'), tag('2')])
    const answers: RawAnswer[] = []
    // Signed at other seconds: one signature twice is a copy, and gets the first one's answer.
    for (const [at, call] of calls.entries()) {
      answers.push(await run({ ...call, signedAtMs: Date.now() - at * 2_000 }))
    }
    expect(answers.at(-1)?.body).toContain(`plan ${id} was stopped at step ${step}`)
    expect(writes()).toHaveLength(calls.length - 1)
    expect(await shown(id)).toMatchObject({ state: 'stopped', stoppedAt: step })
    expect(await stoppedIn(id)).toMatchObject([{ step }])
    expect((await run(tag('2'))).body).toContain('needs review')
    expect(writes()).toHaveLength(calls.length - 1)
  },
)

test('two processes of the agent racing for a step make one effect', async () => {
  const id = await approved([tag('1'), remove('orders')])
  const requests = [0, 1, 2, 3].map((at) =>
    signed(keys, { ...tag('1'), signedAtMs: Date.now() - at * 1_000 }),
  )
  await Promise.all(requests.map((request) => send(keys, request)))
  expect(writes()).toEqual(['TagResource'])
  expect((await gate.entries()).filter(({ type }) => type === 'intent')).toHaveLength(1)
  expect(['running', 'stopped']).toContain((await shown(id)).state)
})

test('a step that fails ends the plan; the next one is not made', async () => {
  const id = await approved([tag('1'), tag('2')])
  upstream.script = (seen) =>
    seen.operation === 'TagResource' ? { status: 400, body: '{"__type":"X"}' } : defaultScript(seen)
  expect((await run(tag('1'))).status).toBe(400)
  expect(await shown(id)).toMatchObject({ state: 'stopped', stoppedAt: 1 })
  upstream.script = defaultScript
  expect((await run(tag('2'))).body).toContain('needs review')
  expect(writes()).toHaveLength(1)
})

test('policy that denies a step as it is made stops the plan there, though it was approved', async () => {
  await gate.stop()
  const policies = mkdtempSync(join(tmpdir(), 'seconder-plans-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  writeFileSync(
    join(policies, 'near.cedar'),
    `@id("near") @reason("not from the gate's own user")
     forbid (principal, action == Action::"tag", resource) when { context.isolation == "none" };`,
  )
  let isolation: 'user' | 'none' = 'user'
  gate = await Harness.start({ upstream: upstream.url, policies, isolation: () => isolation })
  keys = await gate.open('alice')
  const id = await approved([tag('1'), tag('2'), tag('3')])
  expect((await run(tag('1'))).status).toBe(200)
  isolation = 'none'
  const denied = await run(tag('2'))
  expect(denied.body).toContain(`plan ${id} was stopped at step 2`)
  expect(denied.body).toContain("not from the gate's own user")
  isolation = 'user'
  expect((await run(tag('2'))).body).toContain('needs review')
  expect(writes()).toEqual(['TagResource'])
  expect(await shown(id)).toMatchObject({ state: 'stopped', stoppedAt: 2 })
  const types = (await gate.entries()).map(({ type }) => type)
  expect(types.slice(types.indexOf('denied'))).toEqual(
    expect.arrayContaining(['denied', 'plan-stopped']),
  )
  rmSync(policies, { recursive: true, force: true })
})

test('what was found is looked at again: a step whose thing changed stops the plan', async () => {
  const id = await approved([remove('orders')])
  upstream.script = async (seen) => {
    const answer = await defaultScript(seen)
    if (seen.operation !== 'DescribeTable' || answer === 'silence') return answer
    return { ...answer, body: String(answer.body).replace('12345678-0123', '99999999-0123') }
  }
  expect((await run(remove('orders'))).body).toContain('no longer what would happen')
  expect(await shown(id)).toMatchObject({ state: 'stopped', stoppedAt: 1 })
  expect(writes()).toEqual([])
})

test('a step that meets what an earlier one leaves says so, and runs on what it then finds', async () => {
  const create = dynamodbCall('CreateTable', {
    TableName: 'orders',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  })
  const id = await approved([remove('orders'), create])
  const { steps, items } = await documentOf(id)
  expect(steps.map(({ follows }) => follows)).toEqual([[], [1]])
  expect(items).toMatchObject([{ kind: 'replace', steps: [1, 2] }])
  expect((await run(remove('orders'))).status).toBe(200)
  expect((await run(create)).status).toBe(200)
  expect(writes()).toEqual(['DeleteTable', 'CreateTable'])
  expect((await shown(id)).state).toBe('done')
})

test('a closed session, a revocation and a denial end a plan in the middle', async () => {
  const id = await approved([tag('1'), tag('2')])
  expect((await run(tag('1'))).status).toBe(200)
  await closeSession(gate, keys)
  expect((await run(tag('2'))).status).toBeGreaterThanOrEqual(400)
  expect(await shown(id)).toMatchObject({ state: 'revoked' })
  keys = await gate.open('alice')
  const second = await planned([remove('carts')])
  await gate.review('carol', second, 'deny', 'no')
  const asked = idIn(await run(remove('carts')))
  expect(
    (await gate.client.get<{ document: string }>(`/api/requests/${asked}`)).document,
  ).toContain('"by":"carol"')
  const third = await planned([tag('9')])
  await agentPost(gate.client, keys, '/api/agent/cancel', { request: third })
  await expect(gate.review('bob', third)).rejects.toMatchObject({ code: 'request_closed' })
  expect(writes()).toEqual(['TagResource'])
})

test('a plan has at most 50 calls; a second one, an empty one and a foreign one are refused in words', async () => {
  await expect(submit()).rejects.toMatchObject({ code: 'request_unknown' })
  const { planId } = await begin()
  await expect(begin()).rejects.toMatchObject({ code: 'limit_reached' })
  await expect(submit()).rejects.toMatchObject({ code: 'request_unknown' })
  const other = await gate.open('alice')
  const cancel = (as: Keys) => agentPost(gate.client, as, '/api/agent/cancel', { request: planId })
  await expect(cancel(other)).rejects.toMatchObject({ code: 'request_unknown' })
  expect((await run(tag('1'), other)).body).toContain('needs review')
  for (let count = 1; count <= PLAN_STEPS_MAX; count++) await run(tag(String(count)))
  expect((await run(tag('past'))).body).toContain('nothing was done')
  expect((await shown(planId)).steps).toHaveLength(PLAN_STEPS_MAX)
  await cancel(keys)
  expect(await shown(planId)).toMatchObject({ state: 'abandoned' })
  expect(writes()).toEqual([])
})

test('while a plan is recorded nothing is changed, not even what needs no review', async () => {
  await gate.running.close()
  gate = await Harness.start({
    upstream: upstream.url,
    environments: [{ name: 'staging', accounts: [ACCOUNT], mode: 'enforce' }],
  })
  keys = await gate.open('alice')
  const { planId } = await begin()
  expect((await run(tag('1'))).body).toContain(`no step of plan ${planId}`)
  expect((await run(remove('orders'))).body).toContain('as step 1')
  expect(writes()).toEqual([])
  await submit()
  await gate.review('bob', planId)
  // What needs no review is no deviation.
  expect((await run(tag('1'))).status).toBe(200)
  expect((await run(remove('orders'))).status).toBe(200)
})

test('a gate that stops in the middle goes on where the plan stood; a step without an end is the last', async () => {
  const id = await approved([tag('1'), tag('2'), tag('3')])
  expect((await run(tag('1'))).status).toBe(200)
  await gate.restartSame()
  expect((await run(tag('2'))).status).toBe(200)
  const { store } = gate.running.gate
  const effect = { id: 'e-x', sessionId: keys.sessionId, operation: 'x' }
  expect(await store.consumeStep({ plan: id, step: 2 }, effect, 's1', Date.now())).toBe(false)
  expect(await store.consumeStep({ plan: id, step: 3 }, effect, 's2', Date.now())).toBe(true)
  expect((await run(tag('3'))).body).toContain('has not ended')
  await gate.restartSame()
  expect(await shown(id)).toMatchObject({ state: 'stopped', stoppedAt: 3 })
  expect((await run(tag('3'))).body).toContain('needs review')
  expect(writes()).toHaveLength(2)
})

test('a call that comes while its plan is submitted waits for that, and does not end the plan', async () => {
  const { planId } = await begin()
  await run(tag('1'))
  const { store } = gate.running.gate
  const submitPlan = store.submitPlan.bind(store)
  let other: Promise<RawAnswer> | undefined
  store.submitPlan = async (...given) => {
    const isSubmitted = await submitPlan(...given)
    other = run(remove('carts'))
    // It may come to its end here, or wait.
    await Promise.race([other, pause(500)])
    return isSubmitted
  }
  await submit()
  expect((await other)?.body).toContain('needs review')
  await gate.review('bob', planId)
  expect((await run(tag('1'))).status).toBe(200)
  expect((await shown(planId)).state).toBe('done')
})

test('a step whose intent cannot be recorded is not begun, and ends the plan there', async () => {
  const id = await approved([tag('1'), tag('2')])
  const { recorder } = gate.running.gate
  const record = recorder.record.bind(recorder)
  recorder.record = async (entry) => {
    if (entry.type === 'intent') throw new Error('not now')
    return record(entry)
  }
  expect((await run(tag('1'))).status).toBeGreaterThanOrEqual(400)
  recorder.record = record
  expect(await shown(id)).toMatchObject({ state: 'stopped', stoppedAt: 1 })
  expect((await run(tag('2'))).body).toContain('needs review')
  expect(writes()).toEqual([])
})

test('an approval that is taken back between a step and its intent lets nothing pass any more', async () => {
  const id = await approved([remove('carts'), tag('one')])
  const { store } = gate.running.gate
  const consumeStep = store.consumeStep.bind(store)
  store.consumeStep = async (...given) => {
    const isTaken = await consumeStep(...given)
    const signer = await signerFor(gate.client, gate.keys.get('carol'))
    await signWithdrawal(gate.client, signer, {
      requestId: id,
      takes: 'revoke',
      comment: 'no more',
    })
    return isTaken
  }
  const { status, body } = await run(remove('carts'))
  expect([status, body]).toEqual([400, expect.stringContaining('has ended')])
  expect(writes()).toEqual([])
  const types = (await gate.entries()).map(({ type }) => type)
  expect(types).toContain('grant-revoked')
  expect(types).not.toContain('intent')
  expect((await shown(id)).state).toBe('stopped')
  // Nothing is left of it that a restart would find.
  expect(await store.openEffects()).toEqual([])
})

// What stands beside a request at the public doors: taking it back, a denial that outlasts it, limits of
// asking, a second team, and why something ended, in words.
import { agentPost } from '@seconder/cli/agent-client'
import { signerFor } from '@seconder/cli/signing'
import { signWithdrawal } from '@seconder/cli/withdrawing'
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import {
  NEW_REQUESTS_PER_DAY_MAX,
  OPEN_REQUESTS_PER_OPERATOR_MAX,
  OPEN_REQUESTS_PER_SESSION_MAX,
} from '@seconder/gateway/review/caps'
import { checkDocument } from '@seconder/gateway/review/document'
import { DENIAL_STANDS_MS } from '@seconder/gateway/review/standing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { FrozenClock, idIn, nonce, underClock } from './acts.ts'
import { ACCOUNT, Harness, type HarnessOptions, type Keys } from './harness.ts'
import { dynamodbCall, type RawAnswer, type RawCall, rawCall, send, signed } from './wire.ts'

const TEAMS = { alice: ['sre'], bob: ['sre'], carol: [], dave: [], erin: [] }

let upstream: FakeUpstream
let gate: Harness
let clock: FrozenClock

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

async function start(options: Partial<HarnessOptions> = {}): Promise<void> {
  gate = await Harness.start({ upstream: upstream.url, teams: TEAMS, ...options })
  clock = new FrozenClock()
  await underClock(gate, clock)
}

/** A machine that is busy may not look in time; then the gate says so, and the approval stands. */
async function ask(keys: Keys, call: RawCall): Promise<RawAnswer> {
  for (let tries = 0; ; tries++) {
    // Of two requests of one millisecond neither is the newer one.
    clock.advance(1)
    const answer = await rawCall(keys, { ...call, signedAtMs: clock.nowMs() })
    if (tries === 5 || !answer.body.includes('could not look again')) return answer
  }
}
const deleteOrders = dynamodbCall('DeleteTable', { TableName: 'orders' })
const tag = dynamodbCall('TagResource', {
  ResourceArn: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`,
  Tags: [{ Key: 'a', Value: 'b' }],
})
const grantAll: RawCall = {
  method: 'PUT',
  target: '/bucket-b?policy',
  service: 's3',
  body: '{"Id":"x"}',
}
const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const status = (id: string) => gate.client.get<ShownRequest>(`/api/requests/${id}/status`)
const cancel = (keys: Keys, id: string) =>
  agentPost<ShownRequest>(gate.client, keys, '/api/agent/cancel', { request: id })
const withdraw = async (
  person: string,
  requestId: string,
  takes: 'cancel' | 'revoke',
  comment = '',
) =>
  signWithdrawal(gate.client, await signerFor(gate.client, gate.keys.get(person)), {
    requestId,
    takes,
    comment,
  })
const documentOf = async (id: string) => {
  const { document } = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
  return checkDocument(document).document
}
const entriesOf = async (type: string) =>
  (await gate.entries()).filter((entry) => entry['type'] === type)

test('an agent takes back what it asked for, waiting or approved; nobody approves it any more', async () => {
  await start()
  const keys = await gate.open('alice')
  const first = idIn(await ask(keys, deleteOrders))
  expect(await cancel(keys, first)).toMatchObject({ state: 'cancelled' })
  expect((await status(first)).guidance).toContain('the agent withdrew it')
  await expect(gate.review('bob', first)).rejects.toMatchObject({ code: 'request_closed' })
  await expect(cancel(keys, first)).rejects.toMatchObject({ code: 'request_closed' })
  const second = idIn(await ask(keys, deleteOrders))
  await gate.review('bob', second)
  expect(await cancel(keys, second)).toMatchObject({ grant: { state: 'revoked' } })
  expect(idIn(await ask(keys, deleteOrders))).not.toBe(second)
  expect(deletions()).toBe(0)
  expect(await entriesOf('request-cancelled')).toMatchObject([{ request: first, by: 'agent' }])
})

test('the key of another session, of another service, a changed body and a repeated call take nothing back', async () => {
  await start()
  const keys = await gate.open('alice')
  const other = await gate.open('alice')
  const id = idIn(await ask(keys, deleteOrders))
  await expect(cancel(other, id)).rejects.toMatchObject({ code: 'request_unknown' })
  await expect(
    cancel({ ...keys, secretAccessKey: other.secretAccessKey }, id),
  ).rejects.toMatchObject({ code: 'signature_invalid' })
  const here = { ...keys, endpoint: gate.running.consoleUrl }
  const saying = (body: string) => ({
    target: '/api/agent/cancel',
    headers: [
      ['content-type', 'application/json'],
      ['content-length', String(body.length)],
    ] as const,
    body,
    signedAtMs: clock.nowMs(),
  })
  const call = saying(JSON.stringify({ request: id, nonce: nonce() }))
  const forAws = signed(here, { ...call, service: 'dynamodb' })
  expect((await send(here, forAws)).body).toContain('signature_invalid')
  const ours = signed(here, { ...call, service: 'seconder', region: 'local' })
  const changed = { ...ours, body: new TextEncoder().encode(call.body?.replace('r-', 'x-')) }
  expect((await send(here, changed)).body).toContain('signature_invalid')
  const malformed = signed(here, { ...saying('{'), service: 'seconder', region: 'local' })
  expect((await send(here, malformed)).body).toContain('statement_invalid')
  expect((await status(id)).state).toBe('pending')
  expect((await send(here, ours)).status).toBe(200)
  expect((await send(here, ours)).body).toContain('replayed')
  // And what is signed for the gate is no call to AWS.
  const atDoor = signed(keys, { service: 'seconder', region: 'local', signedAtMs: clock.nowMs() })
  expect((await send(keys, atDoor)).status).toBeGreaterThanOrEqual(400)
})

test('the operator cancels by a signature; a reviewer cannot, and a statement counts once and for its request', async () => {
  await start()
  const keys = await gate.open('alice')
  const id = idIn(await ask(keys, deleteOrders))
  await expect(withdraw('bob', id, 'cancel')).rejects.toMatchObject({ code: 'not_a_reviewer' })
  await expect(withdraw('alice', id, 'revoke')).rejects.toMatchObject({ code: 'request_closed' })
  await expect(withdraw('alice', 'r-none', 'cancel')).rejects.toMatchObject({
    code: 'request_unknown',
  })
  expect(await withdraw('alice', id, 'cancel')).toMatchObject({ state: 'cancelled' })
  expect(await entriesOf('request-cancelled')).toMatchObject([{ by: 'operator', signer: 'alice' }])
  expect((await status(id)).guidance).toContain('its operator cancelled it')
})

test('a reviewer revokes an approval that was not used: the call does not run, and that no stands', async () => {
  await start()
  const keys = await gate.open('alice')
  const id = idIn(await ask(keys, deleteOrders))
  await gate.review('bob', id)
  await withdraw('carol', id, 'revoke', 'not <b>today</b>')
  const told = await status(id)
  expect(told).toMatchObject({ state: 'approved', grant: { state: 'revoked', endedBy: 'carol' } })
  expect(told.guidance).toContain('carol revoked the approval')
  const again = idIn(await ask(keys, deleteOrders))
  expect(again).not.toBe(id)
  expect((await documentOf(again)).denied).toMatchObject([{ request: id, by: 'carol' }])
  expect(await gate.review('bob', again)).toMatchObject({ state: 'pending' })
  expect(await gate.review('carol', again)).toMatchObject({ state: 'approved' })
  expect((await ask(keys, deleteOrders)).status).toBe(200)
  await expect(withdraw('carol', again, 'revoke')).rejects.toMatchObject({ code: 'request_closed' })
  expect(deletions()).toBe(1)
})

test('H5 a denial stands for a day over other sessions and spellings: one more person, or who denied', async () => {
  await start()
  const first = idIn(await ask(await gate.open('alice'), deleteOrders))
  await gate.review('carol', first, 'deny', 'never on a Friday')
  const keys = await gate.open('alice', 'another-agent')
  const spelt = dynamodbCall('DeleteTable', {
    TableName: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`,
  })
  const second = idIn(await ask(keys, spelt))
  expect((await status(second)).needs).toContain('one person more or carol, who denied')
  expect((await documentOf(second)).denied?.[0]).toMatchObject({ comment: 'never on a Friday' })
  expect(await gate.review('bob', second)).toMatchObject({ state: 'pending' })
  expect((await ask(keys, spelt)).status).toBe(400)
  expect(deletions()).toBe(0)
  expect(await gate.review('dave', second)).toMatchObject({ state: 'approved' })
  // Another effect on it, another table, and another operator's session are not what was denied.
  for (const [asker, call] of [
    [keys, tag],
    [keys, dynamodbCall('DeleteTable', { TableName: 'carts' })],
    [await gate.open('bob'), deleteOrders],
  ] as const) {
    expect((await documentOf(idIn(await ask(asker, call)))).denied).toBe(undefined)
  }
  const { store } = gate.running.gate
  expect(await store.denials('alice', clock.nowMs() + DENIAL_STANDS_MS - 1_000)).toHaveLength(1)
  expect(await store.denials('alice', clock.nowMs() + DENIAL_STANDS_MS)).toEqual([])
})

test('H5 two who denied ask for two more, and the first denial ends a request that others approved', async () => {
  await start()
  const first = idIn(await ask(await gate.open('alice'), grantAll))
  await gate.review('bob', first)
  expect(await gate.review('carol', first, 'deny')).toMatchObject({ state: 'denied' })
  const second = idIn(await ask(await gate.open('alice'), grantAll))
  await gate.review('dave', second, 'deny')
  const keys = await gate.open('alice')
  const third = idIn(await ask(keys, grantAll))
  expect((await status(third)).needs).toContain('2 people more or carol and dave')
  for (const [name, state] of [
    ['bob', 'pending'],
    ['erin', 'pending'],
    ['carol', 'approved'],
  ] as const) {
    expect(await gate.review(name, third)).toMatchObject({ state })
  }
})

test('H5 open requests of an operator and new ones of a day are limited, in words', async () => {
  await start()
  const open: { keys: Keys; id: string }[] = []
  const asked = async (keys: Keys, count: number) => {
    const answer = await ask(keys, dynamodbCall('DeleteTable', { TableName: `table-${count}` }))
    return answer.body
  }
  let keys = await gate.open('alice')
  for (let count = 0; count < OPEN_REQUESTS_PER_OPERATOR_MAX; count++) {
    if (count > 0 && count % OPEN_REQUESTS_PER_SESSION_MAX === 0) keys = await gate.open('alice')
    const body = await asked(keys, count)
    open.push({ keys, id: /r-[0-9a-z]{26}/.exec(body)?.[0] ?? body })
  }
  expect(await asked(keys, 50)).toContain('already have 50 open requests')
  expect(await asked(await gate.open('bob'), 50)).toContain('needs review')
  for (const one of open) await cancel(one.keys, one.id)
  for (let count = OPEN_REQUESTS_PER_OPERATOR_MAX; count < NEW_REQUESTS_PER_DAY_MAX; count++) {
    const id = /r-[0-9a-z]{26}/.exec(await asked(keys, count))?.[0] ?? ''
    await cancel(keys, id)
  }
  expect(await asked(keys, 200)).toContain('have opened 200 requests within 24 hours')
  expect((await gate.entries()).at(-1)).toMatchObject({ type: 'refused', code: 'limit_reached' })
}, 300_000)

const escalating = (to: string) => [
  {
    name: 'production',
    accounts: [ACCOUNT],
    mode: 'enforce' as const,
    escalate: { to, afterMs: 10_000 },
  },
]

test('a request nobody answers is told to a second team; what policy asks stays', async () => {
  await start({ environments: escalating('night') })
  const keys = await gate.open('alice')
  const removal = idIn(await ask(keys, deleteOrders))
  const tagging = idIn(await ask(keys, tag))
  clock.advance(9_900)
  await gate.running.gate.desk.sweep()
  expect(await entriesOf('request-escalated')).toEqual([])
  clock.advance(100)
  // Two gateways, or two sweeps, that find it due at one moment tell it once.
  const { desk } = gate.running.gate
  await Promise.all([desk.sweep(), desk.sweep(), desk.sweep()])
  expect(await entriesOf('request-escalated')).toMatchObject([
    { request: removal, team: 'night', alternative: null },
    { request: tagging, team: 'night', alternative: ['night:1'] },
  ])
  expect((await status(tagging)).escalations).toMatchObject([
    { team: 'night', alternative: ['night:1'] },
  ])
  expect(await gate.review('carol', removal)).toMatchObject({ state: 'pending' })
  expect(await gate.review('bob', removal)).toMatchObject({ state: 'approved' })
})

test('why something ended is said as it was: too few answered, or nobody used it', async () => {
  await start()
  const keys = await gate.open('alice')
  const first = idIn(await ask(keys, grantAll))
  await gate.review('bob', first)
  clock.advance(60_001)
  await gate.running.gate.desk.sweep()
  expect((await status(first)).guidance).toContain('only bob approved in time')
  const second = idIn(await ask(keys, deleteOrders))
  await gate.review('bob', second)
  clock.advance(60_001)
  await gate.running.gate.desk.sweep()
  expect((await status(second)).guidance).toContain('nobody used the approval in time')
  expect(await entriesOf('grant-expired')).toMatchObject([{ request: second }])
  expect(idIn(await ask(keys, deleteOrders))).not.toBe(second)
  expect(deletions()).toBe(0)
})

test('M3 changes that a reviewer asked for are shown to the next reviewer with their author', async () => {
  await start()
  const keys = await gate.open('alice')
  const first = idIn(await ask(keys, deleteOrders))
  await gate.review('bob', first, 'request_changes', 'tag it\nrather "now"')
  const told = await ask(keys, deleteOrders)
  expect(told.body).toContain('bob requests changes')
  expect(told.body).not.toContain('\\n')
  const next = await documentOf(idIn(await ask(keys, tag)))
  expect(next.changesAsked).toMatchObject([{ request: first, by: 'bob' }])
})

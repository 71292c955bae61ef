// What an agent and its reviewers type for plans and for taking back, as processes against a real gate: exit codes,
// one JSON line with --json, and what a refusal says.
import type { ShownPlan } from '@seconder/gateway/api/plans'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import { CommandLine, expectRefused, jsonOf } from './command.ts'
import { Harness } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let seconder: CommandLine

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  seconder = new CommandLine(gate)
})

afterAll(async () => {
  seconder.remove()
  await gate.stop()
  await upstream.close()
})

const remove = (name: string) => dynamodbCall('DeleteTable', { TableName: name })

test('plan begin, submit, wait, show and ls as an agent and a person type them', async () => {
  const keys = await gate.open('alice')
  const begun = await seconder.agent(keys, 'plan', 'begin', '--reason', 'clean up')
  expect(begun).toMatchObject({ code: 0, err: '' })
  const id = /p-[0-9a-z]{26}/.exec(begun.out)?.[0] ?? ''
  expect(begun.out).toContain('Then: seconder plan submit')
  expect(
    expectRefused(await seconder.agent(keys, 'plan', 'submit'), 1, 'request_unknown'),
  ).toContain('seconder plan begin')
  expect(
    expectRefused(await seconder.agent(keys, 'plan', 'begin', '--reason', 'x'), 1, 'limit_reached'),
  ).toContain(id)
  expect((await rawCall(keys, remove('orders'))).body).toContain(`as step 1 of plan ${id}`)
  const submitted = jsonOf<ShownPlan>(await seconder.agent(keys, 'plan', 'submit', '--json'))
  expect(submitted).toMatchObject({ planId: id, state: 'pending', steps: [{ number: 1 }] })

  const open = await seconder.agent(keys, 'wait', id, '--timeout', '0')
  expect(open).toMatchObject({ code: 3, out: expect.stringContaining(`${id}: pending`) })
  const [listed, shown] = await Promise.all([
    seconder.person('bob', 'plan', 'ls'),
    seconder.person('bob', 'plan', 'show', id.slice(0, 9)),
  ])
  expect(listed).toMatchObject({ code: 0, out: expect.stringContaining('0 of 1') })
  expect(shown.out).toContain('1. dynamodb:DeleteTable')
  expect(shown.out).toContain('State pending')
  const approved = await seconder.person('bob', 'approve', id, '--yes')
  expect(approved).toMatchObject({ code: 0, out: expect.stringContaining(`${id} is approved`) })
  expect(await seconder.agent(keys, 'wait', id)).toMatchObject({
    code: 0,
    out: expect.stringContaining(`${id}: approved`),
  })
  expect((await rawCall(keys, remove('orders'))).status).toBe(200)
  const after = await seconder.person('bob', 'plan', 'show', id, '--json')
  expect(jsonOf<{ plan: ShownPlan }>(after).plan).toMatchObject({ state: 'done' })
})

test('whoever signed once is remembered for half an hour; where nobody did, plan ls says how', async () => {
  const fresh = new CommandLine(gate)
  expect(expectRefused(await fresh.person(null, 'plan', 'ls'), 1, 'sign_in_needed')).toContain(
    '--ssh-key',
  )
  expect((await fresh.person('bob', 'plan', 'ls')).code).toBe(0)
  expect((await fresh.person(null, 'plan', 'ls')).code).toBe(0)
  fresh.remove()
})

test('plan says what is wrong: no keys, no such plan, no reason, the keys of nobody', async () => {
  const [noKeys, noReason, unknown, stranger] = await Promise.all([
    seconder.person(null, 'plan', 'begin', '--reason', 'x'),
    seconder.agent(await gate.open('alice'), 'plan', 'begin'),
    seconder.person('bob', 'plan', 'show', 'p-none'),
    seconder.agent(
      { ...(await gate.open('alice')), secretAccessKey: 'wrong' },
      'plan',
      'begin',
      '--reason',
      'x',
    ),
  ])
  expect(expectRefused(noKeys, 2, 'usage')).toContain('keys of its session')
  expect(noReason).toMatchObject({ code: 2, err: expect.stringContaining("'--reason <text>'") })
  expect(expectRefused(unknown, 1, 'request_unknown')).toContain('seconder plan ls')
  expect(expectRefused(stranger, 1, 'signature_invalid')).not.toContain('wrong\n')
})

test('request cancel as the agent, and as its operator; another agent or person is refused', async () => {
  const keys = await gate.open('alice')
  const first = idIn(await rawCall(keys, remove('carts')))
  const second = idIn(await rawCall(keys, remove('users')))
  const other = await gate.open('alice')
  expectRefused(await seconder.agent(other, 'request', 'cancel', first), 1, 'request_unknown')
  expectRefused(await seconder.person('bob', 'request', 'cancel', first), 1, 'not_a_reviewer')
  expect(await seconder.agent(keys, 'request', 'cancel', first)).toMatchObject({ code: 0, err: '' })
  const operators = await seconder.person('alice', 'request', 'cancel', second, '--json')
  expect(jsonOf(operators)).toMatchObject({ requestId: second, state: 'cancelled' })
  const ended = await seconder.agent(keys, 'wait', first)
  expect(ended).toMatchObject({ code: 1, out: expect.stringContaining(`${first}: cancelled`) })
  expectRefused(await seconder.agent(keys, 'request', 'cancel', first), 1, 'request_closed')
})

test('revoke takes back an approval that was not used, with the words for the agent; not twice', async () => {
  const keys = await gate.open('alice')
  const id = idIn(await rawCall(keys, remove('orders')))
  expectRefused(await seconder.person('bob', 'revoke', id), 1, 'request_closed')
  await gate.review('bob', id)
  expectRefused(await seconder.person(null, 'revoke', id), 2, 'usage')
  const revoked = await seconder.person('carol', 'revoke', id, '--comment', 'not on a Friday')
  expect(revoked).toMatchObject({ code: 0, err: '' })
  expect(revoked.out).toContain('revoked')
  expectRefused(await seconder.person('carol', 'revoke', id), 1, 'request_closed')
  const before = upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
  expect((await rawCall(keys, remove('orders'))).status).toBe(400)
  expect(upstream.seen.filter(({ operation }) => operation === 'DeleteTable')).toHaveLength(before)
})

test('wait refuses a time that is none, and a denial ends it with 4', async () => {
  const keys = await gate.open('alice')
  const id = idIn(await rawCall(keys, remove('parts')))
  const soon = await seconder.agent(keys, 'wait', id, '--timeout', 'soon')
  expect(soon).toMatchObject({ code: 2, out: '', err: expect.stringContaining('whole number') })
  const denied = await seconder.person('bob', 'deny', id, '--comment', 'no', '--json')
  expect(jsonOf(denied)).toMatchObject({ requestId: id, state: 'denied' })
  expect((await seconder.agent(keys, 'wait', id)).code).toBe(4)
})

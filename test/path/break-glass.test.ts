// Break-glass at the public doors: off by default, signed by the operator, within named effects and resources,
// by policy alone, never on the gate itself; and open until two others have looked.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GoingAhead, openBreakGlass, reviewBreakGlass } from '@seconder/cli/breaking-glass'
import { signerFor } from '@seconder/cli/signing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession } from './acts.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { dynamodbCall, queryCall, type RawCall, rawCall } from './wire.ts'

const ORDERS = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`
const TEAMS = { alice: ['sre'], bob: ['sre'], carol: [], dave: [] }

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let policies: string

/** `rule` is what policy says of break-glass. */
async function start(rule: string, breakGlass = true): Promise<void> {
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  writeFileSync(join(policies, 'break-glass.cedar'), rule)
  gate = await Harness.start({ upstream: upstream.url, policies, breakGlass, teams: TEAMS })
  keys = await gate.open('alice')
}

beforeEach(async () => {
  upstream = await startFakeUpstream()
  policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(policies, { recursive: true, force: true })
})

const ALLOWED = `@id("glass") @reason("break-glass")
permit (principal is Agent, action in Action::"change", resource in Environment::"production")
when { context.breakGlass };`
const SILENT = `@id("silent") forbid (principal, action == Action::"list", resource) when { context.door == "none" };`

const writes = () =>
  upstream.seen.map(({ operation }) => operation).filter((name) => /^(Delete|Tag|Put)/.test(name))
const tag = (value: string): RawCall =>
  dynamodbCall('TagResource', { ResourceArn: ORDERS, Tags: [{ Key: 'a', Value: value }] })
const remove = (name: string) => dynamodbCall('DeleteTable', { TableName: name })

async function open(changes: Partial<GoingAhead> = {}, person = 'alice') {
  const signer = await signerFor(gate.client, gate.keys.get(person))
  return openBreakGlass(gate.client, signer, {
    session: keys.sessionId,
    reason: 'the site is down and nobody answers',
    effects: ['tag', 'destroy'],
    resources: [ORDERS],
    minutes: 15,
    effectsMax: 2,
    ...changes,
  })
}

async function review(person: string, breakGlass: string, used: number) {
  const signer = await signerFor(gate.client, gate.keys.get(person))
  return reviewBreakGlass(gate.client, signer, { breakGlass, used, comment: 'looked' })
}

test('H15 off by default: the signed act is refused, and policy alone opens nothing', async () => {
  await start(ALLOWED, false)
  await expect(open()).rejects.toMatchObject({ code: 'not_supported' })
  expect((await rawCall(keys, tag('1'))).body).toContain('needs review')
  expect(writes()).toEqual([])
})

test('H15 on, but policy says nothing of it: every call still needs its review', async () => {
  await start(SILENT)
  await open()
  expect((await rawCall(keys, tag('1'))).body).toContain('needs review')
  expect(writes()).toEqual([])
})

test('H15 what was named passes, as often as was said, and the after-review stays open until two have looked', async () => {
  await start(ALLOWED)
  const { id } = await open()
  expect((await rawCall(keys, remove('carts'))).body).toContain('needs review')
  expect((await rawCall(await gate.open('alice'), tag('1'))).body).toContain('needs review')
  expect((await rawCall(keys, tag('1'))).status).toBe(200)
  await expect(review('bob', id, 1)).rejects.toMatchObject({ code: 'request_closed' })
  expect((await rawCall(keys, remove('orders'))).status).toBe(200)
  expect((await rawCall(keys, tag('3'))).body).toContain('needs review')
  expect(writes()).toEqual(['TagResource', 'DeleteTable'])
  await expect(open()).rejects.toMatchObject({ code: 'limit_reached' })
  await expect(review('alice', id, 2)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  await expect(review('bob', id, 1)).rejects.toMatchObject({ code: 'statement_invalid' })
  expect(await review('bob', id, 2)).toMatchObject({ state: 'after-review' })
  await expect(review('bob', id, 2)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  await expect(open()).rejects.toMatchObject({ code: 'limit_reached' })
  expect(await review('carol', id, 2)).toMatchObject({ state: 'closed', used: 2 })
  await expect(review('dave', id, 2)).rejects.toMatchObject({ code: 'request_closed' })
  await open()
  const entries = await gate.entries()
  const types = entries.map(({ type }) => type)
  expect(types.filter((type) => String(type).startsWith('break-glass'))).toEqual([
    'break-glass-opened',
    'break-glass-reviewed',
    'break-glass-reviewed',
    'break-glass-opened',
  ])
  expect(
    entries.filter(({ type, breakGlass }) => type === 'intent' && breakGlass === id),
  ).toHaveLength(2)
})

test('H15 never on the gate itself, never another effect, and it ends with its session', async () => {
  await start(ALLOWED)
  const role = `arn:aws:iam::${ACCOUNT}:role/agent-deploy`
  await open({ effects: ['permissions', 'destroy'], resources: [role, ORDERS] })
  const onLimb = queryCall('iam', {
    Action: 'DeleteRole',
    Version: '2010-05-08',
    RoleName: 'agent-deploy',
  })
  expect((await rawCall(keys, { ...onLimb, region: 'us-east-1' })).body).toContain('needs review')
  expect((await rawCall(keys, tag('1'))).body).toContain('needs review')
  await closeSession(gate, keys)
  expect((await rawCall(keys, remove('orders'))).status).toBeGreaterThanOrEqual(400)
  expect(writes()).toEqual([])
})

test('H15 what is wider, longer, more, unreasoned or of another is refused in words', async () => {
  await start(ALLOWED)
  for (const wrong of [
    { minutes: 16 },
    { effectsMax: 11 },
    { resources: [`${ORDERS}*`] },
    { resources: [] },
    { effects: ['everything'] },
    { reason: 'because' },
    { session: 's-none' },
  ]) {
    await expect(open(wrong)).rejects.toMatchObject({ code: 'statement_invalid' })
  }
  await expect(open({}, 'bob')).rejects.toMatchObject({ code: 'not_a_reviewer' })
  expect((await rawCall(keys, tag('1'))).body).toContain('needs review')
})

// Break-glass at the public doors: off by default, signed by the operator, within named effects and resources,
// by policy alone, never on the gate itself; and open until two others have looked.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CheckedGlass,
  openBreakGlass,
  readBreakGlass,
  reviewBreakGlass,
} from '@seconder/cli/breaking-glass'
import { renderGlass } from '@seconder/cli/render/glass-account'
import { signerFor } from '@seconder/cli/signing'
import { checkGlass } from '@seconder/gateway/break-glass/account'
import type { GoingAhead } from '@seconder/gateway/break-glass/statement'
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

/** What the gate said, or a client that lies about it, is what is signed. */
async function review(
  person: string,
  id: string,
  changed: (checked: CheckedGlass) => CheckedGlass = (checked) => checked,
) {
  const signer = await signerFor(gate.client, gate.keys.get(person))
  const checked = changed(await readBreakGlass(gate.client, id))
  return reviewBreakGlass(gate.client, signer, checked, 'looked')
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
  await expect(review('bob', id)).rejects.toMatchObject({ code: 'request_closed' })
  expect((await rawCall(keys, remove('orders'))).status).toBe(200)
  expect((await rawCall(keys, tag('3'))).body).toContain('needs review')
  expect(writes()).toEqual(['TagResource', 'DeleteTable'])
  await expect(open()).rejects.toMatchObject({ code: 'limit_reached' })
  await expect(review('alice', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  const sawLess = ({ full, ...rest }: CheckedGlass) => ({ ...rest, full: { ...full, used: 1 } })
  await expect(review('bob', id, sawLess)).rejects.toMatchObject({ code: 'statement_invalid' })
  expect(await review('bob', id)).toMatchObject({ state: 'after-review' })
  await expect(review('bob', id)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  await expect(open()).rejects.toMatchObject({ code: 'limit_reached' })
  expect(await review('carol', id)).toMatchObject({ state: 'closed', used: 2 })
  await expect(review('dave', id)).rejects.toMatchObject({ code: 'request_closed' })
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

test('H2 H15 the after-review is over all that was done: each call as it was made, with its end', async () => {
  await start(ALLOWED)
  const { id } = await open({ effectsMax: 2 })
  await rawCall(keys, tag('one'))
  const early = await readBreakGlass(gate.client, id)
  await rawCall(keys, remove('orders'))
  const checked = await readBreakGlass(gate.client, id)
  const { opened, reason, deeds } = checked.account
  expect(reason).toBe('the site is down and nobody answers')
  expect(opened).toMatchObject({ operator: 'alice', session: keys.sessionId, effectsMax: 2 })
  expect(deeds.map(({ intent }) => intent.operation)).toEqual([
    'dynamodb:TagResource',
    'dynamodb:DeleteTable',
  ])
  expect(deeds.map(({ outcomes }) => outcomes.map(({ outcome }) => outcome.result))).toEqual([
    ['succeeded'],
    ['accepted'],
  ])
  const [first] = checked.calls.values()
  expect(first?.action.parameters).toMatchObject({ Tags: [{ Key: 'a', Value: 'one' }] })
  const words = renderGlass(checked)
  for (const said of ['alice went ahead alone', 'nobody answers', 'DeleteTable', '→ accepted 200'])
    expect(words).toContain(said)
  // A client that looked before the second call, or made up what it saw, or when.
  for (const lie of [
    ({ full, ...rest }: CheckedGlass) => ({ ...rest, full, account: early.account }),
    ({ full, ...rest }: CheckedGlass) => ({
      ...rest,
      full: { ...full, checkpoint: early.full.checkpoint },
    }),
    ({ full, account, calls }: CheckedGlass) => ({
      ...{ full, calls },
      account: { ...account, sha256: 'a'.repeat(64) },
    }),
  ]) {
    await expect(review('bob', id, lie)).rejects.toMatchObject({ code: 'statement_invalid' })
  }
  await review('bob', id)
  const { entries } = await gate.checkLedger()
  expect(entries.at(-1)).toMatchObject({ type: 'break-glass-reviewed', reviewer: 'bob' })
})

test('H2 a gate that shows something else than was done is caught by the client', async () => {
  await start(ALLOWED)
  const { id } = await open({ effectsMax: 1 })
  await rawCall(keys, tag('one'))
  const { full } = await readBreakGlass(gate.client, id)
  const { gate: gateId } = await gate.client.facts()
  expect(() => checkGlass(full, gateId)).not.toThrow()
  const [sha256 = '', text = ''] = Object.entries(full.calls)[0] ?? []
  const swap = (from: string, to: string) => ({ ...full, account: full.account.replace(from, to) })
  for (const lie of [
    { ...full, calls: {} },
    { ...full, calls: { [sha256]: text.replace('"one"', '"two"') } },
    { ...full, id: 'b-other' },
    swap('"operation":"dynamodb:TagResource"', '"operation": "dynamodb:TagResource"'),
    swap(`"breakGlass":"${id}","digest"`, '"breakGlass":"b-other","digest"'),
    swap(sha256, 'a'.repeat(64)),
  ]) {
    expect(() => checkGlass(lie, gateId)).toThrow()
  }
  expect(() => checkGlass(full, 'another gate')).toThrow()
})

// Recorded calls put to two epochs: what differs, in which order, and what cannot be told.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadPolicySet, type PolicySet, type PolicySources } from '../decide/policy-set.ts'
import type { EpochContent } from '../epoch/content.ts'
import { readPolicies } from '../epoch/content.ts'
import type { Entry } from '../record/entry.ts'
import { DryRun, dryRunText } from './dry-run.ts'
import { type Bounds, dryRunOver } from './over-ledger.ts'
import { recordedCalls } from './recorded-call.ts'

const ROLE = 'arn:aws:iam::123456789012:role/agent-deploy'
const LAB = readPolicies(join(import.meta.dirname, '..', '..', '..', '..', 'lab', 'policies'))
const ACTIVE: EpochContent = {
  ...LAB,
  environments: [{ name: 'production', accounts: ['123456789012'], mode: 'enforce' }],
  roles: { deploy: { arn: ROLE } },
  build: 'b',
}
const AT = '2026-08-21T10:00:00.000Z'
const CALL = {
  at: AT,
  session: 's-1',
  operator: 'alice',
  agent: 'kiro',
  role: ROLE,
  resources: ['arn:aws:dynamodb:eu-west-1:123456789012:table/orders'],
  environments: ['production'],
  digest: 'ab'.repeat(32),
  epoch: 3,
  policies: ['p'],
}
const read: Entry = { ...CALL, type: 'read', operation: 'dynamodb:GetItem', effects: ['read'] }
const removal = { ...CALL, operation: 'dynamodb:DeleteTable', effects: ['destroy'] }
const asked: Entry = {
  ...removal,
  type: 'request-opened',
  request: 'r-1',
  requirement: ['any:1'],
  document: '00',
  expiresAt: AT,
}
const denied: Entry = {
  ...CALL,
  type: 'denied',
  code: 'denied_by_policy',
  operation: 'iam:PutRolePolicy',
  effects: ['permissions'],
}

const policy = (text: string) => ({
  ...ACTIVE,
  policies: [...ACTIVE.policies, { file: 'more.cedar', text }],
})
const ALLOW_ALL = policy('@id("all") permit (principal is Agent, action, resource);')
const STRICTER = policy(
  `@id("no-loss") forbid (principal is Agent, action == Action::"destroy", resource);
   @id("ask-reads") forbid (principal is Agent, action == Action::"read", resource)
   unless { context.approvedBy.contains("any:1") };`,
)

/** Loading a set takes longer than all that is asked of it. */
const sets = new Map<string, Promise<PolicySet>>()

function load(sources: PolicySources): Promise<PolicySet> {
  const key = JSON.stringify(sources)
  const known = sets.get(key) ?? loadPolicySet(sources)
  sets.set(key, known)
  return known
}

async function run(candidate: EpochContent, entries: readonly Entry[], active = ACTIVE) {
  const dry = await DryRun.of({ from: 3, version: 'cd'.repeat(32), active, candidate }, load)
  for (const [index, entry] of entries.entries()) {
    const { calls, passed } = recordedCalls(entry, () => null)
    if (passed !== null) dry.pass(passed)
    for (const call of calls) dry.take(call, index, entry.at)
  }
  return dry.result({ since: AT, until: AT, first: 0, last: entries.length - 1, cutBy: null })
}

test('the same policies change nothing, and a call without its document says so', async () => {
  const result = await run(ACTIVE, [read, read, asked])
  expect(result).toMatchObject({
    calls: 3,
    bareCalls: 3,
    unchanged: 3,
    changes: [],
    unknown: [],
    errors: [],
  })
  expect(result.passed).toEqual({ 'document-missing': 1 })
})

test('what would newly pass, be asked and be denied is told by who, what and where, destruction first', async () => {
  const stricter = await run(STRICTER, [read, asked, asked])
  expect(stricter.totals).toMatchObject({ 'newly-denied': 2, 'newly-asked': 1, 'newly-allowed': 0 })
  expect(stricter.changes).toMatchObject([
    {
      kind: 'newly-denied',
      effect: 'destroy',
      operation: 'dynamodb:DeleteTable',
      environments: ['production'],
      agent: 'kiro',
      operator: 'alice',
      role: 'deploy',
      count: 2,
      entry: 1,
      before: { answer: 'review' },
      after: { answer: 'deny', code: 'denied_by_policy', policies: ['no-loss'] },
    },
    { kind: 'newly-asked', operation: 'dynamodb:GetItem', after: { requirement: ['any:1'] } },
  ])
  // What was only observed had no answer of policy to compare with; it is tried all the same.
  const observed = {
    type: 'intent',
    effect: 'e',
    request: null,
    grant: null,
    observed: 'x',
  } as const
  const put: Entry = { ...read, ...observed, operation: 'dynamodb:PutItem', effects: ['write'] }
  const looser = await run(ALLOW_ALL, [put, asked])
  expect(looser.changes.map(({ kind, effect }) => [kind, effect])).toEqual([
    ['newly-allowed', 'destroy'],
    ['newly-allowed', 'write'],
  ])
})

test('a call whose answer of then cannot be worked out again is named and compared with nothing', async () => {
  const secret: Entry = { ...read, type: 'denied', code: 'denied_by_policy' }
  const result = await run(STRICTER, [secret, secret, { ...denied, code: 'credential_answer' }])
  expect(result).toMatchObject({
    calls: 2,
    unchanged: 0,
    changes: [],
    unknownCount: 2,
    passed: { 'not-decided-by-policy': 1 },
  })
  expect(result.unknown).toMatchObject([
    { what: expect.stringContaining('dynamodb:GetItem: answered deny then'), count: 2, entry: 0 },
  ])
  // Under an older epoch than the one it is compared with, what was answered then is no measure.
  expect(await run(STRICTER, [{ ...secret, epoch: 2 }])).toMatchObject({
    totals: { 'newly-asked': 1 },
    unknown: [],
  })
})

test('what hangs on where a call came from is unknown, unless it is the same from everywhere', async () => {
  const near = policy(
    `@id("not-near") forbid (principal is Agent, action == Action::"read", resource)
     when { context.isolation == "none" };`,
  )
  expect(await run(near, [read, asked])).toMatchObject({
    ...{ calls: 2, unchanged: 1, changes: [], unknownCount: 1 },
    unknown: [{ what: expect.stringContaining('from where it came'), count: 1, entry: 0 }],
  })
  const everywhere = policy(
    `@id("no-read") forbid (principal is Agent, action == Action::"read", resource)
     when { context.isolation == "none" || context.isolation != "none" };`,
  )
  expect((await run(everywhere, [read])).totals).toMatchObject({ 'newly-denied': 1 })
  // What it was answered then tells the others from it.
  const denial: Entry = { ...read, type: 'denied', code: 'denied_by_policy' }
  expect((await run(ACTIVE, [read, denial], near)).totals).toMatchObject({ 'newly-allowed': 1 })
})

test('each of several environments is that of one thing at least, and what hangs on which is unknown', async () => {
  const other = 'arn:aws:dynamodb:eu-west-1:210987654321:table/x'
  const resources = [other, ...CALL.resources]
  const both = { ...read, resources, environments: ['development', 'production'] }
  const inProduction = policy(
    '@id("p") forbid (principal is Agent, action == Action::"read", resource in Environment::"production");',
  )
  expect((await run(inProduction, [both])).changes).toMatchObject([
    { kind: 'newly-denied', environments: ['development', 'production'], count: 1 },
  ])
  const ofOrders = policy(
    `@id("o") forbid (principal is Agent, action == Action::"read", resource in Environment::"production")
     when { resource.arn like "*orders" };`,
  )
  const unknown = [{ what: expect.stringContaining('in which environment'), count: 1, entry: 0 }]
  expect(await run(ofOrders, [both])).toMatchObject({ unchanged: 0, changes: [], unknown })
  const many = Array.from({ length: 9 }, (_, at) => `${other}${at}`)
  expect(await run(inProduction, [{ ...both, resources: many }])).toMatchObject({ unknown })
})

test('environments and roles of the candidate count: a thing moved to another environment, a role that is gone', async () => {
  const moved = {
    ...ACTIVE,
    environments: [{ name: 'development', accounts: ['123456789012'], mode: 'enforce' as const }],
  }
  expect((await run(moved, [asked])).changes).toMatchObject([
    { kind: 'newly-allowed', effect: 'destroy' },
  ])
  const gone = { ...ACTIVE, roles: {} }
  expect((await run(gone, [read])).changes).toMatchObject([
    { kind: 'newly-denied', operation: 'dynamodb:GetItem' },
  ])
  // Tags or a role that reaches further had raised it: the map does not lower it again.
  const raised: Entry = {
    ...asked,
    resources: ['arn:aws:dynamodb:eu-west-1:210987654321:table/x'],
    environments: ['staging'],
  }
  expect((await run(moved, [raised])).changes).toEqual([])
})

test('a limit leaves out the oldest and says so, and a window what is outside of it', async () => {
  const entries = Array.from({ length: 10 }, (_, index) => ({
    ...read,
    at: new Date(Date.parse(AT) + index * 1_000).toISOString(),
  }))
  const ledger = {
    size: entries.length,
    read: async (index: number) => new TextEncoder().encode(JSON.stringify(entries[index])),
    readPayload: async () => new Uint8Array(),
  }
  const sides = { from: 3, version: 'cd'.repeat(32), active: ACTIVE, candidate: ACTIVE }
  const [sinceMs, untilMs] = [Date.parse(AT), Date.parse(AT) + 60_000]
  const whole = { sinceMs, untilMs, budgetMs: 600_000, entriesMax: 100 }
  const over = async (bounds: Partial<Bounds>) => {
    const { calls, window } = await dryRunOver(ledger, await DryRun.of(sides, load), {
      ...whole,
      ...bounds,
    })
    return [calls, window.first, window.last, window.cutBy]
  }
  expect(await over({})).toEqual([10, 0, 9, null])
  expect(await over({ entriesMax: 10 })).toEqual([10, 0, 9, null])
  expect(await over({ entriesMax: 3 })).toEqual([3, 7, 9, 'entries'])
  expect(await over({ budgetMs: -1 })).toEqual([0, null, null, 'time'])
  expect(await over({ sinceMs: sinceMs + 2_000, untilMs: sinceMs + 4_000 })).toEqual([
    3,
    2,
    4,
    null,
  ])
})

test('the result has one text and one digest', async () => {
  const result = await run(STRICTER, [asked])
  expect(dryRunText(result)).toEqual(dryRunText(JSON.parse(dryRunText(result).text)))
})

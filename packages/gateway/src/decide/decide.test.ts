import { beforeAll, expect, test } from 'vitest'
import type { Action } from '../describe/action.ts'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { decide, decideWithReviewers } from './decide.ts'
import type { Decision } from './decision.ts'
import { freshCedar } from './fresh-cedar.ts'
import { loadPolicySet, type PolicySet } from './policy-set.ts'
import {
  DISTINCT_RESOURCES_MAX,
  IAM_ACTIONS_MAX,
  LISTED_RESOURCES_MAX,
  PARAMETER_VALUES_MAX,
  TEXT_LENGTH_MAX,
} from './request.ts'
import { CONTEXT, defaultSet, folderSources, sampleAction, setOf, TABLE } from './sample-request.ts'
import { REVIEWERS_MAX } from './seats.ts'

let set: PolicySet
/** Permits everything, whoever approves. */
let open: PolicySet

beforeAll(async () => {
  set = await defaultSet()
  open = await setOf(PERMIT_ALL)
})

const PERMIT_ALL = '@id("all") permit (principal, action, resource);'

const ask = (changes: Partial<Action>, policySet = set): Decision =>
  decide(sampleAction(changes), NO_EVIDENCE, CONTEXT, policySet)

test('the strictest effect decides, and one review covers all of them', () => {
  const decision = ask({ effects: ['read', 'write', 'destroy'] })
  expect(decision).toMatchObject({
    answer: 'review',
    requirement: ['sre:1'],
    policies: ['production-change', 'production-destroy'],
  })
  expect(ask({ effects: ['read'] }).answer).toBe('allow')
})

test('the needs of all effects add up to one requirement', () => {
  const decision = ask({ effects: ['destroy', 'permissions'] })
  expect(decision).toMatchObject({ answer: 'review', requirement: ['any:2', 'sre:1'] })
})

test('an effect that the look-up added is decided like any other', () => {
  const evidence = { ...NO_EVIDENCE, addedEffects: ['destroy' as const] }
  const action = sampleAction({ effects: ['write'] })
  expect(decide(action, evidence, CONTEXT, set)).toMatchObject({ requirement: ['sre:1'] })
  expect(decide(action, NO_EVIDENCE, CONTEXT, set)).toMatchObject({ requirement: ['any:1'] })
})

test('a deny on one resource is a deny of the whole action', async () => {
  const guarded = await setOf(
    `${PERMIT_ALL} @id("no-logs") @reason("the log stays")
     forbid (principal, action, resource) when { resource.arn like "*:log/*" };`,
  )
  const log = { ...TABLE, arn: 'arn:aws:x:eu-west-1:123456789012:log/a' }
  expect(ask({ resources: [TABLE, log] }, guarded)).toEqual({
    answer: 'deny',
    code: 'denied_by_policy',
    policies: ['no-logs'],
    reason: 'denied: the log stays',
  })
  expect(ask({ resources: [TABLE] }, guarded)).toEqual({ answer: 'allow', policies: ['all'] })
})

test('a name too long to show is cut, and never into half a character', async () => {
  const nothing = await setOf('')
  const reason = (arn: string) => {
    const decision = ask({ resources: [{ ...TABLE, arn }] }, nothing)
    return decision.answer === 'deny' ? decision.reason : ''
  }
  expect(reason('x'.repeat(200))).toContain(`\`${'x'.repeat(200)}\``)
  expect(reason('x'.repeat(201))).toContain(`\`${'x'.repeat(200)}…\``)
  const cut = reason(`${'x'.repeat(199)}\u{1f600}`)
  expect(cut).toContain('…')
  expect(cut.isWellFormed()).toBe(true)
})

test('what no policy permits is denied and names no policy', async () => {
  const nothing = await setOf('')
  const decision = ask({ effects: ['read'] }, nothing)
  expect(decision).toMatchObject({ answer: 'deny', code: 'denied_by_policy', policies: [] })
})

test.each([
  ['no resources', { resources: [] }],
  ['no effects', { effects: [] }],
  ['an effect that is not one', { effects: ['delete'] as unknown as Action['effects'] }],
  ['a door that is not one', { door: 'ftp' as Action['door'] }],
  ['revealing something that is not known', { reveals: '' as Action['reveals'] }],
])('an action with %s is refused', async (_, changes) => {
  expect(ask(changes, open)).toMatchObject({ answer: 'deny', code: 'invalid_request' })
  expect(ask({}, open).answer).toBe('allow')
})

test('hazard 2: a forbid that errors refuses, where Cedar alone would allow', async () => {
  // Adding past the largest Long is an error at run time that no validation sees.
  const forbid = 'forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };'
  const cedar = freshCedar()
  const entity = { type: 'A', id: 'a' }
  const bare = cedar.isAuthorized({
    principal: entity,
    action: { type: 'Action', id: 'a' },
    resource: entity,
    context: {},
    entities: [],
    policies: { staticPolicies: { all: 'permit (principal, action, resource);', f: forbid } },
  })
  expect(bare).toMatchObject({ response: { decision: 'allow' } })
  const errs = await setOf(`${PERMIT_ALL} @id("f") ${forbid}`)
  const refused = { answer: 'deny', code: 'policy_error', policies: ['f'] }
  expect(ask({}, errs)).toMatchObject(refused)
  const people = [{ name: 'bob', teams: ['sre'] }]
  expect(decideWithReviewers(sampleAction(), NO_EVIDENCE, CONTEXT, errs, people)).toMatchObject(
    refused,
  )
})

test.each(['__entity', '__extn'])(
  'hazard 3: `%s` anywhere in the parameters is refused',
  async (key) => {
    const nested = { Item: [{ a: { [key]: { type: 'Agent', id: 'root' } } }] }
    expect(ask({ parameters: nested }, open)).toMatchObject({
      answer: 'deny',
      code: 'reserved_key',
    })
    const harmless = { Item: [{ a: { entity: key } }] }
    expect(ask({ parameters: harmless }, open).answer).toBe('allow')
  },
)

test('hazard 3: an entity where a text belongs is refused before Cedar sees it', async () => {
  const entity = { __entity: { type: 'Agent', id: 'root' } } as unknown as string
  for (const changes of [
    { operation: entity },
    { iamActions: [entity] },
    { resources: [{ ...TABLE, arn: entity }] },
    { resources: [{ ...TABLE, environment: entity }] },
  ]) {
    expect(ask(changes, open)).toMatchObject({ answer: 'deny', code: 'invalid_request' })
  }
})

test('hazard 4: a request that does not fit the schema is a deny', async () => {
  const lying = await setOfCedar((cedar) => ({
    statefulIsAuthorized: (call) =>
      cedar.statefulIsAuthorized({ ...call, context: { ...call.context, extra: 1 } }),
  }))
  expect(ask({ effects: ['read'] }, lying)).toMatchObject({ answer: 'deny', code: 'policy_error' })
})

test('hazard 5: numbers in parameters never reach Cedar', () => {
  const parameters = { a: 1.5, b: null, c: 2 ** 63, d: [Number.MAX_SAFE_INTEGER + 2] }
  expect(ask({ effects: ['read'], parameters }).answer).toBe('allow')
  const number = 1n as unknown as string
  expect(ask({ effects: ['read'], region: number })).toMatchObject({ code: 'invalid_request' })
})

test('hazard 6: a lone surrogate is refused before it makes the instance throw', () => {
  for (const text of ['\ud800', 'a\udc00b']) {
    const decision = ask({ effects: ['read'], operation: text })
    expect(decision).toMatchObject({ answer: 'deny', code: 'invalid_request' })
  }
  expect(ask({ effects: ['read'], operation: 'x\u{1f600}' }).answer).toBe('allow')
})

test('hazard 6: parameters nested thousands deep are searched without recursion', () => {
  let parameters: Action['parameters'] = {}
  for (let depth = 0; depth < 20_000; depth += 1) parameters = { a: parameters }
  expect(ask({ effects: ['read'], parameters }).answer).toBe('allow')
})

test('an instance that throws denies this request and not the next one', async () => {
  let throws = 1
  const dying = await setOfCedar((cedar) => ({
    statefulIsAuthorized: (call) => {
      if (throws-- > 0) throw new Error('memory access out of bounds')
      return cedar.statefulIsAuthorized(call)
    },
  }))
  expect(ask({ effects: ['read'] }, dying)).toEqual({
    answer: 'deny',
    code: 'policy_error',
    policies: [],
    reason: 'the policy engine failed while deciding',
  })
  expect(ask({ effects: ['read'] }, dying).answer).toBe('allow')
})

test('a credential is denied in code where every policy would allow it (C4)', async () => {
  const denied = { answer: 'deny', code: 'credential_answer' }
  expect(ask({ effects: ['read'], reveals: 'credential' }, open)).toMatchObject(denied)
  expect(ask({ effects: ['read'], reveals: 'secret' }, open).answer).toBe('allow')
})

test('C6: tags, names and evidence never lower an environment', () => {
  const named = { ...TABLE, arn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/dev-orders' }
  const parameters = { Environment: 'development', Tags: [{ Key: 'env', Value: 'development' }] }
  const evidence = { ...NO_EVIDENCE, binding: { environment: 'development', tags: { env: 'dev' } } }
  const action = sampleAction({ resources: [named], parameters })
  expect(decide(action, evidence, CONTEXT, set)).toMatchObject({ requirement: ['sre:1'] })
  const configured = { ...named, environment: 'development' }
  expect(ask({ resources: [configured], parameters }).answer).toBe('allow')
})

test.each(['', '*', 'unknown', 'qa', 'Production', 'constructor'])(
  'the environment `%s`, which no policy knows, is production',
  (environment) => {
    const resources = [{ ...TABLE, environment }]
    expect(ask({ resources })).toMatchObject({ answer: 'review', requirement: ['sre:1'] })
    expect(ask({ resources, effects: ['read'], reveals: 'secret' })).toMatchObject({
      requirement: ['any:1'],
    })
  },
)

test('a change to what is not resolved is production, and a look at it is where it is', () => {
  const resources = [{ ...TABLE, arn: '*', environment: 'development', resolved: false }]
  expect(ask({ resources })).toMatchObject({ policies: ['production-destroy'] })
  expect(ask({ resources, effects: ['list'] })).toMatchObject({ policies: ['nonproduction-look'] })
})

test('a change to what is not resolved needs a person even where policy needs none', async () => {
  const resources = [{ ...TABLE, resolved: false }]
  expect(ask({ resources }, open)).toMatchObject({ answer: 'review', requirement: ['any:1'] })
  const reviewed = (people: readonly { name: string; teams: string[] }[]) =>
    decideWithReviewers(sampleAction({ resources }), NO_EVIDENCE, CONTEXT, open, people).answer
  expect(reviewed([{ name: 'bob', teams: [] }])).toBe('allow')
  expect(reviewed([])).toBe('review')
  expect(ask({ resources, effects: ['read'] }, open).answer).toBe('allow')
})

test('M1 one person in two teams fills one seat, also at the grant', async () => {
  const both = await setOf(
    '@id("a") permit (principal, action, resource) ' +
      'when { context.approvedBy.containsAll(["dba:1", "sre:1"]) };',
  )
  const answer = (...people: { name: string; teams: string[] }[]) =>
    decideWithReviewers(sampleAction(), NO_EVIDENCE, CONTEXT, both, people).answer
  expect(answer({ name: 'carol', teams: ['dba', 'sre'] })).toBe('review')
  expect(answer({ name: 'carol', teams: ['dba', 'sre'] }, { name: 'bob', teams: [] })).toBe(
    'review',
  )
  expect(answer({ name: 'carol', teams: ['dba', 'sre'] }, { name: 'bob', teams: ['dba'] })).toBe(
    'allow',
  )
})

test('a second way that policy names is enough at the grant', async () => {
  const either = await setOf(
    `@id("one") permit (principal, action, resource)
     when { context.approvedBy.contains("sre:1") };
     @id("two") permit (principal, action, resource)
     when { context.approvedBy.contains("dba:2") };`,
  )
  expect(ask({}, either)).toMatchObject({ requirement: ['sre:1'] })
  const people = ['bob', 'dan'].map((name) => ({ name, teams: ['dba'] }))
  const decided = decideWithReviewers(sampleAction(), NO_EVIDENCE, CONTEXT, either, people)
  expect(decided).toEqual({ answer: 'allow', policies: ['two'] })
})

test('approvals open nothing that policy denies', () => {
  const people = ['a', 'b', 'c'].map((name) => ({ name, teams: ['sre'] }))
  const context = { ...CONTEXT, isolation: 'none' as const }
  const decided = decideWithReviewers(sampleAction(), NO_EVIDENCE, context, set, people)
  expect(decided).toMatchObject({ answer: 'deny', policies: ['isolation-none'] })
})

test.each([
  [5, 'r0; r1; r2; r3; r4'],
  [6, 'r0; r1; r2; r3; r4; and 1 more'],
])('a reason quotes the most policies and counts the rest (%d)', async (count, quoted) => {
  const forbids = Array.from({ length: count }, (_, index) => {
    return `@id("f${index}") @reason("r${index}") forbid (principal, action, resource);`
  })
  const decision = ask({}, await setOf(forbids.join('\n')))
  expect(decision).toMatchObject({ reason: `denied: ${quoted}` })
  expect(decision.policies).toHaveLength(count)
})

test('the most reviewers are seated and one more is refused', () => {
  const people = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      name: `p${index}`,
      teams: ['sre'],
      strength: 'hardware' as const,
    }))
  const answer = (count: number) =>
    decideWithReviewers(sampleAction(), NO_EVIDENCE, CONTEXT, set, people(count))
  expect(answer(REVIEWERS_MAX).answer).toBe('allow')
  expect(answer(REVIEWERS_MAX + 1)).toMatchObject({ answer: 'deny', code: 'too_many_reviewers' })
})

test('resources that policy cannot tell apart are one question, the others their own', async () => {
  const tables = Array.from({ length: 5_000 }, (_, index) => ({ ...TABLE, arn: `table/${index}` }))
  expect(ask({ resources: tables })).toMatchObject({ answer: 'review', requirement: ['sre:1'] })
  const last = { ...TABLE, arn: 'table/last', account: '999999999999' }
  const guarded = await setOf(
    `${PERMIT_ALL} @id("g") forbid (principal, action, resource)
     when { resource.account == "999999999999" };`,
  )
  expect(ask({ resources: tables }, guarded).answer).toBe('allow')
  expect(ask({ resources: [...tables, last] }, guarded)).toMatchObject({ policies: ['g'] })
})

const OTHER = {
  ...TABLE,
  arn: 'x',
  type: 'bucket',
  account: '999999999999',
  region: 'us-east-1',
  resolved: false,
}

test.each([
  ['resource == Resource::"x"', 'true'],
  ['resource in Resource::"x"', 'true'],
  ['resource is Resource in Resource::"x"', 'true'],
  ['resource', 'resource == Resource::"x"'],
  ['resource', 'resource in [Resource::"x"]'],
  ['resource', 'resource is Resource in Resource::"x"'],
  ['resource', '[Resource::"x"].contains(resource)'],
  ['resource', '{ a: resource }.a == Resource::"x"'],
  ['resource', '{ a: resource }.a.arn == "x"'],
  ['resource', '(if context.breakGlass then resource else resource).account == "999999999999"'],
  ['resource', 'resource.arn == "x"'],
  ['resource', 'resource.type == "bucket"'],
  ['resource', 'resource.account == "999999999999"'],
  ['resource', 'resource.region == "us-east-1"'],
  ['resource', '!resource.resolved'],
])(
  'a resource that a forbid tells apart is not joined with another: %s when %s',
  async (scope, when) => {
    const forbid = `@id("g") forbid (principal, action, ${scope}) when { ${when} };`
    const guarded = await setOf(`${PERMIT_ALL} ${forbid}`)
    const read = (...resources: Action['resources']) =>
      ask({ effects: ['read'], resources }, guarded)
    expect(read(TABLE, OTHER)).toMatchObject({ answer: 'deny', policies: ['g'] })
    expect(read(TABLE, TABLE)).toEqual({ answer: 'allow', policies: ['all'] })
  },
)

test('the most distinct resources are decided and one more is refused', async () => {
  const reads = await setOf(
    `${PERMIT_ALL} @id("g") forbid (principal, action, resource) when { resource.arn == "x" };`,
  )
  const tables = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ ...TABLE, arn: `table/${index}` }))
  expect(ask({ resources: tables(DISTINCT_RESOURCES_MAX) }, reads).answer).toBe('allow')
  expect(ask({ resources: tables(DISTINCT_RESOURCES_MAX + 1) }, reads)).toMatchObject({
    answer: 'deny',
    code: 'too_many_resources',
  })
})

test.each<[string, number, (count: number) => Partial<Action>]>([
  ['resources', LISTED_RESOURCES_MAX, (count) => ({ resources: Array(count).fill(TABLE) })],
  ['IAM actions', IAM_ACTIONS_MAX, (count) => ({ iamActions: Array(count).fill('s3:GetObject') })],
  ['characters in a text', TEXT_LENGTH_MAX, (count) => ({ operation: 'x'.repeat(count) })],
  // The parameters and the list in them are values themselves.
  [
    'parameters',
    PARAMETER_VALUES_MAX,
    (count) => ({ parameters: { a: Array(count - 2).fill(0) } }),
  ],
])('an action may have the most %s and not one more', (_, most, changes) => {
  expect(ask({ effects: ['read'], ...changes(most) }).answer).toBe('allow')
  expect(ask({ effects: ['read'], ...changes(most + 1) }).answer).toBe('deny')
})

test('the same question has the same answer, and nothing in it changes', () => {
  const action = sampleAction({ effects: ['write', 'destroy'] })
  const before = structuredClone(action)
  const first = ask({ effects: ['write', 'destroy'] })
  expect(ask({ effects: ['destroy', 'write'] })).toEqual(first)
  decide(action, NO_EVIDENCE, CONTEXT, set)
  expect(action).toEqual(before)
})

type Cedar = ReturnType<typeof freshCedar>

/** The default set on an instance of which some functions are replaced. */
function setOfCedar(replaced: (cedar: Cedar) => Partial<Cedar>): Promise<PolicySet> {
  const makeCedar = () => {
    const cedar = freshCedar()
    return { ...cedar, ...replaced(cedar) }
  }
  return loadPolicySet(folderSources('policies'), { makeCedar })
}

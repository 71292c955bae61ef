import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { expect, test } from 'vitest'
import type { Action, Effect, Resource } from '../describe/action.ts'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { decide, decideWithReviewers, readsIsolation } from './decide.ts'
import type { Decision } from './decision.ts'
import { askSlice, type CedarModule, preparse } from './engine.ts'
import { freshCedar } from './fresh-cedar.ts'
import type { PolicySet } from './policy-set.ts'
import { cedarCall, requestFacts } from './request.ts'
import { CONTEXT, readText, sampleAction, setOf, TABLE } from './sample-request.ts'
import { parseSeatCount, type Reviewer, satisfies } from './seats.ts'

// The oracle: one instance with the whole set, every resource asked about, every set of approvals
// tried. It shares with the code under test the shape of a Cedar request and nothing else.

const SETS = 8
const POLICIES_IN_SET = 24
const REQUESTS_FOR_SET = 26
const ENVIRONMENTS = ['production', 'staging', 'development']
const ARNS = ['arn:a', 'arn:b', 'arn:c', 'arn:d']

const random = randomFrom(20_261_123)
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
const some = <T>(items: readonly T[], most: number): T[] =>
  Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(items))

for (let round = 0; round < SETS; round += 1) {
  test(`sliced, joined and searched is whole, single and brute force (set ${round})`, async () => {
    const text = randomPolicies()
    const set = await setOf(text)
    const whole = wholeSet(set)
    for (let count = 0; count < REQUESTS_FOR_SET; count += 1) {
      const action = randomAction()
      const expected = bruteForce(whole, action)
      const decision = decide(action, NO_EVIDENCE, CONTEXT, set)
      expect(shortened(decision), `${JSON.stringify(action)}\n${text}`).toEqual(expected)
      if (decision.answer !== 'review') continue
      // As many people as were asked for are enough, and one fewer never is.
      const people = reviewersFor(decision.requirement)
      const granted = (few: readonly Reviewer[]) =>
        decideWithReviewers(action, NO_EVIDENCE, CONTEXT, set, few).answer
      expect(satisfies(decision.requirement, people)).toBe(true)
      expect(granted(people)).toBe('allow')
      expect(granted(people.slice(1))).toBe('review')
    }
  })
}

test('the random sets are worth asking: many allows, denies and reviews', async () => {
  const answers = new Map<string, number>()
  for (let round = 0; round < 3; round += 1) {
    const set = await setOf(randomPolicies())
    for (let count = 0; count < 60; count += 1) {
      const { answer } = decide(randomAction(), NO_EVIDENCE, CONTEXT, set)
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
    }
  }
  for (const answer of ['allow', 'deny', 'review']) {
    expect(answers.get(answer) ?? 0, answer).toBeGreaterThan(10)
  }
})

function reviewersFor(requirement: readonly string[]): Reviewer[] {
  const seats = requirement.map((text) => parseSeatCount(text) ?? { team: '', count: 0 })
  const named = seats
    .filter(({ team }) => team !== 'any')
    .flatMap(({ team, count }) => Array<string>(count).fill(team))
  const all = Math.max(named.length, ...seats.map(({ count }) => count))
  return Array.from({ length: all }, (_, index) => {
    const team = named[index]
    return { name: `p${index}`, teams: team === undefined ? [] : [team] }
  })
}

function randomPolicies(): string {
  const policies = Array.from({ length: POLICIES_IN_SET }, (_, index) => randomPolicy(index))
  const names = ENVIRONMENTS.map((name) => `Environment::"${name}"`).join(', ')
  // One policy names every environment, so that none of them is decided as production.
  const looks = `action in Action::"look", resource) when { resource in [${names}] };`
  return [...policies, `@id("named") permit (principal, ${looks}`].join('\n')
}

function randomPolicy(index: number): string {
  const effect = random() < 0.8 ? 'permit' : 'forbid'
  const quoted = (effects: readonly Effect[]) =>
    effects.map((name) => `Action::"${name}"`).join(', ')
  const action = pick([
    'action',
    `action == ${quoted([pick(EFFECTS_BY_STRICTNESS)])}`,
    `action in [${quoted([...new Set(some(EFFECTS_BY_STRICTNESS, 4))])}]`,
    `action in Action::"${pick(['look', 'change'])}"`,
    `action in [Action::"look", ${quoted([pick(EFFECTS_BY_STRICTNESS)])}]`,
  ])
  const environment = `Environment::"${pick(ENVIRONMENTS)}"`
  const resource = pick([
    'resource',
    'resource',
    'resource is Resource',
    `resource in ${environment}`,
    `resource is Resource in ${environment}`,
    `resource == Resource::"${pick(ARNS)}"`,
    `resource in Resource::"${pick(ARNS)}"`,
  ])
  const facts = ` when { ${fact()} }`
  const approvals = ` ${effect === 'permit' ? 'when' : 'unless'} { ${approval()} }`
  const asks = effect === 'permit' ? random() < 0.6 : random() < 0.4
  const conditions = (effect === 'forbid' || random() < 0.6 ? facts : '') + (asks ? approvals : '')
  return `@id("p${index}") ${effect} (principal, ${action}, ${resource})${conditions};`
}

function fact(): string {
  const one = () =>
    pick([
      `resource.arn == "${pick(ARNS)}"`,
      `resource.account == "${pick(['1', '2'])}"`,
      `resource.type == "${pick(['table', 'bucket'])}"`,
      `resource.region like "${pick(['eu-*', '*-2'])}"`,
      `resource in [Environment::"${pick(ENVIRONMENTS)}", Environment::"${pick(ENVIRONMENTS)}"]`,
      `resource == Resource::"${pick(ARNS)}"`,
      `[Resource::"${pick(ARNS)}"].contains(resource)`,
      `context.operation like "${pick(['s3:*', '*Table'])}"`,
      'context.breakGlass',
      'context.ownLimbs',
      'context.outsideAccounts',
      'context.isolation == "user"',
      '["host", "none"].contains(context.isolation)',
    ])
  return pick([one(), `${one()} && ${one()}`, `${one()} || ${one()}`, `!(${one()})`])
}

function approval(): string {
  const seat = () => pick(['any:1', 'any:2', 'sre:1', 'sre:2', 'dba:1'])
  const one = () =>
    pick([
      `context.approvedBy.contains("${seat()}")`,
      `context.approvedBy.containsAll(["${seat()}", "${seat()}"])`,
      `context.approvedBy.containsAny(["${seat()}", "${seat()}"])`,
    ])
  return pick([one(), `${one()} || ${one()}`, `(${fact()}) && ${one()}`])
}

function randomAction(): Action {
  const resource = (): Resource => ({
    arn: pick(ARNS),
    type: pick(['table', 'bucket']),
    account: pick(['1', '2']),
    region: pick(['eu-west-1', 'us-east-2']),
    environment: pick(ENVIRONMENTS),
    resolved: random() < 0.85,
  })
  return sampleAction({
    operation: pick(['s3:PutObject', 'dynamodb:DeleteTable', 'ec2:RunInstances']),
    effects: [...new Set(some(EFFECTS_BY_STRICTNESS, pick([1, 2])))],
    resources: some([0], pick([1, 3])).map(resource),
  })
}

type Ask = (effect: Effect, resource: Resource, approvedBy: readonly string[]) => boolean

/** The whole set in one instance, as a function from one effect, one resource and approvals. */
function wholeSet(set: PolicySet): (action: Action) => Ask {
  const cedar: CedarModule = freshCedar()
  const texts = Object.fromEntries([...set.policies].map(([id, { text }]) => [id, text]))
  const schema = readText('policies/schema.cedarschema')
  const alikes = preparse(cedar, { schema, slices: new Map([['whole', texts]]) })
  return (action) => (effect, resource, approvedBy) => {
    const uncertain = !resource.resolved && effect !== 'read' && effect !== 'list'
    const environment = uncertain ? 'production' : resource.environment
    const question = { effect, resource, environment, uncertain }
    const strength = approvedBy.length === 0 ? 'none' : 'hardware'
    const approvals = { approvedBy, strength } as const
    const call = cedarCall(question, requestFacts(action, CONTEXT), CONTEXT, approvals)
    const answer = askSlice(cedar, alikes, 'whole', call)
    if (answer.type !== 'success') throw new Error(answer.errors[0]?.message)
    expect(answer.response.diagnostics.errors).toEqual([])
    const allowed = answer.response.decision === 'allow'
    return allowed && !(uncertain && approvedBy.length === 0)
  }
}

/** Tries up to two of sre, one of dba and two others; the least way that allows everything. */
function bruteForce(whole: (action: Action) => Ask, action: Action): unknown {
  const ask = whole(action)
  const ways = [0, 1, 2].flatMap((sre) =>
    [0, 1].flatMap((dba) => [0, 1, 2].map((extra) => ({ sre, dba, all: sre + dba + extra }))),
  )
  const closed = ({ sre, dba, all }: (typeof ways)[number]) => [
    ...['any:1', 'any:2', 'any:3', 'any:4', 'any:5'].slice(0, all),
    ...['sre:1', 'sre:2'].slice(0, sre),
    ...['dba:1'].slice(0, dba),
  ]
  const allows = (way: (typeof ways)[number]) =>
    action.effects.every((effect) =>
      action.resources.every((resource) => ask(effect, resource, closed(way))),
    )
  const table = ways.map((way) => ({ way, allowed: allows(way) }))
  for (const { way: less, allowed } of table) {
    const more = table.filter(({ way }) => {
      return way.sre >= less.sre && way.dba >= less.dba && way.all >= less.all
    })
    // INVARIANT: more approvals never take an allow away.
    if (allowed) expect(more.every((other) => other.allowed)).toBe(true)
  }
  const enough = table.filter(({ allowed }) => allowed).map(({ way }) => way)
  if (enough.length === 0) return { answer: 'deny', code: 'denied_by_policy' }
  const said = ({ sre, dba, all }: (typeof ways)[number]) =>
    [
      ...(all > sre + dba ? [`any:${all}`] : []),
      ...(dba > 0 ? ['dba:1'] : []),
      ...(sre > 0 ? [`sre:${sre}`] : []),
    ].sort()
  enough.sort(
    (x, y) =>
      x.all - y.all ||
      x.sre + x.dba - (y.sre + y.dba) ||
      (said(x).join(' ') < said(y).join(' ') ? -1 : 1),
  )
  const least = said(enough[0] as (typeof ways)[number])
  return least.length === 0 ? { answer: 'allow' } : { answer: 'review', requirement: least }
}

function shortened(decision: Decision): unknown {
  if (decision.answer === 'allow') return { answer: 'allow' }
  if (decision.answer === 'deny') return { answer: 'deny', code: decision.code }
  return { answer: 'review', requirement: decision.requirement }
}

test('where the isolation is not read, every isolation has the same answer (random sets)', async () => {
  const isolations = ['host', 'user', 'sandbox', 'none'] as const
  const seen = { read: 0, free: 0, differed: 0 }
  for (let round = 0; round < 6; round += 1) {
    const set = await setOf(randomPolicies())
    for (let count = 0; count < 40; count += 1) {
      const action = randomAction()
      const answers = isolations.map((isolation) =>
        JSON.stringify(decide(action, NO_EVIDENCE, { ...CONTEXT, isolation }, set)),
      )
      const isRead = readsIsolation(action, NO_EVIDENCE, set)
      const differ = new Set(answers).size > 1
      seen[isRead ? 'read' : 'free'] += 1
      if (differ) seen.differed += 1
      if (!isRead) expect(differ, JSON.stringify(action)).toBe(false)
    }
  }
  expect(Math.min(seen.read, seen.free, seen.differed)).toBeGreaterThan(5)
})

test.each([
  ['context.isolation == "none"', true],
  ['context has isolation', true],
  ['context == context', true],
  ['resource.arn == "isolation"', false],
  ['context.agent == "a"', false],
])('%s reads the isolation: %s', async (condition, reads) => {
  const set = await setOf(
    `@id("one") permit (principal, action == Action::"read", resource) when { ${condition} };`,
  ).catch(() => null)
  // What Cedar's validation refuses cannot be asked.
  if (set !== null) expect(set.isolationReadFor).toEqual(new Set(reads ? ['read'] : []))
})

test('a slice holds what an action group reaches and not what another effect is for', async () => {
  const set = await setOf(
    '@id("group") permit (principal, action in Action::"change", resource);' +
      '@id("one") permit (principal, action == Action::"read", resource);' +
      '@id("any") forbid (principal, action, resource) when { resource.arn == "x" };' +
      '@id("staging") permit (principal, action, resource in Environment::"staging");',
  )
  const counts = (effect: Effect) =>
    ['staging', '*'].map(
      (environment) => set.slices.get(`${effect} in ${environment}`)?.policyCount,
    )
  expect(counts('read')).toEqual([3, 2])
  expect(counts('destroy')).toEqual([3, 2])
  expect(counts('list')).toEqual([2, 1])
  expect(TABLE.environment).toBe('production')
})

/** A seeded generator (mulberry32), so that a failing round can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

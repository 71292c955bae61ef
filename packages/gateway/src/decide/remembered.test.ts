// What is remembered is keyed by what the policies of a slice read. The oracle asks Cedar every time.
import { expect, test } from 'vitest'
import type { Action } from '../describe/action.ts'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { decide } from './decide.ts'
import type { DecideContext } from './decision.ts'
import { askSlice, type Engine, preparse } from './engine.ts'
import { freshCedar } from './fresh-cedar.ts'
import type { PolicySet } from './policy-set.ts'
import { sliceTexts } from './read-policies.ts'
import { CONTEXT, readText, sampleAction, setOf } from './sample-request.ts'

const ROUNDS = 10
const QUESTIONS = 120
const random = randomFrom(20_261_126)
const answers = new Map<string, number>()
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T

const FACTS = [
  'principal.role == "deploy"',
  'principal.operator like "a*"',
  'principal.name == "two"',
  'principal == Agent::"one"',
  '[Agent::"two"].contains(principal)',
  'resource.arn == "arn:a"',
  'resource.account == "1"',
  'resource.type == "table"',
  'resource.region == "eu-west-1"',
  'resource.resolved',
  'resource == Resource::"arn:b"',
  'resource in Environment::"staging"',
  'context.operation like "s3:*"',
  'context.service == "s3"',
  'context.account == "1"',
  'context.region == "eu-west-1"',
  'context.iamActions.contains("s3:PutObject")',
  'context.door == "aws"',
  'context.recoverable == "no"',
  'context.reveals == "data"',
  'context.unresolved',
  'context.isolation == "none"',
  'context.breakGlass',
  'context.ownLimbs',
  'context.outsideAccounts',
  'context.approvalStrength == "hardware"',
  'context has operation && context.operation == "s3:GetObject"',
] as const

function randomPolicies(): string {
  return Array.from({ length: 8 }, (_, index) => {
    const effect = pick(['permit', 'permit', 'forbid'])
    const action = pick(['action', 'action == Action::"read"', 'action in Action::"change"'])
    const principal = pick([
      'principal is Agent',
      'principal is Agent',
      'principal == Agent::"one"',
    ])
    const resource = pick(['resource', 'resource in Environment::"production"'])
    const facts = Array.from({ length: 1 + Math.floor(random() * 2) }, () => pick(FACTS))
    return `@id("p${index}") ${effect} (${principal}, ${action}, ${resource}) when { ${facts.join(pick([' && ', ' || ']))} };`
  }).join('\n')
}

function randomQuestion(): [Action, DecideContext] {
  const resources = Array.from({ length: pick([1, 1, 2]) }, () => ({
    arn: pick(['arn:a', 'arn:b', 'arn:c']),
    type: pick(['table', 'bucket']),
    account: pick(['1', '2']),
    region: pick(['eu-west-1', 'us-east-1']),
    environment: pick(['production', 'staging', 'nowhere']),
    resolved: random() < 0.8,
  }))
  const operation = pick(['s3:PutObject', 's3:GetObject', 'dynamodb:DeleteTable'])
  const action = sampleAction({
    operation,
    service: operation.split(':')[0] ?? '',
    iamActions: [operation, ...(random() < 0.3 ? ['iam:PassRole'] : [])],
    effects: [pick(['read', 'write', 'destroy'])],
    account: pick(['1', '2']),
    region: pick(['eu-west-1', 'us-east-1']),
    reveals: pick(['data', 'nothing']),
    recoverable: pick(['yes', 'no']),
    resources,
    ...(random() < 0.3 && { ownLimbs: ['one'] }),
    ...(random() < 0.3 && { outside: ['one'] }),
  })
  const context = {
    ...CONTEXT,
    agent: pick(['one', 'two']),
    operator: pick(['alice', 'bob']),
    role: pick(['deploy', 'read']),
    isolation: pick(['host', 'user', 'none'] as const),
    breakGlass: random() < 0.5,
  }
  return [action, context]
}

/** The same set, with nothing remembered. */
function forgetful(set: PolicySet): PolicySet {
  const cedar = freshCedar()
  const tables = [...set.slices.values()].map(({ name }) => name)
  const texts = sliceTexts(
    [...set.policies.values()],
    tables.map((name) => ({ ...sliceRow(name), policyIds: [...set.policies.keys()] })),
  )
  const alikes = preparse(cedar, { schema: readText('policies/schema.cedarschema'), slices: texts })
  const ask: Engine['ask'] = (name, _, call) => askSlice(cedar, alikes, name, call())
  return { ...set, engine: { ask } as Engine }
}

/** Every slice of the oracle holds every policy, so that slicing is not trusted here either. */
function sliceRow(name: string) {
  const [effect = '', environment = ''] = name.split(' in ')
  return { name, effect, environment } as Parameters<typeof sliceTexts>[1][number]
}

for (let round = 0; round < ROUNDS; round += 1) {
  test(`a remembered answer is the one that Cedar would give (set ${round})`, async () => {
    const text = randomPolicies()
    const set = await setOf(text)
    const oracle = forgetful(set)
    for (let count = 0; count < QUESTIONS; count += 1) {
      const [action, context] = randomQuestion()
      const expected = decide(action, NO_EVIDENCE, context, oracle)
      const words = `${text}\n${JSON.stringify([action, context])}`
      expect(decide(action, NO_EVIDENCE, context, set), words).toEqual(expected)
      answers.set(expected.answer, (answers.get(expected.answer) ?? 0) + 1)
    }
  })
}

test('the random questions were worth asking: many allows and denies', () => {
  expect(Math.min(answers.get('allow') ?? 0, answers.get('deny') ?? 0)).toBeGreaterThan(50)
})

test('what no policy reads asks Cedar nothing, and what one reads asks it anew', async () => {
  const set = await setOf(
    '@id("a") permit (principal is Agent, action, resource) when { principal.role == "deploy" };',
  )
  let asked = 0
  const engine = set.engine
  const counting: Engine['ask'] = (name, facts, call) =>
    engine.ask(name, facts, () => {
      asked += 1
      return call()
    })
  const counted = { ...set, engine: { ask: counting } as Engine }
  const answer = (changes: Partial<Action>, context: Partial<DecideContext> = {}) =>
    decide(
      sampleAction({ effects: ['read'], ...changes }),
      NO_EVIDENCE,
      { ...CONTEXT, role: 'deploy', ...context },
      counted,
    ).answer
  expect(answer({})).toBe('allow')
  const once = asked
  expect(answer({ operation: 's3:GetObject' }, { operator: 'somebody' })).toBe('allow')
  expect(asked).toBe(once)
  expect(answer({}, { role: 'other' })).toBe('deny')
  expect(asked).toBeGreaterThan(once)
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

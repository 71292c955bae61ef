// What must hold of any policies, tried on random ones: a deny only takes away, a boundary too, the order
// of statements means nothing, and globs agree with anchored regular expressions, hostile ones included.
import { expect, test } from 'vitest'
import type { JsonObject } from '../call.ts'
import type { Verdict } from './authorize.ts'
import { globOf, relation } from './glob.ts'
import { type Asked, asks, policy } from './iam.fixture.ts'
import { type IpRange, ipRange, liesIn } from './ip-range.ts'

/** Numbers from a seed, so that a failure can be run again. Source: mulberry32, public domain. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below)
  }
}

const pick = <T>(next: (below: number) => number, list: readonly T[]): T =>
  list[next(list.length)] as T

const ACTIONS = [
  's3:GetObject',
  's3:DeleteObject',
  'sqs:SendMessage',
  's3:*',
  '*',
  's3:Get*',
  'iam:*',
]
const RESOURCES = [
  '*',
  'arn:aws:s3:::data/*',
  'arn:aws:s3:::data/key',
  'arn:aws:sqs:*:*:*',
  'arn:*:*:*:*:data/key',
]
const OPERATORS = [
  'StringEquals',
  'StringNotEquals',
  'StringLikeIfExists',
  'ForAllValues:StringLike',
  'Null',
]

function statement(next: (below: number) => number, effect?: 'Allow' | 'Deny'): JsonObject {
  const operator = pick(next, OPERATORS)
  const wanted = pick(next, operator === 'Null' ? ['true', 'false'] : ['x', 'true', 'y*'])
  const Condition = { [operator]: { [pick(next, ['aws:a', 'aws:b'])]: wanted } }
  return {
    Effect: effect ?? pick(next, ['Allow', 'Allow', 'Deny']),
    [pick(next, ['Action', 'Action', 'NotAction'])]: pick(next, ACTIONS),
    [pick(next, ['Resource', 'Resource', 'NotResource'])]: pick(next, RESOURCES),
    ...(next(2) === 0 && { Condition }),
  }
}

function asked(next: (below: number) => number): Asked {
  return {
    action: pick(next, ['s3:GetObject', 's3:DeleteObject', 'sqs:SendMessage', 'iam:PassRole']),
    resource: pick(next, [
      'arn:aws:s3:::data/key',
      'arn:aws:s3:::other/key',
      'arn:aws:s3:::data/*',
      '*',
    ]),
    isPattern: next(3) === 0,
    keys: next(2) === 0 ? { 'aws:a': pick(next, ['x', 'y', 'yy']) } : {},
    others: pick(next, ['absent', 'unknown']),
  }
}

const LESS: Readonly<Record<Verdict['answer'], number>> = { deny: 0, unknown: 1, allow: 2 }

const ROUNDS = 3_000

test('a deny more, a boundary or a session policy never gives more', () => {
  const next = random(1)
  const seen = { allow: 0, deny: 0, unknown: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const statements = Array.from({ length: 1 + next(4) }, () => statement(next))
    const question = asked(next)
    const before = asks(question, { identity: [policy('identity', ...statements)] }).answer
    seen[before] += 1
    const more = policy('identity', ...statements, statement(next, 'Deny'))
    expect(LESS[asks(question, { identity: [more] }).answer]).toBeLessThanOrEqual(LESS[before])
    const identity = [policy('identity', ...statements)]
    const boundary = policy('boundary', statement(next), statement(next))
    const session = [policy('session', statement(next))]
    expect(LESS[asks(question, { identity, boundary }).answer]).toBeLessThanOrEqual(LESS[before])
    expect(LESS[asks(question, { identity, session }).answer]).toBeLessThanOrEqual(LESS[before])
  }
  // Worth asking only where all three answers come up.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100)
})

test('the order of statements and policies means nothing', () => {
  const next = random(2)
  for (let round = 0; round < ROUNDS; round++) {
    const statements = Array.from({ length: 2 + next(4) }, () => statement(next))
    const question = asked(next)
    const one = asks(question, { identity: [policy('identity', ...statements)] })
    const turned = statements.toReversed().map((each) => policy('identity', each))
    const other = asks(question, { identity: turned })
    expect(other.answer).toBe(one.answer)
    expect(other.dependsOn).toEqual(one.dependsOn)
  }
})

test('what is unknown is one of what it could be: with every key told, the answer is certain', () => {
  const next = random(3)
  let unknown = 0
  for (let round = 0; round < ROUNDS; round++) {
    const identity = [
      policy('identity', ...Array.from({ length: 1 + next(4) }, () => statement(next))),
    ]
    const question = { ...asked(next), isPattern: false, keys: {}, others: 'unknown' as const }
    const open = asks(question, { identity }).answer
    const told = [null, 'x', 'y', 'true'].flatMap((a) =>
      [null, 'x', 'yy', 'true'].map((b) => ({ 'aws:a': a, 'aws:b': b })),
    )
    const answers = new Set(
      told.map((keys) => asks({ ...question, keys, others: 'absent' }, { identity }).answer),
    )
    expect(answers.has('unknown')).toBe(false)
    if (open === 'unknown') unknown += 1
    else expect([...answers]).toEqual([open])
  }
  expect(unknown).toBeGreaterThan(100)
})

test('globs agree with anchored regular expressions, and patterns compared with all they stand for', () => {
  const next = random(4)
  const text = (letters: string, most: number) =>
    Array.from({ length: next(most) }, () => letters[next(letters.length)]).join('')
  for (let round = 0; round < 20_000; round++) {
    const pattern = text('ab*?', 7)
    const source = pattern.replaceAll('*', '.*').replaceAll('?', '.')
    const subject = text('ab', 9)
    expect(globOf(pattern).test(subject)).toBe(new RegExp(`^${source}$`, 's').test(subject))
    const other = text('ab*?', 5)
    const related = relation(globOf(pattern), globOf(other))
    const stands = SHORT.filter((each) => globOf(other).test(each))
    const held = stands.filter((each) => globOf(pattern).test(each))
    if (related === 'yes') expect(held).toEqual(stands)
    if (related === 'no') expect(held).toEqual([])
  }
})

/** Every text of `a` and `b` up to six characters. */
const SHORT = Array.from({ length: 127 }, (_, index) =>
  (index + 1).toString(2).slice(1).replaceAll('0', 'a').replaceAll('1', 'b'),
)

test('a hostile pattern takes no more steps than pattern times text', () => {
  const hostile = globOf(`${'a*'.repeat(2_000)}b`)
  const long = 'a'.repeat(100_000)
  expect(hostile.test(long)).toBe(false)
  expect(globOf(`*${'?a'.repeat(500)}*`).test(long)).toBe(true)
  expect(relation(hostile, globOf(`${'*a'.repeat(400)}c`))).toBe('no')
  expect(relation(globOf('*'.repeat(3_000)), globOf('a*'.repeat(3_000)))).toBe('unknown')
})

test.each([
  ['0.0.0.0', 32, 0n],
  ['255.255.255.255', 32, 0xffffffffn],
  ['10.0.0.1/8', 8, 0x0a000001n],
  ['::', 128, 0n],
  ['::1', 128, 1n],
  ['1::', 128, 1n << 112n],
  ['2001:db8::/32', 32, 0x20010db8n << 96n],
  ['::ffff:10.0.0.1', 128, 0xffff0a000001n],
  ['1:2:3:4:5:6:7:8', 128, 0x00010002000300040005000600070008n],
])('%s is an address or a range', (text, prefix, value) => {
  expect(ipRange(text)).toMatchObject({ prefix, value })
})

test.each([
  '',
  '1',
  '1.2.3',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4/33',
  '1.2.3.4/',
  '1.2.3.4/8/8',
  ':::',
  '1::2::3',
  '12345::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '::/129',
  'x',
])('%j is neither', (text) => {
  expect(ipRange(text)).toBeUndefined()
})

test('a range lies in another only where it is no wider', () => {
  const of = (text: string) => ipRange(text) as IpRange
  expect(liesIn(of('10.1.0.0/16'), of('10.0.0.0/8'))).toBe(true)
  expect(liesIn(of('10.0.0.0/8'), of('10.0.0.0/16'))).toBe(false)
  expect(liesIn(of('10.0.0.0/8'), of('10.1.0.0/16'))).toBe(false)
})

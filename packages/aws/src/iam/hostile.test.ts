// Policies written to break a reader: deep, of a megabyte, with reserved and repeated keys, other letters that
// look alike, numbers for texts, and patterns that would cost a backtracking matcher its life. None of them may
// end in an allow that its words do not say, and none in anything but a PolicyError.
import { expect, test } from 'vitest'
import type { Json, JsonObject } from '../call.ts'
import { authorize } from './authorize.ts'
import { PolicyError } from './errors.ts'
import { explain } from './explain.ts'
import { ANY, compiled, type Glob, globOf, ONE, relation, type Unit } from './glob.ts'
import { allow, asks, deny, policySet, request, variable } from './iam.fixture.ts'
import { POLICY_CHARS_MAX, type PolicyKind, parsePolicy } from './policy.ts'
import { pick, random, statement } from './random.fixture.ts'

const read = (document: Json | string, kind: PolicyKind = 'identity') =>
  parsePolicy(document, kind, 'p')
const refused = (document: Json | string, code: string) =>
  expect(() => read(document)).toThrow(expect.objectContaining({ name: 'PolicyError', code }))
const doc = (...statements: JsonObject[]): Json => ({
  Version: '2012-10-17',
  Statement: statements,
})

test('a document of a megabyte is refused as text and as a value', () => {
  const big = doc(allow('*', `arn:aws:s3:::${'a'.repeat(1024 * 1024)}`))
  refused(big, 'too_large')
  refused(JSON.stringify(big), 'too_large')
  refused(
    doc(allow('*', '*', { Condition: { StringEquals: { k: Array(300_000).fill('') } } })),
    'too_large',
  )
  const keys = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, 'v']))
  refused(doc(allow('*', '*', { Condition: { StringEquals: keys } })), 'too_large')
})

test('a document nested past all sense is refused, not a full stack', () => {
  for (const depth of [1_000, 100_000]) {
    let value: Json = '*'
    for (let level = 0; level < depth; level++) value = [value]
    expect(() => read(doc({ ...allow('*'), Action: value }))).toThrow(PolicyError)
    let block: Json = 'v'
    for (let level = 0; level < depth; level++) block = { k: block }
    expect(() => read(doc(allow('*', '*', { Condition: block })))).toThrow(PolicyError)
    expect(() => read(`{"Statement":${'['.repeat(depth)}${']'.repeat(depth)}}`)).toThrow(
      PolicyError,
    )
  }
})

test('keys that JavaScript knows are keys like any other', () => {
  const own = (text: string) => JSON.parse(text) as Json
  refused(
    own('{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","__proto__":{}}]}'),
    'unknown_element',
  )
  refused(own('{"Statement":[],"__proto__":{"Statement":[]}}'), 'unknown_element')
  refused('{"Statement":[],"__proto__":{"Statement":[]}}', 'not_json')
  refused(
    own('{"__proto__":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}'),
    'unknown_element',
  )
  const inherited = Object.create({ Statement: [allow('*')] }) as Json
  expect(read(inherited === null ? {} : doc()).statements).toHaveLength(0)
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const Condition = own(`{"StringEquals":{"${key}":"x"}}`)
    const one = { identity: [read(doc(allow('*', '*', { Condition })))] }
    expect(asks({}, one).answer).toBe('deny')
    expect(asks({ keys: { [key]: 'x' } }, one).answer).toBe('allow')
    expect(asks({ keys: { [key]: 'y' } }, one).answer).toBe('deny')
    expect(asks({ others: 'unknown' }, one)).toMatchObject({
      answer: 'unknown',
      dependsOn: [key.toLowerCase()],
    })
    const inside = { identity: [read(doc(allow('*', `arn:aws:s3:::${variable(key)}/key`)))] }
    expect(asks({}, inside).answer).toBe('deny')
  }
})

test('an element that is inherited is not there', () => {
  const Principal = Object.create({ AWS: '*' }) as Json
  const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal }
  const resource = read(doc(trust), 'trust')
  expect(asks({ action: 'sts:AssumeRole' }, { resource, resourceKind: 'trust' }).answer).toBe(
    'deny',
  )
  refused({ Statement: [Object.create(allow('*')) as JsonObject] }, 'missing_element')
  refused(Object.create({ Statement: [allow('*')] }) as Json, 'missing_element')
})

test('letters that only look alike are other letters', () => {
  const kelvin = '\u212aMS:Decrypt'
  const identity = [read(doc(allow(kelvin)))]
  expect(asks({ action: 'kms:Decrypt' }, { identity }).answer).toBe('deny')
  expect(asks({ action: kelvin }, { identity: [read(doc(allow('kms:*')))] }).answer).toBe('deny')
  const dotless = [read(doc(allow('\u0130am:*')))]
  expect(asks({ action: 'iam:DeleteRole' }, { identity: dotless }).answer).toBe('deny')
  // A Cyrillic letter in a deny does not deny, and a full-width star is no wildcard.
  const look = [read(doc(allow('*'), deny('s3:G\u0435tObject')))]
  expect(asks({}, { identity: look }).answer).toBe('allow')
  expect(asks({}, { identity: [read(doc(allow('s3:\uff0a')))] }).answer).toBe('deny')
})

test('a question mark stands for one character, of one unit or two, and for no half of one', () => {
  const emoji = '\u{1f512}'
  expect(globOf('a?c').test(`a${emoji}c`)).toBe(true)
  expect(globOf('a??c').test(`a${emoji}c`)).toBe(false)
  expect(globOf(`*${emoji.slice(0, 1)}*`).test(emoji)).toBe(false)
  expect(globOf(`*${emoji.slice(1)}*`).test(emoji)).toBe(false)
  expect(globOf(`a${emoji.slice(0, 1)}*`).test(`a${emoji}`)).toBe(false)
  expect(globOf(`*${emoji}*`).test(`x${emoji}y`)).toBe(true)
})

test('no pattern takes more steps than its length times the text, and without `?` not more than both', () => {
  const texts = ['a'.repeat(5_000), `${'ab'.repeat(2_000)}c`, `arn:aws:s3:::${'a/'.repeat(1_500)}`]
  const patterns = [
    `${'a*'.repeat(2_000)}b`,
    `${'*a'.repeat(2_000)}`,
    `*${'a'.repeat(500)}b*`,
    `${'*?a'.repeat(800)}b`,
    `*${'?'.repeat(1_000)}b*`,
    `*${'a?'.repeat(500)}b*`,
    `${'*'.repeat(5_000)}b`,
    `${'ab*'.repeat(900)}*c?`,
  ]
  for (const text of texts) {
    for (const pattern of patterns) {
      const steps = { count: 0 }
      globOf(pattern).test(text, steps)
      const most = pattern.includes('?')
        ? pattern.length * text.length
        : pattern.length + 2 * text.length
      expect(steps.count).toBeLessThanOrEqual(most)
    }
  }
})

test('comparing two patterns takes no more steps than their product, and none past the limit', () => {
  const counted = (pattern: string) => {
    const steps = { count: 0 }
    const units: Unit[] = Array.from(pattern, (one) =>
      one === '*' ? ANY : one === '?' ? ONE : one,
    )
    const watched = new Proxy(units, {
      get(target, key, receiver) {
        steps.count += 1
        return Reflect.get(target, key, receiver) as unknown
      },
    })
    const glob: Glob = { ...compiled(units), units: watched }
    return { glob, steps }
  }
  for (const [left, right] of [
    ['a*'.repeat(400), `${'*a'.repeat(400)}c`],
    [`${'*a'.repeat(400)}b`, 'a*'.repeat(400)],
    ['?*'.repeat(300), '*?'.repeat(300)],
  ] as const) {
    const one = counted(left)
    const other = counted(right)
    relation(one.glob, other.glob)
    // Covering and meeting, each a constant number of looks at every pair.
    expect(one.steps.count + other.steps.count).toBeLessThanOrEqual(8 * left.length * right.length)
  }
  const endless = counted('a*'.repeat(2_000))
  expect(relation(endless.glob, counted('*a'.repeat(2_000)).glob)).toBe('unknown')
  expect(endless.steps.count).toBeLessThan(10)
})

test('an element, an operator or a value that is misspelt is never an allow', () => {
  const next = random(21)
  const words = [
    'Effect',
    'Action',
    'Resource',
    'Condition',
    'StringEquals',
    'Version',
    'Statement',
  ]
  const whole = JSON.stringify(
    doc(allow('s3:*', '*', { Condition: { StringEquals: { 'aws:k': 'v' } } })),
  )
  let tried = 0
  for (let round = 0; round < 2_000; round++) {
    const word = pick(next, words)
    const at = next(word.length)
    const letter = String.fromCharCode(97 + next(26))
    const spelt = pick(next, [
      word.slice(0, at) + word.slice(at + 1),
      word.slice(0, at) + letter + word.slice(at),
      word.slice(0, at) + letter + word.slice(at + 1),
    ])
    if (spelt.toLowerCase() === word.toLowerCase()) continue
    tried += 1
    const text = whole.replace(`"${word}"`, `"${spelt}"`)
    expect(() => read(text)).toThrow(PolicyError)
    expect(() => read(JSON.parse(text) as Json)).toThrow(PolicyError)
  }
  expect(tried).toBeGreaterThan(1_500)
})

test('mutants of a policy are refused or read, and a deny for all is in no mutant an allow unless it is gone', () => {
  const next = random(22)
  let readable = 0
  for (let round = 0; round < 6_000; round++) {
    const statements = Array.from({ length: 1 + next(3) }, () => statement(next, 'identity'))
    const letters = [...JSON.stringify(doc(...statements))]
    for (let edits = 1 + next(3); edits > 0; edits--) {
      const at = next(letters.length)
      const other = pick(next, [
        '"',
        ',',
        '{',
        '}',
        '[',
        ']',
        ':',
        '*',
        '?',
        '$',
        'a',
        '0',
        ' ',
        '',
      ])
      letters.splice(at, next(2), other)
    }
    let identity: ReturnType<typeof read>
    try {
      identity = read(letters.join(''))
    } catch (cause) {
      expect(cause).toBeInstanceOf(PolicyError)
      continue
    }
    readable += 1
    const all = [identity, read(doc(deny('*')))]
    const asked = request({ others: pick(next, ['absent', 'unknown']) })
    expect(authorize(asked, policySet({ identity: all })).answer).toBe('deny')
    expect(() => explain(asked, policySet({ identity: [identity] }))).not.toThrow()
  }
  expect(readable).toBeGreaterThan(300)
})

test('the largest policy that is read answers for its largest resource', () => {
  const pieces = Array.from({ length: 9_000 }, (_, index) => `arn:aws:s3:::*${index}*a*b*c*d*`)
  const identity = [read(doc({ ...allow('*'), Resource: pieces }))]
  expect(JSON.stringify(pieces).length).toBeLessThan(POLICY_CHARS_MAX)
  const resource = `arn:aws:s3:::${'abc'.repeat(600)}`
  expect(asks({ resource }, { identity }).answer).toBe('deny')
})

// Conditions against the rules of the IAM User Guide, one row a case: operator, value in the policy,
// values in the request (null = the key is not there), and whether the statement then matches.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// and reference_policies_condition-single-vs-multi-valued-context-keys.html
import { describe, expect, test } from 'vitest'
import type { PolicyError } from './errors.ts'
import { allow, asks, deny, policy } from './iam.fixture.ts'

type Row = [
  operator: string,
  wanted: string | string[],
  given: string | string[] | null,
  holds: boolean,
]

const ARN = 'arn:aws:sns:eu-west-1:123456789012:alerts'
const ROWS: Record<string, Row[]> = {
  'strings, exact, case counts': [
    ['StringEquals', 'blue', 'blue', true],
    ['StringEquals', 'blue', 'Blue', false],
    ['StringEquals', 'blue', 'blues', false],
    ['StringEquals', ['red', 'blue'], 'blue', true],
    ['StringEquals', 'b*', 'blue', false],
    ['StringEquals', 'b*', 'b*', true],
    ['StringEquals', 'blue', null, false],
    ['StringNotEquals', 'blue', 'red', true],
    ['StringNotEquals', 'blue', 'blue', false],
    ['StringNotEquals', ['red', 'blue'], 'blue', false],
    ['StringNotEquals', ['red', 'blue'], 'green', true],
    ['StringNotEquals', 'blue', null, true],
    ['StringEqualsIgnoreCase', 'BLUE', 'blue', true],
    ['StringEqualsIgnoreCase', 'BLUE', 'green', false],
    ['StringNotEqualsIgnoreCase', 'BLUE', 'blue', false],
    ['StringNotEqualsIgnoreCase', 'BLUE', null, true],
    ['stringequals', 'blue', 'blue', true],
  ],
  'strings with wildcards': [
    ['StringLike', 'b*', 'blue', true],
    ['StringLike', 'b?ue', 'blue', true],
    ['StringLike', 'b?ue', 'bluue', false],
    ['StringLike', '*', '', true],
    ['StringLike', '*', null, false],
    ['StringLike', 'B*', 'blue', false],
    ['StringLike', '*bl*e', 'sky-blue', true],
    ['StringNotLike', 'b*', 'blue', false],
    ['StringNotLike', 'b*', 'red', true],
    ['StringNotLike', 'b*', null, true],
  ],
  numbers: [
    ['NumericEquals', '10', '10', true],
    ['NumericEquals', '10', '10.0', true],
    ['NumericEquals', '10', '11', false],
    ['NumericNotEquals', '10', '11', true],
    ['NumericNotEquals', '10', null, true],
    ['NumericLessThan', '10', '9.5', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericGreaterThan', '10', '10', false],
    ['NumericGreaterThan', '10', '10.1', true],
    ['NumericGreaterThanEquals', '10', '10', true],
    ['NumericGreaterThanEquals', '10', null, false],
    ['NumericLessThan', '-1', '-2', true],
  ],
  'dates, ISO 8601 or seconds': [
    ['DateEquals', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', true],
    ['DateNotEquals', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', false],
    ['DateNotEquals', '2026-01-01T00:00:00Z', null, true],
    ['DateLessThan', '2026-01-01T00:00:00Z', '2025-12-31T23:59:59Z', true],
    ['DateLessThan', '2026-01-01', '2026-01-01T00:00:00Z', false],
    ['DateLessThanEquals', '2026-01-01T00:00:00Z', '1767225600', true],
    ['DateGreaterThan', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', true],
    ['DateGreaterThan', '2026-01-01T00:00:00Z', null, false],
    ['DateGreaterThanEquals', '1767225600', '2026-01-01T00:00:00Z', true],
  ],
  booleans: [
    ['Bool', 'true', 'true', true],
    ['Bool', 'true', 'True', true],
    ['Bool', 'true', 'false', false],
    ['Bool', 'false', 'false', true],
    ['Bool', 'false', null, false],
    ['BoolIfExists', 'false', null, true],
    ['BoolIfExists', 'true', 'false', false],
  ],
  binary: [
    ['BinaryEquals', 'QmluYXJ5VmFsdWVJbkJhc2U2NA==', 'QmluYXJ5VmFsdWVJbkJhc2U2NA==', true],
    ['BinaryEquals', 'QmluYXJ5VmFsdWVJbkJhc2U2NA==', 'AAAA', false],
  ],
  addresses: [
    ['IpAddress', '203.0.113.0/24', '203.0.113.255', true],
    ['IpAddress', '203.0.113.0/24', '203.0.114.0', false],
    ['IpAddress', '203.0.113.7', '203.0.113.7', true],
    ['IpAddress', ['10.0.0.0/8', '203.0.113.0/24'], '10.255.0.1', true],
    ['IpAddress', '0.0.0.0/0', '8.8.8.8', true],
    ['IpAddress', '0.0.0.0/0', '2001:db8::1', false],
    ['IpAddress', '2001:DB8:1234:5678::/64', '2001:db8:1234:5678::1', true],
    ['IpAddress', '2001:DB8:1234:5678::/64', '2001:db8:1234:5679::1', false],
    ['IpAddress', '203.0.113.0/24', null, false],
    ['NotIpAddress', '203.0.113.0/24', '203.0.114.0', true],
    ['NotIpAddress', '203.0.113.0/24', '203.0.113.1', false],
    ['NotIpAddress', '203.0.113.0/24', null, true],
  ],
  'ARNs, part by part': [
    ['ArnEquals', ARN, ARN, true],
    ['ArnLike', 'arn:aws:sns:*:123456789012:*', ARN, true],
    ['ArnEquals', 'arn:aws:sns:*:123456789012:*', ARN, true],
    ['ArnLike', 'arn:aws:sns:*:beta', ARN, false],
    ['ArnLike', 'arn:aws:*:*:*:*', ARN, true],
    ['ArnLike', 'arn:aws:logs:*:*:*', 'arn:aws:logs:eu-west-1:1:log-group:a:*', true],
    ['ArnLike', 'arn:aws:sns:eu-*:123456789012:alerts', ARN, true],
    ['ArnLike', 'arn:aws:SNS:*:*:*', ARN, false],
    ['ArnLike', 'arn:aws:sns:*:*:*', 'not an arn', false],
    ['ArnLike', ARN, null, false],
    ['ArnNotLike', 'arn:aws:sns:*:123456789012:*', ARN, false],
    ['ArnNotEquals', 'arn:aws:sns:*:999999999999:*', ARN, true],
    ['ArnNotLike', ARN, null, true],
  ],
  presence: [
    ['Null', 'true', null, true],
    ['Null', 'true', 'x', false],
    ['Null', 'false', 'x', true],
    ['Null', 'false', null, false],
    ['Null', 'true', [], true],
    ['Null', 'False', 'x', true],
  ],
  '...IfExists': [
    ['StringEqualsIfExists', 'blue', null, true],
    ['StringEqualsIfExists', 'blue', 'blue', true],
    ['StringEqualsIfExists', 'blue', 'red', false],
    ['StringLikeIfExists', 'b*', null, true],
    ['NumericLessThanIfExists', '5', null, true],
    ['NumericLessThanIfExists', '5', '6', false],
    ['IpAddressIfExists', '10.0.0.0/8', null, true],
    ['ArnLikeIfExists', ARN, null, true],
    ['StringNotEqualsIfExists', 'blue', 'blue', false],
    ['StringNotEqualsIfExists', 'blue', null, true],
  ],
  ForAllValues: [
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', ['a', 'b'], null, true],
    ['ForAllValues:StringEquals', ['a', 'b'], [], true],
    ['ForAllValues:StringLike', ['a*'], ['aa', 'ab'], true],
    ['ForAllValues:StringLike', ['a*'], ['aa', 'ba'], false],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'd'], true],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'a'], false],
    ['ForAllValues:StringNotEquals', ['a', 'b'], null, true],
    ['ForAllValues:ArnLike', ['arn:aws:sns:*:*:*'], [ARN], true],
    ['ForAllValues:StringEqualsIfExists', ['a'], null, true],
  ],
  ForAnyValue: [
    ['ForAnyValue:StringEquals', ['a', 'b'], ['b', 'z'], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['y', 'z'], false],
    ['ForAnyValue:StringEquals', ['a', 'b'], null, false],
    ['ForAnyValue:StringEquals', ['a', 'b'], [], false],
    ['ForAnyValue:StringLike', ['a*'], ['ba', 'ab'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'c'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'b'], false],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], null, false],
    ['ForAnyValue:StringLikeIfExists', ['a*'], null, true],
    ['ForAnyValue:ArnNotLike', ['arn:aws:sns:*:*:*'], [ARN], false],
  ],
}

for (const [title, rows] of Object.entries(ROWS)) {
  describe(title, () => {
    test.each(rows)('%s %j of %j: %j', (operator, wanted, given, holds) => {
      const Condition = { [operator]: { 'aws:Key': wanted } }
      const context = { keys: { 'aws:key': given } }
      const granted = policy('identity', allow('*', '*', { Condition }))
      expect(asks(context, { identity: [granted] }).answer).toBe(holds ? 'allow' : 'deny')
      const refused = policy('identity', allow('*'), deny('*', '*', { Condition }))
      expect(asks(context, { identity: [refused] }).answer).toBe(holds ? 'deny' : 'allow')
    })
  })
}

describe('several conditions', () => {
  const Condition = {
    StringEquals: { 'aws:a': ['1', '2'], 'aws:b': 'x' },
    NumericLessThan: { 'aws:n': '5' },
  }
  const identity = [policy('identity', allow('*', '*', { Condition }))]
  test.each([
    [{ 'aws:a': '2', 'aws:b': 'x', 'aws:n': '4' }, 'allow'],
    [{ 'aws:a': '3', 'aws:b': 'x', 'aws:n': '4' }, 'deny'],
    [{ 'aws:a': '1', 'aws:b': 'y', 'aws:n': '4' }, 'deny'],
    [{ 'aws:a': '1', 'aws:b': 'x', 'aws:n': '5' }, 'deny'],
    [{ 'aws:a': '1', 'aws:b': 'x' }, 'deny'],
  ] as const)('operators and keys join by AND, values by OR: %j is %s', (given, answer) => {
    expect(asks({ keys: given }, { identity }).answer).toBe(answer)
  })
  test('keys are compared without regard to case', () => {
    const upper = policy(
      'identity',
      allow('*', '*', { Condition: { Bool: { 'AWS:MULTIfactorAuthPresent': true } } }),
    )
    expect(
      asks({ keys: { 'aws:multifactorauthpresent': 'true' } }, { identity: [upper] }).answer,
    ).toBe('allow')
  })
})

describe('what is not known stays unknown', () => {
  const key = { StringEquals: { 'aws:ResourceTag/env': 'dev' } }
  test('a key that nobody told is named, for allow and for deny', () => {
    const granted = policy('identity', allow('*', '*', { Condition: key }))
    expect(asks({ others: 'unknown' }, { identity: [granted] })).toMatchObject({
      answer: 'unknown',
      step: 'identity-policy',
      dependsOn: ['aws:resourcetag/env'],
    })
    const refused = policy('identity', allow('*'), deny('*', '*', { Condition: key }))
    expect(asks({ others: 'unknown' }, { identity: [refused] })).toMatchObject({
      answer: 'unknown',
      step: 'explicit-deny',
      dependsOn: ['aws:resourcetag/env'],
    })
  })
  test('a condition that is false for certain needs no other key', () => {
    const both = { ...key, Bool: { 'aws:SecureTransport': 'false' } }
    const refused = policy('identity', allow('*'), deny('*', '*', { Condition: both }))
    const known = { keys: { 'aws:securetransport': 'true' }, others: 'unknown' } as const
    expect(asks(known, { identity: [refused] }).answer).toBe('allow')
  })
  test('a value of the wrong kind is unknown, not a match', () => {
    for (const [operator, wanted, given] of [
      ['NumericLessThan', '5', 'many'],
      ['DateLessThan', '2026-01-01', 'soon'],
      ['IpAddress', '10.0.0.0/8', 'here'],
      ['NumericLessThan', 'five', '4'],
      ['NumericEquals', '9007199254740992', '9007199254740993'],
      ['NumericEquals', '1e400', '2e400'],
      ['DateGreaterThan', '2026-02-30', '2026-03-01T00:00:00Z'],
      ['ArnLike', 'arn:aws:sns:*:alerts', ARN],
      ['StringEqualsIgnoreCase', 'key', '\u212aey'],
      ['Null', 'maybe', 'x'],
    ] as const) {
      const Condition = { [operator]: { 'aws:k': wanted } }
      const identity = [policy('identity', allow('*', '*', { Condition }))]
      expect(asks({ keys: { 'aws:k': given } }, { identity }).answer).toBe('unknown')
    }
  })
  test('certainty from another statement wins over the unknown one', () => {
    const two = policy('identity', allow('*', '*', { Condition: key }), allow('s3:*'))
    expect(asks({ others: 'unknown' }, { identity: [two] }).answer).toBe('allow')
  })
})

test('an operator that IAM does not have is refused, by name of the code', () => {
  for (const operator of ['StringSame', 'ForSomeValues:StringEquals', 'NullIfExists', 'toString']) {
    expect(() =>
      policy('identity', allow('*', '*', { Condition: { [operator]: { k: 'v' } } })),
    ).toThrow(expect.objectContaining({ code: 'unknown_operator' }) as PolicyError)
  }
})

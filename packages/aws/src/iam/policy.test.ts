// What the grammar of policies does not have is refused by the code of its reason; and the policies
// that AWS itself publishes all load.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Json } from '../call.ts'
import { allow, asks } from './iam.fixture.ts'
import { POLICY_CHARS_MAX, type PolicyKind, parsePolicy } from './policy.ts'

const ok = allow('s3:GetObject')
const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: '*' }

test.each<[string, PolicyKind, Json]>([
  ['missing_element', 'identity', {}],
  ['missing_element', 'identity', { Statement: [{ Action: '*', Resource: '*' }] }],
  ['missing_element', 'identity', { Statement: [{ Effect: 'Allow', Resource: '*' }] }],
  ['missing_element', 'identity', { Statement: [{ Effect: 'Allow', Action: '*' }] }],
  ['missing_element', 'identity', { Statement: [{ ...ok, Effect: 'allow' }] }],
  ['missing_element', 'resource', { Statement: [ok] }],
  ['missing_element', 'rcp', { Statement: [ok] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, Principal: '*' }] }],
  ['wrong_element', 'scp', { Statement: [{ ...ok, Principal: '*' }] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, NotAction: '*' }] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, NotResource: '*' }] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, Action: [1] }] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, Resource: { a: '*' } }] }],
  ['wrong_element', 'identity', { Statement: ['*'] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, Condition: [] }] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, Condition: { Bool: 'true' } }] }],
  ['wrong_element', 'identity', { Statement: [{ ...ok, Condition: { Bool: { k: null } } }] }],
  ['wrong_element', 'identity', { Version: '2012-10-18', Statement: [ok] }],
  ['wrong_element', 'identity', null],
  ['wrong_element', 'identity', [ok]],
  ['wrong_element', 'trust', { Statement: [{ ...trust, NotPrincipal: '*' }] }],
  ['wrong_element', 'trust', { Statement: [{ ...trust, Principal: 'arn:aws:iam::1:root' }] }],
  ['unknown_element', 'trust', { Statement: [{ ...trust, Principal: { Aws: '*' } }] }],
  ['unknown_element', 'identity', { Statement: [{ ...ok, Conditions: {} }] }],
  ['unknown_element', 'identity', { Statement: [ok], Statements: [] }],
  ['too_large', 'identity', { Statement: Array.from({ length: 5_001 }, () => ok) }],
  ['too_large', 'identity', { Statement: [{ ...ok, Action: Array(10_001).fill('s3:*') }] }],
])('%s in a policy of kind %s', (code, kind, document) => {
  expect(() => parsePolicy(document, kind, 'p')).toThrow(expect.objectContaining({ code }))
})

test.each([
  ['not_json', '{"Statement": [], "Statement": []}'],
  ['not_json', '{"Statement": []'],
  ['not_json', ''],
  ['too_large', `"${'x'.repeat(POLICY_CHARS_MAX)}"`],
])('%s as text', (code, text) => {
  expect(() => parsePolicy(text, 'identity', 'p')).toThrow(expect.objectContaining({ code }))
})

test('a document at the limits is read: one character less, 5,000 statements, 10,000 actions', () => {
  const text = JSON.stringify({ Statement: [ok] })
  const padded = `${' '.repeat(POLICY_CHARS_MAX - text.length)}${text}`
  expect(parsePolicy(padded, 'identity', 'p').statements).toHaveLength(1)
  const many = { Statement: Array.from({ length: 5_000 }, () => ok) }
  expect(parsePolicy(many, 'identity', 'p').statements).toHaveLength(5_000)
  const actions = { Statement: [{ ...ok, Action: Array<string>(10_000).fill('s3:*') }] }
  expect(parsePolicy(actions, 'identity', 'p').statements).toHaveLength(1)
})

test('variables are plain text before 2012-10-17', () => {
  const Resource = `arn:aws:s3:::data/${['$', '{aws:username}'].join('')}`
  const keys = { 'aws:username': 'carlos' }
  const old = parsePolicy({ Statement: [{ ...ok, Resource }] }, 'identity', 'p')
  expect(asks({ resource: 'arn:aws:s3:::data/carlos', keys }, { identity: [old] }).answer).toBe(
    'deny',
  )
  expect(asks({ resource: Resource, keys }, { identity: [old] }).answer).toBe('allow')
})

const MANAGED = join(
  import.meta.dirname,
  '../../../../../shared/data/iam/aws-managed-policies.ndjson.gz',
)

interface Managed {
  readonly name: string
  readonly document: Json
}

function managed(): { name: string; document: Json }[] {
  const lines = gunzipSync(readFileSync(MANAGED)).toString('utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Managed)
}

test.skipIf(!existsSync(MANAGED))(
  'the 1,641 managed policies of AWS load and answer (skipped where the shared data is not there)',
  () => {
    const policies = managed().map(({ name, document }) => parsePolicy(document, 'identity', name))
    expect(policies).toHaveLength(1_641)
    const answer = (name: string, action: string, others: 'absent' | 'unknown' = 'absent') =>
      asks(
        { action, resource: '*', others },
        { identity: policies.filter((policy) => policy.name === name) },
      ).answer
    expect(answer('IAMFullAccess', 'iam:DeleteRole')).toBe('allow')
    expect(answer('AmazonS3FullAccess', 'iam:DeleteRole')).toBe('deny')
    expect(answer('AmazonS3FullAccess', 's3:DeleteBucket')).toBe('allow')
    expect(answer('ReadOnlyAccess', 'dynamodb:DeleteTable')).toBe('deny')
    expect(answer('ReadOnlyAccess', 'dynamodb:DescribeTable')).toBe('allow')
    expect(answer('AmazonDynamoDBFullAccess', 'dynamodb:DeleteTable')).toBe('allow')
    // iam:PassRole there holds only for iam:PassedToService of two services.
    expect(answer('AmazonDynamoDBFullAccess', 'iam:PassRole')).toBe('deny')
    expect(answer('AmazonDynamoDBFullAccess', 'iam:PassRole', 'unknown')).toBe('unknown')
    for (const policy of policies) {
      const verdict = asks({ action: 's3:DeleteBucket', others: 'unknown' }, { identity: [policy] })
      expect(['allow', 'deny', 'unknown']).toContain(verdict.answer)
    }
  },
)

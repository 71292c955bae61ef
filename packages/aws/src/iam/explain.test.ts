// What a person reads of a decision: the level, the statements by policy and place, the keys it depends
// on, and for an implicit deny what came near.
import { expect, test } from 'vitest'
import type { Json } from '../call.ts'
import { authorize, NO_POLICIES, type PolicySet } from './authorize.ts'
import { explain } from './explain.ts'
import { type Asked, allow, deny, policy, request, SESSION, USER } from './iam.fixture.ts'
import { parsePolicy } from './policy.ts'

const of = (asked: Asked, policies: Partial<PolicySet>) =>
  explain(request(asked), { ...NO_POLICIES, ...policies })

const named = (name: string, ...statements: object[]) =>
  parsePolicy({ Version: '2012-10-17', Statement: statements } as Json, 'identity', name)

test('an explicit deny is told by its statement, policy and kind', () => {
  const guard = policy('scp', allow('*'), { ...deny('s3:*'), Sid: 'NoS3' })
  const said = of({}, { identity: [named('all', allow('*'))], scps: [[guard]] })
  expect(said).toMatchObject({ answer: 'deny', step: 'explicit-deny', near: [] })
  expect(said.statements).toEqual([
    { policy: 'scp', kind: 'scp', statement: 'NoS3', index: 1, effect: 'deny', truth: 'yes' },
  ])
  expect(said.words).toBe(
    'denied: s3:GetObject on arn:aws:s3:::data/key, by statement `NoS3` (1) of SCP `scp`',
  )
})

test('an allow is told by what grants it first, then by what lets it pass', () => {
  const scps = [[policy('scp', allow('*'))]]
  const said = of({}, { identity: [named('reader', allow('s3:Get*'))], scps })
  expect(said.statements.map(({ kind }) => kind)).toEqual(['identity', 'scp'])
  expect(said.words).toBe(
    'allowed: s3:GetObject on arn:aws:s3:::data/key, by statement 0 of identity policy `reader`, statement 0 of SCP `scp`',
  )
})

test('an implicit deny names the level and what came near, and why it missed', () => {
  const identity = [
    named(
      'reader',
      allow('s3:GetObject', 'arn:aws:s3:::other/*'),
      allow('s3:GetObject', '*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
      allow('sqs:*'),
    ),
  ]
  const said = of({}, { identity })
  expect(said).toMatchObject({ answer: 'deny', step: 'identity-policy', level: null })
  expect(said.near.map(({ index, because, keys }) => [index, because, keys])).toEqual([
    [0, 'resource', []],
    [1, 'condition', ['aws:securetransport']],
  ])
  expect(said.words).toContain('nothing in the policies of the identity allows s3:GetObject')
  expect(said.words).toContain('has a condition that does not hold (`aws:securetransport`)')
})

test('of SCPs and RCPs the level is told, root first', () => {
  const full = policy('scp', allow('*'))
  const identity = [named('all', allow('*'))]
  const scps = [[full], [full], [policy('scp', allow('sqs:*'))]]
  const said = of({}, { identity, scps })
  expect(said).toMatchObject({ step: 'scp', level: 2 })
  expect(said.words).toContain('level 3 of 3 of the service control policies')
  const rcp = policy('rcp', { ...allow('sqs:*'), Principal: '*' })
  expect(of({}, { identity, rcps: [[rcp]] })).toMatchObject({ step: 'rcp', level: 0 })
})

test('an open answer names the keys and the statements that may decide', () => {
  const Condition = { StringEquals: { 'aws:ResourceTag/env': 'dev' } }
  const identity = [named('all', allow('*'), { ...deny('*', '*', { Condition }), Sid: 'Dev' })]
  const said = of({ others: 'unknown' }, { identity })
  expect(said).toMatchObject({ answer: 'unknown', missing: ['aws:resourcetag/env'] })
  expect(said.words).toBe(
    'depends on `aws:resourcetag/env`: s3:GetObject on arn:aws:s3:::data/key; statement `Dev` (1) of identity policy `all` may deny it',
  )
})

test('a boundary, a session and a trust that name somebody else are told as such', () => {
  const identity = [named('all', allow('*'))]
  const boundary = policy('boundary', allow('sqs:*'))
  expect(of({}, { identity, boundary }).words).toContain('nothing in the permissions boundary')
  expect(of({}, { identity, session: [] }).words).toContain("nothing in the session's policy")
  const { Resource, ...trusting } = allow('sts:AssumeRole')
  const resource = policy('trust', { ...trusting, Principal: { AWS: USER.arn } })
  const assume = { action: 'sts:AssumeRole', principal: SESSION }
  const said = of(assume, { identity, resource, resourceKind: 'trust' })
  expect(said.near).toMatchObject([{ kind: 'trust', because: 'principal' }])
})

test('an explanation answers as the evaluator does, and shows no control character or endless name', () => {
  const Sid = `red\u001b[31m${'x'.repeat(5_000)}`
  const identity = [named('p\n', { ...allow('*'), Sid })]
  const said = of({}, { identity })
  expect(said.answer).toBe(authorize(request({}), { ...NO_POLICIES, identity }).answer)
  expect(said.words).toMatch(/^[ -~]{1,600}$/)
})

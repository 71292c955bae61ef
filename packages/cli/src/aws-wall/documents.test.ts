// C2, the wall on AWS's side: the documents are asked by the IAM evaluator of packages/aws, which knows
// nothing of how they are made. Each answer is the one that the document's sentence promises.
import { authorize, NO_POLICIES, type PolicySet } from '@seconder/aws/iam/authorize'
import { type PolicyKind, parsePolicy } from '@seconder/aws/iam/policy'
import { readPatterns } from '@seconder/aws/iam/read-patterns'
import type { Principal } from '@seconder/aws/iam/request'
import { expect, test } from 'vitest'
import { applyCommand } from './commands.ts'
import { CHARS_MAX, type WallFacts, wallOf } from './documents.ts'
import { USUAL_SERVICES } from './packed-reads.ts'

const ACCOUNT = '123456789012'

function factsOf(partition: string): WallFacts {
  return {
    gate: `arn:${partition}:iam::111122223333:role/seconder-gate`,
    roles: {
      deploy: `arn:${partition}:iam::${ACCOUNT}:role/agent-deploy`,
      reader: `arn:${partition}:iam::${ACCOUNT}:role/agents/reader`,
    },
    except: [`arn:${partition}:iam::*:role/app/*`, `arn:${partition}:iam::${ACCOUNT}:user/ana`],
    services: USUAL_SERVICES,
  }
}

const FACTS = factsOf('aws')
const WALL = wallOf(FACTS)

function policy(name: string, kind: PolicyKind) {
  const text = WALL.documents.find((one) => one.name === name)?.text ?? ''
  return parsePolicy(JSON.parse(text), kind, name)
}

const ALL = parsePolicy(
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
  'identity',
  'all',
)
const SCPS = [
  policy('seconder-changes', 'scp'),
  policy('seconder-tags', 'scp'),
  { ...ALL, kind: 'scp' as const },
]

function ask(
  principal: Principal,
  action: string,
  policies: Partial<PolicySet>,
  keys: Record<string, string> = {},
  resource = '*',
) {
  const named = Object.entries({ 'aws:principalarn': principal.arn, ...keys })
  const context = {
    keys: new Map(named.map(([key, value]) => [key.toLowerCase(), [value]] as const)),
    others: 'absent',
  } as const
  const request = { principal, action, resource, resourceAccount: ACCOUNT, context }
  return authorize(request, { ...NO_POLICIES, identity: [ALL], ...policies }).answer
}

const session = (role: string): Principal => ({
  kind: 'session',
  arn: role,
  sessionArn: role.replace(':iam:', ':sts:').replace(/role\/.*/, 'assumed-role/x/s-1'),
  account: ACCOUNT,
})
const ci = session(`arn:aws:iam::${ACCOUNT}:role/ci`)
const deploy = session(FACTS.roles['deploy'] ?? '')
const app = session(`arn:aws:iam::${ACCOUNT}:role/app/orders`)
const ana: Principal = { kind: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/ana`, account: ACCOUNT }
const scps = { scps: [SCPS] }
const tagged = { 'aws:PrincipalTag/seconder:request': 'r-1' }

test.each([
  // Whoever is no role of the gate and no exception reads and changes nothing.
  [ci, 'dynamodb:DeleteTable', {}, 'deny'],
  [ci, 'dynamodb:DescribeTable', {}, 'allow'],
  [ci, 's3:PutObject', {}, 'deny'],
  [ci, 's3:GetObject', {}, 'allow'],
  [ci, 'iam:TagRole', {}, 'deny'],
  [ci, 'sts:AssumeRole', {}, 'deny'],
  // A tag of the gate's on a role that is none of its own opens nothing.
  [ci, 'dynamodb:DeleteTable', tagged, 'deny'],
  // Reads of IAM's data that call, start or show keys are none here.
  [ci, 'bedrock:InvokeModel', {}, 'deny'],
  [ci, 'ecr:GetAuthorizationToken', {}, 'deny'],
  [ci, 'ec2:GetPasswordData', {}, 'deny'],
  [ci, 'sts:GetSessionToken', {}, 'deny'],
  // A role of the gate is one only as the gate lends it.
  [deploy, 'dynamodb:DeleteTable', tagged, 'allow'],
  [deploy, 'dynamodb:DeleteTable', {}, 'deny'],
  [deploy, 'dynamodb:DescribeTable', {}, 'deny'],
  [deploy, 'ecr:GetAuthorizationToken', tagged, 'deny'],
  // Named people and workloads go on.
  [app, 'dynamodb:DeleteTable', {}, 'allow'],
  [ana, 'iam:CreateRole', {}, 'allow'],
] as const)('C2 the SCPs: %o %s with %j is %s', (principal, action, keys, answer) => {
  expect(ask(principal, action, scps, keys)).toBe(answer)
})

test('C2 no pattern of the SCP stands for a change, by the access levels of IAM', () => {
  const [{ NotAction }] = JSON.parse(
    WALL.documents.find(({ name }) => name === 'seconder-changes')?.text ?? '',
  ).Statement
  for (const prefix of USUAL_SERVICES) {
    const own = readPatterns(prefix).patterns
    for (const pattern of NotAction.filter((one: string) => one.startsWith(`${prefix}:`))) {
      expect(own).toContain(pattern)
    }
  }
  expect(NotAction.length).toBeGreaterThan(150)
})

const ROLE = FACTS.roles['deploy'] ?? ''
const asGate = {
  'sts:RoleSessionName': 's-1-abc',
  'sts:SourceIdentity': 'alice',
  'aws:RequestTag/seconder:agent': 'kiro',
  'aws:RequestTag/seconder:request': 'none',
  'aws:TagKeys': 'seconder:agent',
}
const gate: Principal = { kind: 'role', arn: FACTS.gate, account: '111122223333' }

function trusted(principal: Principal, keys: Record<string, string>, action = 'sts:AssumeRole') {
  const resource = policy('trust-deploy', 'trust')
  return ask(principal, action, { resource, resourceKind: 'trust' }, keys, ROLE)
}

test('C2 a role trusts the gate as it asks, and nobody and nothing else', () => {
  expect(trusted(gate, asGate)).toBe('allow')
  expect(trusted(gate, asGate, 'sts:TagSession')).toBe('allow')
  expect(trusted({ ...gate, arn: 'arn:aws:iam::111122223333:role/other' }, asGate)).toBe('deny')
  expect(trusted(ana, asGate)).toBe('deny')
  for (const [without, value] of Object.entries(asGate)) {
    const { [without]: _, ...keys } = asGate as Record<string, string>
    if (without === 'aws:TagKeys') continue
    expect(trusted(gate, keys), `${without} ${value}`).toBe('deny')
  }
  expect(trusted(gate, { ...asGate, 'aws:TagKeys': 'team' })).toBe('deny')
  expect(trusted(gate, { ...asGate, 'sts:RoleSessionName': 'ana' })).toBe('deny')
})

test('C2 the gate itself may lend its roles and nothing else', () => {
  const identity = [policy('seconder-gate', 'identity')]
  // Another account's role: its trust must allow as well, which it does.
  const lent = {
    identity,
    resource: policy('trust-deploy', 'trust'),
    resourceKind: 'trust',
  } as const
  expect(ask(gate, 'sts:AssumeRole', lent, asGate, ROLE)).toBe('allow')
  expect(ask(gate, 'sts:AssumeRole', lent, asGate, `${ROLE}-2`)).toBe('deny')
  expect(ask(gate, 's3:GetObject', { identity }, {}, 'arn:aws:s3:::b/k')).toBe('deny')
})

test('C2 the boundary keeps an agent from the gate, from keys, and from roles beyond it', () => {
  const boundary = policy('seconder-agent-boundary', 'boundary')
  const may = (action: string, resource: string, keys = {}) =>
    ask(deploy, action, { boundary }, keys, resource)
  const own = {
    'iam:PermissionsBoundary': `arn:aws:iam::${ACCOUNT}:policy/seconder-agent-boundary`,
  }
  expect(may('dynamodb:DeleteTable', 'arn:aws:dynamodb:eu-west-1:1:table/t')).toBe('allow')
  expect(may('iam:UpdateAssumeRolePolicy', ROLE)).toBe('deny')
  expect(may('iam:PassRole', FACTS.gate)).toBe('deny')
  expect(may('iam:GetRole', ROLE)).toBe('allow')
  expect(may('iam:CreatePolicyVersion', own['iam:PermissionsBoundary'])).toBe('deny')
  expect(may('iam:CreateAccessKey', `arn:aws:iam::${ACCOUNT}:user/u`)).toBe('deny')
  expect(may('iam:CreateRole', `arn:aws:iam::${ACCOUNT}:role/new`)).toBe('deny')
  expect(may('iam:CreateRole', `arn:aws:iam::${ACCOUNT}:role/new`, own)).toBe('allow')
})

test.each(['aws', 'aws-cn', 'aws-us-gov'])(
  'every document of %s is JSON of its partition that fits',
  (partition) => {
    for (const { text, kind, name } of wallOf(factsOf(partition)).documents) {
      expect(text.length, name).toBeLessThanOrEqual(CHARS_MAX[kind])
      expect(JSON.parse(text).Version).toBe('2012-10-17')
      const partitions = new Set([...text.matchAll(/arn:([a-z-]+):/g)].map(([, found]) => found))
      expect([...partitions].filter((found) => found !== partition)).toEqual([])
    }
  },
)

test('what does not fit is an error, and reads give way before exceptions do', () => {
  const except = (count: number) =>
    Array.from({ length: count }, (_, index) => `arn:aws:iam::*:role/team-${index}/workload/*`)
  const fewer = wallOf({ ...FACTS, except: except(60) })
  expect(fewer.closedReads.length).toBeGreaterThan(WALL.closedReads.length)
  expect(() => wallOf({ ...FACTS, except: except(200) })).toThrow(/characters, and AWS takes 5120/)
})

test('each document has the command that applies it', () => {
  const [trust] = WALL.documents
  expect(trust && applyCommand(trust)).toBe(
    'aws iam update-assume-role-policy --role-name agent-deploy --policy-document file://trust-deploy.json',
  )
  for (const one of WALL.documents) expect(applyCommand(one)).toContain(`file://${one.name}.json`)
})

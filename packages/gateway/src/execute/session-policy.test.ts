// The session policy against every captured request of real clients, judged by an evaluator of its own.
import { existsSync, readdirSync } from 'node:fs'
import { describeCall } from '@seconder/aws/describe-call'
import { readCapture, scopeOf } from '@seconder/aws/raw-http.fixture'
import { expect, test } from 'vitest'
import type { Action, JsonObject, Resource } from '../describe/action.ts'
import { GatewayError } from '../errors.ts'
import { type Evidence, NO_EVIDENCE } from '../resolve/evidence.ts'
import { evaluated } from './policy-evaluator.fixture.ts'
import { readPolicy, SESSION_POLICY_CHARS_MAX, sessionPolicy } from './session-policy.ts'

const ACCOUNT = '123456789012'
const FOREIGN = '999988887777'
const FACTS = { accounts: [ACCOUNT] }
const WIRE = new URL('../../../aws/testdata/wire/', import.meta.url)

/** Deletes of services that a captured call may not gain by accident. */
const DELETES = [
  'cloudformation:DeleteStack',
  'dynamodb:DeleteTable',
  'ec2:TerminateInstances',
  'iam:DeleteRole',
  'kms:ScheduleKeyDeletion',
  'rds:DeleteDBCluster',
  's3:DeleteBucket',
  'sqs:DeleteQueue',
]

function captured(file: string): Action {
  const request = readCapture(new URL(file, WIRE))
  const call = describeCall(request, scopeOf(request), { account: ACCOUNT })
  const resources = call.resources.map((one) => {
    const named = one.arn.split(':')[4] ?? ''
    const account = /^\d{12}$/.test(named) ? named : call.account
    return { ...one, account, region: call.region, environment: 'production' }
  })
  return { ...call, door: 'aws', resources, body: null }
}

const CORPUS = existsSync(WIRE) ? readdirSync(WIRE).filter((file) => file.endsWith('.http')) : []

test('there are more than 200 captured calls to judge', () => {
  expect(CORPUS.length).toBeGreaterThan(200)
})

/** An ARN that a pattern stands for. */
function oneOf(arn: string): string {
  return arn === '*'
    ? `arn:aws:any:eu-west-1:${ACCOUNT}:thing/a`
    : arn.replaceAll('*', 'x1').replaceAll('?', 'a')
}

function contextOf(action: Action, resource: Resource) {
  return { 'aws:ResourceAccount': resource.account || action.account }
}

test.each(CORPUS)('%s: the policy fits and allows the call, or it is refused in words', (file) => {
  const action = captured(file)
  let made: ReturnType<typeof sessionPolicy>
  try {
    made = sessionPolicy(action, NO_EVIDENCE, FACTS)
  } catch (cause) {
    expect(cause).toBeInstanceOf(GatewayError)
    expect((cause as GatewayError).code).toBe('not_narrowed')
    expect(action.operation).toMatch(
      /^(cloudformation|ssm|athena|elasticbeanstalk|servicecatalog):/,
    )
    return
  }
  expect(made.policy.length).toBeLessThanOrEqual(SESSION_POLICY_CHARS_MAX)
  expect(made.policy).toMatch(/^[\x20-\x7e]+$/)
  const own = action.ownActions ?? action.iamActions
  for (const resource of action.resources.filter(({ inner }) => inner !== true)) {
    const passed = resource.type === 'role' && own.includes('iam:PassRole')
    for (const name of own) {
      if (passed !== (name === 'iam:PassRole') && action.service !== 'iam') continue
      const asked = { action: name, resource: oneOf(resource.arn) }
      const context = contextOf(action, resource)
      expect(evaluated(made.policy, { ...asked, context }), name).toBe('allowed')
    }
  }
})

test('H9 what an inner call will need is not lent to the call that stores it', () => {
  const action = captured('168-events-put_targets.http')
  expect(action.iamActions).toContain('lambda:InvokeFunction')
  const { policy } = sessionPolicy(action, NO_EVIDENCE, FACTS)
  expect(policy).not.toContain('lambda:')
  expect(policy).toContain('events:PutTargets')
})

test.each(CORPUS)('%s: every other delete is denied in so many words', (file) => {
  const action = captured(file)
  const policies = [readPolicy(action, FACTS).policy]
  try {
    policies.push(sessionPolicy(action, NO_EVIDENCE, FACTS).policy)
  } catch (cause) {
    expect((cause as GatewayError).code).toBe('not_narrowed')
  }
  for (const policy of policies) {
    for (const name of DELETES.filter((each) => !action.iamActions.includes(each))) {
      for (const { arn } of action.resources) {
        expect(evaluated(policy, { action: name, resource: oneOf(arn) }), name).toBe('denied')
      }
    }
  }
})

test.each(CORPUS)('%s: where nothing is said to be wider, a neighbour is not allowed', (file) => {
  const action = captured(file)
  let made: ReturnType<typeof sessionPolicy>
  try {
    made = sessionPolicy(action, NO_EVIDENCE, FACTS)
  } catch {
    return // refused: judged above
  }
  if (made.wider.length > 0) return
  for (const resource of action.resources) {
    if (/[*?]/.test(resource.arn)) continue
    const asked = { action: action.iamActions[0] ?? '', resource: `${resource.arn}-neighbour` }
    const matchesAnother = action.resources.some(
      ({ arn }) => arn.endsWith('*') && asked.resource.startsWith(arn.slice(0, -1)),
    )
    if (matchesAnother) continue
    const context = contextOf(action, resource)
    expect(evaluated(made.policy, { ...asked, context })).toBe('implicit')
  }
})

function actionOf(changes: Partial<Action>, arns: readonly string[] = []): Action {
  const resources = arns.map((arn) => ({
    arn,
    type: 'object',
    account: ACCOUNT,
    region: 'eu-west-1',
    environment: 'production',
    resolved: true,
  }))
  return {
    door: 'aws',
    operation: 's3:DeleteObjects',
    iamActions: ['s3:DeleteObject'],
    resources,
    effects: ['destroy'],
    reveals: 'nothing',
    recoverable: 'no',
    service: 's3',
    account: ACCOUNT,
    region: 'eu-west-1',
    parameters: {},
    body: null,
    ...changes,
  }
}

test('M8: another account is denied where the service can say it, a configured one is not', () => {
  const action = actionOf({}, ['arn:aws:s3:::backup/a'])
  const ask = (account: string, accounts: readonly string[]) =>
    evaluated(sessionPolicy(action, NO_EVIDENCE, { accounts }).policy, {
      action: 's3:DeleteObject',
      resource: 'arn:aws:s3:::backup/a',
      context: { 'aws:ResourceAccount': account },
    })
  expect(ask(ACCOUNT, [])).toBe('allowed')
  expect(ask(FOREIGN, [])).toBe('denied')
  expect(ask(FOREIGN, [FOREIGN])).toBe('allowed')
})

test('M8: a request that has no resource account is not denied for it', () => {
  const action = actionOf({ iamActions: ['s3:ListAllMyBuckets'] }, ['*'])
  const { policy } = readPolicy(action, FACTS)
  expect(evaluated(policy, { action: 's3:ListAllMyBuckets', resource: '*' })).toBe('allowed')
})

test('an encryption key is used only by way of the service of the call', () => {
  const { policy } = sessionPolicy(actionOf({}, ['arn:aws:s3:::b/a']), NO_EVIDENCE, FACTS)
  const key = { action: 'kms:Decrypt', resource: `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1` }
  const via = (service: string) => ({ 'kms:ViaService': `${service}.eu-west-1.amazonaws.com` })
  expect(evaluated(policy, { ...key, context: via('s3') })).toBe('allowed')
  expect(evaluated(policy, { ...key, context: via('rds') })).toBe('implicit')
  expect(evaluated(policy, key)).toBe('implicit')
  expect(evaluated(policy, { ...key, action: 'kms:CreateGrant' })).toBe('denied')
})

test('H9 a read of Athena takes what the query needs along, by way of Athena alone', () => {
  const read = actionOf(
    {
      service: 'athena',
      operation: 'athena:StartQueryExecution',
      iamActions: ['athena:StartQueryExecution'],
    },
    ['*'],
  )
  const { policy } = readPolicy(read, FACTS)
  const data = { action: 's3:GetObject', resource: 'arn:aws:s3:::logs/a' }
  const via = (service: string) => ({ 'aws:CalledVia': `${service}.amazonaws.com` })
  expect(evaluated(policy, { ...data, context: via('athena') })).toBe('allowed')
  expect(evaluated(policy, { ...data, context: via('cloudformation') })).toBe('implicit')
  expect(evaluated(policy, data)).toBe('implicit')
  expect(evaluated(policy, { ...data, action: 's3:DeleteObject', context: via('athena') })).toBe(
    'denied',
  )
  expect(evaluated(policy, { ...data, action: 'glue:DeleteTable', context: via('athena') })).toBe(
    'denied',
  )
  expect(() => sessionPolicy({ ...read, effects: ['destroy'] }, NO_EVIDENCE, FACTS)).toThrow(
    GatewayError,
  )
  const other = readPolicy({ ...read, operation: 'athena:ListWorkGroups' }, FACTS)
  expect(other.policy).not.toContain('CalledVia')
})

test('H9: 1,000 keys widen to what they have in common, and the reviewer is told', () => {
  const keys = Array.from(
    { length: 1_000 },
    (_, index) => `arn:aws:s3:::data/2026/day-${index}.csv`,
  )
  const made = sessionPolicy(actionOf({}, keys), NO_EVIDENCE, FACTS)
  expect(made.policy.length).toBeLessThanOrEqual(SESSION_POLICY_CHARS_MAX)
  expect(made.wider).toHaveLength(1)
  expect(made.wider[0]).toMatch(
    /^credentials wider than the call: s3:DeleteObject on `arn:aws:s3:::data\//,
  )
  expect(made.wider[0]).toContain('1000 names do not fit')
  for (const resource of keys) {
    expect(evaluated(made.policy, { action: 's3:DeleteObject', resource })).toBe('allowed')
  }
  const beside = { action: 's3:DeleteObject', resource: 'arn:aws:s3:::other/2026/day-1.csv' }
  expect(evaluated(made.policy, beside)).toBe('implicit')
})

test('H9: names with nothing in common widen to everything of the action, in words', () => {
  const queues = Array.from(
    { length: 90 },
    (_, index) => `arn:aws:sqs:eu-west-1:${String(index).padStart(12, '0')}:q`,
  )
  const action = actionOf({ service: 'sqs', iamActions: ['sqs:DeleteQueue'] }, queues)
  const made = sessionPolicy(action, NO_EVIDENCE, FACTS)
  expect(made.wider.join()).toContain(
    'sqs:DeleteQueue on every resource, because 90 names do not fit',
  )
  expect(evaluated(made.policy, { action: 'sqs:PurgeQueue', resource: queues[0] ?? '' })).toBe(
    'denied',
  )
})

test('H9: an action in another service is lent on what the call names there, else on all, in words', () => {
  const zone = 'arn:aws:route53:::hostedzone/Z1'
  const vpc = `arn:aws:ec2:eu-west-1:${ACCOUNT}:vpc/vpc-1`
  const changes = {
    service: 'route53',
    iamActions: ['route53:AssociateVPCWithHostedZone', 'ec2:DescribeVpcs'],
  }
  const unnamed = sessionPolicy(actionOf(changes, [zone]), NO_EVIDENCE, FACTS)
  const ask = (policy: string, action: string, resource: string) =>
    evaluated(policy, { action, resource })
  expect(ask(unnamed.policy, 'ec2:DescribeVpcs', vpc)).toBe('allowed')
  expect(ask(unnamed.policy, 'route53:AssociateVPCWithHostedZone', zone)).toBe('allowed')
  expect(ask(unnamed.policy, 'route53:AssociateVPCWithHostedZone', `${zone}2`)).toBe('implicit')
  expect(ask(unnamed.policy, 'ec2:DeleteVpc', vpc)).toBe('denied')
  expect(unnamed.wider).toEqual([
    'credentials wider than the call: ec2:DescribeVpcs on every resource, because no name was proved',
  ])
  const named = sessionPolicy(actionOf(changes, [zone, vpc]), NO_EVIDENCE, FACTS)
  expect(named.wider).toEqual([])
  expect(ask(named.policy, 'ec2:DescribeVpcs', vpc)).toBe('allowed')
  expect(ask(named.policy, 'ec2:DescribeVpcs', `${vpc}2`)).toBe('implicit')
})

test('few names are exact, and nothing is said', () => {
  const made = sessionPolicy(
    actionOf({}, ['arn:aws:s3:::b/a', 'arn:aws:s3:::b/c']),
    NO_EVIDENCE,
    FACTS,
  )
  expect(made.wider).toEqual([])
})

test('a name that was not proved is said to be wide', () => {
  const made = sessionPolicy(actionOf({}, ['*']), NO_EVIDENCE, FACTS)
  expect(made.wider).toEqual([
    'credentials wider than the call: s3:DeleteObject on every resource, because no name was proved',
  ])
})

test('no name can hold a policy variable, and none is read past its letters', () => {
  const name = 'arn:aws:s3:::b/\u0024{aws:username}/\u00e9\u6f22"\\`'
  const { policy } = sessionPolicy(actionOf({}, [name]), NO_EVIDENCE, FACTS)
  expect(policy).toMatch(/^[\x20-\x7e]+$/)
  expect(evaluated(policy, { action: 's3:DeleteObject', resource: name })).toBe('allowed')
  const other = { action: 's3:DeleteObject', resource: 'arn:aws:s3:::b/alice/\u00e9\u6f22"\\`' }
  expect(evaluated(policy, other)).toBe('implicit')
})

test('H9: a policy of exactly the limit fits; one more character widens it', () => {
  const at = (length: number) => actionOf({}, [`arn:aws:s3:::b/${'k'.repeat(length)}`])
  const chars = (length: number) => sessionPolicy(at(length), NO_EVIDENCE, FACTS).policy.length
  const room = SESSION_POLICY_CHARS_MAX - chars(10) + 10
  expect(chars(room)).toBe(SESSION_POLICY_CHARS_MAX)
  expect(sessionPolicy(at(room), NO_EVIDENCE, FACTS).wider).toEqual([])
  expect(sessionPolicy(at(room + 1), NO_EVIDENCE, FACTS).wider).toHaveLength(1)
})

test('H9: actions that do not fit are refused, never sent without a policy', () => {
  const iamActions = Array.from({ length: 200 }, (_, index) => `s3:PutSomething${index}`)
  const refused = () => sessionPolicy(actionOf({ iamActions }, ['*']), NO_EVIDENCE, FACTS)
  expect(refused).toThrow(expect.objectContaining({ code: 'not_narrowed' }))
})

test('a call without a known IAM action has no credentials', () => {
  const refused = () => sessionPolicy(actionOf({ iamActions: [] }), NO_EVIDENCE, FACTS)
  expect(refused).toThrow(expect.objectContaining({ code: 'not_narrowed' }))
})

const STACK_ARN = `arn:aws:cloudformation:eu-west-1:${ACCOUNT}:stack/shop/*`

function deleteStack(parameters: JsonObject = { StackName: 'shop' }): Action {
  return actionOf(
    {
      operation: 'cloudformation:DeleteStack',
      service: 'cloudformation',
      iamActions: ['cloudformation:DeleteStack'],
      parameters,
    },
    [STACK_ARN],
  )
}

function stackOf(roleArn: string | null, resources: readonly JsonObject[]): Evidence {
  const binding = { stack: { name: 'shop', roleArn }, resources }
  return { ...NO_EVIDENCE, binding }
}

const TABLE = { type: 'AWS::DynamoDB::Table', logicalId: 'T', physicalId: 'orders' }
const FUNCTION = { type: 'AWS::Lambda::Function', logicalId: 'F', physicalId: 'f' }
const ORDERS = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`

test('H9: DeleteStack without a service role gets the deletes of its resources, by CloudFormation only', () => {
  const { policy } = sessionPolicy(deleteStack(), stackOf(null, [TABLE]), FACTS)
  const drop = { action: 'dynamodb:DeleteTable', resource: ORDERS }
  const via = { 'aws:CalledVia': ['cloudformation.amazonaws.com'] }
  expect(evaluated(policy, { ...drop, context: via })).toBe('allowed')
  expect(evaluated(policy, drop)).toBe('implicit')
  expect(evaluated(policy, { ...drop, resource: `${ORDERS}2`, context: via })).toBe('implicit')
  expect(evaluated(policy, { ...drop, action: 's3:DeleteBucket', context: via })).toBe('denied')
})

test('H9: DeleteStack with a resource whose rights are not known is refused before it begins', () => {
  const refused = () => sessionPolicy(deleteStack(), stackOf(null, [TABLE, FUNCTION]), FACTS)
  expect(refused).toThrow(expect.objectContaining({ code: 'not_narrowed' }))
  const unread = { ...NO_EVIDENCE, binding: { stack: { unread: 'no answer' } } }
  expect(() => sessionPolicy(deleteStack(), unread, FACTS)).toThrow(/nothing was begun/)
})

test('H9: with a service role the call needs no more than itself', () => {
  const role = `arn:aws:iam::${ACCOUNT}:role/cfn`
  const { policy } = sessionPolicy(deleteStack(), stackOf(role, [TABLE, FUNCTION]), FACTS)
  const via = { 'aws:CalledVia': ['cloudformation.amazonaws.com'] }
  const drop = { action: 'dynamodb:DeleteTable', resource: ORDERS, context: via }
  expect(evaluated(policy, drop)).toBe('denied')
  const call = { action: 'cloudformation:DeleteStack', resource: STACK_ARN.replace('*', '1') }
  expect(evaluated(policy, call)).toBe('allowed')
})

test('H9: UpdateStack without a role is refused, with the role in the call it is not', () => {
  const update = (parameters: JsonObject) => ({
    ...deleteStack(parameters),
    operation: 'cloudformation:UpdateStack',
    iamActions: ['cloudformation:UpdateStack'],
  })
  const made = (parameters: JsonObject) =>
    sessionPolicy(update(parameters), stackOf(null, []), FACTS)
  expect(() => made({})).toThrow(expect.objectContaining({ code: 'not_narrowed' }))
  expect(made({ RoleARN: `arn:aws:iam::${ACCOUNT}:role/cfn` }).policy).toContain('UpdateStack')
})

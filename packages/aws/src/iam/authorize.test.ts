// The order of evaluation against the rules of the IAM User Guide, and the cases that implementations
// get wrong. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../call.ts'
import {
  ACCOUNT,
  allow,
  asks,
  deny,
  OTHER,
  policy,
  SESSION,
  USER,
  variable,
} from './iam.fixture.ts'
import type { Principal } from './request.ts'

const READ = 's3:GetObject'
const everything = policy('identity', allow('*'))
const read = policy('identity', allow(READ))
const nothing = policy('identity', allow('sqs:*'))

/** A resource policy that allows `who`. */
const granted = (who: JsonObject | string, kind: 'resource' | 'trust' = 'resource') => {
  const { Resource, ...statement } = allow(kind === 'trust' ? 'sts:AssumeRole' : READ)
  return policy(kind, {
    ...statement,
    Principal: who,
    ...(kind === 'resource' && { Resource: '*' }),
  })
}
const aws = (name: string | string[]) => ({ AWS: name })

describe('one account', () => {
  test('nothing said is a deny, by no statement', () => {
    expect(asks({}, {})).toMatchObject({ answer: 'deny', step: 'identity-policy' })
  })
  test('the identity or the resource suffices', () => {
    expect(asks({}, { identity: [read] }).answer).toBe('allow')
    expect(asks({}, { resource: granted(aws(SESSION.arn)) }).answer).toBe('allow')
    expect(asks({}, { identity: [nothing], resource: granted(aws(USER.arn)) }).answer).toBe('deny')
  })
  test('an explicit deny wins wherever it stands', () => {
    const no = (kind: 'identity' | 'boundary' | 'session' | 'scp' | 'rcp') =>
      policy(kind, allowAll(kind), { ...deny(READ), ...(kind === 'rcp' && { Principal: '*' }) })
    const allowAll = (kind: string) => ({
      ...allow('*'),
      ...(kind === 'rcp' && { Principal: '*' }),
    })
    const denied = { answer: 'deny', step: 'explicit-deny' }
    expect(asks({}, { identity: [everything, no('identity')] })).toMatchObject(denied)
    expect(asks({}, { identity: [everything], boundary: no('boundary') })).toMatchObject(denied)
    expect(asks({}, { identity: [everything], session: [no('session')] })).toMatchObject(denied)
    expect(asks({}, { identity: [everything], scps: [[no('scp')]] })).toMatchObject(denied)
    expect(asks({}, { identity: [everything], rcps: [[no('rcp')]] })).toMatchObject(denied)
    const resource = policy('resource', { ...deny(READ), Principal: '*' })
    expect(asks({}, { identity: [everything], resource })).toMatchObject(denied)
  })
  test('a boundary and a session policy only take away', () => {
    const bound = policy('boundary', allow('sqs:*'))
    const session = policy('session', allow('sqs:*'))
    expect(asks({}, { identity: [everything], boundary: bound })).toMatchObject({
      answer: 'deny',
      step: 'boundary',
    })
    expect(asks({}, { identity: [everything], session: [session] })).toMatchObject({
      answer: 'deny',
      step: 'session-policy',
    })
    const sqs = { action: 'sqs:SendMessage' }
    expect(asks(sqs, { identity: [nothing], boundary: bound, session: [session] }).answer).toBe(
      'allow',
    )
    expect(asks(sqs, { boundary: bound, session: [session] }).answer).toBe('deny')
    expect(asks({}, { identity: [everything], session: [] }).answer).toBe('deny')
  })
  test('an allow for the role ARN is bounded, one for the session ARN or the user ARN is not', () => {
    const boundary = policy('boundary', allow('sqs:*'))
    const session = [policy('session', allow('sqs:*'))]
    const role = granted(aws(SESSION.arn))
    const direct = granted(aws(SESSION.sessionArn ?? ''))
    expect(asks({}, { resource: role, boundary }).answer).toBe('deny')
    expect(asks({}, { resource: role, session }).answer).toBe('deny')
    expect(asks({}, { resource: direct, boundary, session }).answer).toBe('allow')
    const user = granted(aws(USER.arn))
    expect(asks({ principal: USER }, { resource: user, boundary }).answer).toBe('allow')
  })
  test('an allow for the account hands on: it needs the identity, and adds nothing to it', () => {
    for (const name of [ACCOUNT, `arn:aws:iam::${ACCOUNT}:root`]) {
      expect(asks({}, { resource: granted(aws(name)) }).answer).toBe('deny')
      expect(asks({}, { resource: granted(aws(name)), identity: [read] }).answer).toBe('allow')
    }
  })
  test('root starts allowed and is limited by SCPs and denies of the resource alone', () => {
    const root: Principal = { kind: 'root', arn: `arn:aws:iam::${ACCOUNT}:root`, account: ACCOUNT }
    expect(asks({ principal: root }, {}).answer).toBe('allow')
    expect(asks({ principal: root }, { scps: [[policy('scp', allow('sqs:*'))]] }).answer).toBe(
      'deny',
    )
    const resource = policy('resource', { ...deny('*'), Principal: '*' })
    expect(asks({ principal: root }, { resource }).answer).toBe('deny')
  })
})

describe('organization', () => {
  const full = policy('scp', allow('*'))
  const part = policy('scp', allow('sqs:*'))
  test('each level of SCPs must allow; within a level one suffices', () => {
    expect(asks({}, { identity: [everything], scps: [[full], [full]] }).answer).toBe('allow')
    expect(asks({}, { identity: [everything], scps: [[full], [part]] })).toMatchObject({
      answer: 'deny',
      step: 'scp',
    })
    expect(asks({}, { identity: [everything], scps: [[full], [part, full]] }).answer).toBe('allow')
    expect(asks({}, { identity: [everything], scps: [[full], []] }).answer).toBe('deny')
  })
  test('an SCP grants nothing', () => {
    expect(asks({}, { scps: [[full]] }).answer).toBe('deny')
  })
  test('a service-linked role is not held by SCPs or RCPs', () => {
    const linked: Principal = { ...SESSION, serviceLinked: true }
    const rcps = [[policy('rcp', { ...deny('*'), Principal: '*' })]]
    expect(asks({ principal: linked }, { identity: [read], scps: [[part]], rcps }).answer).toBe(
      'allow',
    )
  })
  test('an RCP holds for everybody, SCPs only for principals of the account', () => {
    const service: Principal = { kind: 'service', arn: 'delivery.logs.amazonaws.com', account: '' }
    const resource = granted({ Service: 'delivery.logs.amazonaws.com' })
    expect(asks({ principal: service }, { resource, scps: [[part]] }).answer).toBe('allow')
    const rcps = [[policy('rcp', { ...allow('sqs:*'), Principal: '*' })]]
    expect(asks({ principal: service }, { resource, rcps })).toMatchObject({
      answer: 'deny',
      step: 'rcp',
    })
  })
})

describe('two accounts', () => {
  const account = OTHER
  test('both sides must allow', () => {
    const resource = granted(aws(SESSION.arn))
    expect(asks({ account }, { identity: [read] })).toMatchObject({
      answer: 'deny',
      step: 'resource-policy',
    })
    expect(asks({ account }, { resource })).toMatchObject({
      answer: 'deny',
      step: 'identity-policy',
    })
    expect(asks({ account }, { identity: [read], resource }).answer).toBe('allow')
    const whole = granted(aws(`arn:aws:iam::${ACCOUNT}:root`))
    expect(asks({ account }, { identity: [read], resource: whole }).answer).toBe('allow')
  })
  test('there is no short cut for a session that is named', () => {
    const resource = granted(aws(SESSION.sessionArn ?? ''))
    expect(asks({ account }, { resource }).answer).toBe('deny')
    const boundary = policy('boundary', allow('sqs:*'))
    expect(asks({ account }, { resource, identity: [read], boundary }).answer).toBe('deny')
  })
  test('whose resource it is, not known: certain only where both ways say the same', () => {
    const unknown = { account: null }
    expect(asks(unknown, { identity: [read] })).toMatchObject({
      answer: 'unknown',
      dependsOn: ['aws:resourceaccount'],
    })
    expect(asks(unknown, { identity: [read], resource: granted(aws(SESSION.arn)) }).answer).toBe(
      'allow',
    )
    expect(asks(unknown, {}).answer).toBe('deny')
  })
  test('a policy nobody looked at leaves it open, never allowed', () => {
    const resource = 'unknown' as const
    expect(asks({}, { identity: [read], resource })).toMatchObject({
      answer: 'unknown',
      dependsOn: ['resource-policy'],
    })
    expect(asks({ account }, { resource }).answer).toBe('deny')
    expect(asks({ account }, { identity: [read], resource }).answer).toBe('unknown')
  })
})

describe('trust and key policies: the resource must allow', () => {
  const assume = { action: 'sts:AssumeRole', resource: 'arn:aws:iam::111122223333:role/target' }
  const can = policy('identity', allow('sts:AssumeRole'))
  test('an identity alone does not assume a role', () => {
    const resource = granted(aws(`arn:aws:iam::${OTHER}:root`), 'trust')
    const resourceKind = 'trust' as const
    expect(asks(assume, { identity: [can], resource, resourceKind }).answer).toBe('deny')
    expect(asks(assume, { identity: [can], resource: null, resourceKind }).answer).toBe('deny')
  })
  test('trust in the account hands on, trust in the role itself suffices', () => {
    const whole = granted(aws(`arn:aws:iam::${ACCOUNT}:root`), 'trust')
    const own = granted(aws(SESSION.arn), 'trust')
    const resourceKind = 'trust' as const
    expect(asks(assume, { resource: whole, resourceKind }).answer).toBe('deny')
    expect(asks(assume, { identity: [can], resource: whole, resourceKind }).answer).toBe('allow')
    expect(asks(assume, { resource: own, resourceKind }).answer).toBe('allow')
    const boundary = policy('boundary', allow('sqs:*'))
    expect(asks(assume, { resource: own, boundary, resourceKind }).answer).toBe('deny')
  })
  test('a service assumes what trusts it', () => {
    const lambda: Principal = { kind: 'service', arn: 'lambda.amazonaws.com', account: '' }
    const resourceKind = 'trust' as const
    const trust = granted({ Service: ['ec2.amazonaws.com', 'lambda.amazonaws.com'] }, 'trust')
    expect(asks({ ...assume, principal: lambda }, { resource: trust, resourceKind }).answer).toBe(
      'allow',
    )
    const ec2 = granted({ Service: 'ec2.amazonaws.com' }, 'trust')
    expect(asks({ ...assume, principal: lambda }, { resource: ec2, resourceKind }).answer).toBe(
      'deny',
    )
  })
  test('a key policy without the account leaves IAM policies without a say', () => {
    const decrypt = { action: 'kms:Decrypt', resource: 'arn:aws:kms:eu-west-1:111122223333:key/1' }
    const identity = [policy('identity', allow('kms:Decrypt'))]
    const key = (name: string) => policy('resource', { ...allow('kms:*'), Principal: aws(name) })
    const resourceKind = 'kms-key' as const
    expect(
      asks(decrypt, { identity, resource: key(`arn:aws:iam::${ACCOUNT}:root`), resourceKind })
        .answer,
    ).toBe('allow')
    expect(asks(decrypt, { identity, resource: key(USER.arn), resourceKind }).answer).toBe('deny')
    expect(asks(decrypt, { resource: key(SESSION.arn), resourceKind }).answer).toBe('allow')
  })
})

describe('NotPrincipal', () => {
  const except = (...names: string[]) =>
    policy('resource', { Effect: 'Deny', Action: '*', Resource: '*', NotPrincipal: aws(names) })
  const identity = [read]
  test('a deny spares only whom it names with the account', () => {
    const whole = `arn:aws:iam::${ACCOUNT}:root`
    expect(asks({ principal: USER }, { identity, resource: except(USER.arn, whole) }).answer).toBe(
      'allow',
    )
    // With some of its names only, AWS says that it might be denied.
    expect(asks({ principal: USER }, { identity, resource: except(USER.arn) })).toMatchObject({
      answer: 'unknown',
      dependsOn: ['principal'],
    })
    expect(asks({ principal: USER }, { identity, resource: except(whole) }).answer).toBe('deny')
    const session = [SESSION.arn, SESSION.sessionArn ?? '', whole]
    expect(asks({}, { identity, resource: except(...session) }).answer).toBe('allow')
    expect(asks({}, { identity, resource: except(SESSION.arn, whole) }).answer).toBe('unknown')
    expect(asks({}, { identity, resource: except(USER.arn, whole) }).answer).toBe('deny')
  })
  test('a deny falls on everybody who carries a boundary', () => {
    const whole = `arn:aws:iam::${ACCOUNT}:root`
    const boundary = policy('boundary', allow('*'))
    expect(
      asks({ principal: USER }, { identity, boundary, resource: except(USER.arn, whole) }).answer,
    ).toBe('deny')
  })
})

describe('actions and resources', () => {
  const table = 'arn:aws:dynamodb:eu-west-1:111122223333:table/orders'
  test.each([
    ['dynamodb:DeleteTable', 'allow'],
    ['DYNAMODB:deletetable', 'allow'],
    ['dynamodb:Delete*', 'allow'],
    ['dynamodb:Delete?able', 'allow'],
    ['*:DeleteTable', 'allow'],
    ['*', 'allow'],
    ['dynamodb:DeleteTables', 'deny'],
    ['dynamodb', 'deny'],
    ['dynamodb:', 'deny'],
  ])('the action pattern %s: %s', (pattern, answer) => {
    const identity = [policy('identity', allow(pattern))]
    expect(asks({ action: 'dynamodb:DeleteTable', resource: table }, { identity }).answer).toBe(
      answer,
    )
  })
  test.each([
    [table, 'allow'],
    ['arn:aws:dynamodb:*:*:table/*', 'allow'],
    ['arn:aws:dynamodb:*', 'allow'],
    ['arn:aws:dynamodb:*orders', 'allow'],
    ['arn:aws:dynamodb:eu-west-1:111122223333:table/Orders', 'deny'],
    ['arn:aws:dynamodb:eu-west-1:111122223333:table/order', 'deny'],
    ['arn:aws:dynamodb:eu-west-1:111122223333:table/orders/*', 'deny'],
    ['arn:aws:dynamodb:eu-west-?:111122223333:table/orders', 'allow'],
    ['*', 'allow'],
  ])('the resource pattern %s: %s', (pattern, answer) => {
    const identity = [policy('identity', allow('*', pattern))]
    expect(asks({ action: 'dynamodb:DeleteTable', resource: table }, { identity }).answer).toBe(
      answer,
    )
  })
  test('NotAction allows the rest, and says nothing of other resources', () => {
    const statement = { Effect: 'Allow', NotAction: 'iam:*', Resource: 'arn:aws:s3:::data/*' }
    const identity = [policy('identity', statement)]
    expect(asks({}, { identity }).answer).toBe('allow')
    expect(asks({ action: 'iam:GetUser' }, { identity }).answer).toBe('deny')
    expect(asks({ resource: 'arn:aws:s3:::other/key' }, { identity }).answer).toBe('deny')
  })
  test('NotResource with Deny spares only what it names', () => {
    const refused = { Effect: 'Deny', Action: 's3:*', NotResource: 'arn:aws:s3:::data/*' }
    const identity = [policy('identity', allow('*'), refused)]
    expect(asks({}, { identity }).answer).toBe('allow')
    expect(asks({ resource: 'arn:aws:s3:::other/key' }, { identity }).answer).toBe('deny')
    expect(asks({ resource: '*' }, { identity }).answer).toBe('deny')
  })
  test('a resource that is not fully known is unknown where it matters', () => {
    const some = { resource: 'arn:aws:dynamodb:eu-west-1:111122223333:table/*', isPattern: true }
    const one = [policy('identity', allow('*', table))]
    expect(asks(some, { identity: one })).toMatchObject({
      answer: 'unknown',
      dependsOn: ['resource'],
    })
    expect(
      asks(some, { identity: [policy('identity', allow('*', 'arn:aws:dynamodb:*'))] }).answer,
    ).toBe('allow')
    expect(asks(some, { identity: [policy('identity', allow('*', 'arn:aws:sqs:*'))] }).answer).toBe(
      'deny',
    )
    const refused = [policy('identity', allow('*'), deny('*', table))]
    expect(asks(some, { identity: refused }).answer).toBe('unknown')
    expect(asks({ resource: '*', isPattern: true }, { identity: one }).answer).toBe('unknown')
  })
})

describe('policy variables', () => {
  const home = (text: string) => policy('identity', allow('*', text))
  const username = { 'aws:username': 'carlos' }
  test('fill a resource by the key, by its default, or not at all', () => {
    const own = home(`arn:aws:s3:::data/${variable('aws:username')}/*`)
    const asked = { resource: 'arn:aws:s3:::data/carlos/x' }
    expect(asks({ ...asked, keys: username }, { identity: [own] }).answer).toBe('allow')
    expect(asks({ ...asked, keys: { 'aws:username': 'diego' } }, { identity: [own] }).answer).toBe(
      'deny',
    )
    expect(asks(asked, { identity: [own] }).answer).toBe('deny')
    expect(asks({ ...asked, others: 'unknown' }, { identity: [own] })).toMatchObject({
      answer: 'unknown',
      dependsOn: ['aws:username'],
    })
    const other = home(`arn:aws:s3:::data/${variable("aws:username, 'carlos'")}/*`)
    expect(asks(asked, { identity: [other] }).answer).toBe('allow')
  })
  test(`the literals ${variable('*')}, ${variable('?')} and ${variable('$')} are themselves`, () => {
    const identity = [home(`arn:aws:s3:::data/${variable('*')}${variable('?')}${variable('$')}`)]
    expect(asks({ resource: 'arn:aws:s3:::data/*?$' }, { identity }).answer).toBe('allow')
    expect(asks({ resource: 'arn:aws:s3:::data/xy$' }, { identity }).answer).toBe('deny')
  })
  test('a value with a star fills in a star, not a wildcard', () => {
    const identity = [home(`arn:aws:s3:::data/${variable('aws:username')}/key`)]
    const star = { 'aws:username': '*' }
    expect(asks({ resource: 'arn:aws:s3:::data/diego/key', keys: star }, { identity }).answer).toBe(
      'deny',
    )
  })
  test('in a condition, a variable without a value matches nothing and may void the statement', () => {
    for (const [operator, answer] of [
      ['StringEquals', 'allow'],
      ['StringNotEquals', 'unknown'],
    ] as const) {
      const Condition = {
        [operator]: { 'aws:ResourceTag/owner': `${variable('aws:PrincipalTag/owner')}` },
      }
      const refused = policy('identity', allow('*'), deny('*', '*', { Condition }))
      expect(asks({ keys: { 'aws:resourcetag/owner': 'x' } }, { identity: [refused] }).answer).toBe(
        answer,
      )
    }
  })
  test('a deny with an unresolved variable in NotResource falls on nothing certain', () => {
    const refused = {
      Effect: 'Deny',
      Action: '*',
      NotResource: `arn:aws:s3:::${variable('aws:username')}/*`,
    }
    const identity = [policy('identity', allow('*'), refused)]
    expect(asks({}, { identity })).toMatchObject({
      answer: 'unknown',
      dependsOn: ['aws:username'],
    })
  })
})

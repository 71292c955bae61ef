// M13 and M8: what a change reaches is judged by names that a reader of AWS's references would judge alike;
// every one that is reached has a twin beside it that is not.
import { expect, describe as group, test } from 'vitest'
import { sampleAction } from '../decide/sample-request.ts'
import { protectedRows } from '../epoch/protected.ts'
import type { Action, Resource } from './action.ts'
import { COMPARED_MAX, guarded, type ProtectedRow } from './guarded.ts'

const ACCOUNT = '123456789012'
const OTHER = '999999999999'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/agent-deploy`
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1234abcd`
const CONFIG = {
  environments: [],
  roles: { deploy: { arn: ROLE } },
  protect: [KEY, 'arn:aws:s3:::audit-log', `arn:aws:route53:::hostedzone/Z1`],
  upstream: { credentials: { from: 'instance' } },
} as unknown as Parameters<typeof protectedRows>[0]
const OWN = `arn:aws:sts::${ACCOUNT}:assumed-role/gate/i-0123456789abcdef0`
const PROTECT = protectedRows(CONFIG, OWN)

function touching(operation: string, arn: string, changes: Partial<Action> = {}): Action {
  const [service = ''] = operation.split(':')
  const resource: Resource = {
    arn,
    type: 'x',
    account: ACCOUNT,
    region: 'eu-west-1',
    environment: 'development',
    resolved: arn !== '*',
  }
  return sampleAction({
    operation,
    service,
    effects: ['write'],
    resources: [resource],
    parameters: {},
    ...changes,
  })
}

const limbs = (action: Action, protect: readonly ProtectedRow[] = PROTECT) =>
  guarded(action, { protect }).ownLimbs

group('M13', () => {
  test.each([
    ['iam:UpdateAssumeRolePolicy', ROLE],
    ['iam:PutRolePolicy', `arn:aws:iam::${ACCOUNT}:role/gate`],
    ['iam:PutRolePolicy', `arn:aws:iam::${ACCOUNT}:role/ops/gate`],
    // IAM does not tell names apart by case. Source: IAM API Reference, CreateRole, RoleName.
    ['iam:DeleteRole', `arn:aws:iam::${ACCOUNT}:role/Agent-Deploy`],
    ['iam:DeleteRole', `arn:aws:iam::${ACCOUNT}:role/*`],
    ['iam:DeleteRole', `arn:aws:iam::${ACCOUNT}:role/agent-?eploy`],
    ['iam:CreatePolicyVersion', `arn:aws:iam::${ACCOUNT}:policy/seconder-agent-boundary`],
    ['iam:AddRoleToInstanceProfile', `arn:aws:iam::${ACCOUNT}:instance-profile/web`],
    ['ec2:TerminateInstances', `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-0123456789abcdef0`],
    ['kms:ScheduleKeyDeletion', KEY],
    ['s3:DeleteObject', 'arn:aws:s3:::audit-log/2026/11/26'],
    ['s3:PutBucketPolicy', 'arn:aws:s3:::audit-log'],
    ['route53:ChangeResourceRecordSets', 'arn:aws:route53:::hostedzone/Z1'],
    [
      'organizations:UpdatePolicy',
      `arn:aws:organizations::${OTHER}:policy/o-1/service_control_policy/p-1`,
    ],
    // Nothing is named: it may be the gate's.
    ['iam:SetDefaultPolicyVersion', '*'],
    ['kms:DeleteAlias', '*'],
    ['organizations:LeaveOrganization', '*'],
    ['sts:AssumeRoot', '*'],
  ])('%s of %s touches the gate', (operation, arn) => {
    const found = guarded(touching(operation, arn), { protect: PROTECT })
    expect(found.ownLimbs?.length).toBeGreaterThan(0)
    expect(found.effects).toEqual(['write', 'permissions'])
  })

  test.each([
    ['iam:UpdateAssumeRolePolicy', `arn:aws:iam::${ACCOUNT}:role/agent-deployer`],
    ['iam:PutRolePolicy', `arn:aws:iam::${OTHER}:role/gate`],
    ['iam:CreatePolicyVersion', `arn:aws:iam::${ACCOUNT}:policy/team`],
    ['ec2:TerminateInstances', `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-0fffffffffffffff0`],
    ['kms:ScheduleKeyDeletion', `arn:aws:kms:eu-west-1:${ACCOUNT}:key/5678`],
    ['s3:DeleteObject', 'arn:aws:s3:::audit-logs/2026'],
    ['cloudformation:DeleteStack', `arn:aws:cloudformation:eu-west-1:${ACCOUNT}:stack/shop/*`],
    ['dynamodb:DeleteTable', '*'],
    ['kms:CreateKey', '*'],
    ['kms:GenerateRandom', '*'],
  ])('%s of %s does not', (operation, arn) => {
    const action = touching(operation, arn)
    expect(guarded(action, { protect: PROTECT })).toBe(action)
  })

  test('a read of a protected thing is a read', () => {
    const action = touching('iam:GetRole', ROLE, { effects: ['read'] })
    expect(guarded(action, { protect: PROTECT, accounts: [] })).toBe(action)
  })

  test('a call that another one makes touches it as well', () => {
    const inner = {
      operation: 'kms:ScheduleKeyDeletion',
      at: 'Target',
      role: null,
      iamActions: ['kms:ScheduleKeyDeletion'],
      resources: [{ arn: KEY, type: 'key', resolved: true }],
      effects: ['destroy'],
      reveals: 'nothing',
      recoverable: 'unknown',
      parameters: {},
    } as const
    const action = touching('scheduler:CreateSchedule', 'arn:aws:scheduler:eu-west-1:1:schedule/a')
    expect(limbs({ ...action, innerCalls: [inner] })).toEqual([`${KEY}: named under \`protect:\``])
    const look = { ...inner, effects: ['read'] } as const
    expect(limbs({ ...action, innerCalls: [look] })).toBeUndefined()
  })

  test('a stack that holds one of its limbs touches it, by the plain name that CloudFormation lists', () => {
    const stack = touching(
      'cloudformation:DeleteStack',
      `arn:aws:cloudformation:eu-west-1:1:stack/a/*`,
    )
    const found = (...names: string[]) => guarded(stack, { protect: PROTECT }, [], names).ownLimbs
    expect(found('orders', 'Agent-Deploy')).toEqual([`${ROLE}: the role deploy`])
    expect(found('1234abcd')).toEqual([`${KEY}: named under \`protect:\``])
    expect(found('seconder-agent-boundary')?.length).toBe(1)
    expect(found('orders', 'deploy', 'web')).toBeUndefined()
  })

  test('the root user of an account is all of its IAM', () => {
    const protect = protectedRows(CONFIG, `arn:aws:iam::${ACCOUNT}:root`)
    expect(limbs(touching('iam:CreateUser', `arn:aws:iam::${ACCOUNT}:user/a`), protect)).toEqual([
      `arn:aws:iam::${ACCOUNT}:*: may be the gate's own identity`,
    ])
  })

  test('what takes too long to compare counts as reached, and one character less does not', () => {
    const arn = (length: number) => `arn:aws:kms:eu-west-1:${ACCOUNT}:key/`.padEnd(length, 'a')
    const protect = [{ arn: `${arn(1_998)}?z`, what: 'a key' }]
    const times = COMPARED_MAX / (2_000 * 2_000)
    const many = (count: number) =>
      touching('kms:DisableKey', KEY, {
        resources: Array.from({ length: count }, (_, index) => ({
          ...(touching('kms:DisableKey', KEY).resources[0] as Resource),
          arn: `${arn(1_998)}${index}y`,
        })),
      })
    expect(limbs(many(times), protect)).toBeUndefined()
    expect(limbs(many(times + 1), protect)).toEqual([
      'too many names to tell which of them are protected',
    ])
  })
})

group('M8', () => {
  const outside = (action: Action) => guarded(action, { accounts: [ACCOUNT] }).outside
  const grant = (UserId: string) =>
    touching('ec2:ModifySnapshotAttribute', 'arn:aws:ec2:eu-west-1::snapshot/snap-1', {
      parameters: { CreateVolumePermission: { Add: [{ UserId }] } },
    })

  test('a grant to a foreign account is permissions, one to an own account is what it was', () => {
    expect(outside(grant(OTHER))).toEqual([OTHER])
    expect(guarded(grant(OTHER), { accounts: [ACCOUNT] }).effects).toContain('permissions')
    expect(outside(grant(ACCOUNT))).toBeUndefined()
    expect(guarded(grant(OTHER), { accounts: [ACCOUNT, OTHER] }).outside).toBeUndefined()
  })

  test('a change of a thing in a foreign account is one towards it', () => {
    expect(outside(touching('sqs:SendMessage', `arn:aws:sqs:eu-west-1:${OTHER}:q`))).toEqual([
      OTHER,
    ])
    expect(
      outside(touching('sqs:SendMessage', `arn:aws:sqs:eu-west-1:${ACCOUNT}:q`)),
    ).toBeUndefined()
  })

  test('everybody and nobody known are outside', () => {
    const acl = (ACL: string) =>
      touching('s3:PutObjectAcl', 'arn:aws:s3:::b/k', { parameters: { ACL } })
    expect(outside(acl('public-read'))).toEqual(['everybody'])
    expect(outside(acl('private'))).toBeUndefined()
  })
})

// The self-check on a made-up account: policies that fit the trail agree, each that does not is named. The
// rules are those of IAM's evaluation logic,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openTrail } from '../replay.ts'
import { readIamExport } from './iam-export.ts'
import { selfCheck } from './self-check.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-self-check-'))
afterAll(() => rmSync(folder, { recursive: true }))
const ROLE = 'arn:aws:iam::111122223333:role/deploy'

function exported(statements: readonly object[], more: object = {}): string {
  const path = join(folder, 'authz.json')
  const document = { Version: '2012-10-17', Statement: statements }
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' }],
  }
  writeFileSync(
    path,
    JSON.stringify({
      UserDetailList: [],
      GroupDetailList: [],
      Policies: [
        {
          Arn: 'arn:aws:iam::111122223333:policy/p',
          PolicyVersionList: [
            { IsDefaultVersion: true, Document: encodeURIComponent(JSON.stringify(document)) },
          ],
        },
      ],
      RoleDetailList: [
        {
          Arn: ROLE,
          AssumeRolePolicyDocument: trust,
          RolePolicyList: [],
          AttachedManagedPolicies: [{ PolicyArn: 'arn:aws:iam::111122223333:policy/p' }],
          ...more,
        },
      ],
    }),
  )
  return path
}

function event(name: string, tail: number, more: object = {}) {
  return {
    eventTime: '2025-12-15T09:00:00Z',
    eventID: `00000000-0000-4000-8000-00000000000${tail}`,
    eventType: 'AwsApiCall',
    eventSource: 'ec2.amazonaws.com',
    eventName: name,
    awsRegion: 'eu-west-1',
    recipientAccountId: '111122223333',
    requestParameters: { instancesSet: { items: [{ instanceId: 'i-0dbc91f429e48eeed' }] } },
    userIdentity: {
      type: 'AssumedRole',
      arn: 'arn:aws:sts::111122223333:assumed-role/deploy/s1',
      accountId: '111122223333',
      sessionContext: { sessionIssuer: { arn: ROLE, accountId: '111122223333' } },
    },
    ...more,
  }
}

async function check(statements: readonly object[], events: readonly object[], more?: object) {
  const trail = join(folder, 'trail.json')
  writeFileSync(trail, JSON.stringify({ Records: events }))
  const open = await openTrail([trail], { workers: 1 })
  try {
    return selfCheck(open.store, readIamExport(exported(statements, more)))
  } finally {
    open.close()
  }
}

const allow = (Action: string, more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource: '*',
  ...more,
})
const WORKED = event('TerminateInstances', 1)
const REFUSED = event('StopInstances', 2, { errorCode: 'Client.UnauthorizedOperation' })

test('what worked and is allowed, and what was refused and is not, agree for certain', async () => {
  const one = await check([allow('ec2:TerminateInstances')], [WORKED, REFUSED])
  expect(one).toMatchObject({ compared: 2, agreeing: 2, rate: 1, certain: 2, contradictions: [] })
})

test('what worked and is not allowed, and what was refused and is, are named', async () => {
  const one = await check([allow('ec2:StopInstances')], [WORKED, REFUSED])
  expect(one).toMatchObject({ compared: 2, agreeing: 0, rate: 0 })
  expect(one.contradictions).toMatchObject([
    {
      happened: 'worked',
      evaluates: 'deny',
      action: 'ec2:TerminateInstances',
      step: 'identity-policy',
    },
    { happened: 'refused', evaluates: 'allow', action: 'ec2:StopInstances' },
  ])
})

test('a condition on what the trail does not tell is unknown, and agrees with either', async () => {
  const vpc = { Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } }
  const one = await check([allow('ec2:*', vpc)], [WORKED, REFUSED])
  expect(one).toMatchObject({ compared: 2, agreeing: 2, certain: 0 })
})

test('a boundary holds; failures for other reasons, services and strangers are not compared', async () => {
  const events = [
    WORKED,
    event('StopInstances', 3, { errorCode: 'InvalidInstanceID.NotFound' }),
    event('StopInstances', 4, { userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::1:user/x' } }),
  ]
  const bounded = {
    PermissionsBoundary: { PermissionsBoundaryArn: 'arn:aws:iam::111122223333:policy/p' },
  }
  const one = await check([allow('ec2:Terminate*')], events, bounded)
  expect(one).toMatchObject({ compared: 1, agreeing: 1, notCompared: 2 })
})

test('an export that is cut, of another shape, or lacks a policy it names is refused by name', () => {
  const path = join(folder, 'bad.json')
  for (const text of [
    '{"UserDetailList": [',
    '[]',
    '{"UserDetailList":[],"GroupDetailList":[],"RoleDetailList":[]}',
  ]) {
    writeFileSync(path, text)
    expect(() => readIamExport(path)).toThrow(expect.objectContaining({ code: 'bad_export' }))
  }
  const lacking = exported([], {
    AttachedManagedPolicies: [{ PolicyArn: 'arn:aws:iam::aws:policy/Other' }],
  })
  expect(() => readIamExport(lacking)).toThrow(/not in the export/)
})

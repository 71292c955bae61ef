// The self-check on published exports of real accounts, BishopFox's iam-vulnerable among them: its users are named for the
// one thing that they may do, and the fp ones for why they may not. Who holds AdministratorAccess may do all.
// Source: https://github.com/BishopFox/iam-vulnerable (README, "Supported Privilege Escalation Paths"), as exported in
// https://github.com/salesforce/cloudsplaining (examples/files/example.json).

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openTrail } from '../replay.ts'
import { readIamExport } from './iam-export.ts'
import { selfCheck } from './self-check.ts'

const EXPORTS = join(import.meta.dirname, '../../../../../shared/data/iam')
const LAB = join(EXPORTS, 'cloudsplaining-example.json')
const SMALL = join(EXPORTS, 'cloudsplaining-example-authz-details.json')
const ACCOUNT = '200611803367'
const folder = mkdtempSync(join(tmpdir(), 'seconder-published-export-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Told {
  readonly user: string
  readonly account?: string
  readonly call: string
  readonly parameters?: object
  readonly refused?: boolean
}

async function check(path: string, told: readonly Told[]) {
  const records = told.map(({ user, account = ACCOUNT, call, parameters, refused }, index) => {
    const [service, eventName] = call.split(':')
    return {
      eventTime: '2025-12-15T09:00:00Z',
      eventID: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      eventType: 'AwsApiCall',
      eventSource: `${service}.amazonaws.com`,
      eventName,
      awsRegion: 'us-east-1',
      recipientAccountId: account,
      requestParameters: parameters ?? {},
      userIdentity: {
        type: 'IAMUser',
        arn: `arn:aws:iam::${account}:user/${user}`,
        accountId: account,
      },
      ...(refused && { errorCode: 'AccessDenied' }),
    }
  })
  const trail = join(folder, 'trail.json')
  writeFileSync(trail, JSON.stringify({ Records: records }))
  const open = await openTrail([trail], { workers: 1 })
  try {
    return selfCheck(open.store, readIamExport(path))
  } finally {
    open.close()
  }
}

const INSTANCES = { instancesSet: { items: [{ instanceId: 'i-0dbc91f429e48eeed' }] } }
const TERMINATE = { call: 'ec2:TerminateInstances', parameters: INSTANCES }

/** What each is named for. */
const NAMED: readonly Told[] = [
  {
    user: 'privesc-CloudFormationUpdateStack-user',
    call: 'cloudformation:UpdateStack',
    parameters: { stackName: 's' },
  },
  {
    user: 'privesc1-CreateNewPolicyVersion-user',
    call: 'iam:CreatePolicyVersion',
    parameters: { policyArn: `arn:aws:iam::${ACCOUNT}:policy/p`, setAsDefault: true },
  },
  {
    user: 'privesc4-CreateAccessKey-user',
    call: 'iam:CreateAccessKey',
    parameters: { userName: 'u' },
  },
  {
    user: 'privesc5-CreateLoginProfile-user',
    call: 'iam:CreateLoginProfile',
    parameters: { userName: 'u' },
  },
  {
    user: 'privesc7-AttachUserPolicy-user',
    call: 'iam:AttachUserPolicy',
    parameters: { userName: 'u', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
  },
  {
    user: 'privesc13-AddUserToGroup-user',
    call: 'iam:AddUserToGroup',
    parameters: { userName: 'u', groupName: 'g' },
  },
]

describe.skipIf(!existsSync(LAB))('skipped where the shared data is not there', () => {
  test('what each user is named for worked, and nothing else did: all agree', async () => {
    const refused = NAMED.map(({ user }) => ({ user, ...TERMINATE, refused: true }))
    const one = await check(LAB, [...NAMED, ...refused])
    expect(one.contradictions).toEqual([])
    expect(one).toMatchObject({ compared: NAMED.length * 2, agreeing: NAMED.length * 2, rate: 1 })
    expect(one.certain).toBeGreaterThanOrEqual(refused.length)
  })

  test('the other way round: what nobody may worked, what they may for certain was refused; each is named', async () => {
    const worked = NAMED.map(({ user }) => ({ user, ...TERMINATE }))
    const one = await check(LAB, worked)
    expect(one).toMatchObject({ compared: NAMED.length, agreeing: 0, rate: 0 })
    expect(one.contradictions.map(({ evaluates }) => evaluates)).toEqual(NAMED.map(() => 'deny'))
  })

  test('a deny beats an allow, in one policy and over two', async () => {
    const users = ['fp1-allow-and-deny-user', 'fp2-allow-and-deny-multiple-policies-user']
    const call = { call: 'iam:CreateUser', parameters: { userName: 'u' } }
    const refused = users.map((user) => ({ user, ...call, refused: true }))
    expect(await check(LAB, refused)).toMatchObject({ compared: 2, agreeing: 2 })
    const worked = users.map((user) => ({ user, ...call }))
    expect(await check(LAB, worked)).toMatchObject({ compared: 2, agreeing: 0 })
  })

  test('an administrator may, by a policy of their own and by their group', async () => {
    const account = '012345678901'
    const users = ['obama', 'userwithlotsofpermissions']
    const worked = users.map((user) => ({ user, account, ...TERMINATE }))
    expect(await check(SMALL, worked)).toMatchObject({ compared: 2, agreeing: 2, certain: 2 })
    const refused = worked.map((one) => ({ ...one, refused: true }))
    expect(await check(SMALL, refused)).toMatchObject({ compared: 2, agreeing: 0 })
    const biden = { user: 'biden', account, ...TERMINATE }
    expect(await check(SMALL, [biden])).toMatchObject({ compared: 1, agreeing: 0 })
  })
})

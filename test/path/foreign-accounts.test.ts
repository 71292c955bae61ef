// M8 and M13 on the whole path, under the default policies and a clock of the machine: what reaches a foreign
// account, everybody, or the gate's own limbs waits for two people even in development, where the same call
// within the own accounts does not, and nothing of it is sent before.
import { afterAll, beforeAll, beforeEach, expect, describe as group, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { queryCall, type RawCall, rawCall } from './wire.ts'

const OTHER = '999999999999'
const TWO = /needs review by 2 people, among them 1 of sre/

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({
    upstream: upstream.url,
    policies: 'policies',
    isolation: () => 'user',
    roleReach: { [`arn:aws:iam::${ACCOUNT}:role/worker`]: ['development'] },
    environments: [
      {
        name: 'development',
        accounts: [ACCOUNT],
        arns: ['arn:aws:s3:::dev-*', `arn:aws:*:*:${ACCOUNT}:*`, 'arn:aws:ec2:*::*'],
        mode: 'observe',
      },
    ],
  })
  keys = await gate.open('alice')
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

beforeEach(() => {
  upstream.seen.length = 0
  // S3 says whose a bucket is: only those named dev- are the caller's here.
  upstream.script = ({ request }) =>
    request.method === 'HEAD' && !request.target.startsWith('/dev-')
      ? { status: 403, body: '' }
      : { status: 200, body: '{}' }
})

/** Calls that change something; look-ups are no part of it. */
const changes = () =>
  upstream.seen.filter(({ operation }) => !/^(GET|HEAD) |^(Get|List|Describe)/.test(operation))

const ec2 = (Action: string, fields: Record<string, string>) =>
  queryCall('ec2', { Action, Version: '2016-11-15', ...fields })
const iam = (Action: string, fields: Record<string, string>) =>
  queryCall('iam', { Action, Version: '2010-05-08', ...fields }, { region: 'us-east-1' })
const s3 = (method: string, target: string, more: Partial<RawCall> = {}): RawCall => ({
  service: 's3',
  method,
  target,
  ...more,
})
const json = (service: string, target: string, input: unknown): RawCall => ({
  service,
  headers: [
    ['content-type', 'application/x-amz-json-1.1'],
    ['x-amz-target', target],
  ],
  body: JSON.stringify(input),
})
const lambdaPermission = (Principal: string): RawCall => ({
  service: 'lambda',
  target: '/2015-03-31/functions/f/policy',
  headers: [['content-type', 'application/json']],
  body: JSON.stringify({ StatementId: 's', Action: 'lambda:InvokeFunction', Principal }),
})
const policyFor = (AWS: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: '*', Resource: '*' }],
  })

group('M8', () => {
  test.each<[string, (account: string) => RawCall]>([
    [
      'a snapshot is shared',
      (account) =>
        ec2('ModifySnapshotAttribute', {
          SnapshotId: 'snap-0123456789abcdef0',
          Attribute: 'createVolumePermission',
          OperationType: 'add',
          'UserId.1': account,
        }),
    ],
    [
      'an image is shared',
      (account) =>
        ec2('ModifyImageAttribute', {
          ImageId: 'ami-0123456789abcdef0',
          'LaunchPermission.Add.1.UserId': account,
        }),
    ],
    [
      'a bucket is opened by its policy',
      (account) =>
        s3('PUT', '/dev-files?policy', { body: policyFor(`arn:aws:iam::${account}:root`) }),
    ],
    ['a function may be invoked', lambdaPermission],
    [
      'a role is trusted to it',
      (account) =>
        iam('UpdateAssumeRolePolicy', {
          RoleName: 'worker',
          PolicyDocument: policyFor(account),
        }),
    ],
    [
      'a key is granted',
      (account) =>
        json('kms', 'TrentService.CreateGrant', {
          KeyId: `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
          GranteePrincipal: `arn:aws:iam::${account}:role/reader`,
          Operations: ['Decrypt'],
        }),
    ],
  ])('%s: two people for a foreign account, one for an own', async (_, callFor) => {
    const foreign = await rawCall(keys, callFor(OTHER))
    expect(foreign.body).toMatch(TWO)
    const own = await rawCall(keys, callFor(ACCOUNT))
    // Observing development lets it pass, or asks one person where the environment is not certain.
    expect(own.body).not.toMatch(TWO)
    expect(changes().length).toBeLessThanOrEqual(own.status === 200 ? 1 : 0)
  })

  test('an object put into a bucket that nobody proved is production and unresolved', async () => {
    const answer = await rawCall(keys, s3('PUT', '/attackers-bucket/dump', { body: 'all of it' }))
    expect(answer.body).toMatch(/in production needs review/)
    expect(changes()).toEqual([])
    const { requests } = await gate.client.get<{ requests: { requestId: string }[] }>(
      '/api/requests?state=pending',
    )
    const full = await gate.client.get<{ document: string }>(
      `/api/requests/${requests[0]?.requestId}`,
    )
    const { evidence } = JSON.parse(full.document)
    expect(evidence.binding.owners).toEqual([{ bucket: 'attackers-bucket', account: null }])
    expect(evidence.couldNotLook.join()).toMatch(/could not prove whose bucket `attackers-bucket`/)
  })

  test('an object copied out is held as well; into a bucket of the own it is sent', async () => {
    const copy = (target: string) =>
      s3('PUT', target, { headers: [['x-amz-copy-source', '/dev-files/a']] })
    const out = await rawCall(keys, copy('/attackers-bucket/a'))
    expect(out.body).toMatch(/production needs review/)
    expect(changes()).toEqual([])
    await rawCall(keys, copy('/dev-files/b'))
    expect(changes().map(({ operation }) => operation)).toEqual(['PUT /dev-files/b'])
  })

  test('a table exported to a bucket that nobody proved is held; to one of the own it is sent', async () => {
    const exported = (S3Bucket: string) =>
      json('dynamodb', 'DynamoDB_20120810.ExportTableToPointInTime', {
        TableArn: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`,
        S3Bucket,
      })
    const out = await rawCall(keys, exported('attackers-bucket'))
    // The agent hears of the environment it named, never of what was looked up (M6).
    expect(out.body).toMatch(/needs review/)
    expect(changes()).toEqual([])
    await rawCall(keys, exported('dev-files'))
    expect(changes().map(({ operation }) => operation)).toEqual(['ExportTableToPointInTime'])
  })

  test('an object that the caller says belongs to another account is a change towards it', async () => {
    const put = s3('PUT', '/dev-files/a', {
      headers: [['x-amz-expected-bucket-owner', OTHER]],
      body: 'x',
    })
    expect((await rawCall(keys, put)).body).toMatch(TWO)
    expect(changes()).toEqual([])
  })
})

group('M13', () => {
  test("the session's role may not be edited by one person, nor by observing", async () => {
    const attach = (RoleName: string) =>
      iam('AttachRolePolicy', {
        RoleName,
        PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
      })
    expect((await rawCall(keys, attach('agent-deploy'))).body).toMatch(TWO)
    expect(changes()).toEqual([])
    expect((await rawCall(keys, attach('worker'))).body).not.toMatch(TWO)
  })

  test('a change in IAM that names nothing may be one of the gate', async () => {
    const answer = await rawCall(keys, iam('DeleteAccountPasswordPolicy', {}))
    expect(answer.body).toMatch(TWO)
    expect(changes()).toEqual([])
  })

  test('the list is part of the epoch, and of the record of it', async () => {
    const entries = await gate.entries()
    const epoch = entries.find(({ type }) => type === 'epoch-activated')
    const content = JSON.parse(await gate.running.gate.recorder.payload(String(epoch?.['content'])))
    expect(content.protect).toContainEqual({
      arn: `arn:aws:iam::${ACCOUNT}:role/agent-deploy`,
      what: 'the role deploy',
    })
    expect(content.ownAccounts).toEqual([ACCOUNT])
  })
})

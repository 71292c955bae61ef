// What a call's parameters hold, under which names, and what is masked, left out or bound by hash.

import { createHash } from 'node:crypto'
import { encode } from 'cborg'
import { expect, test } from 'vitest'
import type { Call } from './call.ts'
import { describeCall } from './describe-call.ts'

function describe(
  service: string,
  line: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array = '',
): Call {
  const [method = '', target = ''] = line.split(' ')
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const request = { method, target, headers: Object.entries(headers), body: bytes }
  return describeCall(request, { service, region: 'us-east-1' }, { account: '123456789012' })
}

const json = (service: string, target: string, body: object): Call =>
  describe(
    service,
    'POST /',
    { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    JSON.stringify(body),
  )
const form = (service: string, body: string): Call =>
  describe(service, 'POST /', { 'content-type': 'application/x-www-form-urlencoded' }, body)
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

test('a query form becomes members, lists and maps under model names', () => {
  const call = form(
    'cloudformation',
    'Action=CreateStack&Version=2010-05-15&StackName=web&Parameters.member.1.ParameterKey=a' +
      '&Parameters.member.1.ParameterValue=b&DisableRollback=true&TimeoutInMinutes=5&Capabilities=',
  )
  expect(plain(call.parameters)).toEqual({
    StackName: 'web',
    Parameters: [{ ParameterKey: 'a', ParameterValue: 'b' }],
    DisableRollback: true,
    TimeoutInMinutes: 5,
    Capabilities: [],
  })
})

test('an EC2 form becomes members under model names, without its token', () => {
  const call = form(
    'ec2',
    'Action=RunInstances&Version=2016-11-15&ImageId=ami-0aaaaaaaaaaaaaaa1&MinCount=1&MaxCount=2' +
      '&SecurityGroupId.1=sg-0aaaaaaaaaaaaaaa1&ClientToken=abc&UserData=IyEvYmluL3No',
  )
  expect(plain(call.parameters)).toEqual({
    ImageId: 'ami-0aaaaaaaaaaaaaaa1',
    MinCount: 1,
    MaxCount: 2,
    SecurityGroupIds: ['sg-0aaaaaaaaaaaaaaa1'],
    UserData: 'IyEvYmluL3No',
  })
  expect(call.maskedPointers).toEqual([])
})

test('a token that is the version of a secret stays, one that only makes a retry safe goes', () => {
  const put = json('secretsmanager', 'secretsmanager.PutSecretValue', {
    SecretId: 'db',
    SecretString: 's3cret',
    ClientRequestToken: 'v1',
  })
  expect(put.parameters['ClientRequestToken']).toBe('v1')
  expect(put.maskedPointers).toEqual(['/SecretString'])
  const write = json('dynamodb', 'DynamoDB_20120810.TransactWriteItems', {
    ClientRequestToken: 'r1',
    TransactItems: [],
  })
  expect(write.parameters['ClientRequestToken']).toBeUndefined()
})

test('passwords are masked, code and environment never', () => {
  const db = form(
    'rds',
    'Action=ModifyDBInstance&Version=2014-10-31&DBInstanceIdentifier=pg&MasterUserPassword=x',
  )
  expect(db.maskedPointers).toEqual(['/MasterUserPassword'])
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({
    FunctionName: 'f',
    Role: 'arn:aws:iam::123456789012:role/r',
    Code: { ZipFile: 'UEsDBA==' },
    Environment: { Variables: { Password: 'x' } },
  })
  const call = describe('lambda', 'POST /2015-03-31/functions', headers, body)
  expect(call.maskedPointers).toEqual([])
  expect(call.iamActions).toEqual(['lambda:CreateFunction', 'iam:PassRole'])
})

test('an object body is bound by the hash of the decoded payload', () => {
  const host = { host: 'b-reports.s3.us-east-1.amazonaws.com' }
  const whole = describe('s3', 'PUT /a', host, 'hello')
  expect(plain(whole.parameters['Body'])).toEqual({ sha256: sha256('hello'), bytes: 5 })
  const chunked = { ...host, 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }
  const framed = '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n'
  expect(describe('s3', 'PUT /a', chunked, framed).parameters['Body']).toEqual(
    whole.parameters['Body'],
  )
  expect(() => describe('s3', 'PUT /a', chunked, '5\r\nhel')).toThrow('framing')
})

test('bucket and key are the same by host and by path', () => {
  const byHost = describe('s3', 'DELETE /x/y', { host: 'b-reports.s3.eu-west-1.amazonaws.com' })
  const byPath = describe('s3', 'DELETE /b-reports/x/y', { host: '127.0.0.1:8787' })
  expect(byHost.parameters).toEqual(byPath.parameters)
  expect(byHost.resources).toEqual([
    { arn: 'arn:aws:s3:::b-reports/x/y', type: 'object', resolved: true },
  ])
})

test('a lock date and a precondition stay in the parameters', () => {
  const call = describe('s3', 'PUT /b-reports/a', {
    'x-amz-object-lock-retain-until-date': '2030-01-01T00:00:00Z',
    'x-amz-object-lock-mode': 'COMPLIANCE',
    'if-none-match': '*',
    'x-amz-date': '20261123T000000Z',
    'amz-sdk-invocation-id': 'x',
    'x-amz-meta-team': 'sre',
  })
  expect(plain(call.parameters)).toMatchObject({
    ObjectLockRetainUntilDate: '2030-01-01T00:00:00Z',
    IfNoneMatch: '*',
    Metadata: { team: 'sre' },
  })
  expect(Object.keys(call.parameters).join()).not.toMatch(/date|invocation/)
  expect(call.iamActions).toContain('s3:PutObjectRetention')
})

test('CBOR, JSON and a form of one alarm give the same members', () => {
  const members = { AlarmName: 'a', EvaluationPeriods: 1, Threshold: 1.5 }
  const asJson = json('monitoring', 'GraniteServiceVersion20100801.PutMetricAlarm', members)
  const asForm = form(
    'monitoring',
    'Action=PutMetricAlarm&Version=2010-08-01&AlarmName=a&EvaluationPeriods=1&Threshold=1.5',
  )
  const asCbor = describe(
    'monitoring',
    'POST /service/GraniteServiceVersion20100801/operation/PutMetricAlarm',
    { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
    encode(members),
  )
  expect(asJson.parameters).toEqual(asForm.parameters)
  expect(asCbor.parameters).toEqual(asForm.parameters)
  expect(new Set([asJson, asForm, asCbor].map((call) => call.protocol)).size).toBe(3)
})

test('what an answer gives away is said before it is asked for', () => {
  const parameter = (decrypt: boolean): Call =>
    json('ssm', 'AmazonSSM.GetParameter', { Name: '/a', WithDecryption: decrypt })
  expect(parameter(true).reveals).toBe('secret')
  expect(parameter(false).reveals).toBe('data')
  const key = form('iam', 'Action=CreateAccessKey&Version=2010-05-08&UserName=u')
  expect(key.reveals).toBe('credential')
  expect(form('iam', 'Action=DeleteUser&Version=2010-05-08&UserName=u').reveals).toBe('nothing')
  const role = 'Action=AssumeRole&Version=2011-06-15&RoleSessionName=s&RoleArn=x'
  expect(form('sts', role).reveals).toBe('credential')
})

test('an ARN variable is never filled from a member that is not listed or not plain', () => {
  const names = ['a*', '$' + '{x}', 'a b', 'arn:aws:iam::123456789012:user/other']
  for (const name of names) {
    const call = form(
      'iam',
      `Action=DeleteRole&Version=2010-05-08&RoleName=${encodeURIComponent(name)}`,
    )
    expect(call.resources, name).toEqual([{ arn: '*', type: 'role', resolved: false }])
  }
  const alias = json('kms', 'TrentService.DisableKey', { KeyId: 'alias/prod' })
  expect(alias.resources).toEqual([{ arn: '*', type: 'key', resolved: false }])
  const policy = json('organizations', 'AWSOrganizationsV20161128.DeletePolicy', {
    PolicyId: 'p-12345678',
  })
  expect(policy.resources.every((resource) => resource.arn === '*')).toBe(true)
})

test('a queue, function or secret of another account is not taken for one of ours', () => {
  const url = 'https://sqs.us-east-1.amazonaws.com/999999999999/jobs'
  const queue = json('sqs', 'AmazonSQS.PurgeQueue', { QueueUrl: url })
  expect(queue.resources.every((resource) => !resource.resolved)).toBe(true)
  const route = 'DELETE /2015-03-31/functions/999999999999%3Afunction%3Ajob'
  const job = describe('lambda', route, {})
  expect(job.resources.every((resource) => !resource.resolved)).toBe(true)
})

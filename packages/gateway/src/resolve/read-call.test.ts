import { expect, test } from 'vitest'
import { actingCall, formCall, functionCall } from './acting-reads.ts'
import { ResolveError } from './errors.ts'
import { assertRead, cloudformationCall, dynamodbCall, s3Call } from './read-call.ts'
import type { UpstreamCall } from './upstream.ts'

const encoder = new TextEncoder()
const DESCRIBE = dynamodbCall('eu-west-1', 'DescribeTable', { TableName: 'orders' })
const STACKS = cloudformationCall('eu-west-1', 'DescribeStacks', { StackName: 'shop' })
const VERSIONING = s3Call('eu-west-1', 'GET', 'reports', null, [['versioning', '']])
const HEAD = s3Call('eu-west-1', 'HEAD', 'reports', 'a b/ü+(1).csv', [['versionId', 'x/y=']])

function refused(call: UpstreamCall): string {
  try {
    assertRead(call)
  } catch (error) {
    if (error instanceof ResolveError) return error.code
    throw error
  }
  return 'passed'
}

test('the reads that resolve builds pass', () => {
  for (const call of [DESCRIBE, STACKS, VERSIONING, HEAD]) expect(refused(call)).toBe('passed')
})

test('an object key is percent-encoded once, its slashes kept', () => {
  expect(HEAD.target).toBe('/reports/a%20b/%C3%BC%2B%281%29.csv?versionId=x%2Fy%3D')
})

test('no write of DynamoDB passes, nor a target in another dress', () => {
  const target = (value: string): UpstreamCall => ({
    ...DESCRIBE,
    headers: [
      ['content-type', 'application/x-amz-json-1.0'],
      ['x-amz-target', value],
    ],
  })
  expect(refused(target('DynamoDB_20120810.DescribeTable'))).toBe('passed')
  expect(refused(target('DynamoDB_20120810.DeleteTable'))).toBe('not_a_read')
  expect(refused(target('DynamoDB_20111205.DescribeTable'))).toBe('not_a_read')
  expect(refused(target('DynamoDB_20120810.DescribeTable '))).toBe('not_a_read')
  expect(refused({ ...DESCRIBE, headers: [...DESCRIBE.headers, ['x-amz-target', 'x']] })).toBe(
    'not_a_read',
  )
  expect(refused({ ...DESCRIBE, target: '/?Action=DeleteTable' })).toBe('not_a_read')
})

test('no write of CloudFormation passes, nor a second Action beside a read', () => {
  const body = (text: string): UpstreamCall => ({ ...STACKS, body: encoder.encode(text) })
  expect(refused(body('Action=DescribeStacks&Version=2010-05-15'))).toBe('passed')
  expect(refused(body('Action=DeleteStack&Version=2010-05-15&StackName=shop'))).toBe('not_a_read')
  expect(refused(body('Action=DescribeStacks&Version=2010-05-15&Action=DeleteStack'))).toBe(
    'not_a_read',
  )
  expect(refused(body('Action=DescribeStacks'))).toBe('not_a_read')
  expect(refused({ ...STACKS, method: 'GET' })).toBe('not_a_read')
  expect(refused({ ...STACKS, target: '/?Action=DeleteStack' })).toBe('not_a_read')
})

test('of S3 only the listed queries pass, alone, once, without headers or body', () => {
  const target = (text: string): UpstreamCall => ({ ...VERSIONING, target: text })
  expect(refused(target('/reports?versioning'))).toBe('passed')
  expect(refused(target('/reports?list-type=2&max-keys=1000'))).toBe('passed')
  for (const text of [
    '/reports',
    '/',
    '/reports?versioning&lifecycle',
    '/reports?versioning&versioning',
    '/reports?policy',
    '/reports?max-keys=1000&list-type=2',
    '/reports?delete',
    '/reports/key',
    '/reports/key?versioning',
  ]) {
    expect([text, refused(target(text))]).toEqual([text, 'not_a_read'])
  }
  expect(refused({ ...VERSIONING, body: encoder.encode('x') })).toBe('not_a_read')
  expect(refused({ ...VERSIONING, headers: [['x-amz-copy-source', 'a/b']] })).toBe('not_a_read')
  expect(refused({ ...HEAD, method: 'GET' })).toBe('not_a_read')
  expect(refused({ ...VERSIONING, method: 'POST' })).toBe('not_a_read')
})

test('a service that is not looked at passes nothing', () => {
  expect(refused({ ...DESCRIBE, service: 'iam' })).toBe('not_a_read')
  expect(refused({ ...DESCRIBE, service: 'constructor' })).toBe('not_a_read')
})

test('of what acts for others only the listed reads pass, in their own form', () => {
  const get = functionCall('eu-west-1', 'resize', 'live')
  const project = actingCall('eu-west-1', 'codebuild:BatchGetProjects', { names: ['p'] })
  const profile = formCall('us-east-1', 'iam:GetInstanceProfile', { InstanceProfileName: 'web' })
  for (const call of [get, project, profile]) expect(refused(call)).toBe('passed')
  expect(refused({ ...get, method: 'POST' })).toBe('not_a_read')
  expect(refused({ ...get, target: '/2015-03-31/functions/resize/code' })).toBe('not_a_read')
  expect(refused({ ...get, target: `${get.target}&Action=x` })).toBe('not_a_read')
  expect(refused({ ...project, service: 'codepipeline' })).toBe('not_a_read')
  const start: UpstreamCall['headers'] = [
    ['content-type', 'application/x-amz-json-1.1'],
    ['x-amz-target', 'CodeBuild_20161006.StartBuild'],
  ]
  expect(refused({ ...project, headers: start })).toBe('not_a_read')
  const body = (text: string) => ({ ...profile, body: encoder.encode(text) })
  expect(refused(body('Action=DeleteInstanceProfile&Version=2010-05-08'))).toBe('not_a_read')
  expect(refused(body('Action=GetInstanceProfile&Action=DeleteRole&Version=2010-05-08'))).toBe(
    'not_a_read',
  )
  expect(refused({ ...profile, service: 'ec2' })).toBe('not_a_read')
})

test('a body passes at 64 KiB and not one byte past it', () => {
  const text = 'Action=DescribeStacks&Version=2010-05-15&StackName='
  const sized = (bytes: number): UpstreamCall => ({
    ...STACKS,
    body: encoder.encode(text.padEnd(bytes, 'x')),
  })
  expect(refused(sized(64 * 1024))).toBe('passed')
  expect(refused(sized(64 * 1024 + 1))).toBe('not_a_read')
})

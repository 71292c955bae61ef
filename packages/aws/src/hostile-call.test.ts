// Requests that two readers could read in two ways, or that are made to break a reader: each is
// refused by name, and its harmless twin is described (redteam H1, H12, L4, C9).

import { expect, test } from 'vitest'
import type { Call } from './call.ts'
import { CallError, type CallErrorCode } from './call-errors.ts'
import { describeCall } from './describe-call.ts'
import { XML_DEPTH_MAX } from './xml/xml-tree.ts'

type Headers = Readonly<Record<string, string>>

function describe(
  service: string,
  line: string,
  headers: Headers | readonly (readonly [string, string])[] = {},
  body: string | Uint8Array = '',
): Call {
  const [method = '', target = ''] = line.split(' ')
  const list = Array.isArray(headers)
    ? (headers as readonly (readonly [string, string])[])
    : Object.entries(headers as Headers)
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const request = { method, target, headers: list, body: bytes }
  return describeCall(request, { service, region: 'us-east-1' }, { account: '123456789012' })
}

function codeOf(run: () => Call): CallErrorCode | 'described' {
  try {
    run()
    return 'described'
  } catch (error) {
    if (error instanceof CallError) return error.code
    throw error
  }
}

const JSON10 = { 'content-type': 'application/x-amz-json-1.0' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const target = (name: string): Headers => ({
  ...JSON10,
  'x-amz-target': `DynamoDB_20120810.${name}`,
})
const iam = (body: string): Call => describe('iam', 'POST /', FORM, `${body}&Version=2010-05-08`)
const path =
  (route: string, headers: Headers = {}): (() => Call) =>
  () =>
    describe('s3', route, { host: 's3.us-east-1.amazonaws.com', ...headers })

test('one operation signal is described', () => {
  const call = describe('dynamodb', 'POST /', target('DescribeTable'), '{"TableName":"t"}')
  expect(call.operation).toBe('dynamodb:DescribeTable')
  expect(iam('Action=DeleteUser&UserName=bob').operation).toBe('iam:DeleteUser')
})

test('two operation signals are refused', () => {
  const both = { ...target('DescribeTable'), ...FORM }
  const signals: [string, () => Call][] = [
    [
      'target and query action',
      () => describe('dynamodb', 'POST /?Action=DeleteTable', target('DescribeTable'), '{}'),
    ],
    [
      'target and form action',
      () => describe('iam', 'POST /', both, 'Action=DeleteUser&Version=2010-05-08'),
    ],
    [
      'form and query action',
      () => describe('iam', 'POST /?Action=GetUser', FORM, 'Action=DeleteUser&Version=2010-05-08'),
    ],
    [
      'query action and a form under another content type',
      () =>
        describe(
          'iam',
          'POST /?Action=GetRole&Version=2010-05-08&RoleName=worker',
          { 'content-type': "application/x-www-form-urlencode'" },
          'Action=CreateAccessKey&Version=2010-05-08&UserName=root',
        ),
    ],
    ['an action in capitals', path('GET /orders?list-type=2&ACTION=DeleteTopic')],
    ['two sub-resources', path('GET /bucket?acl&policy')],
    ['x-id against the path', path('DELETE /bucket/key?x-id=GetObject')],
  ]
  for (const [name, run] of signals) {
    expect(['ambiguous_operation', 'unknown_member'], name).toContain(codeOf(run))
  }
})

test('what is there twice is refused', () => {
  const twice: [string, () => Call][] = [
    [
      'header',
      () =>
        describe(
          'dynamodb',
          'POST /',
          [
            ...Object.entries(target('DeleteTable')),
            ['X-Amz-Target', 'DynamoDB_20120810.DescribeTable'],
          ],
          '{}',
        ),
    ],
    [
      'json key',
      () =>
        describe('dynamodb', 'POST /', target('DeleteTable'), '{"TableName":"a","TableName":"b"}'),
    ],
    ['form key', () => iam('Action=DeleteUser&UserName=a&UserName=b')],
    ['form action', () => iam('Action=DeleteUser&Action=GetUser&UserName=a')],
    ['query key', path('DELETE /bucket/key?versionId=1&versionId=2')],
    [
      'xml member',
      () =>
        describe(
          's3',
          'PUT /bucket?versioning',
          { host: 's3.amazonaws.com' },
          `<VersioningConfiguration>${'<Status>Enabled</Status>'.repeat(2)}</VersioningConfiguration>`,
        ),
    ],
  ]
  for (const [name, run] of twice) expect(codeOf(run), name).toBe('repeated_member')
})

test('what no model knows is refused on a write and ignored on a read', () => {
  const strangers: [() => Call, () => Call][] = [
    [
      path('PUT /bucket/key', { 'x-amz-unknown': '1' }),
      path('GET /bucket/key', { 'x-amz-unknown': '1' }),
    ],
    [path('DELETE /bucket/key?unknown'), path('GET /bucket/key?unknown')],
    [
      () => describe('dynamodb', 'POST /', target('DeleteTable'), '{"TableName":"t","New":1}'),
      () => describe('dynamodb', 'POST /', target('DescribeTable'), '{"TableName":"t","New":1}'),
    ],
    [() => iam('Action=DeleteUser&UserName=a&New=1'), () => iam('Action=GetUser&UserName=a&New=1')],
  ]
  for (const [write, read] of strangers) {
    expect(codeOf(write)).toBe('unknown_member')
    expect(codeOf(read)).toBe('described')
    expect(JSON.stringify(read().parameters)).not.toMatch(/unknown|New/)
  }
})

test('an unknown service, target, action, version or route is refused', () => {
  expect(codeOf(() => describe('nothing', 'POST /'))).toBe('unknown_service')
  expect(codeOf(() => describe('__proto__', 'POST /'))).toBe('unknown_service')
  expect(codeOf(() => describe('dynamodb', 'POST /', target('Nothing'), '{}'))).toBe(
    'unknown_operation',
  )
  expect(codeOf(() => describe('dynamodb', 'POST /', target('constructor'), '{}'))).toBe(
    'unknown_operation',
  )
  const old = { ...JSON10, 'x-amz-target': 'DynamoDB_20990101.DeleteTable' }
  expect(codeOf(() => describe('dynamodb', 'POST /', old, '{}'))).toBe('unknown_operation')
  expect(codeOf(() => describe('iam', 'POST /', FORM, 'Action=GetUser&Version=1999-01-01'))).toBe(
    'unknown_operation',
  )
  expect(codeOf(() => describe('lambda', 'DELETE /nowhere'))).toBe('unknown_operation')
})

test('a target in the query is a second name for the operation, whatever its case', () => {
  const headers = { ...JSON10, 'x-amz-target': 'DynamoDB_20120810.ListTables' }
  for (const key of ['X-Amz-Target', 'x-amz-target']) {
    const line = `POST /?${key}=DynamoDB_20120810.DeleteTable`
    expect(codeOf(() => describe('dynamodb', line, headers, '{}'))).toBe('ambiguous_operation')
  }
  expect(codeOf(() => describe('dynamodb', 'POST /', headers, '{}'))).toBe('described')
})

test('a path or query with two readings is refused', () => {
  for (const line of [
    'DELETE /bucket/../other/key',
    'DELETE /bucket/%2e%2e/key',
    'DELETE /buck%2Fet/key',
    'DELETE /o%2e%2erders/key',
    'GET /%62ucket',
    'DELETE /bucket/a+b',
    'DELETE /bucket/%zz',
    'DELETE /bucket/%ff',
    'DELETE http://x/bucket/key',
    'DELETE /bucket/key?versionId=a+b',
  ]) {
    expect(codeOf(path(line)), line).toBe('malformed_target')
  }
  expect(codeOf(path('DELETE /bucket/a%2Bb'))).toBe('described')
  expect(codeOf(() => describe('lambda', 'DELETE /2015-03-31//functions/job'))).toBe(
    'malformed_target',
  )
  const stages = (end: string) => () => describe('apigateway', `GET /restapis/abc/stages${end}`)
  expect(codeOf(stages(''))).toBe('described')
  expect(codeOf(stages('/'))).toBe('malformed_target')
  // The models of Lambda have the slash: the newer and the older form are one call.
  for (const end of ['', '/']) {
    expect(codeOf(() => describe('lambda', `GET /2015-03-31/functions${end}`))).toBe('described')
  }
})

test('a byte that only some take for white space is part of the value', () => {
  const odd = (name: string) => () => describe('dynamodb', 'POST /', target(name), '{}')
  for (const name of ['ListTables\u00a0', 'ListTables\u2003', 'ListTables\ufeff']) {
    expect(codeOf(odd(name)), JSON.stringify(name)).toBe('unknown_operation')
  }
  expect(codeOf(odd('ListTables \t'))).toBe('described')
  const form = '\u00a0Action=GetUser&Version=2010-05-08'
  expect(codeOf(() => describe('iam', 'POST /', FORM, form))).toBe('malformed_body')
})

test('a CBOR timestamp is a number', () => {
  // {"a": 1("x")}, tag 1 around a text. Source: RFC 8949 section 3.4.2
  const bytes = Buffer.from('a16161c16178', 'hex')
  const headers = { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' }
  const path = 'POST /service/GraniteServiceVersion20100801/operation/PutMetricData'
  expect(codeOf(() => describe('monitoring', path, headers, bytes))).toBe('malformed_body')
})

const put =
  (xml: string): (() => Call) =>
  () =>
    describe('s3', 'PUT /bucket?versioning', { host: 's3.amazonaws.com' }, xml)

test('XML with a DTD, an entity or a processing instruction is refused before parsing', () => {
  const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
  expect(codeOf(put(body))).toBe('described')
  expect(codeOf(put(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`))).toBe('described')
  for (const xml of [
    `<!DOCTYPE x [<!ENTITY a "b">]>${body}`,
    `<?xml-stylesheet href="x"?>${body}`,
    '<VersioningConfiguration><Status>&a;</Status></VersioningConfiguration>',
    '<VersioningConfiguration><Status>Enabled</VersioningConfiguration>',
    '<Other><Status>Enabled</Status></Other>',
  ]) {
    expect(codeOf(put(xml)), xml).toBe('malformed_body')
  }
})

test('a path beside an action names a queue or is refused', () => {
  const purge =
    (route: string, url: string): (() => Call) =>
    () =>
      describe('sqs', `POST ${route}`, FORM, `Action=PurgeQueue&Version=2012-11-05&QueueUrl=${url}`)
  const url = encodeURIComponent('https://sqs.us-east-1.amazonaws.com/123456789012/jobs')
  expect(codeOf(purge('/', url))).toBe('described')
  expect(codeOf(purge('/123456789012/jobs', url))).toBe('described')
  expect(codeOf(purge('/123456789012/other', url))).toBe('malformed_target')
})

test('an S3 control host speaks S3 control, an access point host names no bucket', () => {
  const control = {
    host: '123456789012.s3-control.us-east-1.amazonaws.com',
    'x-amz-account-id': '1',
  }
  const account = 'DELETE /v20180820/configuration/publicAccessBlock'
  expect(path(account, control)().iamActions).toEqual(['s3:PutAccountPublicAccessBlock'])
  expect(path(account)().iamActions).toEqual(['s3:DeleteObject'])
  const point = { host: 'mine-123456789012.s3-accesspoint.us-east-1.amazonaws.com' }
  expect(path('DELETE /key', point)().resources.every((each) => !each.resolved)).toBe(true)
  const dotted = { host: 'a.s3.b.s3.us-east-1.amazonaws.com' }
  expect(path('DELETE /key', dotted)().resources[0]?.arn).toBe('arn:aws:s3:::a.s3.b/key')
})

test('XML at the depth limit is read, one deeper is refused', () => {
  const nest = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth)
  expect(codeOf(put(nest(XML_DEPTH_MAX)))).toBe('malformed_body')
  expect(codeOf(put(nest(XML_DEPTH_MAX + 1)))).toBe('body_too_deep')
})

test('JSON and CBOR that nest too deep are refused', () => {
  const deep = `{"Item":${'{"M":{"a":'.repeat(40)}1${'}}'.repeat(40)}}`
  expect(codeOf(() => describe('dynamodb', 'POST /', target('PutItem'), deep))).toBe(
    'body_too_deep',
  )
  const cbor = new Uint8Array(100_000).fill(0x81)
  const run = (): Call =>
    describe(
      'monitoring',
      'POST /service/GraniteServiceVersion20100801/operation/PutMetricAlarm',
      { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
      cbor,
    )
  expect(['malformed_body', 'body_too_deep']).toContain(codeOf(run))
})

test('a list in a form is numbered from 1 without a gap', () => {
  const remove =
    (keys: string): (() => Call) =>
    () =>
      describe('ec2', 'POST /', FORM, `Action=TerminateInstances&Version=2016-11-15&${keys}`)
  const id = 'i-0aaaaaaaaaaaaaaa1'
  expect(codeOf(remove(`InstanceId.1=${id}`))).toBe('described')
  expect(codeOf(remove(`InstanceId.1=${id}&InstanceId.3=${id}`))).toBe('wrong_type')
  expect(codeOf(remove(`InstanceId.01=${id}`))).toBe('wrong_type')
  expect(codeOf(remove(`InstanceId=${id}`))).toBe('wrong_type')
  expect(codeOf(remove(`InstanceId.member.1=${id}`))).toBe('wrong_type')
})

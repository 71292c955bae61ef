import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Protocol } from '../call.ts'
import { parseRawRequest } from '../sigv4/raw-request.fixture.ts'
import type { WireRequest } from '../wire-request.ts'
import { errorReply } from './error-reply.ts'
import { replyProtocol, wantsQueryCode } from './reply-protocol.ts'

// Source: each client's own request; its protocol is `metadata.protocol` of its API model.
const CAPTURED: Readonly<Record<string, Protocol>> = {
  'js-dynamodb-delete-table': 'awsJson1_0',
  'js-ce-get-cost-and-usage': 'awsJson1_1',
  'js-sts-get-caller-identity': 'awsQuery',
  'js-cloudformation-delete-stack': 'awsQuery',
  'cli-iam-attach-role-policy': 'awsQuery',
  'cli-ec2-stop-instances': 'ec2Query',
  'cli-lambda-get-function': 'restJson1',
  'cli-route53-list': 'restXml',
  'cli-s3-delete-object': 's3',
  'js-s3-put-object-stream': 's3',
  'botocore-s3-presigned': 's3',
  'botocore-sts-presigned': 'awsQuery',
}

for (const [name, protocol] of Object.entries(CAPTURED)) {
  test(`${name} is answered as ${protocol}`, () => {
    const file = new URL(`../../testdata/sigv4/captured/${name}.http`, import.meta.url)
    expect(replyProtocol(parseRawRequest(readFileSync(file)))).toBe(protocol)
  })
}

const EMPTY: WireRequest = { method: 'POST', target: '/', headers: [], body: new Uint8Array(0) }

test('the CBOR header decides before the content type', () => {
  const headers = [
    ['Smithy-Protocol', 'rpc-v2-cbor'],
    ['Content-Type', 'application/cbor'],
  ] as const
  expect(replyProtocol({ ...EMPTY, headers })).toBe('rpcv2Cbor')
})

test('what nothing says stays unknown', () => {
  expect(replyProtocol(EMPTY)).toBeUndefined()
  expect(replyProtocol({ ...EMPTY, headers: [['Content-Type', 'text/html']] })).toBeUndefined()
})

const scoped = (credential: string, algorithm = 'AWS4-HMAC-SHA256') =>
  [
    'Authorization',
    `${algorithm} Credential=AKIDEXAMPLE/20261123/${credential}/aws4_request`,
  ] as const
const QUERY = 'X-Amz-Credential=AKIDEXAMPLE%2F20261123'

test('SigV4A and presigned scopes say the service as those of a header do', () => {
  const ecdsa = 'AWS4-ECDSA-P256-SHA256'
  for (const [request, protocol] of [
    [{ headers: [scoped('s3', ecdsa)] }, 's3'],
    [{ headers: [scoped('eu-west-1/s3')] }, 's3'],
    [{ headers: [scoped('route53', ecdsa)] }, 'restXml'],
    [{ headers: [scoped('lambda', ecdsa)] }, 'restJson1'],
    [{ target: `/?${QUERY}%2Fs3%2Faws4_request` }, 's3'],
    [{ target: `/?${QUERY}%2feu-west-1%2fs3%2faws4_request` }, 's3'],
    [{ target: `/?Action=A&${QUERY}%2Feu-west-1%2Fec2%2Faws4_request` }, 'ec2Query'],
    [{ target: `/?Action=A&${QUERY}%2Feu-west-1%2Fsts%2Faws4_request` }, 'awsQuery'],
  ] as const) {
    expect(replyProtocol({ ...EMPTY, ...request })).toBe(protocol)
  }
})

test('a request that mixes protocols, or lost its body, is answered in the one its client reads', () => {
  const target = ['X-Amz-Target', 'DynamoDB_20120810.DeleteTable'] as const
  const signed = scoped('eu-west-1/dynamodb')
  const of = (...headers: (readonly [string, string])[]) =>
    replyProtocol({ ...EMPTY, target: '/?Action=DeleteTable', headers: [signed, ...headers] })
  expect(of(target)).toBe('awsJson1_0')
  expect(of(target, ['Content-Type', 'application/json'])).toBe('awsJson1_0')
  expect(of(target, ['Content-Type', 'application/x-amz-json-1.1'])).toBe('awsJson1_1')
  expect(of(target, ['Smithy-Protocol', ' rpc-v2-cbor '])).toBe('rpcv2Cbor')
  expect(of(['Content-Type', 'application/cbor'])).toBe('rpcv2Cbor')
  expect(of(['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'])).toBe('awsQuery')
  expect(of()).toBe('awsQuery')
})

// Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html (x-amzn-query-error)
test('a client of a service that once spoke the query protocol gets its code as well', () => {
  const request = { ...EMPTY, headers: [['x-amzn-query-mode', 'true']] as const }
  expect(wantsQueryCode(request)).toBe(true)
  expect(wantsQueryCode(EMPTY)).toBe(false)
  const reply = (protocol: 'awsJson1_0' | 'rpcv2Cbor' | 's3', wanted: boolean) =>
    errorReply({
      protocol,
      code: 'AccessDenied',
      message: 'm',
      requestId: 'r',
      wantsQueryCode: wanted,
    }).headers
  const header = ['x-amzn-query-error', 'AccessDenied;Sender']
  expect(reply('awsJson1_0', true)).toContainEqual(header)
  expect(reply('rpcv2Cbor', true)).toContainEqual(header)
  expect(reply('awsJson1_0', false)).not.toContainEqual(header)
  expect(reply('s3', true)).not.toContainEqual(header)
})

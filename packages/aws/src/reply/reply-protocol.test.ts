import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Protocol } from '../call.ts'
import { parseRawRequest } from '../sigv4/raw-request.fixture.ts'
import type { WireRequest } from '../wire-request.ts'
import { replyProtocol } from './reply-protocol.ts'

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

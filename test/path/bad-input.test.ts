// What no honest client sends: each is a clear error in the protocol of the caller, reaches no
// upstream, leaves a refusal in a ledger that verifies, and gives no secret away.
import type { WireRequest } from '@seconder/aws/wire-request'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { expectNothingLeaked } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, queryCall, type RawCall, send, signed } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const MARK = 'body-text-that-stays-inside'
const markedDelete = dynamodbCall('DeleteTable', { TableName: MARK })
const lastEntry = async () => (await gate.entries()).at(-1)
const withHeader = (request: WireRequest, name: string, change: (value: string) => string) => ({
  ...request,
  headers: request.headers.map(
    ([key, value]) => [key, key.toLowerCase() === name ? change(value) : value] as const,
  ),
})

interface Spoilt {
  readonly make: () => WireRequest
  /** Status and code as AWS documents them for the protocol (packages/aws reply/error-codes.ts). */
  readonly status: number
  readonly answer: string
  readonly type: 'unverified' | 'refused'
  readonly code: string
}

const json = (body: string): RawCall => dynamodbCall('DeleteTable', {}, { body })
const minutes = (count: number) => Date.now() + count * 60_000
const unverified = (make: () => WireRequest, code: string, answer: string): Spoilt => ({
  make,
  status: 400,
  answer,
  type: 'unverified',
  code,
})
const refused = (call: RawCall, code: string, answer: string, status = 400): Spoilt => ({
  make: () => signed(keys, call),
  status,
  answer,
  type: 'refused',
  code,
})

const SPOILT: Record<string, () => Spoilt> = {
  'a wrong signature': () =>
    unverified(
      () =>
        withHeader(signed(keys, markedDelete), 'authorization', (value) =>
          value.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        ),
      'signature_mismatch',
      'InvalidSignatureException',
    ),
  'no signature': () =>
    unverified(
      () => {
        const request = signed(keys, markedDelete)
        const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'authorization')
        return { ...request, headers }
      },
      'missing_signature',
      'AccessDeniedException',
    ),
  'an access key of nobody': () =>
    unverified(
      () => signed({ ...keys, accessKeyId: 'AKIASECONDERAAAAAAAA' }, markedDelete),
      'unknown_access_key',
      'UnrecognizedClientException',
    ),
  'a clock 16 minutes fast': () =>
    unverified(
      () => signed(keys, { ...markedDelete, signedAtMs: minutes(16) }),
      'clock_skew',
      'RequestExpired',
    ),
  'a clock 16 minutes slow': () =>
    unverified(
      () => signed(keys, { ...markedDelete, signedAtMs: minutes(-16) }),
      'clock_skew',
      'RequestExpired',
    ),
  'a swapped body under a declared hash': () =>
    unverified(
      () => ({
        ...signed(keys, dynamodbCall('DeleteTable', { TableName: MARK.toUpperCase() })),
        body: new TextEncoder().encode(JSON.stringify({ TableName: MARK })),
      }),
      'body_mismatch',
      'InvalidSignatureException',
    ),
  'a header that came twice': () =>
    unverified(
      () => {
        const request = signed(keys, markedDelete)
        return {
          ...request,
          headers: [...request.headers, ['x-amz-target', 'DynamoDB_X.ListTables']],
        }
      },
      'duplicate_header',
      'ValidationException',
    ),
  'a service that does not exist': () =>
    refused(
      { ...markedDelete, service: 'nosuchservice' },
      'unknown_service',
      'UnknownOperationException',
    ),
  'an operation that does not exist': () =>
    refused(dynamodbCall('EraseAll', { MARK }), 'unknown_operation', 'UnknownOperationException'),
  'JSON that ends too early': () =>
    refused(json(`{"TableName":"${MARK}`), 'malformed_body', 'ValidationException'),
  'a JSON key that is there twice': () =>
    refused(
      json(`{"TableName":"${MARK}","TableName":"orders"}`),
      'repeated_member',
      'ValidationException',
    ),
  'a JSON key that is there twice in another spelling': () =>
    refused(
      json(`{"TableName":"${MARK}","\\u0054ableName":"orders"}`),
      'repeated_member',
      'ValidationException',
    ),
  'JSON that is nested without end': () =>
    refused(json('['.repeat(5_000)), 'body_too_deep', 'ValidationException'),
  'a member that no model knows': () =>
    refused(
      dynamodbCall('DeleteTable', { TableName: 'orders', [MARK]: true }),
      'unknown_member',
      'ValidationException',
    ),
  'a structure where the model has a string': () =>
    refused(
      dynamodbCall('DeleteTable', { TableName: { S: MARK } }),
      'wrong_type',
      'ValidationException',
    ),
  'XML that is not well formed': () =>
    refused(
      {
        method: 'PUT',
        target: '/bucket-b?lifecycle',
        service: 's3',
        body: `<LifecycleConfiguration><Rule>${MARK}`,
      },
      'malformed_body',
      'InvalidRequest',
    ),
  'a form field that is there twice': () =>
    refused(
      queryCall('sns', {}, { body: `Action=ListTopics&Action=DeleteTopic&TopicArn=${MARK}` }),
      'repeated_member',
      'ValidationError',
    ),
  'a body that says gzip and is not': () =>
    refused(
      dynamodbCall('DeleteTable', { TableName: MARK }, { headers: [['content-encoding', 'gzip']] }),
      'malformed_body',
      'ValidationException',
    ),
  'an operation name in another case': () =>
    refused(
      {
        ...markedDelete,
        headers: [
          ['content-type', 'application/x-amz-json-1.0'],
          ['x-amz-target', 'dynamodb_20120810.deletetable'],
        ],
      },
      'unknown_operation',
      'UnknownOperationException',
    ),
  'AWS JSON by GET': () =>
    refused({ ...markedDelete, method: 'GET' }, 'unsupported_protocol', 'ValidationException'),
  'a path that climbs out of its bucket': () =>
    refused(
      { method: 'DELETE', target: `/bucket-b/../${MARK}/key`, service: 's3' },
      'malformed_target',
      'InvalidRequest',
    ),
  'the same, percent-encoded': () =>
    refused(
      { method: 'DELETE', target: `/bucket-b/%2e%2E/${MARK}/key`, service: 's3' },
      'malformed_target',
      'InvalidRequest',
    ),
  'a path without a bucket': () =>
    refused(
      { method: 'DELETE', target: '//bucket-b/key', service: 's3' },
      'malformed_target',
      'InvalidRequest',
    ),
  'a payload that is not signed': () =>
    refused(
      dynamodbCall('DeleteTable', { TableName: MARK }, { payloadSha256: 'UNSIGNED-PAYLOAD' }),
      'unsupported_payload',
      'AccessDeniedException',
      400,
    ),
}

test.each(Object.keys(SPOILT))(
  '%s is refused by its name, and nothing leaks or leaves',
  async (name) => {
    const spoilt = SPOILT[name]?.() as Spoilt
    const request = spoilt.make()
    const answer = await send(keys, request)
    expect(answer).toMatchObject({ status: spoilt.status })
    expect(answer.body).toContain(spoilt.answer)
    expect(answer.body).toContain('Seconder')
    expect(await lastEntry()).toMatchObject({ type: spoilt.type, code: spoilt.code })
    expect(upstream.seen).toEqual([])
    const names = ['a member that no model knows', 'a path that climbs out of its bucket']
    await expectNothingLeaked(gate, keys, answer, request, names.includes(name) ? '' : MARK)
  },
)

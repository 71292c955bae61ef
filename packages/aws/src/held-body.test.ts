// Bodies that are not in memory: what they are to verify, sign and describe, and where they are refused.
import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeCall, takesBlob } from './describe-call.ts'
import { parseAmzDate } from './sigv4/amz-date.ts'
import { sign } from './sigv4/sign.ts'
import { verify, verifyHead } from './sigv4/verify.ts'
import type { WireBody, WireHeader, WireRequest } from './wire-request.ts'

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' }
const NOW_MS = parseAmzDate('20261124T000000Z')
const BODY = Buffer.from('hello')
const HELD = { sha256: hash('sha256', BODY, 'hex'), byteLength: 5 }
const OTHER = { ...HELD, sha256: hash('sha256', 'other', 'hex') }
const ACCOUNT = { account: '123456789012' }

interface Made {
  readonly service?: string
  readonly target?: string
  readonly method?: string
  readonly headers?: readonly WireHeader[]
  readonly payloadSha256?: string
}

function made(body: WireBody, of: Made = {}): WireRequest<WireBody> {
  const { method = 'PUT', target = '/bucket/key', service = 's3' } = of
  const headers: WireHeader[] = [['host', 'gate'], ...(of.headers ?? [])]
  const { payloadSha256 } = of
  const scope = { region: 'eu-west-1', service }
  const options = payloadSha256 === undefined ? {} : { payloadSha256 }
  const request = { method, target, headers, body }
  return { ...request, headers: sign(request, KEYS, scope, NOW_MS, options) }
}

const verified = (request: Parameters<typeof verify>[0]) =>
  verify(request, () => KEYS.secretAccessKey, NOW_MS)

test('a held body is signed, verified and described as the same bytes in memory are', () => {
  const [held, whole] = [made(HELD), made(BODY)]
  expect(held.headers).toEqual(whole.headers)
  expect(verified(held)).toEqual(verified(whole))
  const scope = { service: 's3', region: 'eu-west-1' }
  expect(describeCall(held, scope, ACCOUNT)).toEqual(describeCall(whole, scope, ACCOUNT))
})

test('a held body of another hash than the signed one is refused', () => {
  expect(() => verified({ ...made(BODY), body: OTHER })).toThrow(
    expect.objectContaining({ code: 'body_mismatch' }),
  )
})

test('a head alone verifies with what it claims of its body; a spoilt head does not', async () => {
  const head = made(BODY)
  const lookup = async () => KEYS.secretAccessKey
  const verified = await verifyHead(head, lookup, NOW_MS)
  expect(verified).toMatchObject({ payloadSha256: HELD.sha256 })
  const spoilt = verifyHead({ ...head, target: '/bucket/other' }, lookup, NOW_MS)
  await expect(spoilt).rejects.toThrow(expect.objectContaining({ code: 'signature_mismatch' }))
})

test('only operations whose payload is a blob take one that is not in memory', () => {
  const s3 = { service: 's3', region: 'eu-west-1' }
  expect(takesBlob(made(HELD), s3)).toBe(true)
  expect(takesBlob(made(HELD, { target: '/bucket/key?partNumber=1&uploadId=u' }), s3)).toBe(true)
  const structured: [Made, { service: string; region: string }][] = [
    [{ target: '/bucket?tagging' }, s3],
    [{ target: '/bucket/key?uploadId=u', method: 'POST' }, s3],
    [{ target: '/bucket?delete', method: 'POST' }, s3],
    [{ target: '/bucket' }, s3],
    [
      {
        target: '/',
        method: 'POST',
        service: 'dynamodb',
        headers: [
          ['content-type', 'application/x-amz-json-1.0'],
          ['x-amz-target', 'DynamoDB_20120810.PutItem'],
        ],
      },
      { service: 'dynamodb', region: 'eu-west-1' },
    ],
  ]
  for (const [of, scope] of structured) {
    const request = made(HELD, of)
    expect(takesBlob(request, scope), of.target).toBe(false)
    expect(() => describeCall(request, scope, ACCOUNT), of.target).toThrow(
      expect.objectContaining({ code: 'body_too_large' }),
    )
  }
})

test('a held body under a form content type is not read as a form', () => {
  const headers: WireHeader[] = [['content-type', 'application/x-www-form-urlencoded']]
  const scope = { service: 's3', region: 'eu-west-1' }
  expect(() => describeCall(made(HELD, { headers }), scope, ACCOUNT)).toThrow(
    expect.objectContaining({ code: 'body_too_large' }),
  )
})

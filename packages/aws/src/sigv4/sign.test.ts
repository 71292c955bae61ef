import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WireHeader, WireRequest } from '../wire-request.ts'
import { parseAmzDate } from './amz-date.ts'
import { presign, sign, withoutPresignedParameters } from './sign.ts'
import { verify } from './verify.ts'

const REAL = {
  accessKeyId: 'ASIAREALEXAMPLE',
  secretAccessKey: 'real/secret+key',
  sessionToken: 'real-token==',
}
const NOW_MS = Date.UTC(2026, 10, 23, 12)
const SCOPE = { region: 'eu-west-1', service: 's3' }
const lookup = (id: string) => (id === REAL.accessKeyId ? REAL.secretAccessKey : undefined)

function received(headers: WireHeader[] = []): WireRequest {
  return {
    method: 'PUT',
    target: '/bucket/a%20b?tagging',
    headers: [['Host', '127.0.0.1:8787'], ...headers],
    body: Buffer.from('<Tagging/>'),
  }
}

function headerValue(headers: readonly WireHeader[], name: string): string | undefined {
  return headers.find(([each]) => each.toLowerCase() === name)?.[1]
}

test("nothing of the caller's signature, connection or host survives", () => {
  const headers = sign(
    received([
      ['Authorization', 'AWS4-HMAC-SHA256 Credential=AKIDSESSION/...'],
      ['X-Amz-Date', '20200101T000000Z'],
      ['X-Amz-Security-Token', 'session-token'],
      ['X-Amz-Content-SHA256', 'UNSIGNED-PAYLOAD'],
      ['Connection', 'x-amz-acl, close'],
      ['Transfer-Encoding', 'chunked'],
      ['Proxy-Authorization', 'Basic abc'],
      ['Expect', '100-continue'],
      ['Content-Length', '999'],
      ['x-amz-acl', 'private'],
    ]),
    REAL,
    SCOPE,
    NOW_MS,
    { host: 's3.eu-west-1.amazonaws.com' },
  )
  const names = headers.map(([name]) => name.toLowerCase())
  expect(new Set(names).size).toBe(names.length)
  const text = JSON.stringify(headers)
  for (const gone of ['AKIDSESSION', '20200101', 'session-token', 'UNSIGNED', '127.0.0.1', '999']) {
    expect(text).not.toContain(gone)
  }
  for (const gone of ['connection', 'transfer-encoding', 'proxy-authorization', 'expect']) {
    expect(names).not.toContain(gone)
  }
  expect(headerValue(headers, 'host')).toBe('s3.eu-west-1.amazonaws.com')
  expect(headerValue(headers, 'content-length')).toBe('10')
  expect(headerValue(headers, 'x-amz-security-token')).toBe(REAL.sessionToken)
  // Connection named it, and it is still there: what was decided on is what is sent.
  expect(headerValue(headers, 'x-amz-acl')).toBe('private')
})

test('what is signed verifies, and covers every header but those that proxies change', () => {
  const request = received([
    ['x-amz-acl', 'private'],
    ['User-Agent', 'aws-cli'],
    ['Content-MD5', 'abc='],
  ])
  const headers = sign(request, REAL, SCOPE, NOW_MS)
  const verified = verify({ ...request, headers }, lookup, NOW_MS)
  expect(verified).toMatchObject({ accessKeyId: REAL.accessKeyId, ...SCOPE })
  expect(verified.signedHeaders).toEqual([
    'content-length',
    'content-md5',
    'host',
    'x-amz-acl',
    'x-amz-content-sha256',
    'x-amz-date',
    'x-amz-security-token',
  ])
  const other = { ...request, headers, body: Buffer.from('<Tagging />') }
  expect(() => verify(other, lookup, NOW_MS)).toThrow()
})

test('a payload hash that is given is sent as it is, and the length with it', () => {
  const request = { ...received([['Content-Length', '999']]), body: new Uint8Array(0) }
  const options = { payloadSha256: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }
  const headers = sign(request, REAL, SCOPE, NOW_MS, options)
  expect(headerValue(headers, 'x-amz-content-sha256')).toBe(options.payloadSha256)
  expect(headerValue(headers, 'content-length')).toBe('999')
})

test('a body that is still chunked is not signed as a plain one', () => {
  const chunked = received([['x-amz-decoded-content-length', '5']])
  expect(() => sign(chunked, REAL, SCOPE, NOW_MS)).toThrow(
    expect.objectContaining({ code: 'malformed_chunks' }),
  )
  const options = { payloadSha256: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }
  expect(() => sign(chunked, REAL, SCOPE, NOW_MS, options)).not.toThrow()
})

test('a request without a host, or one that is still presigned, is not signed', () => {
  const without = { ...received(), headers: [] }
  expect(() => sign(without, REAL, SCOPE, NOW_MS)).toThrow(
    expect.objectContaining({ code: 'malformed_request' }),
  )
  const target = presign(received(), REAL, SCOPE, NOW_MS, { expiresSeconds: 60 })
  for (const make of [
    () => sign({ ...received(), target }, REAL, SCOPE, NOW_MS),
    () => presign({ ...received(), target }, REAL, SCOPE, NOW_MS, { expiresSeconds: 60 }),
  ]) {
    expect(make).toThrow(expect.objectContaining({ code: 'ambiguous_signature' }))
  }
  expect(withoutPresignedParameters(target)).toBe(received().target)
})

test('a target without presigned parameters stays byte for byte', () => {
  expect(withoutPresignedParameters('/a?b=%7e&&c')).toBe('/a?b=%7e&&c')
  expect(withoutPresignedParameters('/a%2f?')).toBe('/a%2f?')
  expect(withoutPresignedParameters('/a')).toBe('/a')
  expect(withoutPresignedParameters('/a?X-Amz-Date=1&b=+&x%2Damz%2DSignature=2')).toBe('/a?b=+')
})

test('a presigned target verifies for its life', () => {
  const request = { ...received(), method: 'GET' }
  const target = presign(request, REAL, SCOPE, NOW_MS, { expiresSeconds: 60 })
  expect(verify({ ...request, target }, lookup, NOW_MS)).toMatchObject({ form: 'presigned' })
  for (const expiresSeconds of [0, 604_801, 1.5, Number.NaN]) {
    expect(() => presign(request, REAL, SCOPE, NOW_MS, { expiresSeconds })).toThrow(
      expect.objectContaining({ code: 'malformed_request' }),
    )
  }
})

interface Documented {
  readonly method: string
  readonly target: string
  readonly date: string
  readonly signature: string
}

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
test("presigning gives AWS's documented signature", () => {
  const rows = JSON.parse(
    readFileSync(new URL('../../testdata/sigv4/documented.json', import.meta.url), 'utf8'),
  ) as Documented[]
  const example = rows.find(({ target }) => target.includes('X-Amz-Signature'))
  if (example === undefined) throw new Error('documented.json has no presigned example')
  const request: WireRequest = {
    method: 'GET',
    target: '/test.txt',
    headers: [['Host', 'examplebucket.s3.amazonaws.com']],
    body: new Uint8Array(0),
  }
  const keys = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  }
  const scope = { region: 'us-east-1', service: 's3' }
  const nowMs = parseAmzDate(example.date)
  expect(presign(request, keys, scope, nowMs, { expiresSeconds: 86_400 })).toBe(example.target)
})

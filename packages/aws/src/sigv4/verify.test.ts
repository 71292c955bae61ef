import { expect, test } from 'vitest'
import type { WireHeader, WireRequest } from '../wire-request.ts'
import type { SigV4Error } from './errors.ts'
import { QUERY_PARAMETERS_MAX } from './query-string.ts'
import { presign, sign } from './sign.ts'
import { AUTHORIZATION_CHARACTERS_MAX, EXPIRES_SECONDS_MAX } from './signature-claim.ts'
import {
  HEADER_VALUE_CHARACTERS_MAX,
  HEADERS_MAX,
  SKEW_MS,
  TARGET_CHARACTERS_MAX,
  verify,
} from './verify.ts'

// A signature of this repository's own signer is no proof by itself; suite.test.ts and
// vectors.test.ts hold the published ones. Here each test changes one thing of a request that
// verifies.

const NOW_MS = Date.UTC(2026, 10, 23, 12)
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a/secret+key' }
const SCOPE = { region: 'us-east-1', service: 'dynamodb' }
const REQUEST: WireRequest = {
  method: 'POST',
  target: '/?b=2&a=1',
  headers: [
    ['Host', 'gate.example'],
    ['Content-Type', 'application/x-amz-json-1.0'],
    ['X-Amz-Target', 'DynamoDB_20120810.DeleteTable'],
  ],
  body: Buffer.from('{"TableName":"orders"}'),
}
const lookup = (id: string) => (id === KEYS.accessKeyId ? KEYS.secretAccessKey : undefined)

function signed(over: Partial<WireRequest> = {}): WireRequest {
  const request = { ...REQUEST, ...over }
  return { ...request, headers: sign(request, KEYS, SCOPE, NOW_MS) }
}

function presigned(expiresSeconds = 900): WireRequest {
  const request: WireRequest = {
    method: 'GET',
    target: '/bucket/key?versionId=1',
    headers: [['Host', 'gate.example']],
    body: new Uint8Array(0),
  }
  const scope = { region: 'eu-west-1', service: 's3' }
  return { ...request, target: presign(request, KEYS, scope, NOW_MS, { expiresSeconds }) }
}

function withHeader(request: WireRequest, name: string, value: string): WireRequest {
  const others = request.headers.filter(([each]) => each.toLowerCase() !== name.toLowerCase())
  return { ...request, headers: [...others, [name, value]] }
}

function editedHeader(
  request: WireRequest,
  name: string,
  edit: (value: string) => string,
): WireRequest {
  const headers = request.headers.map(
    ([each, value]): WireHeader =>
      each.toLowerCase() === name ? [each, edit(value)] : [each, value],
  )
  return { ...request, headers }
}

function refusal(request: WireRequest, nowMs = NOW_MS): string {
  try {
    verify(request, lookup, nowMs)
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'accepted'
}

test('a signed request says who, what for, and until when', () => {
  const request = signed()
  expect(verify(request, lookup, NOW_MS)).toEqual({
    form: 'header',
    algorithm: 'AWS4-HMAC-SHA256',
    securityToken: null,
    accessKeyId: 'AKIDEXAMPLE',
    date: '20261123',
    region: 'us-east-1',
    service: 'dynamodb',
    signedHeaders: [
      'content-length',
      'content-type',
      'host',
      'x-amz-content-sha256',
      'x-amz-date',
      'x-amz-target',
    ],
    signature: /Signature=(\w+)/.exec(request.headers.at(-1)?.[1] ?? '')?.[1],
    signedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + SKEW_MS,
    payloadKind: 'signed',
    payloadSha256: 'fc37e9ff30f42b703d978dcbb71b9553a5182da4a8088bc79a758ee47ee6544e',
  })
})

test('C5: a scope field that could be a host or a path is refused first', () => {
  const hostile = [
    'x@evil.example:443',
    'us-east-1#',
    'us-east-1?',
    'us.east.1',
    'us-east-1%00',
    'us-east-1\u00e9',
    'us-east-1:443',
    '',
    '-us-east-1',
    'us-east-1-',
    'a'.repeat(33),
  ]
  for (const text of hostile) {
    for (const field of ['/us-east-1/', '/dynamodb/']) {
      if (text.length === 33 && field === '/dynamodb/') continue
      const request = editedHeader(signed(), 'authorization', (value) =>
        value.replace(field, `/${text}/`),
      )
      expect(refusal(request), `${field} ${text}`).toBe('scope_invalid')
    }
  }
  const slash = (value: string) => value.replace('/us-east-1/', '/us/east/')
  expect(refusal(editedHeader(signed(), 'authorization', slash))).toBe('scope_invalid')
  const control = (value: string) => value.replace('/us-east-1/', '/us-east-1\u0000/')
  expect(refusal(editedHeader(signed(), 'authorization', control))).toBe('malformed_request')
})

test('scope dates and terminators are exact', () => {
  const edits: [string, string][] = [
    ['/20261123/', '/2026112/'],
    ['/20261123/', '/2026112a/'],
    ['/aws4_request', '/aws4_requests'],
    ['/aws4_request', ''],
  ]
  for (const [from, to] of edits) {
    const request = editedHeader(signed(), 'authorization', (value) => value.replace(from, to))
    expect(refusal(request), to).toBe('scope_invalid')
  }
  const day = (value: string) => value.replace('/20261123/', '/20261122/')
  expect(refusal(editedHeader(signed(), 'authorization', day))).toBe('malformed_date')
})

test('an unsigned or doubly signed request is refused', () => {
  expect(refusal(REQUEST)).toBe('missing_signature')
  const both = { ...presigned(), headers: signed().headers }
  expect(refusal(both)).toBe('ambiguous_signature')
  for (const name of [
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-Content-Sha256',
    'X-Amz-Security-Token',
  ]) {
    expect(refusal({ ...signed(), target: `${REQUEST.target}&${name}=1` })).toBe(
      'ambiguous_signature',
    )
  }
  const twice = signed()
  const [authorization] = twice.headers.filter(([name]) => name === 'authorization')
  const headers = [...twice.headers, authorization ?? ['', '']] as WireHeader[]
  expect(refusal({ ...twice, headers })).toBe('duplicate_header')
})

test('other algorithms are refused by name', () => {
  const v2 = { ...REQUEST, target: '/key?AWSAccessKeyId=AKIDEXAMPLE&Expires=1&Signature=a%2Bb%3D' }
  expect(() => verify(v2, lookup, NOW_MS)).toThrow(/Signature Version 2/)
  expect(refusal(v2)).toBe('unsupported_algorithm')
  for (const value of ['AWS AKID:sig', 'Bearer abc.def', 'Basic YTpi', '']) {
    expect(refusal(withHeader(REQUEST, 'Authorization', value))).toBe('unsupported_algorithm')
  }
})

test('a broken authorization header is refused', () => {
  const breaks: [RegExp, string][] = [
    [/, Signature=\w+/, ''],
    [/, Signature/, ', Signature=0, Signature'],
    [/SignedHeaders=/, 'SignedHeader='],
    [/Signature=\w/, 'Signature=G'],
    [/Signature=/, 'Signature=0'],
    [/content-type;host/, 'host;content-type'],
    [/host;/, 'host;host;'],
    [/content-type/, 'Content-Type'],
    [/SignedHeaders=/, 'SignedHeaders=accept-absent;'],
  ]
  for (const [from, to] of breaks) {
    const request = editedHeader(signed(), 'authorization', (value) => value.replace(from, to))
    expect(refusal(request), String(from)).toBe('malformed_authorization')
  }
})

test('H1: an x-amz-* header outside the signature is refused, another header is not', () => {
  for (const name of ['X-Amz-Meta-A', 'x-amz-acl', 'X-AMZ-SECURITY-TOKEN']) {
    expect(refusal(withHeader(signed(), name, 'v')), name).toBe('unsigned_header')
  }
  expect(refusal(withHeader(presigned(), 'x-amz-acl', 'public-read'))).toBe('unsigned_header')
  expect(refusal(withHeader(signed(), 'Accept', '*/*'))).toBe('accepted')
})

test('H1: the host must be signed, and be sent once', () => {
  const request = editedHeader(signed(), 'authorization', (value) => value.replace('host;', ''))
  expect(refusal(request)).toBe('unsigned_header')
  const twice = {
    ...signed(),
    headers: [...signed().headers, ['host', 'b.example']] as WireHeader[],
  }
  expect(refusal(twice)).toBe('duplicate_header')
})

test('H1: a header that has one meaning may come once, a list may come twice', () => {
  for (const name of ['content-type', 'X-Amz-Target', 'x-amz-date', 'Content-Length']) {
    const request = signed()
    const headers = [...request.headers, [name, 'v'] as const]
    expect(refusal({ ...request, headers }), name).toBe('duplicate_header')
  }
  const listed: WireHeader[] = [...REQUEST.headers, ['My-List', 'a'], ['my-list', ' b ']]
  expect(refusal(signed({ headers: listed }))).toBe('accepted')
  const swapped: WireHeader[] = [...REQUEST.headers, ['My-List', 'b'], ['my-list', 'a']]
  const request = signed({ headers: listed })
  const auth = request.headers.at(-1) ?? ['', '']
  const other = { ...signed({ headers: swapped }) }
  const headers = [...other.headers.slice(0, -1), auth]
  expect(refusal({ ...other, headers })).toBe('signature_mismatch')
})

test('a key that no session has is refused', () => {
  const request = editedHeader(signed(), 'authorization', (v) => v.replace('AKIDEX', 'AKIDEY'))
  expect(refusal(request)).toBe('unknown_access_key')
})

test('changed bytes are refused', () => {
  const request = signed()
  expect(refusal({ ...request, method: 'PUT' })).toBe('signature_mismatch')
  expect(refusal({ ...request, target: '/?a=1&b=3' })).toBe('signature_mismatch')
  expect(refusal({ ...request, target: '/x?a=1&b=2' })).toBe('signature_mismatch')
  expect(refusal({ ...request, target: '/?a=1&b=2' })).toBe('accepted')
  expect(refusal({ ...request, body: Buffer.from('{}') })).toBe('body_mismatch')
  expect(refusal(editedHeader(request, 'x-amz-target', (v) => `${v}s`))).toBe('signature_mismatch')
})

test('15 minutes of skew pass both ways, a millisecond more does not', () => {
  expect(refusal(signed(), NOW_MS + SKEW_MS)).toBe('accepted')
  expect(refusal(signed(), NOW_MS + SKEW_MS + 1)).toBe('clock_skew')
  expect(refusal(signed(), NOW_MS - SKEW_MS)).toBe('accepted')
  expect(refusal(signed(), NOW_MS - SKEW_MS - 1)).toBe('clock_skew')
  expect(refusal(signed(), Number.NaN)).toBe('clock_skew')
})

test('a presigned request lives for its X-Amz-Expires and not longer', () => {
  const verified = verify(presigned(900), lookup, NOW_MS + 900_000)
  expect(verified).toMatchObject({
    form: 'presigned',
    payloadKind: 'unsigned',
    payloadSha256: null,
    expiresAtMs: NOW_MS + 900_000,
  })
  expect(refusal(presigned(900), NOW_MS + 900_001)).toBe('expired')
  expect(refusal(presigned(900), NOW_MS - SKEW_MS - 1)).toBe('clock_skew')
  expect(refusal(presigned(EXPIRES_SECONDS_MAX))).toBe('accepted')
  for (const text of [String(EXPIRES_SECONDS_MAX + 1), '0', '-1', '1e3', '900.5', '', '0x9']) {
    const request = presigned(900)
    const target = request.target.replace('Expires=900', `Expires=${text}`)
    expect(refusal({ ...request, target }), text).toBe('malformed_authorization')
  }
})

test('H1: signature parameters come once and spelt exactly', () => {
  const request = presigned()
  const names = ['X-Amz-Date', 'X-Amz-Signature', 'X-Amz-Security-Token', 'X-Amz-Expires']
  for (const name of names) {
    const target = `${request.target}&${name}=a&${name}=a`
    expect(refusal({ ...request, target }), name).toBe('duplicate_signature_parameter')
    const encoded = `${request.target}&X%2DAmz%2D${name.slice(6)}=a&X-Amz-Algorithm=a`
    expect(refusal({ ...request, target: encoded }), name).toBe('duplicate_signature_parameter')
  }
  const misspelt = { ...request, target: `${request.target}&x-amz-security-token=a` }
  expect(refusal(misspelt)).toBe('ambiguous_signature')
  const headerForm = signed({ target: '/?a=1' })
  expect(refusal({ ...headerForm, target: '/?a=1&x-amz-signature=a' })).toBe('ambiguous_signature')
})

test('dates that no calendar has are refused', () => {
  const dates = ['20261123T250000Z', '20261131T120000Z', '20261123120000Z', '20261123T120060Z', '']
  for (const date of dates) {
    const request = editedHeader(signed(), 'x-amz-date', () => date)
    expect(refusal(request), date).toBe('malformed_date')
  }
  const without = signed().headers.filter(([name]) => name !== 'x-amz-date')
  expect(refusal({ ...signed(), headers: without })).toBe('malformed_date')
})

test('payload forms are reported, unknown ones refused', () => {
  const kinds: [string, string][] = [
    ['UNSIGNED-PAYLOAD', 'unsigned'],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'streaming-signed'],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'streaming-signed'],
    ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'streaming-unsigned-trailer'],
  ]
  const withPayload = (payloadSha256: string) => ({
    ...REQUEST,
    headers: sign(REQUEST, KEYS, SCOPE, NOW_MS, { payloadSha256 }),
  })
  for (const [payloadSha256, kind] of kinds) {
    const verified = verify(withPayload(payloadSha256), lookup, NOW_MS)
    expect(verified).toMatchObject({ payloadKind: kind, payloadSha256: null })
  }
  const refused = [
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
    'unsigned-payload',
    'E'.repeat(64),
    '',
  ]
  for (const payloadSha256 of refused) {
    expect(refusal(withPayload(payloadSha256)), payloadSha256).toBe('unsupported_payload')
  }
  expect(refusal(withPayload('0'.repeat(64)))).toBe('body_mismatch')
})

test('line breaks and other characters no wire carries never reach the canonical request', () => {
  for (const value of ['a\nx-amz-acl:b', 'a\r\nb', 'a\u0000', 'a\u0100']) {
    expect(refusal(withHeader(signed(), 'My-Header', value))).toBe('malformed_request')
  }
  for (const target of ['/a\nb', '/a\u0000', '/a#b', 'a', '', 'http://a/', '*', '/\ud800']) {
    expect(refusal({ ...signed(), target }), target).toBe('malformed_request')
  }
  for (const method of ['get', 'GET\n', '', 'G T', 'A'.repeat(21)]) {
    expect(refusal({ ...signed(), method }), method).toBe('malformed_request')
  }
  for (const name of ['', 'a b', 'a:b', 'a\n', 'é']) {
    const headers = [...signed().headers, [name, 'v'] as const]
    expect(refusal({ ...signed(), headers }), name).toBe('malformed_request')
  }
})

test('each limit holds at its maximum and refuses one past it', () => {
  const value = (length: number) => withHeader(signed(), 'Accept', 'a'.repeat(length))
  expect(refusal(value(HEADER_VALUE_CHARACTERS_MAX))).toBe('accepted')
  expect(refusal(value(HEADER_VALUE_CHARACTERS_MAX + 1))).toBe('malformed_request')

  const many = (count: number) => {
    const request = signed()
    const rest = Array.from({ length: count - request.headers.length }, (_, at) => `x-${at}`)
    return { ...request, headers: [...request.headers, ...rest.map((n): WireHeader => [n, 'v'])] }
  }
  expect(refusal(many(HEADERS_MAX))).toBe('accepted')
  expect(refusal(many(HEADERS_MAX + 1))).toBe('malformed_request')

  const target = (length: number) => `/${'a'.repeat(length - 1)}`
  expect(refusal(signed({ target: target(TARGET_CHARACTERS_MAX) }))).toBe('accepted')
  expect(refusal(signed({ target: target(TARGET_CHARACTERS_MAX + 1) }))).toBe('malformed_request')

  const query = (count: number) => `/?${Array.from({ length: count }, () => 'a').join('&')}`
  expect(refusal(signed({ target: query(QUERY_PARAMETERS_MAX) }))).toBe('accepted')
  const past = { ...signed(), target: query(QUERY_PARAMETERS_MAX + 1) }
  expect(refusal(past)).toBe('malformed_request')

  const long = (length: number) =>
    editedHeader(signed(), 'authorization', (v) => v.padEnd(length, ','))
  expect(refusal(long(AUTHORIZATION_CHARACTERS_MAX + 1))).toBe('malformed_authorization')
})

function messageOf(request: WireRequest): string {
  try {
    verify(request, lookup, NOW_MS)
  } catch (error) {
    const { message, help } = error as SigV4Error
    return `${message}; ${help}`
  }
  throw new Error('the request was accepted')
}

test('no message shows a secret, a token, a signature or a control character', () => {
  const token = 's3cret'.repeat(9)
  const values = [`Bearer ${token}`, token, `AWS AKID:${token}`, `AWS4-HMAC-SHA256 ${token}`]
  for (const value of values) {
    const request = withHeader(withHeader(REQUEST, 'X-Amz-Date', token), 'Authorization', value)
    const message = messageOf(request)
    expect(message).not.toContain('s3cret')
    expect(message).toMatch(/^[\x20-\x7e]+$/)
  }
})

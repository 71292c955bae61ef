// SigV4A: AWS's published key derivation, samples signed by another implementation (testdata/sigv4),
// and what has no single meaning: several regions, two algorithms, a second signature of the same text.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WireHeader, WireRequest } from '../wire-request.ts'
import { parseAmzDate } from './amz-date.ts'
import { SigV4Error } from './errors.ts'
import { presign, sign } from './sign.ts'
import { ecdsaPrivateKey, ecdsaPublicKey } from './sigv4a.ts'
import { verify } from './verify.ts'

interface Sample {
  readonly name: string
  readonly form: 'header' | 'presigned'
  readonly service: string
  readonly region: string
  readonly method: string
  readonly target: string
  readonly headers: WireHeader[]
  readonly body: string
}

const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const NOW_MS = parseAmzDate('20261123T120000Z')
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const SAMPLES = JSON.parse(
  readFileSync(new URL('../../testdata/sigv4/sigv4a.json', import.meta.url), 'utf8'),
) as Sample[]

const lookup = (id: string) => (id === KEYS.accessKeyId ? KEYS.secretAccessKey : undefined)
const requestOf = (sample: Sample): WireRequest => ({
  ...sample,
  body: new TextEncoder().encode(sample.body),
})

function sampleNamed(name: string): WireRequest {
  const sample = SAMPLES.find((one) => one.name === name)
  if (sample === undefined) throw new Error(`no sample ${name}`)
  return requestOf(sample)
}

function refusal(request: WireRequest, nowMs = NOW_MS): string {
  try {
    verify(request, lookup, nowMs)
  } catch (error) {
    if (error instanceof SigV4Error) return error.code
    throw error
  }
  return 'none'
}

function edited(request: WireRequest, name: string, edit: (value: string) => string): WireRequest {
  const headers = request.headers.map(
    ([each, value]): WireHeader => (each === name ? [each, edit(value)] : [each, value]),
  )
  return { ...request, headers }
}

// Source: awslabs/aws-c-auth tests/key_derivation_tests.c, s_credentials_derive_ecc_key_fixed
test('the private key of an access key is the one AWS derives', () => {
  const key = ['AKISORANDOMAASORANDOM', 'q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom'] as const
  expect(ecdsaPrivateKey(...key).toString('hex')).toBe(
    '7fd3bd010c0d9c292141c2b77bfbde1042c92e6836fff749d1269ec890fca1bd',
  )
  const { x, y } = ecdsaPublicKey(...key).export({ format: 'jwk' })
  expect(Buffer.from(x ?? '', 'base64url').toString('hex')).toBe(
    '15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb',
  )
  expect(Buffer.from(y ?? '', 'base64url').toString('hex')).toBe(
    '0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0',
  )
})

for (const sample of SAMPLES) {
  const { name, region, form, service } = sample
  if (region === 'eu-west-1') {
    test(`${name} verifies, for its one region`, () => {
      const verified = verify(requestOf(sample), lookup, NOW_MS)
      expect(verified).toMatchObject({ form, region, service, algorithm: 'AWS4-ECDSA-P256-SHA256' })
    })
  } else {
    test(`${name} is refused by name: it would be good in several regions`, () => {
      expect(refusal(requestOf(sample))).toBe('ambiguous_region')
    })
  }
}

test('one bit of the body, the region set, the path or the key is another request', () => {
  const put = sampleNamed('s3-put-object')
  expect(refusal({ ...put, body: new TextEncoder().encode('hellp') })).toBe('body_mismatch')
  expect(refusal({ ...put, target: '/bucket/b%20key' })).toBe('signature_mismatch')
  expect(refusal(edited(put, 'x-amz-region-set', () => 'us-east-1'))).toBe('signature_mismatch')
  const other = edited(put, 'authorization', (value) => value.replace('AKIDEXAMPLE', 'AKIDOTHER'))
  expect(refusal(other)).toBe('unknown_access_key')
  const get = sampleNamed('s3-presigned-get')
  expect(refusal({ ...get, target: get.target.replace('versionId=1', 'versionId=2') })).toBe(
    'signature_mismatch',
  )
  expect(refusal(get, NOW_MS + 900_001)).toBe('expired')
})

test('a region set is there exactly where its algorithm wants it', () => {
  const put = sampleNamed('s3-put-object')
  const without = put.headers.filter(([name]) => name !== 'x-amz-region-set')
  const dropped = edited({ ...put, headers: without }, 'authorization', (value) =>
    value.replace(';x-amz-region-set', ''),
  )
  expect(refusal(dropped)).toBe('malformed_authorization')
  expect(refusal({ ...put, target: `${put.target}?X-Amz-Region-Set=eu-west-1` })).toBe(
    'ambiguous_signature',
  )
  expect(refusal({ ...put, headers: [...put.headers, ['X-Amz-Region-Set', '*']] })).toBe(
    'duplicate_header',
  )
  const get = sampleNamed('s3-presigned-get')
  const both = { ...get, headers: [...get.headers, ['x-amz-region-set', 'eu-west-1']] as const }
  expect(refusal(both)).toBe('ambiguous_signature')
  for (const region of ['*', 'eu-west-1,us-east-1', 'eu-*', 'eu-west-1 us-east-1', 'eu-west-1;x']) {
    expect(refusal(edited(put, 'x-amz-region-set', () => region))).toBe('ambiguous_region')
  }
  for (const region of ['', 'x@evil', 'EU-WEST-1', 'eu/west', 'eu-west-1.evil']) {
    expect(refusal(edited(put, 'x-amz-region-set', () => region))).toBe('scope_invalid')
  }
})

test('SigV4 has no region set, and neither algorithm takes a signature of the other', () => {
  const scope = { service: 's3', region: 'eu-west-1' }
  const request: WireRequest = {
    method: 'GET',
    target: '/bucket/key',
    headers: [['host', 'gate.example']],
    body: new Uint8Array(),
  }
  const setToo = { ...request, headers: [...request.headers, ['x-amz-region-set', '*']] as const }
  const hmac = { ...setToo, headers: sign(setToo, KEYS, scope, NOW_MS) }
  expect(refusal(hmac)).toBe('ambiguous_signature')
  const target = presign(request, KEYS, scope, NOW_MS, { expiresSeconds: 60 })
  expect(refusal({ ...request, target: `${target}&X-Amz-Region-Set=eu-west-1` })).toBe(
    'ambiguous_signature',
  )
  const put = sampleNamed('s3-put-object')
  const as = (from: string, to: string) =>
    refusal(edited(put, 'authorization', (value) => value.replace(from, to)))
  expect(as('AWS4-ECDSA-P256-SHA256', 'AWS4-HMAC-SHA256')).toBe('ambiguous_signature')
  expect(as('/s3/aws4_request', '/eu-west-1/s3/aws4_request')).toBe('scope_invalid')
  const signed = { ...request, headers: sign(request, KEYS, scope, NOW_MS) }
  const claimed = edited(signed, 'authorization', (value) =>
    value.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256').replace('/eu-west-1', ''),
  )
  expect(refusal(claimed)).toBe('malformed_authorization')
})

test('what is no DER signature is refused, however it is made', () => {
  const put = sampleNamed('s3-put-object')
  const good = /Signature=([0-9a-f]+)/.exec(put.headers.at(-1)?.[1] ?? '')?.[1] ?? ''
  const tries = ['', '30', '3006020100020100', '00'.repeat(64), 'ff'.repeat(72), good.slice(2)]
  tries.push(`${good}00`, good.toUpperCase(), good.slice(0, -2), '30'.repeat(73), `${good}zz`)
  for (const text of tries) {
    const code = refusal(edited(put, 'authorization', (value) => value.replace(good, text)))
    expect(['signature_mismatch', 'malformed_authorization']).toContain(code)
  }
})

test('H11 the twin of an ECDSA signature, and another one of the same text, count as the same one', () => {
  const put = sampleNamed('s3-put-object')
  const first = verify(put, lookup, NOW_MS).signature
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  const good = /Signature=([0-9a-f]+)/.exec(put.headers.at(-1)?.[1] ?? '')?.[1] ?? ''
  const twin = edited(put, 'authorization', (value) => value.replace(good, twinOf(good)))
  expect(twin).not.toEqual(put)
  expect(verify(twin, lookup, NOW_MS).signature).toBe(first)
})

test('a presigned request lasts no longer than the gate lets it', () => {
  const get = sampleNamed('s3-presigned-get')
  const at = (ms: number) => verify(get, lookup, NOW_MS + ms, { presignedMsMax: 60_000 })
  expect(at(60_000).expiresAtMs).toBe(NOW_MS + 60_000)
  expect(() => at(60_001)).toThrow(expect.objectContaining({ code: 'expired' }))
})

/** (r, n - s) of (r, s), in DER. */
function twinOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  const rLength = bytes[3] ?? 0
  const r = bytes.subarray(4, 4 + rLength)
  const s = BigInt(`0x${bytes.subarray(6 + rLength).toString('hex')}`)
  const other = (ORDER - s).toString(16)
  const even = other.length % 2 === 0 ? other : `0${other}`
  const body = Buffer.from(Number.parseInt(even.slice(0, 2), 16) > 0x7f ? `00${even}` : even, 'hex')
  const pair = Buffer.concat([Buffer.from([2, r.length]), r, Buffer.from([2, body.length]), body])
  return Buffer.concat([Buffer.from([0x30, pair.length]), pair]).toString('hex')
}

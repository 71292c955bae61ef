// Published signatures of AWS's documentation, and requests that real clients signed
// (testdata/sigv4). Every one verifies, and none does with one bit of it wrong.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WireHeader, WireRequest } from '../wire-request.ts'
import { parseAmzDate } from './amz-date.ts'
import { SigV4Error } from './errors.ts'
import { parseRawRequest } from './raw-request.fixture.ts'
import {
  rememberedSigningKey,
  rememberedSigningKeyCount,
  SIGNING_KEYS_MAX,
  signingKey,
} from './signature.ts'
import { verify } from './verify.ts'

const DATA = new URL('../../testdata/sigv4/', import.meta.url)
const KEYS = {
  s3: ['AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  iam: ['AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'],
} as const

interface Documented {
  readonly name: string
  readonly keys: keyof typeof KEYS
  readonly service: string
  readonly date: string
  readonly method: string
  readonly target: string
  readonly headers: WireHeader[]
  readonly body: string
  readonly signedHeaders: string
  readonly signature: string
}

interface Captured {
  readonly file: string
  readonly service: string
  readonly region: string
  readonly form: string
  readonly payloadKind: string
}

const lookup = (id: string) => Object.values(KEYS).find(([known]) => known === id)?.[1]

function documentedRequest(example: Documented, signature: string): WireRequest {
  const [id] = KEYS[example.keys]
  const scope = `${example.date.slice(0, 8)}/us-east-1/${example.service}/aws4_request`
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${id}/${scope},SignedHeaders=${example.signedHeaders},` +
    `Signature=${signature}`
  const isPresigned = example.target.includes('X-Amz-Signature')
  return {
    method: example.method,
    target: example.target.replace(example.signature, signature),
    headers: isPresigned ? example.headers : [...example.headers, ['Authorization', authorization]],
    body: Buffer.from(example.body),
  }
}

function flippedHex(hex: string): string {
  return hex.slice(0, -1) + (Number.parseInt(hex.slice(-1), 16) ^ 1).toString(16)
}

const DOCUMENTED = JSON.parse(
  readFileSync(new URL('documented.json', DATA), 'utf8'),
) as Documented[]

for (const example of DOCUMENTED) {
  test(`AWS's documented signature verifies: ${example.name}`, () => {
    const request = documentedRequest(example, example.signature)
    const verified = verify(request, lookup, parseAmzDate(example.date))
    expect(verified).toMatchObject({
      accessKeyId: KEYS[example.keys][0],
      date: example.date.slice(0, 8),
      region: 'us-east-1',
      service: example.service,
      signature: example.signature,
      signedHeaders: example.signedHeaders.split(';'),
    })
    const wrong = documentedRequest(example, flippedHex(example.signature))
    expect(() => verify(wrong, lookup, parseAmzDate(example.date))).toThrow(
      expect.objectContaining({ code: 'signature_mismatch' }),
    )
  })
}

// Source: https://docs.aws.amazon.com/general/latest/gr/sigv4-calculate-signature.html
test('the signing key is the documented one', () => {
  const scope = { date: '20150830', region: 'us-east-1', service: 'iam' }
  expect(signingKey(KEYS.iam[1], scope).toString('hex')).toBe(
    'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9',
  )
  expect(rememberedSigningKey(KEYS.iam[1], scope).export().toString('hex')).toBe(
    'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9',
  )
})

test('at most SIGNING_KEYS_MAX derived keys are remembered, the oldest forgotten first', () => {
  const scopeOf = (index: number) => ({ date: '20150830', region: `r-${index}`, service: 's' })
  const first = rememberedSigningKey('secret', scopeOf(0))
  for (let index = 1; index < SIGNING_KEYS_MAX; index++) {
    rememberedSigningKey('secret', scopeOf(index))
  }
  expect(rememberedSigningKeyCount()).toBe(SIGNING_KEYS_MAX)
  expect(rememberedSigningKey('secret', scopeOf(0))).toBe(first)
  const second = rememberedSigningKey('secret', scopeOf(1))
  rememberedSigningKey('secret', scopeOf(SIGNING_KEYS_MAX))
  rememberedSigningKey('secret', scopeOf(SIGNING_KEYS_MAX + 1))
  expect(rememberedSigningKeyCount()).toBe(SIGNING_KEYS_MAX)
  expect(rememberedSigningKey('secret', scopeOf(0))).toBe(first)
  expect(rememberedSigningKey('secret', scopeOf(1))).toBe(second)
})

test('a derived key is never used for another secret', () => {
  const scope = { date: '20150830', region: 'us-east-1', service: 'iam' }
  const one = rememberedSigningKey('secret', scope).export().toString('hex')
  expect(rememberedSigningKey('secreT', scope).export().toString('hex')).not.toBe(one)
})

const CAPTURED = JSON.parse(
  readFileSync(new URL('captured/index.json', DATA), 'utf8'),
) as Captured[]

for (const row of CAPTURED) {
  const bytes = readFileSync(new URL(`captured/${row.file}`, DATA))
  const dateText = /x-amz-date[:=] ?(\d{8}T\d{6}Z)/i.exec(bytes.toString('latin1'))?.[1] ?? ''

  test(`a real client's request verifies: ${row.file}`, () => {
    const verified = verify(parseRawRequest(bytes), lookup, parseAmzDate(dateText))
    expect(verified).toMatchObject({
      service: row.service,
      form: row.form,
      payloadKind: row.payloadKind,
    })
    expect(verified.payloadSha256 === null).toBe(row.payloadKind !== 'signed')
  })

  test(`one bit wrong in ${row.file} is refused`, () => {
    const text = bytes.toString('latin1')
    const signature = /Signature=([0-9a-f]{64})/.exec(text)?.[1] ?? ''
    const wrong = Buffer.from(text.replace(signature, flippedHex(signature)), 'latin1')
    expect(() => verify(parseRawRequest(wrong), lookup, parseAmzDate(dateText))).toThrow(
      expect.objectContaining({ code: 'signature_mismatch' }),
    )
  })
}

test('each byte of a signed body counts', () => {
  const signed = CAPTURED.filter((row) => row.payloadKind === 'signed')
  let bodies = 0
  for (const row of signed) {
    const bytes = readFileSync(new URL(`captured/${row.file}`, DATA))
    const request = parseRawRequest(bytes)
    const date = /x-amz-date[:=] ?(\d{8}T\d{6}Z)/i.exec(bytes.toString('latin1'))?.[1] ?? ''
    for (let at = 0; at < request.body.byteLength; at += 7) {
      const body = Uint8Array.from(request.body)
      body[at] = (body[at] ?? 0) ^ 1
      bodies++
      expect(() => verify({ ...request, body }, lookup, parseAmzDate(date))).toThrow(SigV4Error)
    }
  }
  expect(bodies).toBeGreaterThan(50)
})

// Every case of AWS's own SigV4A test suite (awslabs/aws-c-auth, tests/aws-signing-test-suite/v4a):
// the derived key, the canonical request and the string to sign are AWS's own, and AWS's signatures
// verify. ECDSA is random, so no signature is compared.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { WireRequest } from '../wire-request.ts'
import { parseAmzDate } from './amz-date.ts'
import { canonicalRequest, splitTarget, valuesByName } from './canonical-request.ts'
import { parseQuery } from './query-string.ts'
import { parseRawRequest } from './raw-request.fixture.ts'
import { presignedParameters, signatureClaim } from './signature-claim.ts'
import { ecdsaPublicKey, ecdsaStringToSign, isEcdsaSignature } from './sigv4a.ts'
import { verify } from './verify.ts'

const SUITE = fileURLToPath(
  new URL('../../../../../shared/data/aws-signing-test-suite/v4a', import.meta.url),
)
const CASES = existsSync(SUITE) ? readdirSync(SUITE) : []
const WITH_KEY = CASES.filter((name) => existsSync(`${SUITE}/${name}/public-key.json`))

interface Context {
  readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string }
  readonly normalize: boolean
  readonly omit_session_token?: boolean
}

function read(name: string, file: string): string {
  return readFileSync(`${SUITE}/${name}/${file}`, 'utf8')
}

const contextOf = (name: string) => JSON.parse(read(name, 'context.json')) as Context

function verifyCase(request: WireRequest, context: Context) {
  const { access_key_id, secret_access_key } = context.credentials
  return verify(
    request,
    (id) => (id === access_key_id ? secret_access_key : undefined),
    parseAmzDate('20150830T123600Z'),
    {
      normalizePath: context.normalize,
      unsignedSecurityToken: context.omit_session_token === true,
    },
  )
}

function stepsOf(request: WireRequest, context: Context) {
  const { path, query } = splitTarget(request.target)
  const headers = valuesByName(request.headers)
  const parameters = parseQuery(query)
  const claim = signatureClaim(headers, presignedParameters(parameters))
  const drops = context.omit_session_token === true ? ['X-Amz-Security-Token'] : []
  const left = ['X-Amz-Signature', ...drops]
  const canonical = canonicalRequest({
    method: request.method,
    path,
    query: claim.form === 'header' ? parameters : parameters.filter((p) => !left.includes(p.name)),
    headers,
    signedHeaders: claim.signedHeaders,
    payloadHash: verifyCase(request, context).payloadSha256 ?? '',
    service: claim.scope.service,
    normalizePath: context.normalize,
  })
  return { canonical, text: ecdsaStringToSign(canonical, claim.amzDate, claim.scope), claim }
}

describe.skipIf(CASES.length === 0)('the official suite (skipped where it is absent)', () => {
  test('has its 40 cases, 38 with a public key', () => {
    expect([CASES.length, WITH_KEY.length]).toEqual([40, 38])
  })

  for (const name of CASES) {
    for (const form of ['header', 'query'] as const) {
      const has = existsSync(`${SUITE}/${name}/${form}-signed-request.txt`)
      test.skipIf(!has)(`${name}: each step of the ${form} form is AWS's own`, () => {
        const context = contextOf(name)
        const request = parseRawRequest(read(name, `${form}-signed-request.txt`))
        const steps = stepsOf(request, context)
        expect(steps.canonical).toBe(read(name, `${form}-canonical-request.txt`).trimEnd())
        expect(steps.text).toBe(read(name, `${form}-string-to-sign.txt`).trimEnd())
        const verified = verifyCase(request, context)
        expect(verified).toMatchObject({
          algorithm: 'AWS4-ECDSA-P256-SHA256',
          form: form === 'header' ? 'header' : 'presigned',
          region: 'us-east-1',
        })
        // A signature of the same text, made at another time.
        const { access_key_id, secret_access_key } = context.credentials
        const key = ecdsaPublicKey(access_key_id, secret_access_key)
        const other = read(name, `${form}-signature.txt`).trim()
        expect(isEcdsaSignature(key, steps.text, other)).toBe(true)
        expect(isEcdsaSignature(key, `${steps.text} `, other)).toBe(false)
      })

      test.skipIf(!has)(`${name}: one wrong bit in the ${form} signature is refused`, () => {
        const text = read(name, `${form}-signed-request.txt`)
        const good = /Signature=([0-9a-f]+)/.exec(text)?.[1] ?? ''
        const last = (Number.parseInt(good.slice(-1), 16) ^ 1).toString(16)
        const request = parseRawRequest(text.replace(good, good.slice(0, -1) + last))
        expect(() => verifyCase(request, contextOf(name))).toThrow(
          expect.objectContaining({ code: 'signature_mismatch' }),
        )
      })
    }
  }

  for (const name of WITH_KEY) {
    test(`${name}: the derived key is AWS's own`, () => {
      const { access_key_id, secret_access_key } = contextOf(name).credentials
      const { x, y } = ecdsaPublicKey(access_key_id, secret_access_key).export({ format: 'jwk' })
      const published = JSON.parse(read(name, 'public-key.json')) as { X: string; Y: string }
      const hex = (text: string | undefined) => Buffer.from(text ?? '', 'base64url').toString('hex')
      expect([hex(x), hex(y)]).toEqual(
        [published.X, published.Y].map((one) => one.padStart(64, '0')),
      )
    })
  }
})

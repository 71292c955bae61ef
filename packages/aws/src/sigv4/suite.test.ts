// Every case of AWS's own signing test suite (awslabs/aws-c-auth, tests/aws-signing-test-suite/v4):
// each step signed and verified, and each signature refused with one bit wrong.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { WireRequest } from '../wire-request.ts'
import { parseAmzDate } from './amz-date.ts'
import { canonicalRequest, splitTarget, valuesByName } from './canonical-request.ts'
import { parseQuery } from './query-string.ts'
import { parseRawRequest } from './raw-request.fixture.ts'
import { signature, signingKey, stringToSign } from './signature.ts'
import { presignedParameters, signatureClaim } from './signature-claim.ts'
import { verify } from './verify.ts'

const SUITE = fileURLToPath(
  new URL('../../../../../shared/data/aws-signing-test-suite/v4', import.meta.url),
)
const CASES = existsSync(SUITE) ? readdirSync(SUITE) : []

interface Context {
  readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string }
  readonly normalize: boolean
  readonly omit_session_token?: boolean
}

function read(name: string, file: string): string {
  return readFileSync(`${SUITE}/${name}/${file}`, 'utf8')
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
  const text = stringToSign(canonical, claim.amzDate, claim.scope)
  const key = signingKey(context.credentials.secret_access_key, claim.scope)
  return { canonical, text, signature: signature(key, text) }
}

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

describe.skipIf(CASES.length === 0)('the official suite (skipped where it is absent)', () => {
  test('has its 38 cases', () => {
    expect(CASES).toHaveLength(38)
  })

  for (const name of CASES) {
    for (const form of ['header', 'query'] as const) {
      test(`${name}: each step of the ${form} form is AWS's own, and it verifies`, () => {
        const context = JSON.parse(read(name, 'context.json')) as Context
        const request = parseRawRequest(read(name, `${form}-signed-request.txt`))
        const steps = stepsOf(request, context)
        expect(steps.canonical).toBe(read(name, `${form}-canonical-request.txt`).trimEnd())
        expect(steps.text).toBe(read(name, `${form}-string-to-sign.txt`).trimEnd())
        expect(steps.signature).toBe(read(name, `${form}-signature.txt`).trimEnd())
        const verified = verifyCase(request, context)
        expect(verified.form).toBe(form === 'header' ? 'header' : 'presigned')
        expect(verified.signature).toBe(steps.signature)
      })

      test(`${name}: one wrong bit in the ${form} signature is refused`, () => {
        const context = JSON.parse(read(name, 'context.json')) as Context
        const text = read(name, `${form}-signed-request.txt`)
        const good = read(name, `${form}-signature.txt`).trimEnd()
        const last = (Number.parseInt(good.slice(-1), 16) ^ 1).toString(16)
        const request = parseRawRequest(text.replace(good, good.slice(0, -1) + last))
        expect(() => verifyCase(request, context)).toThrow(
          expect.objectContaining({ code: 'signature_mismatch' }),
        )
      })
    }
  }
})

// Verifies that one of our session keys signed a request, from its bytes as received. It says who
// signed what, for which scope and when; whether that may happen is not its question. It never
// guesses: whatever has two readings is refused.

import { timingSafeEqual } from 'node:crypto'
import type { WireBody, WireHead, WireRequest } from '../wire-request.ts'
import { canonicalRequest, splitTarget, valuesByName } from './canonical-request.ts'
import { quoted, SigV4Error } from './errors.ts'
import { declaredPayload, type PayloadKind, type SignedPayload, signedPayload } from './payload.ts'
import { parseQuery, type QueryParameter } from './query-string.ts'
import { ALGORITHM, rememberedSigningKey, signature, stringToSign } from './signature.ts'
import {
  type Algorithm,
  type PresignedParameters,
  presignedParameters,
  type SignatureClaim,
  signatureClaim,
} from './signature-claim.ts'
import {
  ecdsaSignatureId,
  ecdsaStringToSign,
  isEcdsaSignature,
  rememberedPublicKey,
} from './sigv4a.ts'

export interface VerifiedSignature {
  readonly form: 'header' | 'presigned'
  readonly algorithm: Algorithm
  readonly accessKeyId: string
  /** YYYYMMDD of the credential scope. */
  readonly date: string
  /** With SigV4A the one region that X-Amz-Region-Set names. */
  readonly region: string
  readonly service: string
  /** Lower case, sorted. Only these headers are what the caller said. */
  readonly signedHeaders: readonly string[]
  /**
   * 64 lower-case hex digits: the repetition of a request shows in it. With SigV4A it is the hash of
   * what was signed, since one ECDSA signature makes another.
   */
  readonly signature: string
  readonly signedAtMs: number
  /** When the signature is no longer accepted. */
  readonly expiresAtMs: number
  /** X-Amz-Security-Token, from wherever the form has it; null where none was sent. */
  readonly securityToken: string | null
  readonly payloadKind: PayloadKind
  /** Of the body as received, where the signature binds it; else null. */
  readonly payloadSha256: string | null
}

export interface VerifyOptions {
  /** How far the caller's clock may be off, either way. */
  readonly skewMs?: number
  /** False for a service that signs its path as it stands; S3 never normalises. */
  readonly normalizePath?: boolean
  /** How long a presigned request lasts at most, from its date, whatever it asks for. */
  readonly presignedMsMax?: number
  /** True accepts an X-Amz-Security-Token that was added after signing, as AWS IoT does. */
  readonly unsignedSecurityToken?: boolean
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html */
export const SKEW_MS = 15 * 60_000
export const TARGET_CHARACTERS_MAX = 65_536
export const HEADERS_MAX = 200
export const HEADER_VALUE_CHARACTERS_MAX = 65_536

// Their repetition has no one meaning: RFC 9110 section 5.3 allows a list only where the field is
// defined as one. Every x-amz-* header is treated the same way.
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'expect',
  'host',
  'range',
  'transfer-encoding',
  'x-http-method-override',
])

/**
 * Who signed the request, for which scope and when.
 *
 * `lookup` gives the secret access key of an access key id, or undefined. `nowMs` is the gate's
 * clock. Throws SigV4Error, and nothing else, for everything that is not exactly right; see
 * SigV4ErrorCode for each code. SigV4A is verified for one region. Unsigned and streaming payloads are
 * not refused but reported in `payloadKind`: whoever needs the body bound must look at it.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export function verify(
  request: WireRequest<WireBody>,
  lookup: (accessKeyId: string) => string | undefined,
  nowMs: number,
  options: VerifyOptions = {},
): VerifiedSignature {
  const read = readClaim(request, options)
  return verified(request, read, requireSecret(read, lookup(read.claim.scope.accessKeyId)), {
    nowMs,
    options,
  })
}

/** As `verify`, where keys are kept somewhere that must be asked; what `lookup` rejects with is thrown on. */
export async function verifyAsking(
  request: WireRequest<WireBody>,
  lookup: (accessKeyId: string) => Promise<string | undefined>,
  nowMs: number,
  options: VerifyOptions = {},
): Promise<VerifiedSignature> {
  const read = readClaim(request, options)
  const secretAccessKey = requireSecret(read, await lookup(read.claim.scope.accessKeyId))
  return verified(request, read, secretAccessKey, { nowMs, options })
}

function verified(
  request: WireRequest<WireBody>,
  read: ReadClaim,
  secretAccessKey: string,
  { nowMs, options }: { readonly nowMs: number; readonly options: VerifyOptions },
): VerifiedSignature {
  const expiresAtMs = checkTime(read.claim, nowMs, options)
  const { form, scope } = read.claim
  const payload = signedPayload(request.body, read.declared, form, scope.service)
  return checked(request, read, { secretAccessKey, expiresAtMs, payload, options })
}

/**
 * Throws, as `verifyAsking`, why a request is refused whatever its body is. The signature is checked where the
 * head says the hash of the body, as it always does for S3, and returned: its `payloadSha256` is then what
 * the head claims. Else key, time and form alone are checked, and null is returned.
 */
export async function verifyHead(
  head: WireHead,
  lookup: (accessKeyId: string) => Promise<string | undefined>,
  nowMs: number,
  options: VerifyOptions = {},
): Promise<VerifiedSignature | null> {
  const read = readClaim(head, options)
  const secretAccessKey = requireSecret(read, await lookup(read.claim.scope.accessKeyId))
  const expiresAtMs = checkTime(read.claim, nowMs, options)
  const { form, scope } = read.claim
  const payload = declaredPayload(read.declared, form, scope.service)
  if (payload === undefined) return null
  return checked(head, read, { secretAccessKey, expiresAtMs, payload, options })
}

/** A request whose signature claim was read; nothing of it is verified yet. */
interface ReadClaim {
  readonly path: string
  readonly parameters: readonly QueryParameter[]
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly claim: SignatureClaim
  /** x-amz-content-sha256, where it was sent. */
  readonly declared: string | undefined
  readonly securityToken: string | null
}

function readClaim(request: WireHead, options: VerifyOptions): ReadClaim {
  checkForm(request)
  const { path, query } = splitTarget(request.target)
  const parameters = parseQuery(query)
  const headers = valuesByName(request.headers)
  checkSingle(headers)
  const presigned = presignedParameters(parameters)
  const claim = signatureClaim(headers, presigned)
  checkCoverage(headers, claim, options)
  return {
    path,
    parameters,
    headers,
    claim,
    declared: declaredHash(headers, presigned),
    securityToken: securityToken(headers, presigned),
  }
}

function requireSecret(
  { claim: { scope } }: ReadClaim,
  secretAccessKey: string | undefined,
): string {
  if (secretAccessKey !== undefined) return secretAccessKey
  throw new SigV4Error('unknown_access_key', `no session has the key ${quoted(scope.accessKeyId)}`)
}

interface Known {
  readonly secretAccessKey: string
  readonly expiresAtMs: number
  readonly payload: SignedPayload
  readonly options: VerifyOptions
}

function checked(
  request: Pick<WireRequest, 'method'>,
  { path, parameters, headers, claim, securityToken }: ReadClaim,
  { secretAccessKey, expiresAtMs, payload, options }: Known,
): VerifiedSignature {
  const { scope, algorithm } = claim
  const canonical = canonicalRequest({
    method: request.method,
    path,
    query: signedQuery(parameters, claim, options),
    headers,
    signedHeaders: claim.signedHeaders,
    payloadHash: payload.payloadHash,
    service: scope.service,
    ...(options.normalizePath === undefined ? {} : { normalizePath: options.normalizePath }),
  })
  const checkedSignature =
    algorithm === ALGORITHM
      ? hmacSignature(canonical, claim, secretAccessKey)
      : ecdsaSignature(canonical, claim, secretAccessKey, payload.kind)
  return {
    form: claim.form,
    algorithm,
    accessKeyId: scope.accessKeyId,
    date: scope.date,
    region: scope.region,
    service: scope.service,
    signedHeaders: claim.signedHeaders,
    signature: checkedSignature,
    signedAtMs: claim.signedAtMs,
    expiresAtMs,
    securityToken,
    payloadKind: payload.kind,
    payloadSha256: payload.sha256,
  }
}

function hmacSignature(canonical: string, claim: SignatureClaim, secretAccessKey: string): string {
  const key = rememberedSigningKey(secretAccessKey, claim.scope)
  const expected = signature(key, stringToSign(canonical, claim.amzDate, claim.scope))
  if (!timingSafeEqual(Buffer.from(claim.signature, 'latin1'), Buffer.from(expected, 'latin1'))) {
    throw mismatch()
  }
  return claim.signature
}

function ecdsaSignature(
  canonical: string,
  claim: SignatureClaim,
  secretAccessKey: string,
  kind: PayloadKind,
): string {
  const { scope } = claim
  const text = ecdsaStringToSign(canonical, claim.amzDate, scope)
  const key = rememberedPublicKey(scope.accessKeyId, secretAccessKey)
  if (!isEcdsaSignature(key, text, claim.signature)) throw mismatch()
  if (kind === 'streaming-signed' || kind === 'events') {
    // Its pieces would be signed by HMAC: no client mixes the two.
    throw new SigV4Error('unsupported_payload', 'HMAC pieces under a SigV4A signature')
  }
  return ecdsaSignatureId(scope.accessKeyId, text)
}

function mismatch(): SigV4Error {
  return new SigV4Error('signature_mismatch', 'the signature does not match the request')
}

// INVARIANT: no line break reaches the canonical request from inside a value, so that two different
// requests never have the same canonical text.
function checkForm(request: WireHead): void {
  if (!/^[A-Z]{1,20}$/.test(request.method)) {
    throw new SigV4Error('malformed_request', 'the method is not one that AWS takes')
  }
  const { target } = request
  const isOrigin = target.startsWith('/') && target.length <= TARGET_CHARACTERS_MAX
  if (!isOrigin || /[\p{Cc}#]/u.test(target) || !target.isWellFormed()) {
    throw new SigV4Error('malformed_request', 'the request target is not a path that AWS takes')
  }
  if (request.headers.length > HEADERS_MAX) {
    throw new SigV4Error('malformed_request', 'the request has too many headers')
  }
  for (const [name, value] of request.headers) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/.test(name)) {
      throw new SigV4Error('malformed_request', `${quoted(name)} is not a header name`)
    }
    // Characters are bytes here; what is past U+00FF cannot have come off the wire.
    const isLong = value.length > HEADER_VALUE_CHARACTERS_MAX
    if (isLong || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new SigV4Error(
        'malformed_request',
        `the value of ${quoted(name)} is not a header value`,
      )
    }
  }
}

function checkSingle(headers: ReadonlyMap<string, readonly string[]>): void {
  for (const [name, values] of headers) {
    if (values.length > 1 && (SINGLE_HEADERS.has(name) || name.startsWith('x-amz-'))) {
      throw new SigV4Error('duplicate_header', `${quoted(name)} came twice`)
    }
  }
}

function checkCoverage(
  headers: ReadonlyMap<string, readonly string[]>,
  claim: SignatureClaim,
  options: VerifyOptions,
): void {
  const signed = new Set(claim.signedHeaders)
  if (!signed.has('host')) throw new SigV4Error('unsigned_header', '`host` is not signed')
  for (const name of signed) {
    if (!headers.has(name)) {
      throw new SigV4Error('malformed_authorization', `signed header ${quoted(name)} was not sent`)
    }
  }
  for (const name of headers.keys()) {
    if (!name.startsWith('x-amz-') || signed.has(name)) continue
    if (name === 'x-amz-security-token' && options.unsignedSecurityToken === true) continue
    throw new SigV4Error('unsigned_header', `${quoted(name)} is not signed`)
  }
}

function checkTime(claim: SignatureClaim, nowMs: number, options: VerifyOptions): number {
  const { skewMs = SKEW_MS, presignedMsMax = Number.POSITIVE_INFINITY } = options
  const ageMs = nowMs - claim.signedAtMs
  // Written so that a clock that is not a number refuses.
  if (!(ageMs >= -skewMs)) {
    throw new SigV4Error('clock_skew', 'the request was signed in the future')
  }
  if (claim.expiresSeconds !== null) {
    const lifeMs = Math.min(claim.expiresSeconds * 1_000, presignedMsMax)
    if (ageMs > lifeMs) throw new SigV4Error('expired', 'the presigned request has expired')
    return claim.signedAtMs + lifeMs
  }
  if (ageMs > skewMs) {
    throw new SigV4Error('clock_skew', 'the request was signed too long ago')
  }
  return claim.signedAtMs + skewMs
}

function declaredHash(
  headers: ReadonlyMap<string, readonly string[]>,
  presigned: PresignedParameters,
): string | undefined {
  const header = headers.get('x-amz-content-sha256')?.[0]?.trim()
  const parameter = presigned.get('X-Amz-Content-Sha256')
  if (header !== undefined && parameter !== undefined && header !== parameter) {
    throw new SigV4Error('ambiguous_signature', 'the request names two payload hashes')
  }
  return header ?? parameter
}

function securityToken(
  headers: ReadonlyMap<string, readonly string[]>,
  presigned: PresignedParameters,
): string | null {
  const header = headers.get('x-amz-security-token')?.[0]?.trim()
  const parameter = presigned.get('X-Amz-Security-Token')
  if (header !== undefined && parameter !== undefined) {
    throw new SigV4Error('ambiguous_signature', 'the request carries two session tokens')
  }
  return header ?? parameter ?? null
}

function signedQuery(
  parameters: readonly QueryParameter[],
  claim: SignatureClaim,
  options: VerifyOptions,
): readonly QueryParameter[] {
  if (claim.form === 'header') return parameters
  const dropsToken = options.unsignedSecurityToken === true
  return parameters.filter(
    ({ name }) => name !== 'X-Amz-Signature' && !(dropsToken && name === 'X-Amz-Security-Token'),
  )
}

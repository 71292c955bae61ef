// Signs a request with real credentials for the upstream, leaving method, target and body as they
// are. Nothing of the caller's own signature, token or connection survives in what it returns.

import { hash } from 'node:crypto'
import {
  headerValues,
  isHeld,
  type WireBody,
  type WireHeader,
  type WireRequest,
} from '../wire-request.ts'
import { amzDate } from './amz-date.ts'
import {
  canonicalRequest,
  isS3SigningName,
  splitTarget,
  valuesByName,
} from './canonical-request.ts'
import { scopeText } from './credential-scope.ts'
import { SigV4Error } from './errors.ts'
import { UNSIGNED_PAYLOAD } from './payload.ts'
import { parseQuery, uriEncode } from './query-string.ts'
import { ALGORITHM, rememberedSigningKey, signature, stringToSign } from './signature.ts'
import { EXPIRES_SECONDS_MAX, isPresignParameter } from './signature-claim.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface SigningScope {
  readonly region: string
  readonly service: string
}

export interface SignOptions {
  /** Hex SHA-256 or an AWS literal; where absent the body is hashed. */
  readonly payloadSha256?: string
  /** Replaces the Host header: the upstream's name instead of the gate's. */
  readonly host?: string
}

export interface PresignOptions extends SignOptions {
  /** 1 to 604,800. */
  readonly expiresSeconds: number
}

// Hop-by-hop (RFC 9110 section 7.6.1), and what the caller's signature consisted of. A closed list:
// dropping whatever Connection names would let a caller take a header away after the decision.
const STRIPPED_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'x-amz-date',
  'date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

// Proxies on the way may change these, so no AWS SDK signs them.
// Source: aws/aws-sdk-js-v3 packages/signature-v4/src/constants.ts, ALWAYS_UNSIGNABLE_HEADERS
const UNSIGNED_HEADERS: ReadonlySet<string> = new Set([
  'cache-control',
  'from',
  'max-forwards',
  'pragma',
  'referer',
  'user-agent',
  'x-amzn-trace-id',
])

/**
 * The headers to send upstream with the request's method, target and body unchanged.
 *
 * The caller's Authorization, x-amz-date, x-amz-security-token, x-amz-content-sha256, Host (where
 * `options.host` is given) and hop-by-hop headers are gone. Content-Length is the body's, unless
 * `payloadSha256` is given: then the body may be elsewhere and the caller's is kept.
 * Throws `ambiguous_signature` when the target still carries presigned parameters (see
 * `withoutPresignedParameters`), `malformed_chunks` when the body is still aws-chunked (see
 * `plainRequest`) and no STREAMING literal is given, `malformed_request` when there is no host.
 * Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function sign(
  request: WireRequest<WireBody>,
  credentials: Credentials,
  scope: SigningScope,
  nowMs: number,
  options: SignOptions = {},
): WireHeader[] {
  const { path, query } = splitTarget(request.target)
  const parameters = parseQuery(query)
  if (parameters.some(({ name }) => isPresignParameter(name))) {
    throw new SigV4Error('ambiguous_signature', 'the target carries presigned parameters')
  }
  const isChunked = headerValues(request, 'x-amz-decoded-content-length').length > 0
  if (isChunked && options.payloadSha256?.startsWith('STREAMING-') !== true) {
    // Hashed as it is, S3 would store the framing of the chunks as the object.
    throw new SigV4Error('malformed_chunks', 'an aws-chunked body is not signed as a plain one')
  }
  const payloadHash = options.payloadSha256 ?? hashOf(request.body)
  const headers = keptHeaders(request, options)
  const time = amzDate(nowMs)
  headers.push(['x-amz-date', time], ['x-amz-content-sha256', payloadHash])
  if (credentials.sessionToken !== undefined) {
    headers.push(['x-amz-security-token', credentials.sessionToken])
  }
  const values = valuesByName(headers)
  const signedHeaders = signableNames(values)
  const dated = { date: time.slice(0, 8), ...scope }
  const canonical = canonicalRequest({
    method: request.method,
    path,
    query: parameters,
    headers: values,
    signedHeaders,
    payloadHash,
    service: scope.service,
  })
  const key = rememberedSigningKey(credentials.secretAccessKey, dated)
  const credential = `${credentials.accessKeyId}/${scopeText(dated)}`
  headers.push([
    'authorization',
    `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, ` +
      `Signature=${signature(key, stringToSign(canonical, time, dated))}`,
  ])
  return headers
}

/**
 * The target of a presigned request: the request's own target with X-Amz-* parameters added. Every
 * header that `sign` would sign must be sent with it. S3 leaves the body unsigned.
 * Throws as `sign`, and `malformed_request` when `expiresSeconds` is out of range.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function presign(
  request: WireRequest,
  credentials: Credentials,
  scope: SigningScope,
  nowMs: number,
  options: PresignOptions,
): string {
  const { expiresSeconds } = options
  const isWhole = Number.isSafeInteger(expiresSeconds)
  if (!isWhole || expiresSeconds < 1 || expiresSeconds > EXPIRES_SECONDS_MAX) {
    throw new SigV4Error('malformed_request', 'expiresSeconds is not 1 to 604800')
  }
  const { path, query } = splitTarget(request.target)
  if (parseQuery(query).some(({ name }) => isPresignParameter(name))) {
    throw new SigV4Error('ambiguous_signature', 'the target carries presigned parameters')
  }
  const headers = keptHeaders(request, options).filter(
    ([name]) => name.toLowerCase() !== 'content-length',
  )
  const values = valuesByName(headers)
  const signedHeaders = signableNames(values)
  const time = amzDate(nowMs)
  const dated = { date: time.slice(0, 8), ...scope }
  const added: [string, string][] = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scopeText(dated)}`],
    ['X-Amz-Date', time],
    ['X-Amz-Expires', String(expiresSeconds)],
    ['X-Amz-SignedHeaders', signedHeaders.join(';')],
  ]
  if (credentials.sessionToken !== undefined) {
    added.push(['X-Amz-Security-Token', credentials.sessionToken])
  }
  const pieces = query === '' ? [] : [query]
  for (const [name, value] of added) pieces.push(`${name}=${uriEncode(value)}`)
  const unsigned = pieces.join('&')
  const ownHash = isS3SigningName(scope.service)
    ? UNSIGNED_PAYLOAD
    : hash('sha256', request.body, 'hex')
  const canonical = canonicalRequest({
    method: request.method,
    path,
    query: parseQuery(unsigned),
    headers: values,
    signedHeaders,
    payloadHash: options.payloadSha256 ?? ownHash,
    service: scope.service,
  })
  const key = rememberedSigningKey(credentials.secretAccessKey, dated)
  const signed = signature(key, stringToSign(canonical, time, dated))
  return `${path}?${unsigned}&X-Amz-Signature=${signed}`
}

/** The target without the X-Amz-* parameters of a presigned request; the rest byte for byte. */
export function withoutPresignedParameters(target: string): string {
  const { path, query } = splitTarget(target)
  const parameters = parseQuery(query)
  const kept = parameters.filter(({ name }) => !isPresignParameter(name))
  if (kept.length === parameters.length) return target
  return kept.length === 0 ? path : `${path}?${kept.map(({ raw }) => raw).join('&')}`
}

function hashOf(body: WireBody): string {
  return isHeld(body) ? body.sha256 : hash('sha256', body, 'hex')
}

function keptHeaders(request: WireRequest<WireBody>, options: SignOptions): WireHeader[] {
  const keepsLength = options.payloadSha256 !== undefined
  const kept: WireHeader[] = options.host === undefined ? [] : [['host', options.host]]
  for (const header of request.headers) {
    const name = header[0].toLowerCase()
    if (STRIPPED_HEADERS.has(name)) continue
    if (name === 'host' && options.host !== undefined) continue
    if (name === 'content-length' && !keepsLength) continue
    kept.push(header)
  }
  if (!kept.some(([name]) => name.toLowerCase() === 'host')) {
    throw new SigV4Error('malformed_request', 'the request has no host')
  }
  const hasBody = request.body.byteLength > 0 || /^(POST|PUT|PATCH)$/.test(request.method)
  if (!keepsLength && hasBody) kept.push(['content-length', String(request.body.byteLength)])
  return kept
}

function signableNames(values: ReadonlyMap<string, readonly string[]>): string[] {
  return [...values.keys()].filter((name) => !UNSIGNED_HEADERS.has(name)).sort()
}

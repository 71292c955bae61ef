// SigV4's canonical request, in AWS's own terms: one text that two parties can hash. Pure; it makes
// the text from a wire request and never decides whether a signature is right.

import type { WireHeader } from '../wire-request.ts'
import { canonicalQuery, type QueryParameter, uriEncode, uriReencode } from './query-string.ts'

// For S3 the path is encoded once and never normalised: `a/../b` is a key of its own. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// ("Normalize URI paths ... except for Amazon S3"), and `disableDoubleEncoding` of the endpoint
// rules of S3, S3 Control, S3 Outposts, S3 Object Lambda and S3 Express.
const S3_SIGNING_NAMES: ReadonlySet<string> = new Set([
  's3',
  's3-outposts',
  's3-object-lambda',
  's3express',
])

/** True for the signing names whose path is taken as S3 takes it. */
export function isS3SigningName(service: string): boolean {
  return S3_SIGNING_NAMES.has(service)
}

/** Path and query of a target in origin form; the query is empty where there is none. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?')
  if (mark < 0) return { path: target, query: '' }
  return { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

/**
 * The canonical path. S3: each byte encoded once, nothing normalised. Others: `.`, `..` and `//`
 * resolved unless `normalize` is false, then encoded once more over the wire's own encoding.
 */
export function canonicalPath(path: string, service: string, normalize = true): string {
  if (path === '/' || path === '') return '/'
  if (isS3SigningName(service)) return path.split('/').map(uriReencode).join('/')
  const normal = normalize ? normalizedPath(path) : path
  return normal.split('/').map(uriEncode).join('/')
}

// RFC 3986 section 5.2.4, and repeated slashes made one, as in the official signing test suite
// (get-slashes-normalized, get-relative-relative-normalized).
function normalizedPath(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  if (kept.length === 0) return '/'
  return `/${kept.join('/')}${path.endsWith('/') ? '/' : ''}`
}

/** A header value as SigV4 hashes it: trimmed of blanks, and runs of blanks made one. */
export function canonicalValue(value: string): string {
  const trimmed = withoutBlanks(value)
  return /\t| {2}/.test(trimmed) ? trimmed.replace(/[\t ]+/g, ' ') : trimmed
}

/** The value of a header without the blanks around it, which are no part of it: RFC 9110 section 5.5. */
export function withoutBlanks(value: string): string {
  // Not String.trim: that also takes U+00A0, which here is a byte of the value. And no `\s+$`:
  // such a pattern takes quadratic time over long runs of blanks.
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start++
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--
  return start === 0 && end === value.length ? value : value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** All received values by lower-case header name, in order. */
export function valuesByName(headers: readonly WireHeader[]): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    const known = values.get(lower)
    if (known === undefined) values.set(lower, [value])
    else known.push(value)
  }
  return values
}

export interface CanonicalInput {
  readonly method: string
  readonly path: string
  readonly query: readonly QueryParameter[]
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Lower case and sorted. */
  readonly signedHeaders: readonly string[]
  /** Hex SHA-256 of the body, or one of AWS's literals such as `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string
  readonly service: string
  /** False only for services that sign the path as it stands. */
  readonly normalizePath?: boolean
}

/**
 * The canonical request: method, path, query, headers, their names, payload hash, one per line.
 * Its characters stand for bytes (latin1), as node:http hands header values over.
 * Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest(input: CanonicalInput): string {
  let headers = ''
  for (const name of input.signedHeaders) {
    const values = input.headers.get(name) ?? []
    const only = values.length === 1 ? values[0] : undefined
    const text = only === undefined ? values.map(canonicalValue).join(',') : canonicalValue(only)
    headers += `${name}:${text}\n`
  }
  const path = canonicalPath(input.path, input.service, input.normalizePath ?? true)
  const query = canonicalQuery(input.query)
  const names = input.signedHeaders.join(';')
  return `${input.method}\n${path}\n${query}\n${headers}\n${names}\n${input.payloadHash}`
}

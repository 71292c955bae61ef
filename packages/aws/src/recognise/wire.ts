// Makes a Wire from a WireRequest: the target split and decoded, the headers by name, each in
// exactly one reading. It refuses what two HTTP readers could read in two ways (redteam H1).

import { isUtf8 } from 'node:buffer'
import { CallError, quoted } from '../call-errors.ts'
import { withoutBlanks } from '../sigv4/canonical-request.ts'
import type { WireBody, WireHead, WireRequest } from '../wire-request.ts'

export const QUERY_KEYS_MAX = 1_000
export const HEADERS_MAX = 200
export const TARGET_BYTES_MAX = 64 * 1024

export interface Wire {
  readonly method: string
  /** The path as received, without the query. */
  readonly rawPath: string
  /** The path split at `/` and then decoded; the leading empty piece is dropped. */
  readonly pieces: readonly string[]
  readonly query: ReadonlyMap<string, readonly string[]>
  /** Lower-case name to its one value, trimmed. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: WireBody
}

/**
 * Headers that may be there more than once, because nothing here reads them. RFC 9110, RFC 7239.
 */
const REPEATABLE = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'connection',
  'forwarded',
  'keep-alive',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
])

/**
 * The request with target and headers decoded.
 * `malformed_target` for bad percent-encoding, raw `+`, control characters, `.` and `..` segments;
 * `repeated_member` for a header that is there twice; `malformed_header` past HEADERS_MAX.
 */
export function readWire(request: WireRequest<WireBody>): Wire {
  const { target } = request
  if (target.length > TARGET_BYTES_MAX) {
    throw new CallError('malformed_target', 'the request target is too long')
  }
  if (!target.startsWith('/') || !/^[\x21-\x7e]*$/.test(target) || target.includes('#')) {
    throw new CallError('malformed_target', 'the request target is not in origin form')
  }
  const mark = target.indexOf('?')
  const rawPath = mark < 0 ? target : target.slice(0, mark)
  return {
    method: request.method,
    rawPath,
    pieces: readPath(rawPath),
    query: readPairs(mark < 0 ? '' : target.slice(mark + 1), false),
    headers: readHeaders(request),
    body: request.body,
  }
}

function readPath(rawPath: string): string[] {
  if (rawPath.includes('+') || rawPath.includes('\\')) {
    throw new CallError('malformed_target', 'the path has a raw `+` or a backslash')
  }
  const pieces = rawPath.slice(1).split('/').map(decodePercent)
  if (pieces.some((piece) => piece === '.' || piece === '..')) {
    throw new CallError('malformed_target', 'the path has a `.` or `..` segment')
  }
  return pieces
}

/**
 * The pairs of a query or of a form body, decoded, values in order.
 * In a form `+` is a space; in a query its meaning differs between readers, so it is refused there.
 * Source: https://url.spec.whatwg.org/#application/x-www-form-urlencoded
 */
export function readPairs(text: string, form: boolean): Map<string, string[]> {
  const pairs = new Map<string, string[]>()
  if (text === '') return pairs
  const parts = text.split('&', QUERY_KEYS_MAX * 10 + 1)
  if (parts.length > (form ? QUERY_KEYS_MAX * 10 : QUERY_KEYS_MAX)) {
    throw new CallError('malformed_target', 'too many parameters')
  }
  for (const part of parts) {
    if (part === '') continue
    if (!form && part.includes('+')) {
      throw new CallError('malformed_target', 'the query has a raw `+`')
    }
    const plain = form ? part.replaceAll('+', ' ') : part
    const equals = plain.indexOf('=')
    const key = decodePercent(equals < 0 ? plain : plain.slice(0, equals))
    const value = equals < 0 ? '' : decodePercent(plain.slice(equals + 1))
    const known = pairs.get(key)
    if (known === undefined) pairs.set(key, [value])
    else known.push(value)
  }
  return pairs
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text
  if (/%(?![0-9a-fA-F]{2})/.test(text)) {
    throw new CallError('malformed_target', 'bad percent-encoding')
  }
  const bytes = Buffer.from(
    text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  )
  if (!isUtf8(bytes)) throw new CallError('malformed_target', 'percent-encoding that is not UTF-8')
  return bytes.toString('utf8')
}

function readHeaders(request: WireHead): Map<string, string> {
  if (request.headers.length > HEADERS_MAX) {
    throw new CallError('malformed_header', 'too many headers')
  }
  const headers = new Map<string, string>()
  for (const [rawName, value] of request.headers) {
    const name = rawName.toLowerCase()
    if (headers.has(name) && !REPEATABLE.has(name)) {
      throw new CallError('repeated_member', `header ${quoted(name)} is there twice`)
    }
    headers.set(name, withoutBlanks(value))
  }
  return headers
}

// The query of a request target: its pieces decoded for reading, and re-encoded in SigV4's one
// form. It reads bytes as they came; it never drops, merges or adds a parameter.

import { SigV4Error } from './errors.ts'

export const QUERY_PARAMETERS_MAX = 1_000

export interface QueryParameter {
  /** Decoded; bytes that are not UTF-8 become U+FFFD. */
  readonly name: string
  readonly value: string
  /** Both in SigV4's encoding. */
  readonly encodedName: string
  readonly encodedValue: string
  /** The piece between two `&`, as received. */
  readonly raw: string
}

const UNRESERVED_ONLY = /^[A-Za-z0-9\-._~]*$/
const UNRESERVED_BYTES = new Uint8Array(256)
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~') {
  UNRESERVED_BYTES[character.charCodeAt(0)] = 1
}
const ENCODED_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  UNRESERVED_BYTES[byte] === 1
    ? String.fromCharCode(byte)
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
)

/**
 * SigV4's UriEncode of raw text: everything but `A-Za-z0-9-._~` becomes %XX, `%` included.
 * Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function uriEncode(text: string): string {
  if (UNRESERVED_ONLY.test(text)) return text
  let encoded = ''
  for (const byte of Buffer.from(text, 'utf8')) encoded += ENCODED_BYTES[byte]
  return encoded
}

/** The same text in SigV4's encoding, taking a well-formed %XX for the byte it names. */
export function uriReencode(text: string): string {
  if (UNRESERVED_ONLY.test(text)) return text
  const bytes = Buffer.from(text, 'utf8')
  let encoded = ''
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    const decoded = byte === 0x25 ? percentByte(bytes, at) : undefined
    if (decoded === undefined) {
      encoded += ENCODED_BYTES[byte]
    } else {
      encoded += ENCODED_BYTES[decoded]
      at += 2
    }
  }
  return encoded
}

function percentByte(bytes: Uint8Array, at: number): number | undefined {
  const high = hexDigit(bytes[at + 1])
  const low = hexDigit(bytes[at + 2])
  return high === undefined || low === undefined ? undefined : high * 16 + low
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined
}

function decoded(encoded: string): string {
  if (!encoded.includes('%')) return encoded
  const bytes: number[] = []
  for (let at = 0; at < encoded.length; at++) {
    if (encoded.charCodeAt(at) === 0x25) {
      bytes.push(Number.parseInt(encoded.slice(at + 1, at + 3), 16))
      at += 2
    } else {
      bytes.push(encoded.charCodeAt(at))
    }
  }
  return Buffer.from(bytes).toString('utf8')
}

/**
 * The parameters of a query string (the part after `?`), in the order received.
 * `malformed_request` when there are more than QUERY_PARAMETERS_MAX.
 */
export function parseQuery(query: string): QueryParameter[] {
  if (query === '') return []
  const pieces = query.split('&', QUERY_PARAMETERS_MAX + 1)
  if (pieces.length > QUERY_PARAMETERS_MAX) {
    throw new SigV4Error('malformed_request', 'the query has too many parameters')
  }
  const parameters: QueryParameter[] = []
  for (const raw of pieces) {
    if (raw === '') continue
    const equals = raw.indexOf('=')
    const encodedName = uriReencode(equals < 0 ? raw : raw.slice(0, equals))
    const encodedValue = equals < 0 ? '' : uriReencode(raw.slice(equals + 1))
    parameters.push({
      name: decoded(encodedName),
      value: decoded(encodedValue),
      encodedName,
      encodedValue,
      raw,
    })
  }
  return parameters
}

/** SigV4's canonical query string: encoded, sorted by name and then by value. */
export function canonicalQuery(parameters: readonly QueryParameter[]): string {
  if (parameters.length === 0) return ''
  const sorted = parameters.length === 1 ? parameters : parameters.toSorted(byNameThenValue)
  return sorted.map((each) => `${each.encodedName}=${each.encodedValue}`).join('&')
}

function byNameThenValue(a: QueryParameter, b: QueryParameter): number {
  return compareText(a.encodedName, b.encodedName) || compareText(a.encodedValue, b.encodedValue)
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

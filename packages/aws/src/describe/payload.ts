// Makes the decoded payload of a request: content coding undone, aws-chunked framing taken off. The
// hash over these bytes is what a review binds (redteam C8); signatures are checked elsewhere. A payload
// that is not in memory is a blob to its service, or is refused: what cannot be read is never described.

import { gunzipSync } from 'node:zlib'
import { decode as decodeCborBytes } from 'cborg'
import type { Json, JsonObject } from '../call.ts'
import { CallError } from '../call-errors.ts'
import type { Wire } from '../recognise/wire.ts'
import { parseStrictJson, StrictJsonError } from '../strict-json.ts'
import { isHeld } from '../wire-request.ts'
import { blobOf } from './scalar.ts'

/** What a compressed body may grow to. */
export const INFLATED_BYTES_MAX = 16 * 1024 * 1024

/**
 * The payload that the service will read.
 * `unsupported_protocol` for a content coding that is not gzip or aws-chunked; `malformed_body` for
 * broken framing; `body_too_large` where the body is not in memory.
 */
export function payloadOf({ headers, body }: Wire): Uint8Array {
  if (isHeld(body)) throw new CallError('body_too_large', 'the body is too large for its operation')
  return isChunked(headers) ? unchunk(body) : body
}

/** How a payload that is a blob enters the parameters, wherever its bytes are. Errors: as `payloadOf`. */
export function blobPayload(wire: Wire): JsonObject {
  const { headers, body } = wire
  if (!isHeld(body)) return blobOf(payloadOf(wire))
  if (isChunked(headers)) throw new CallError('malformed_body', 'a held body is already decoded')
  return { sha256: body.sha256, bytes: body.byteLength }
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
function isChunked(headers: Wire['headers']): boolean {
  return (headers.get('x-amz-content-sha256') ?? '').startsWith('STREAMING-')
}

/** `<hex size>[;extensions]\r\n<bytes>\r\n` until a chunk of size 0; trailers are not payload. */
function unchunk(body: Uint8Array): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size =
      lineEnd < 0
        ? null
        : /^([0-9a-fA-F]{1,8})(?:;.*)?$/.exec(bytes.toString('latin1', at, lineEnd))
    if (size === null) throw new CallError('malformed_body', 'broken aws-chunked framing')
    const length = Number.parseInt(size[1] ?? '0', 16)
    if (length === 0) return Buffer.concat(parts)
    const start = lineEnd + 2
    const end = start + length
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') {
      throw new CallError('malformed_body', 'broken aws-chunked framing')
    }
    parts.push(bytes.subarray(start, end))
    at = end + 2
  }
}

/** The payload of a protocol body (JSON, CBOR, form), with its content coding undone. */
export function structuredPayload(wire: Wire): Uint8Array {
  const coding = wire.headers.get('content-encoding')
  const body = payloadOf(wire)
  if (coding === undefined || coding === '' || coding === 'identity') return body
  if (coding !== 'gzip') throw new CallError('unsupported_protocol', 'unknown content coding')
  try {
    return gunzipSync(body, { maxOutputLength: INFLATED_BYTES_MAX })
  } catch (cause) {
    throw new CallError('malformed_body', 'the gzip body cannot be inflated', { cause })
  }
}

/** The JSON value of `bytes`, an empty body being the empty object. */
export function decodeJson(bytes: Uint8Array): Json {
  if (bytes.length === 0) return {}
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    const code =
      cause.code === 'too_deep'
        ? 'body_too_deep'
        : cause.code === 'too_large'
          ? 'body_too_large'
          : cause.code === 'duplicate_key'
            ? 'repeated_member'
            : 'malformed_body'
    throw new CallError(code, `the JSON body is refused: ${cause.code}`, { cause })
  }
}

/**
 * The CBOR value of `bytes` as Json: byte strings become base64, timestamps (tag 1) their number,
 * fractions tagged decimals. Source:
 * https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
 */
export function decodeCbor(bytes: Uint8Array): Json {
  if (bytes.length === 0) return {}
  let value: unknown
  try {
    value = decodeCborBytes(bytes, {
      allowIndefinite: true,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      rejectDuplicateMapKeys: true,
      strict: false,
      useMaps: true,
      tags: { 1: timestamp },
    })
  } catch (cause) {
    throw new CallError('malformed_body', 'the CBOR body is refused', { cause })
  }
  return toJson(value, 0)
}

function timestamp(inner: () => unknown): number {
  const seconds = inner()
  if (typeof seconds === 'number') return seconds
  throw new CallError('malformed_body', 'a CBOR timestamp is no number')
}

const CBOR_DEPTH_MAX = 64

function toJson(value: unknown, depth: number): Json {
  if (depth > CBOR_DEPTH_MAX) throw new CallError('body_too_deep', 'the CBOR body is too deep')
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? value : { decimal: String(value) }
  }
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map((each) => toJson(each, depth + 1))
  if (value instanceof Map) {
    const result: Record<string, Json> = Object.create(null)
    for (const [key, each] of value) {
      if (typeof key !== 'string') throw new CallError('malformed_body', 'a CBOR key is no string')
      result[key] = toJson(each, depth + 1)
    }
    return result
  }
  throw new CallError('malformed_body', 'the CBOR body has a value of no JSON kind')
}

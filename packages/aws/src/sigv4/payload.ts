// What a signature covers of the body: its hash, nothing, or a stream of chunks. An undeclared body
// is hashed; a declared hash is compared with the body here, so a swapped body is never described.

import { hash } from 'node:crypto'
import { isHeld, type WireBody } from '../wire-request.ts'
import { isS3SigningName } from './canonical-request.ts'
import { quoted, SigV4Error } from './errors.ts'

export type PayloadKind =
  | 'signed'
  | 'unsigned'
  | 'streaming-signed'
  | 'streaming-unsigned-trailer'
  /** Messages signed one by one; nothing here reads them. */
  | 'events'

export interface SignedPayload {
  readonly kind: PayloadKind
  /** The last line of the canonical request. */
  readonly payloadHash: string
  /** Hex SHA-256 of the body as received, where the signature binds it; else null. */
  readonly sha256: string | null
}

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

// Source:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
const KIND_OF_LITERAL: ReadonlyMap<string, PayloadKind> = new Map([
  [UNSIGNED_PAYLOAD, 'unsigned'],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'streaming-signed'],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'streaming-signed'],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'streaming-unsigned-trailer'],
  // Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html
  ['STREAMING-AWS4-HMAC-SHA256-EVENTS', 'events'],
])

/**
 * What the signature says of `body`. `declared` is x-amz-content-sha256, where it was sent.
 * Errors: body_mismatch when the body has another hash, unsupported_payload for other literals.
 */
export function signedPayload(
  body: WireBody,
  declared: string | undefined,
  form: 'header' | 'presigned',
  service: string,
): SignedPayload {
  const payload = declaredPayload(declared, form, service)
  if (payload !== undefined && payload.kind !== 'signed') return payload
  const actual = isHeld(body) ? body.sha256 : hash('sha256', body, 'hex')
  if (payload !== undefined && payload.payloadHash !== actual) {
    throw new SigV4Error('body_mismatch', 'the body is not the one that x-amz-content-sha256 names')
  }
  return { kind: 'signed', payloadHash: actual, sha256: actual }
}

/**
 * The same of a request whose body is not there yet; undefined where only the body says its hash.
 * Errors: unsupported_payload.
 */
export function declaredPayload(
  declared: string | undefined,
  form: 'header' | 'presigned',
  service: string,
): SignedPayload | undefined {
  if (declared === undefined) {
    if (form !== 'presigned' || !isS3SigningName(service)) return undefined
    // Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    return { kind: 'unsigned', payloadHash: UNSIGNED_PAYLOAD, sha256: null }
  }
  const kind = KIND_OF_LITERAL.get(declared)
  if (kind !== undefined) return { kind, payloadHash: declared, sha256: null }
  if (/^[0-9a-f]{64}$/.test(declared)) {
    return { kind: 'signed', payloadHash: declared, sha256: declared }
  }
  throw new SigV4Error('unsupported_payload', `payload form ${quoted(declared)} is not supported`)
}

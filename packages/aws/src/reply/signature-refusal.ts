// What a refused signature is called in a reply. One row per code, so that a new code of the
// verifier does not compile until somebody has said what its caller is told.

import type { SigV4ErrorCode } from '../sigv4/errors.ts'
import type { ReplyCode } from './error-codes.ts'

const REPLY_CODE: Readonly<Record<SigV4ErrorCode, ReplyCode>> = {
  missing_signature: 'AccessDenied',
  ambiguous_signature: 'MalformedRequest',
  malformed_authorization: 'MalformedRequest',
  malformed_request: 'MalformedRequest',
  unsupported_algorithm: 'AccessDenied',
  ambiguous_region: 'AccessDenied',
  unsupported_payload: 'MalformedRequest',
  scope_invalid: 'InvalidSignature',
  malformed_date: 'InvalidSignature',
  duplicate_signature_parameter: 'MalformedRequest',
  duplicate_header: 'MalformedRequest',
  unsigned_header: 'InvalidSignature',
  unknown_access_key: 'UnknownAccessKey',
  signature_mismatch: 'InvalidSignature',
  clock_skew: 'RequestExpired',
  expired: 'AccessDenied',
  malformed_chunks: 'MalformedRequest',
  body_mismatch: 'InvalidSignature',
}

/** The reply code for a refusal of `verify` or `readChunkedBody`; pure look-up, never a throw. */
export function replyCodeOfSignature(code: SigV4ErrorCode): ReplyCode {
  return REPLY_CODE[code]
}

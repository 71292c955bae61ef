// The refusals of signature checking. Each has a stable code, words that are safe to show to the
// caller, and a help line. No message holds a secret, a token, a signature or a body.

/** Why a request's signature was not accepted. Codes are stable; words may change. */
export type SigV4ErrorCode =
  /** No SigV4 signature at all: neither an Authorization header nor X-Amz-Signature. */
  | 'missing_signature'
  /** Both an Authorization header and presigned query parameters, or a misspelt one of them. */
  | 'ambiguous_signature'
  /** The Authorization header or the X-Amz-* query parameters do not parse. */
  | 'malformed_authorization'
  /** Method, target or a header holds characters that no client sends, or passes a limit. */
  | 'malformed_request'
  /** SigV2, Bearer and the like: named in the message, never verified. */
  | 'unsupported_algorithm'
  /** SigV4A for `*`, a pattern or a list of regions: one call would be several. */
  | 'ambiguous_region'
  /** An x-amz-content-sha256 value that this gate cannot verify. */
  | 'unsupported_payload'
  /** A field of the credential scope has characters or a length that no AWS name has. */
  | 'scope_invalid'
  /** X-Amz-Date is missing, is no calendar time, or is not the day of the scope. */
  | 'malformed_date'
  /** The same X-Amz-* signature parameter came twice. */
  | 'duplicate_signature_parameter'
  /** A header whose repetition has no single meaning came twice. */
  | 'duplicate_header'
  /** `host` or a received x-amz-* header is not covered by the signature. */
  | 'unsigned_header'
  /** The access key id is not one of this gate's. */
  | 'unknown_access_key'
  /** The recomputed signature differs. */
  | 'signature_mismatch'
  /** Signed more than 15 minutes before or after now. The caller's clock, or a late replay. */
  | 'clock_skew'
  /** A presigned request after its X-Amz-Expires. */
  | 'expired'
  /** The body is not the one that x-amz-content-sha256, or a checksum sent with it, names. */
  | 'body_mismatch'
  /** An aws-chunked body whose framing, length or trailers are not as announced. */
  | 'malformed_chunks'

const HELP: Readonly<Record<SigV4ErrorCode, string>> = {
  missing_signature: 'sign the request with the session keys that the gate gave out',
  ambiguous_signature: 'send either an Authorization header or presigned parameters, not both',
  malformed_authorization: 'let an AWS SDK or the AWS CLI sign the request',
  malformed_request: 'let an AWS SDK or the AWS CLI build the request',
  unsupported_algorithm:
    'sign with AWS Signature Version 4 (for `aws s3 presign`: `aws configure set default.s3.signature_version s3v4`)',
  ambiguous_region:
    'sign for one region (for S3, use a bucket name, not a multi-Region ARN; for EventBridge, no endpoint id)',
  unsupported_payload: 'let the client sign the payload hash (S3: payload_signing_enabled = true)',
  scope_invalid: 'use a region and service name as AWS writes them',
  malformed_date: 'send X-Amz-Date as YYYYMMDDTHHMMSSZ, on the day of the credential scope',
  duplicate_signature_parameter: 'send each X-Amz-* query parameter once',
  duplicate_header: 'send the header once',
  unsigned_header: 'sign the host header and every x-amz-* header',
  unknown_access_key: 'open a session and use its access key',
  signature_mismatch: 'check the secret access key, and that no proxy changes the request',
  clock_skew: 'set the clock of this machine, then sign again',
  expired: 'make a new presigned URL',
  malformed_chunks: 'let an AWS SDK or the AWS CLI send the body',
  body_mismatch: 'send exactly the body that was signed',
}

/** The refusal of one signature. `message` and `help` may be shown to the caller as they are. */
export class SigV4Error extends Error {
  readonly code: SigV4ErrorCode
  readonly help: string

  constructor(code: SigV4ErrorCode, message: string) {
    super(message)
    this.name = 'SigV4Error'
    this.code = code
    this.help = HELP[code]
  }
}

const SHOWN_CHARACTERS_MAX = 64

/** Input of the caller as it may stand in a message: printable ASCII in backticks, cut short. */
export function quoted(input: string): string {
  const printable = input.slice(0, SHOWN_CHARACTERS_MAX).replace(/[^\x20-\x7e]|`/g, '?')
  return `\`${printable}${input.length > SHOWN_CHARACTERS_MAX ? '...' : ''}\``
}

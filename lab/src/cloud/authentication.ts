// Who really signed a request: verified against the lab's own keys and no other. This is the proof
// that the gate re-signs, for a key of one of its sessions is unknown here and refused.
import { type ChunkedBody, readChunkedBody } from '@seconder/aws/sigv4/chunked-body'
import { SigV4Error, type SigV4ErrorCode } from '@seconder/aws/sigv4/errors'
import { type VerifiedSignature, verify } from '@seconder/aws/sigv4/verify'
import { headerValues, type WireRequest } from '@seconder/aws/wire-request'
import { checkChecksums } from './checksums.ts'
import type { AnswerProtocol } from './cloud-request.ts'
import { CloudError, type CloudErrorCode } from './errors.ts'
import type { KeyTable, Principal } from './principal.ts'

export interface Authenticated {
  readonly principal: Principal
  readonly signature: VerifiedSignature
  readonly content: Uint8Array
}

type Refusal = Readonly<Record<AnswerProtocol, readonly [CloudErrorCode, number]>>

const UNREADABLE: Refusal = {
  awsJson: ['IncompleteSignatureException', 400],
  awsQuery: ['IncompleteSignature', 400],
  s3: ['InvalidRequest', 400],
}
const MISMATCH: Refusal = {
  awsJson: ['InvalidSignatureException', 400],
  awsQuery: ['SignatureDoesNotMatch', 403],
  s3: ['SignatureDoesNotMatch', 403],
}
const SKEWED: Refusal = { ...MISMATCH, s3: ['RequestTimeTooSkewed', 403] }

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and the CommonErrors
 * pages of DynamoDB and STS. */
const REFUSALS: Readonly<Record<SigV4ErrorCode, Refusal>> = {
  missing_signature: {
    awsJson: ['MissingAuthenticationTokenException', 400],
    awsQuery: ['MissingAuthenticationToken', 403],
    s3: ['AccessDenied', 403],
  },
  unknown_access_key: {
    awsJson: ['UnrecognizedClientException', 400],
    awsQuery: ['InvalidClientTokenId', 403],
    s3: ['InvalidAccessKeyId', 403],
  },
  signature_mismatch: MISMATCH,
  clock_skew: SKEWED,
  expired: SKEWED,
  body_mismatch: { ...MISMATCH, s3: ['XAmzContentSHA256Mismatch', 400] },
  ambiguous_signature: UNREADABLE,
  malformed_authorization: UNREADABLE,
  malformed_chunks: UNREADABLE,
  malformed_request: UNREADABLE,
  unsupported_algorithm: UNREADABLE,
  ambiguous_region: UNREADABLE,
  unsupported_payload: UNREADABLE,
  scope_invalid: UNREADABLE,
  malformed_date: UNREADABLE,
  duplicate_signature_parameter: UNREADABLE,
  duplicate_header: UNREADABLE,
  unsigned_header: UNREADABLE,
}

/** Throws CloudError alone, in the words of the protocol the request asks in. */
export function authenticate(
  wire: WireRequest,
  keys: KeyTable,
  nowMs: number,
  protocol: AnswerProtocol,
): Authenticated {
  const signature = verified(wire, keys, nowMs, protocol)
  const principal = keys.find(signature.accessKeyId)
  if (principal === undefined) throw refusal('unknown_access_key', protocol)
  checkSession(wire, principal, nowMs, protocol)
  if (signature.service !== 's3' && signature.payloadSha256 === null) {
    throw refusal('unsupported_payload', protocol)
  }
  return { principal, signature, content: content(wire, signature, principal) }
}

function verified(
  wire: WireRequest,
  keys: KeyTable,
  nowMs: number,
  protocol: AnswerProtocol,
): VerifiedSignature {
  try {
    return verify(wire, (accessKeyId) => keys.secretOf(accessKeyId), nowMs)
  } catch (error) {
    if (error instanceof SigV4Error) throw refusal(error.code, protocol)
    throw error
  }
}

function refusal(code: SigV4ErrorCode, protocol: AnswerProtocol): CloudError {
  const [cloudCode, status] = REFUSALS[code][protocol]
  const message =
    code === 'unknown_access_key'
      ? 'The security token included in the request is invalid.'
      : `The request was refused: ${code.replaceAll('_', ' ')}`
  return new CloudError(cloudCode, message, status)
}

/** A session key is nothing without its token, and nothing after its time. */
function checkSession(
  wire: WireRequest,
  principal: Principal,
  nowMs: number,
  protocol: AnswerProtocol,
): void {
  const query = new URLSearchParams(wire.target.split('?', 2)[1] ?? '')
  const token =
    headerValues(wire, 'x-amz-security-token')[0] ?? query.get('X-Amz-Security-Token') ?? undefined
  if (token !== principal.credentials.sessionToken) throw refusal('unknown_access_key', protocol)
  if (principal.expiresAtMs !== undefined && principal.expiresAtMs <= nowMs) {
    const message = 'The security token included in the request is expired'
    const isJson = protocol === 'awsJson'
    throw new CloudError(
      isJson ? 'ExpiredTokenException' : 'ExpiredToken',
      message,
      isJson ? 400 : 403,
    )
  }
}

/** The content of the body: its `aws-chunked` framing gone, its checksums right. */
function content(
  wire: WireRequest,
  signature: VerifiedSignature,
  principal: Principal,
): Uint8Array {
  if (signature.service !== 's3') return wire.body
  const headers = wire.headers.map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
  const { payloadKind } = signature
  if (payloadKind === 'signed' || payloadKind === 'unsigned') {
    checkChecksums(wire.body, headers)
    return wire.body
  }
  // s3rver would store the framing with the object.
  const { payload, trailers } = unchunked(wire, signature, principal.credentials.secretAccessKey)
  checkChecksums(payload, [...headers, ...trailers])
  return payload
}

function unchunked(wire: WireRequest, signature: VerifiedSignature, secret: string): ChunkedBody {
  try {
    return readChunkedBody(wire, signature, secret)
  } catch (error) {
    if (error instanceof SigV4Error) throw refusal(error.code, 's3')
    throw error
  }
}

// The closed lists of headers and query keys that are no input member and change nothing of what an
// operation does. Anything else that starts with `x-amz-` must be in the model of the operation.

/**
 * Signing and SDK invocation headers, checksums and transfer.
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html,
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html (x-amzn-query-mode).
 */
const HEADERS = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-glacier-version',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
  'x-amz-target',
  'x-amz-te',
  'x-amz-trailer',
  'x-amz-user-agent',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-checksum-algorithm',
  'x-amz-checksum-mode',
  'x-amz-checksum-type',
  'x-amz-api-version',
  'x-amzn-query-mode',
  'x-amzn-trace-id',
])

const HEADER_PREFIXES: readonly string[] = ['x-amz-checksum-']

/**
 * Presigning keys, the SDK's label for logs, and the checksums that an SDK which presigns moves from
 * the headers here. Sources: SigV4 query string authentication; @aws-sdk/s3-request-presigner 3.1164.0.
 */
const QUERY_KEYS = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Content-Sha256',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'x-amz-sdk-checksum-algorithm',
  'x-id',
])

/** True for a header (lower case) that is read by nobody here or is on the list. */
export function isAcceptedHeader(name: string): boolean {
  if (!name.startsWith('x-amz') && !name.startsWith('x-aws')) return true
  if (HEADERS.has(name)) return true
  return HEADER_PREFIXES.some((prefix) => name.startsWith(prefix))
}

export function isAcceptedQueryKey(key: string): boolean {
  return QUERY_KEYS.has(key) || /^x-amz-checksum-(?:crc|sha)[0-9a-z]+$/.test(key)
}

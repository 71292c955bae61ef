// Which protocol to answer in when a request was refused before its operation was known. It looks
// at headers and the claimed scope only, and serves for the form of an error, never for a decision.

import type { Protocol } from '../call.ts'
import { headerValues, type WireHead } from '../wire-request.ts'

// Source: https://smithy.io/2.0/aws/protocols/ (each protocol's request content type)
const PROTOCOL_OF_CONTENT_TYPE: ReadonlyMap<string, Protocol> = new Map([
  ['application/x-amz-json-1.0', 'awsJson1_0'],
  ['application/x-amz-json-1.1', 'awsJson1_1'],
  ['application/json', 'restJson1'],
])

// REST XML services by signing name; other REST services speak JSON.
// Source: `metadata.protocol` of the models in npm aws-sdk 2.1693.0
const XML_SIGNING_NAMES: ReadonlySet<string> = new Set(['cloudfront', 'route53', 's3-outposts'])

/** A scope as a header or a query has it; that of SigV4A has no region. */
const CREDENTIAL_SCOPE =
  /[0-9]{8}(?:\/|%2F)(?:[a-z0-9-]{1,32}(?:\/|%2F))?([a-z0-9-]{1,64})(?:\/|%2F)aws4_request/i

/**
 * True where the client moved from the query protocol to JSON or CBOR and asks for the code that its
 * callers still branch on. Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 * (awsQueryCompatible trait, `x-amzn-query-mode`)
 */
export function wantsQueryCode(request: Pick<WireHead, 'headers'>): boolean {
  return headerValues(request, 'x-amzn-query-mode').some((value) => value.trim() === 'true')
}

/** The protocol that the client of this request most likely reads; undefined when nothing says. */
export function replyProtocol(request: WireHead): Protocol | undefined {
  if (headerValues(request, 'smithy-protocol').some((value) => value.trim() === 'rpc-v2-cbor')) {
    return 'rpcv2Cbor'
  }
  const service = claimedService(request)
  if (service === 's3') return 's3'
  if (service === 'ec2') return 'ec2Query'
  if (service !== undefined && XML_SIGNING_NAMES.has(service)) return 'restXml'
  const [contentType = ''] = headerValues(request, 'content-type')
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (mediaType === 'application/x-www-form-urlencoded') return 'awsQuery'
  const known = PROTOCOL_OF_CONTENT_TYPE.get(mediaType)
  if (known !== undefined && known !== 'restJson1') return known
  // A JSON operation is named by this header, whatever became of its content type and its body.
  if (headerValues(request, 'x-amz-target').length > 0) return 'awsJson1_0'
  if (mediaType === 'application/cbor') return 'rpcv2Cbor'
  if (known !== undefined) return known
  if (/[?&]Action=/.test(request.target)) return 'awsQuery'
  // A signed request with no body and no operation in its headers can only be a REST call.
  return service === undefined ? undefined : 'restJson1'
}

function claimedService(request: WireHead): string | undefined {
  const [authorization = ''] = headerValues(request, 'authorization')
  return CREDENTIAL_SCOPE.exec(authorization)?.[1] ?? CREDENTIAL_SCOPE.exec(request.target)?.[1]
}

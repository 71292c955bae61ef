// The refusals of describeCall: one class, one stable code per reason. A refusal is always about
// the request and never repeats its secrets: only names (members, headers, keys, operations) are
// quoted.

/**
 * Why a request has no description. Nothing may be forwarded; sending it again changes nothing.
 * - `unknown_service`: the scope's signing name is not in the index
 * - `unknown_operation`: no operation of the service has this target, action or route
 * - `ambiguous_operation`: two operation signals, or two routes of different meaning
 * - `unsupported_protocol`: a content type, coding or dialect that is not read here
 * - `malformed_target`: the path or query cannot be read in exactly one way
 * - `malformed_header`: a header value is not of its model's type
 * - `malformed_body`: not the JSON, XML, form or CBOR it should be
 * - `body_too_large`, `body_too_deep`: past the limit
 * - `unknown_member`: a non-read has a member, query key or `x-amz-*` header that no model knows
 * - `repeated_member`: a member, query key or header is there twice
 * - `wrong_type`: a member's value is not of its model's type
 * - `index_unreadable`: the compiled index is missing or damaged; the installation's fault
 */
export type CallErrorCode =
  | 'unknown_service'
  | 'unknown_operation'
  | 'ambiguous_operation'
  | 'unsupported_protocol'
  | 'malformed_target'
  | 'malformed_header'
  | 'malformed_body'
  | 'body_too_large'
  | 'body_too_deep'
  | 'unknown_member'
  | 'repeated_member'
  | 'wrong_type'
  | 'index_unreadable'

const HELP: Readonly<Record<CallErrorCode, string>> = {
  unknown_service: 'sign for a service of the compiled index',
  unknown_operation: 'check the operation name and the API version',
  ambiguous_operation: 'name exactly one operation: by target, by action or by path',
  unsupported_protocol: 'use the protocol that the AWS SDKs use for this service',
  malformed_target: 'percent-encode the path and the query as the AWS SDKs do',
  malformed_header: 'send the header as the service documents it',
  malformed_body: 'send the body as the AWS SDKs serialise it',
  body_too_large: 'send a smaller body',
  body_too_deep: 'nest fewer levels',
  unknown_member: 'leave the member out, or update the compiled index to a model that has it',
  repeated_member: 'name each member, query key and header once',
  wrong_type: 'send the member in the type of the service model',
  index_unreadable: 'run `npm run index`',
}

export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: CallErrorCode
  readonly help: string

  constructor(code: CallErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.help = HELP[code]
  }
}

/** A name from the request, fit for a message: printable, short, in backticks. */
export function quoted(name: string): string {
  const plain = name.replace(/[^\x21-\x7e]/g, '?')
  return `\`${plain.length > 80 ? `${plain.slice(0, 77)}...` : plain}\``
}

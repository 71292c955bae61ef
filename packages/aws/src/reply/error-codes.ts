// One table: what each refusal of the gate is called in each protocol, and with which status. Codes
// are AWS's own where it has one; statuses and codes are ones that no client retries by itself.

import type { Protocol } from '../call.ts'

/** What the gate has to say, before any protocol's words for it. */
export type ReplyCode =
  /** Denied, or a second person is needed. */
  | 'AccessDenied'
  /** The signature is not right, or covers too little. */
  | 'InvalidSignature'
  /** The access key is of no open session. */
  | 'UnknownAccessKey'
  /** Signed too long ago or in the future. A client that corrects its clock may try again. */
  | 'RequestExpired'
  /** A body, header or list past its limit. */
  | 'RequestTooLarge'
  /** The request cannot be read, or can be read in two ways. */
  | 'MalformedRequest'
  /** No such operation, service or region in the index. */
  | 'UnknownOperation'
  /** The gate could not decide or could not record. Nothing was sent upstream. */
  | 'Unavailable'
  /** The call was sent upstream and no answer came. It may have happened: never retry blindly. */
  | 'OutcomeUnknown'

/** Statuses that neither botocore nor an SDK retries: no 429, no 5xx. */
export type ReplyStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413

/** Protocols that share their words. */
type Family = 'json' | 'query' | 'ec2' | 'restJson' | 'restXml' | 's3'

export const FAMILY_OF_PROTOCOL: Readonly<Record<Protocol, Family>> = {
  awsJson1_0: 'json',
  awsJson1_1: 'json',
  rpcv2Cbor: 'json',
  awsQuery: 'query',
  ec2Query: 'ec2',
  restJson1: 'restJson',
  restXml: 'restXml',
  s3: 's3',
}

type Words = Readonly<Record<Family, readonly [code: string, status: ReplyStatus]>>

// Sources: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html (query),
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (ec2),
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (s3),
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html (json),
// https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html (restJson),
// https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html (restXml).
// GateUnavailable and OutcomeUnknown are ours: AWS's InternalError, InternalFailure and
// ServiceUnavailable stand on retry lists (botocore data/_retry.json; @smithy/core retry).
export const ERROR_WORDS: Readonly<Record<ReplyCode, Words>> = {
  AccessDenied: {
    json: ['AccessDeniedException', 400],
    query: ['AccessDenied', 403],
    ec2: ['UnauthorizedOperation', 403],
    restJson: ['AccessDeniedException', 403],
    restXml: ['AccessDenied', 403],
    s3: ['AccessDenied', 403],
  },
  InvalidSignature: {
    json: ['InvalidSignatureException', 400],
    query: ['SignatureDoesNotMatch', 403],
    ec2: ['SignatureDoesNotMatch', 403],
    restJson: ['InvalidSignatureException', 403],
    restXml: ['SignatureDoesNotMatch', 403],
    s3: ['SignatureDoesNotMatch', 403],
  },
  UnknownAccessKey: {
    json: ['UnrecognizedClientException', 400],
    query: ['InvalidClientTokenId', 403],
    ec2: ['AuthFailure', 401],
    restJson: ['UnrecognizedClientException', 403],
    restXml: ['InvalidClientTokenId', 403],
    s3: ['InvalidAccessKeyId', 403],
  },
  RequestExpired: {
    json: ['RequestExpired', 400],
    query: ['RequestExpired', 400],
    ec2: ['RequestExpired', 400],
    restJson: ['RequestExpired', 400],
    restXml: ['RequestExpired', 400],
    s3: ['RequestTimeTooSkewed', 403],
  },
  RequestTooLarge: {
    json: ['RequestEntityTooLargeException', 413],
    query: ['RequestEntityTooLarge', 413],
    ec2: ['RequestEntityTooLarge', 413],
    restJson: ['RequestTooLargeException', 413],
    restXml: ['RequestEntityTooLarge', 413],
    s3: ['EntityTooLarge', 400],
  },
  MalformedRequest: {
    json: ['ValidationException', 400],
    query: ['ValidationError', 400],
    ec2: ['InvalidRequest', 400],
    restJson: ['ValidationException', 400],
    restXml: ['ValidationError', 400],
    s3: ['InvalidRequest', 400],
  },
  UnknownOperation: {
    json: ['UnknownOperationException', 400],
    query: ['InvalidAction', 400],
    ec2: ['InvalidAction', 400],
    restJson: ['UnknownOperationException', 404],
    restXml: ['InvalidAction', 400],
    s3: ['MethodNotAllowed', 405],
  },
  Unavailable: {
    json: ['GateUnavailableException', 400],
    query: ['GateUnavailable', 403],
    ec2: ['GateUnavailable', 403],
    restJson: ['GateUnavailableException', 403],
    restXml: ['GateUnavailable', 403],
    s3: ['GateUnavailable', 403],
  },
  OutcomeUnknown: {
    json: ['OutcomeUnknownException', 400],
    query: ['OutcomeUnknown', 409],
    ec2: ['OutcomeUnknown', 409],
    restJson: ['OutcomeUnknownException', 409],
    restXml: ['OutcomeUnknown', 409],
    s3: ['OutcomeUnknown', 409],
  },
}

// The refusals of this package. A CostStoreError is about a billing export or the store that holds
// it; a CostApiError is an answer on the wire. No message holds a row, a secret or a body.

/** Why an export was not taken, or the store could not answer. Codes are stable, words are not. */
export type CostStoreErrorCode =
  /** The export's name is empty, too long or has characters beyond letters, digits and `._/-`. */
  | 'export_name_invalid'
  /** The file is past a limit: bytes before or after gunzip, columns, or header length. */
  | 'too_large'
  /** The file cannot be read: no such path, or broken gzip. The bytes may be damaged on the way. */
  | 'unreadable_file'
  /** The first line is not a CSV header, or names one of the wanted columns twice. */
  | 'malformed_header'
  /** A column without which no cost can be told is absent: the message names it. */
  | 'missing_column'
  /** Not one row could be taken. What the store held before is still there. */
  | 'no_rows'
  /** What was stored does not sum to what the file sums to. Nothing was replaced. Our fault. */
  | 'not_reconciled'
  /** DuckDB failed; `cause` says how. A transaction that was open has been rolled back. */
  | 'database_failed'
  /** The question took longer than its limit and was stopped. Ask for less, or later. */
  | 'too_slow'
  /** The store was closed. */
  | 'closed'

const HELP: Readonly<Record<CostStoreErrorCode, string>> = {
  export_name_invalid: 'name the export with 1 to 128 letters, digits and `._/-`',
  too_large: 'split the export by billing period',
  unreadable_file: 'fetch the export again and compare its size with the original',
  malformed_header: 'export as CSV, comma separated, with one header line',
  missing_column: 'export with the FOCUS columns of version 1.0 or later',
  no_rows: 'look at the reasons in `refusals`; the export may be of another kind',
  not_reconciled: 'keep the file and report the defect',
  database_failed: 'look at the cause; the disk may be full or the memory limit too low',
  too_slow: 'narrow the time period or the grouping',
  closed: 'open the store again',
}

/** The refusal of one export or question. Nothing was changed by what ended with this error. */
export class CostStoreError extends Error {
  override readonly name = 'CostStoreError'
  readonly code: CostStoreErrorCode
  readonly help: string

  constructor(code: CostStoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.help = HELP[code]
  }
}

/**
 * The error names that go on the wire. Modelled ones come from botocore
 * `botocore/data/ce/2017-10-25/service-2.json`; the rest from
 * https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/CommonErrors.html
 */
export type CostApiErrorCode =
  | 'DataUnavailableException'
  | 'InvalidNextTokenException'
  | 'LimitExceededException'
  | 'RequestChangedException'
  | 'ValidationException'
  | 'SerializationException'
  | 'UnknownOperationException'
  | 'NotImplementedException'
  | 'RequestEntityTooLargeException'
  | 'MissingAuthenticationTokenException'
  | 'IncompleteSignatureException'
  | 'InvalidSignatureException'
  | 'UnrecognizedClientException'
  | 'InternalFailure'

const STATUS: Readonly<Record<CostApiErrorCode, number>> = {
  DataUnavailableException: 400,
  InvalidNextTokenException: 400,
  LimitExceededException: 400,
  RequestChangedException: 400,
  ValidationException: 400,
  SerializationException: 400,
  UnknownOperationException: 400,
  NotImplementedException: 501,
  RequestEntityTooLargeException: 413,
  MissingAuthenticationTokenException: 400,
  IncompleteSignatureException: 400,
  InvalidSignatureException: 400,
  UnrecognizedClientException: 400,
  InternalFailure: 500,
}

/** An answer that is no result. `message` goes to the caller as it is. */
export class CostApiError extends Error {
  override readonly name = 'CostApiError'
  readonly code: CostApiErrorCode
  readonly status: number

  constructor(code: CostApiErrorCode, message: string) {
    super(message)
    this.code = code
    this.status = STATUS[code]
  }
}

const SHOWN_CHARACTERS_MAX = 64

/** Input of the caller as it may stand in a message: printable ASCII in backticks, cut short. */
export function quoted(input: string): string {
  const printable = input.slice(0, SHOWN_CHARACTERS_MAX).replace(/[^\x20-\x7e]|`/g, '?')
  return `\`${printable}${input.length > SHOWN_CHARACTERS_MAX ? '...' : ''}\``
}

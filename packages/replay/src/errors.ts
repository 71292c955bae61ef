// The refusals of replay and roles: one class, one stable code per reason.

/**
 * - `trail_unreadable`: a path of the trail does not exist or may not be read
 * - `no_trail`: nothing at the paths looks like a trail
 * - `no_policy`: a path of policies does not exist
 * - `bad_option`: an option says what cannot be meant
 * - `bad_export`: a file that is not what it should be: an IAM export, a result of groups
 * - `s3`: S3 could not be read
 */
export type ReplayErrorCode =
  | 'trail_unreadable'
  | 'no_trail'
  | 'no_policy'
  | 'bad_option'
  | 'bad_export'
  | 's3'

const HELP: Readonly<Record<ReplayErrorCode, string>> = {
  trail_unreadable: 'check the path, and that you may read it',
  no_policy: 'name a folder of .cedar files, or a seconder.yaml',
  bad_option: 'see seconder replay --help',
  bad_export: 'see docs/replay.md',
  s3: 'check the address, the region and your credentials: aws s3 ls must work',
  no_trail: 'name files or folders with CloudTrail logs: .json, .json.gz, .ndjson',
}

export class ReplayError extends Error {
  override readonly name = 'ReplayError'
  readonly code: ReplayErrorCode
  readonly help: string

  constructor(code: ReplayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.help = HELP[code]
  }
}

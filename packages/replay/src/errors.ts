// The refusals of replay and roles: one class, one stable code per reason.

/**
 * - `trail_unreadable`: a path of the trail does not exist or may not be read
 * - `no_trail`: nothing at the paths looks like a trail
 */
export type ReplayErrorCode = 'trail_unreadable' | 'no_trail'

const HELP: Readonly<Record<ReplayErrorCode, string>> = {
  trail_unreadable: 'check the path, and that you may read it',
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

// What `resolve` throws. Only programmer mistakes: everything that a look-up did not learn is a
// sentence in the Evidence, never an error, and never words of the upstream's.

/**
 * Codes of ResolveError.
 *
 * - `not_a_read`: a call was about to be sent that is not on the closed list of reads. A bug of ours;
 *   nothing was sent. The action is refused.
 */
export type ResolveErrorCode = 'not_a_read'

export class ResolveError extends Error {
  readonly code: ResolveErrorCode
  readonly help: string

  constructor(code: ResolveErrorCode, message: string, help: string) {
    super(message)
    this.name = 'ResolveError'
    this.code = code
    this.help = help
  }
}

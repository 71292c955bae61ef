// The refusals of the endpoint table. A host or region outside it is never used.

export type EndpointErrorCode =
  /** A host that the compiled table does not hold. A bug or an attack; nothing was sent. */
  | 'host_not_in_table'
  /** Host and signature name two rows of the table. Caller's fault or an attack; nothing was sent. */
  | 'other_row'

/** Refusal of one host. `message` may be shown to the caller. */
export class EndpointError extends Error {
  readonly code: EndpointErrorCode
  readonly help: string

  constructor(code: EndpointErrorCode, message: string) {
    super(message)
    this.name = 'EndpointError'
    this.code = code
    this.help = 'use a service and region of the endpoint table (packages/aws/data/endpoints.json)'
  }
}

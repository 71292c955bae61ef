// The port through which `resolve` looks things up. The gateway implements it by signing
// with the session's own role; resolve never holds a credential and never names a host.

/** One read-only call. `target` is the origin form, percent-encoded as S3 and SigV4 want it. */
export interface UpstreamCall {
  /** Signing name: `dynamodb`, `s3`, `cloudformation`. */
  readonly service: string
  readonly region: string
  readonly method: 'GET' | 'POST' | 'HEAD'
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array
  /** Which host of the signing name, where its API says so (`api.ecr`). */
  readonly endpointPrefix?: string
  /** Nothing that is bound or decided depends on the answer: one of the last seconds will do. */
  readonly advisory?: true
}

/** Rejects a call that was not sent: the account asked for fewer calls, or the budget is used up. */
export class NotLooked extends Error {
  readonly why: 'throttled' | 'budget'

  constructor(why: 'throttled' | 'budget') {
    super(why)
    this.name = 'NotLooked'
    this.why = why
  }
}

/** The answer as it came, whatever its status; header names in either case. */
export interface UpstreamAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Upstream {
  /** Rejects only when there is no answer (NotLooked: it was not sent); an error of AWS is an answer. */
  send(call: UpstreamCall): Promise<UpstreamAnswer>
  /** Told of every answer by which AWS asked for fewer calls. */
  throttled?(call: UpstreamCall): void
}

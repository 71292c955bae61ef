// The port through which `resolve` looks things up: types only. The gateway implements it by signing
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
}

/** The answer as it came, whatever its status; header names in either case. */
export interface UpstreamAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Upstream {
  /** Rejects only when there is no answer; an error answer of AWS is an answer. */
  send(call: UpstreamCall): Promise<UpstreamAnswer>
}

// The nouns between the front and its services: a verified request and the answer to it.
import type { Principal } from './principal.ts'

/** A request whose signature the front has verified. Services never see an unverified one. */
export interface CloudRequest {
  readonly id: string
  readonly principal: Principal
  readonly region: string
  readonly method: string
  /** Host header in lower case, port left out. */
  readonly host: string
  /** Path as received, percent-encoding kept. */
  readonly path: string
  /** Query pairs in order, decoded. */
  readonly query: readonly (readonly [string, string])[]
  /** Lower-case names; a repeated header was refused. */
  readonly headers: ReadonlyMap<string, string>
  /** Content: `aws-chunked` framing is gone. */
  readonly content: Uint8Array
  readonly nowMs: number
}

export interface CloudReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export type AnswerProtocol = 'awsJson' | 'awsQuery' | 's3'

/** One service of the front. `operation` is what the request log shows. */
export interface CloudService {
  readonly protocol: AnswerProtocol
  operation(request: CloudRequest): string
  answer(request: CloudRequest, operation: string): Promise<CloudReply>
}

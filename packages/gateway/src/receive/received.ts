// The noun of `receive`: one request off the wire, whole, with what the gate itself saw of its sender.
import type { HostRow } from '@seconder/aws/endpoints/host-row'
import type { WireRequest } from '@seconder/aws/wire-request'
import type { Isolation } from '../identify/caller.ts'

export interface Received {
  readonly request: WireRequest
  /** Measured on the connection, never taken from the request; once for each, when it is first asked for. */
  readonly isolation: () => Promise<Isolation>
  /** The host of AWS that the client believes it talks to, in CONNECT mode; else null. */
  readonly named: HostRow | null
  /** What the client put before the gate's own name, as `bucket.`; empty where it put nothing. */
  readonly label: string
  /** True while somebody is there to read the answer; asked again right before an effect. */
  readonly clientConnected: () => boolean
  /** Fires when the client goes before it has its answer. */
  readonly gone: AbortSignal
}

/** An answer in the protocol of the request. A stream is sent as it comes; bytes are sent whole. */
export interface Reply {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

// The noun of `receive`: one request off the wire, whole, with what the gate itself saw of its sender.
import type { Readable } from 'node:stream'
import type { HostRow } from '@seconder/aws/endpoints/host-row'
import type { ChunkedEnd } from '@seconder/aws/sigv4/chunk-reader'
import type { HeldBody, WireRequest } from '@seconder/aws/wire-request'
import type { Isolation } from '../identify/caller.ts'
import type { CallSpan } from '../telemetry/call-span.ts'

/** A body on the gate's disk, whole and hashed, its framing taken off. */
export interface SpooledBody extends HeldBody {
  /** What its aws-chunked framing was and said; null where it had none. */
  readonly framing: ChunkedEnd | null
  /** Its bytes from the first on, until its request has had its answer. */
  readonly read: () => Readable
}

export type ReceivedBody = Uint8Array | SpooledBody

export interface Received {
  readonly request: WireRequest<ReceivedBody>
  /** When the head of a large body was verified, which is when its signature is held to its time. */
  readonly admittedAtMs: number | null
  /** What ends a call that entered with its head, as one with a large body does; null where it has yet to enter. */
  readonly leave: (() => void) | null
  /** Measured on the connection, never taken from the request; once for each, when it is first asked for. */
  readonly isolation: () => Promise<Isolation>
  /** Where the connection comes from, as a name to compare; null where that cannot be told. */
  readonly peer: () => Promise<string | null>
  /** The host of AWS that the client believes it talks to, in CONNECT mode; else null. */
  readonly named: HostRow | null
  /** What the client put before the gate's own name, as `bucket.`; empty where it put nothing. */
  readonly label: string
  /** True while somebody is there to read the answer; asked again right before an effect. */
  readonly clientConnected: () => boolean
  /** Fires when the client goes before it has its answer. */
  readonly gone: AbortSignal
  /** Told how the call goes on; decides nothing. */
  readonly span: CallSpan
  /** Lets go of a body on the disk; called when the request has had its answer. */
  readonly release: () => Promise<void>
}

/** An answer in the protocol of the request. A stream is sent as it comes; bytes are sent whole. */
export interface Reply {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

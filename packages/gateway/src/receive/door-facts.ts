// What a door knows of a request besides the request itself: how it was addressed, and how to
// measure its sender.
import type { Socket } from 'node:net'
import type { HostRow } from '@seconder/aws/endpoints/host-row'
import type { Isolation } from '../identify/caller.ts'

export interface DoorFacts {
  /** Host values that mean this gate, or the host of AWS that a tunnel was opened for. */
  readonly hosts: readonly string[]
  /** Those of them that a bucket, an account or a label of an SDK may stand before; none in a tunnel. */
  readonly names: readonly string[]
  /** The row of the endpoint table that a tunnel was opened for, or null. */
  readonly named: HostRow | null
  readonly measure: (socket: Socket) => Isolation | Promise<Isolation>
  /** Names where a connection comes from; absent: nobody asks. */
  readonly peer?: (socket: Socket) => Promise<string | null>
}

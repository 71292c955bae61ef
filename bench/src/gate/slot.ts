// One slot of load on one side: the rate, the times, and the CPU that the side used for each request.
import type { Child } from './child.ts'
import type { LoadDone, LoadRun } from './load.ts'
import type { Side } from './peers.ts'

export interface Slot {
  readonly answered: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU of the side for one request, in microseconds; null where the kernel does not say. */
  readonly cpuUs: number | null
}

export async function loadSlot(load: Child, side: Side, run: Omit<LoadRun, 'port'>): Promise<Slot> {
  const before = side.child.cpuSeconds()
  const done = await load.ask<LoadDone>({ ...run, port: side.port } satisfies LoadRun)
  const after = side.child.cpuSeconds()
  if (done.failure !== null || done.answered === 0) {
    throw new Error(`${side.name} did not answer as it should: ${done.failure ?? 'no answer'}`)
  }
  const used = before === null || after === null ? null : after - before
  return {
    answered: done.answered,
    perSecond: done.answered / done.seconds,
    p50Ms: done.p50Ms,
    p99Ms: done.p99Ms,
    cpuUs: used === null ? null : (used * 1e6) / done.answered,
  }
}

// How a gate stands in one moment: what operators see as gauges. Counts and states alone.
import type { Observing } from '../epoch/observing.ts'
import type { NotifyStanding } from '../notify/notifier.ts'
import type { Ready } from '../readiness.ts'
import type { Figures } from '../state/figures.ts'

/** Something that waits in line, or is remembered, within a limit. */
export interface Queue {
  readonly name: string
  readonly depth: number
  readonly limit: number
  /** How often something did not fit since the start; null where nobody counts it. */
  readonly overflowed: number | null
}

export interface Snapshot {
  readonly nowMs: number
  /** Null where the state did not answer. */
  readonly figures: Figures | null
  readonly ready: Readonly<Record<string, Ready>>
  /** Null where nobody is to be told. */
  readonly notify: NotifyStanding | null
  readonly ledger: { readonly size: number; readonly checkpointAtMs: number }
  /** Whether this gateway makes the ledger's files: it alone, or under the lease. */
  readonly isPublisher: boolean
  readonly epoch: number
  /** Environments that do not enforce now. */
  readonly observing: readonly Observing[]
  readonly isRefusing: boolean
  /** Calls that are being answered. */
  readonly answering: number
  readonly queues: readonly Queue[]
}

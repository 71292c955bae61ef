// What operators see of a running gate, put together: counts of what it does, and how it stands when it is asked.
// The path tells it things and waits for nothing of it.
import type { IncomingMessage } from 'node:http'
import type { Foundation } from '../foundation.ts'
import { type CallSpan, MeasuredCall } from './call-span.ts'
import { CONTENT_TYPE, exposition, formatFor } from './exposition.ts'
import { GateMetrics } from './gate-metrics.ts'
import { LOG_DEFAULT, Log } from './log.ts'
import { logged } from './logged-entries.ts'
import { measuredRecorder } from './measured-recorder.ts'
import { addOwnMetrics } from './own-metrics.ts'
import type { Snapshot } from './snapshot.ts'
import { addSnapshotMetrics } from './snapshot-metrics.ts'
import type { TelemetryConfig } from './telemetry-config.ts'
import { TraceExporter } from './trace-exporter.ts'
import { TracedCall } from './traced-call.ts'

/** A look is shown again for this long, so that whoever asks often costs nothing. In milliseconds. */
const LOOK_KEPT_MS = 1_000

export interface Page {
  readonly type: string
  readonly text: string
}

export class Telemetry {
  readonly metrics = new GateMetrics()
  readonly log: Log
  readonly #exporter: TraceExporter | null
  readonly #ratio: number
  #look: (() => Promise<Snapshot>) | null = null
  #looked: { readonly atMs: number; readonly snapshot: Promise<Snapshot> } | null = null
  #snapshot: Snapshot | null = null

  constructor({ log = LOG_DEFAULT, traces }: TelemetryConfig) {
    this.log = new Log(log, Date.now, log.sink)
    const { metrics } = this
    this.#exporter = traces ? new TraceExporter({ ...traces, metrics, log: this.log }) : null
    this.#ratio = traces?.ratio ?? 0
    addSnapshotMetrics(this.metrics.registry, () => this.#snapshot)
    addOwnMetrics(this.metrics, this.log)
  }

  /** The same foundation, whose recorder is counted. */
  measuring(foundation: Foundation): Foundation {
    const { store, clock } = foundation
    const recorder = measuredRecorder(foundation.recorder, {
      ...{ metrics: this.metrics, store, clock },
      recorded: (entry) => logged(this.log, entry),
      failed: (cause) => this.log.write('ledger_failed', { error: cause }),
    })
    return { ...foundation, recorder }
  }

  /** How the gate stands is looked for with this from now on. */
  watch(look: () => Promise<Snapshot>): void {
    this.#look = look
  }

  /** A call begins: its head is there. Which calls are traced is the gate's to say, never the caller's. */
  begin({ headers }: Pick<IncomingMessage, 'headers'>): CallSpan {
    const { metrics, log } = this
    const exporter = this.#exporter
    if (exporter === null || Math.random() >= this.#ratio) return new MeasuredCall(metrics, log)
    const { traceparent } = headers
    const claimed = typeof traceparent === 'string' ? traceparent : undefined
    return new TracedCall({ metrics, log, ended: (spans) => exporter.add(spans) }, claimed)
  }

  /** Spans that wait for the collector; null where nothing is traced. */
  get spansWaiting(): number | null {
    return this.#exporter?.depth ?? null
  }

  started(
    epoch: number,
    refusing: string | null,
    { awsUrl, consoleUrl }: { readonly awsUrl: string; readonly consoleUrl: string },
  ): void {
    const agents = new URL(awsUrl).host
    const people = new URL(consoleUrl).host
    this.log.write('gate_started', { epoch, refusing: refusing !== null, agents, people })
  }

  /** The last lines of the log are out. */
  async close(): Promise<void> {
    await this.#exporter?.close()
    this.log.write('gate_stopped', {})
    await this.log.flush()
  }

  /** All metrics, in the format that `accept` likes best. */
  async page(accept: string | undefined): Promise<Page> {
    await this.#lookAgain()
    const format = formatFor(accept)
    const text = exposition(this.metrics.registry.families(), format)
    return { type: CONTENT_TYPE[format], text }
  }

  async #lookAgain(): Promise<void> {
    if (this.#look === null) return
    const nowMs = performance.now()
    if (this.#looked === null || nowMs - this.#looked.atMs >= LOOK_KEPT_MS) {
      this.#looked = { atMs: nowMs, snapshot: this.#look() }
    }
    this.#snapshot = await this.#looked.snapshot
  }
}

// Sends spans to a collector by OTLP/HTTP, in batches, from a queue within a limit. The path puts spans in and knows
// nothing of what becomes of them: a collector that is slow, dead or lying costs spans, which are counted.
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp (what is tried again, and when) and
// https://opentelemetry.io/docs/specs/otel/trace/sdk/#batching-processor (sizes and times).
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { GateMetrics } from './gate-metrics.ts'
import type { Log } from './log.ts'
import { exportRequest, type Span } from './otlp.ts'

export const SPANS_MAX = 2_048
const BATCH_SPANS_MAX = 512
const EVERY_MS = 5_000
const EXPORT_MS_MAX = 10_000
const ATTEMPTS_MAX = 4
const FIRST_PAUSE_MS = 1_000
const PAUSE_MS_MAX = 30_000
/** Of an answer that is read; what it says beyond is not. */
const ANSWER_BYTES_MAX = 64 * 1024
/** How long a stopping gate waits for its last spans. */
const CLOSE_MS_MAX = 2_000
const TRIED_AGAIN = new Set([429, 502, 503, 504])

export interface ExporterOptions {
  readonly endpoint: string
  readonly metrics: GateMetrics
  readonly log: Log
  readonly everyMs?: number
}

export class TraceExporter {
  readonly #options: ExporterOptions
  readonly #instance = randomUUID()
  readonly #stopped = new AbortController()
  readonly #timer: NodeJS.Timeout
  #queue: Span[] = []
  #sending: Promise<void> | null = null
  #isFailing = false

  constructor(options: ExporterOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#send(), options.everyMs ?? EVERY_MS).unref()
  }

  /** Spans that wait; those that are being sent are not among them. */
  get depth(): number {
    return this.#queue.length
  }

  /** All spans of one call, or none. */
  add(spans: readonly Span[]): void {
    if (this.#queue.length + spans.length > SPANS_MAX) {
      this.#options.metrics.spans.add(['dropped_queue'], spans.length)
      return
    }
    this.#queue.push(...spans)
    if (this.#queue.length >= BATCH_SPANS_MAX) this.#send()
  }

  /** Sends what is left, once, and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#send()
    const late = setTimeout(() => this.#stopped.abort(), CLOSE_MS_MAX)
    await this.#sending
    clearTimeout(late)
    this.#stopped.abort()
    this.#options.metrics.spans.add(['dropped_failed'], this.#queue.length)
    this.#queue = []
  }

  #send(): void {
    if (this.#sending !== null || this.#queue.length === 0) return
    this.#sending = this.#all().finally(() => {
      this.#sending = null
    })
  }

  async #all(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopped.signal.aborted) {
      const batch = this.#queue.splice(0, BATCH_SPANS_MAX)
      await this.#batch(batch)
    }
  }

  async #batch(batch: readonly Span[]): Promise<void> {
    const { metrics, log } = this.#options
    const body = exportRequest(batch, this.#instance)
    for (let attempt = 1; ; attempt++) {
      const sent = await this.#once(body)
      if (sent.code === null) {
        const rejected = Math.min(sent.rejected, batch.length)
        metrics.spans.add(['exported'], batch.length - rejected)
        if (rejected > 0) metrics.spans.add(['dropped_rejected'], rejected)
        if (this.#isFailing) log.write('traces_recovered', {})
        this.#isFailing = false
        return
      }
      if (!this.#isFailing) log.write('traces_failing', { code: sent.code })
      this.#isFailing = true
      if (sent.pauseMs === null || attempt >= ATTEMPTS_MAX || this.#stopped.signal.aborted) break
      const waitMs = Math.max(sent.pauseMs, FIRST_PAUSE_MS * 2 ** (attempt - 1))
      const { signal } = this.#stopped
      await pause(Math.min(PAUSE_MS_MAX, waitMs), undefined, { signal }).catch(() => undefined)
    }
    metrics.spans.add(['dropped_failed'], batch.length)
  }

  /** `pauseMs`: how long the collector asked to wait at least; null where the same is not tried again. */
  async #once(
    body: string,
  ): Promise<{ code: null; rejected: number } | { code: string; pauseMs: number | null }> {
    try {
      const answer = await fetch(this.#options.endpoint, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(EXPORT_MS_MAX)]),
      })
      const text = await textOf(answer)
      if (answer.ok) return { code: null, rejected: rejectedIn(text) }
      const seconds = Number(answer.headers.get('retry-after') ?? 0)
      const pauseMs = Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : 0
      const isRetried = TRIED_AGAIN.has(answer.status)
      return { code: `http_${answer.status}`, pauseMs: isRetried ? pauseMs : null }
    } catch {
      return { code: 'unreachable', pauseMs: 0 }
    }
  }
}

async function textOf(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of answer.body ?? []) {
    bytes += piece.byteLength
    if (bytes > ANSWER_BYTES_MAX) break
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** What a partial success says was not taken; 0 where the answer says nothing that can be read. */
function rejectedIn(text: string): number {
  try {
    const said = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown } } | null
    const count = Number(said?.partialSuccess?.rejectedSpans ?? 0)
    return Number.isSafeInteger(count) && count > 0 ? count : 0
  } catch {
    return 0
  }
}

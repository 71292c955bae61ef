// One call as a trace: a span of its own with a child for each stage it passed. Made only where traces are on. A trace
// begins at the gate: what a caller says of one is kept as a link that it claims, and decides nothing.
// Source: https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/ and .../specs/semconv/rpc/ (names of
// attributes); https://www.w3.org/TR/trace-context/#traceparent-header.
import { randomBytes } from 'node:crypto'
import type { Action } from '../describe/action.ts'
import { environmentOf, MeasuredCall, type Stage } from './call-span.ts'
import type { CallDecision, GateMetrics } from './gate-metrics.ts'
import type { Log } from './log.ts'
import { type Attribute, type Span, SpanKind, StatusCode } from './otlp.ts'

/** Stages of one call that are kept; a call that is held and looked at again passes a dozen. */
export const STAGES_MAX = 32

const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/

interface Lap {
  readonly stage: Stage
  readonly fromMs: number
}

export interface Tracing {
  readonly metrics: GateMetrics
  readonly log: Log
  /** Takes the spans of one call, the call itself first. */
  readonly ended: (spans: readonly Span[]) => void
}

export class TracedCall extends MeasuredCall {
  readonly #ended: Tracing['ended']
  readonly #traceparent: string | undefined
  readonly #startMs = Date.now()
  readonly #sinceMs = performance.now()
  readonly #laps: Lap[] = [{ stage: 'receive', fromMs: performance.now() }]
  #action: Action | null = null
  #decision: CallDecision = 'joined'
  #request: string | undefined
  #code: string | undefined

  /** `traceparent`: what the caller sent, unread. */
  constructor({ metrics, log, ended }: Tracing, traceparent: string | undefined) {
    super(metrics, log)
    this.#ended = ended
    this.#traceparent = traceparent
  }

  override enter(stage: Stage, request?: string): void {
    this.#request = request ?? this.#request
    if (this.#laps.length < STAGES_MAX) this.#laps.push({ stage, fromMs: performance.now() })
  }

  override about(action: Action): void {
    super.about(action)
    this.#action = action
  }

  override settled(decision: CallDecision): void {
    super.settled(decision)
    this.#decision = decision
  }

  override refused(code: string, cause?: unknown): void {
    super.refused(code, cause)
    this.#decision = 'refused'
    this.#code = code
  }

  override end(status: number): void {
    super.end(status)
    this.#ended(this.#spans(status))
  }

  #spans(status: number): Span[] {
    const ids = randomBytes(16 + 8 * (this.#laps.length + 1)).toString('hex')
    const traceId = ids.slice(0, 32)
    const idOf = (index: number) => ids.slice(32 + 16 * index, 48 + 16 * index)
    const endMs = performance.now()
    const times = (fromMs: number, toMs: number) => ({
      startTimeUnixNano: this.#nanos(fromMs),
      endTimeUnixNano: this.#nanos(toMs),
    })
    const whole: Span = {
      traceId,
      spanId: idOf(0),
      name: this.#name(),
      kind: SpanKind.server,
      ...times(this.#sinceMs, endMs),
      attributes: this.#attributes(status),
      ...this.#links(),
      // Who was refused or held was answered as it should be; who got no answer was not.
      ...(status === 0 && { status: { code: StatusCode.error } }),
    }
    const stages = this.#laps.map(({ stage, fromMs }, index): Span => {
      const toMs = this.#laps[index + 1]?.fromMs ?? endMs
      const isClient = stage === 'execute'
      return {
        traceId,
        spanId: idOf(index + 1),
        parentSpanId: whole.spanId,
        name: `seconder.${stage}`,
        kind: isClient ? SpanKind.client : SpanKind.internal,
        ...times(fromMs, toMs),
        attributes: isClient ? this.#rpc() : [],
      }
    })
    return [whole, ...stages]
  }

  /** The wall clock of the beginning, and from there the clock that never jumps. */
  #nanos(atMs: number): string {
    const nanos = Math.round((atMs - this.#sinceMs) * 1_000_000)
    return String(BigInt(this.#startMs) * 1_000_000n + BigInt(Math.max(0, nanos)))
  }

  /** Of the service index, so there are as many as AWS has operations. */
  #name(): string {
    return this.#action === null ? 'call' : this.#action.operation.replace(':', '/')
  }

  #rpc(): Attribute[] {
    if (this.#action === null) return []
    const { operation, region } = this.#action
    const [service = '', method = ''] = operation.split(':')
    return [
      text('rpc.system', 'aws-api'),
      text('rpc.system.name', 'aws-api'),
      text('rpc.service', service),
      text('rpc.method', method),
      text('cloud.region', region),
    ]
  }

  #attributes(status: number): Attribute[] {
    const action = this.#action
    return [
      ...this.#rpc(),
      text('seconder.decision', this.#decision),
      text('seconder.effect', action?.effects.at(-1) ?? 'unknown'),
      text('seconder.environment', action === null ? 'unknown' : environmentOf(action)),
      ...(status === 0 ? [] : [whole('http.response.status_code', status)]),
      ...(this.#code === undefined ? [] : [text('seconder.code', this.#code)]),
      ...(this.#request === undefined ? [] : [text('seconder.request', this.#request)]),
    ]
  }

  #links(): Pick<Span, 'links'> {
    const [, traceId, spanId] = TRACEPARENT.exec(this.#traceparent ?? '') ?? []
    if (traceId === undefined || spanId === undefined) return {}
    return { links: [{ traceId, spanId, attributes: [text('seconder.link', 'claimed')] }] }
  }
}

function text(key: string, stringValue: string): Attribute {
  return { key, value: { stringValue } }
}

function whole(key: string, count: number): Attribute {
  return { key, value: { intValue: String(count) } }
}

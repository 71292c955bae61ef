// The part of OTLP that traces need, in its JSON encoding: ids in hex, 64-bit numbers as strings, enums as numbers.
// Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (1.9.0) and
// https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/trace/v1/trace.proto

export const SpanKind = { internal: 1, server: 2, client: 3 } as const
export const StatusCode = { error: 2 } as const

export interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string } | { readonly intValue: string }
}

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: 1 | 2 | 3
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly links?: readonly {
    readonly traceId: string
    readonly spanId: string
    readonly attributes: readonly Attribute[]
  }[]
  readonly status?: { readonly code: 2 }
}

/** The body of one export; `instance` tells this process from others of the same gate. */
export function exportRequest(spans: readonly Span[], instance: string): string {
  const attributes: Attribute[] = [
    { key: 'service.name', value: { stringValue: 'seconder' } },
    { key: 'service.instance.id', value: { stringValue: instance } },
  ]
  const scopeSpans = [{ scope: { name: 'seconder.gateway' }, spans }]
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] })
}

// Writes metrics in the two text formats that Prometheus reads, whichever a scraper asks for. Pure.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4) and
// https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md (1.0.0).
import type { Family, Sample } from './metric.ts'

export type Format = 'text' | 'openmetrics'

export const CONTENT_TYPE: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** Longest Accept header that is read; of a longer one the text format is what is left. */
const ACCEPT_CHARS_MAX = 2_048

/**
 * The format that an Accept header likes best; the text format where it names neither, or a version of OpenMetrics
 * that this is not. Source: RFC 9110 section 12.5.1.
 */
export function formatFor(accept: string | undefined): Format {
  if (accept === undefined || accept.length > ACCEPT_CHARS_MAX) return 'text'
  let best = { format: 'text' as Format, weight: 0 }
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const format = formatOf(type, parameters)
    const q = parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1'
    const weight = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 0
    if (format !== null && weight > best.weight) best = { format, weight }
  }
  return best.format
}

function formatOf(type: string, parameters: readonly string[]): Format | null {
  const version = parameters.find((each) => each.startsWith('version='))?.slice('version='.length)
  if (type === 'application/openmetrics-text') {
    return version === undefined || version === '1.0.0' ? 'openmetrics' : null
  }
  if (type === 'text/plain') return version === undefined || version === '0.0.4' ? 'text' : null
  return type === '*/*' || type === 'text/*' ? 'text' : null
}

/** All families, each with its help and type before its samples. Ends with `# EOF` in OpenMetrics. */
export function exposition(families: readonly Family[], format: Format): string {
  const lines: string[] = []
  for (const family of families) {
    const samples = family.samples()
    if (samples.length === 0) continue
    // A counter of OpenMetrics has its name without `_total`; the older format types the sample's own.
    const isTotal = format === 'text' && family.kind === 'counter'
    const name = isTotal ? `${family.name}_total` : family.name
    lines.push(`# HELP ${name} ${escaped(family.help)}`, `# TYPE ${name} ${family.kind}`)
    for (const sample of samples) lines.push(lineOf(family.name, sample))
  }
  if (format === 'openmetrics') lines.push('# EOF')
  return `${lines.join('\n')}\n`
}

function lineOf(name: string, { suffix, labels, value }: Sample): string {
  const pairs = labels.map(([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`)
  const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`
  return `${name}${suffix}${set} ${numberOf(value)}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

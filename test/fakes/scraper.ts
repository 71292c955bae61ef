// Reads metrics as a scraper does: the grammar of OpenMetrics 1.0 and the rules of its text format, written from the
// specification, not from the code that writes them. What breaks a rule is thrown.
// Source: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md, sections "ABNF" and
// "Metric Types"; https://prometheus.io/docs/instrumenting/exposition_formats/ for the text format 0.0.4.

export interface Scraped {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ScrapedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: Scraped[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
const NUMBER = /^[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf|NaN)$/
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum', '_created'],
}

export function parseMetrics(text: string, format: 'text' | 'openmetrics'): ScrapedFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF at the end')
  const families = new Map<string, ScrapedFamily>()
  let help: { name: string; words: string } | null = null
  let current: ScrapedFamily | undefined
  for (const line of lines) {
    const [, keyword = '', name = '', words = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') help = { name, words }
    else if (keyword === 'TYPE') {
      if (!NAME.test(name) || families.has(name)) throw new Error(`a second family ${name}`)
      if (help?.name !== name) throw new Error(`${name} has no help before its type`)
      current = { name, type: words, help: help.words, samples: [] }
      families.set(name, current)
    } else if (current === undefined) throw new Error(`not in a family: ${line}`)
    else current.samples.push(sampleOf(line, current, format))
  }
  for (const family of families.values()) requireWhole(family)
  return [...families.values()]
}

function sampleOf(line: string, { name, type }: ScrapedFamily, format: string): Scraped {
  const [, full = '', set, number = ''] = SAMPLE.exec(line) ?? []
  if (!NUMBER.test(number)) throw new Error(`no sample: ${line}`)
  const bare = format === 'text' && type === 'counter' ? name.replace(/_total$/, '') : name
  const suffixes = SUFFIXES[type] ?? []
  if (!suffixes.some((suffix) => full === `${bare}${suffix}`)) {
    throw new Error(`${full} is no sample of the ${type} ${name}`)
  }
  const value = Number(number.replace('Inf', 'Infinity'))
  return { name: full, labels: labelsOf(set), value }
}

function labelsOf(set: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {}
  if (set === undefined) return labels
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < set.length) {
    const [, name = '', value = ''] = LABEL.exec(set) ?? []
    if (name === '' || name in labels) throw new Error(`no labels, or one twice: ${set}`)
    labels[name] = value
  }
  return labels
}

function requireWhole({ name, type, samples }: ScrapedFamily): void {
  const seen = new Set<string>()
  for (const sample of samples) {
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
    if (seen.has(key)) throw new Error(`twice: ${key}`)
    seen.add(key)
    if (type === 'counter' && sample.value < 0) throw new Error(`${name} is negative`)
  }
  if (type === 'histogram') requireHistogram(name, samples)
}

function requireHistogram(name: string, samples: readonly Scraped[]): void {
  const series = new Map<string, { les: number[]; counts: number[]; count: number }>()
  for (const { name: full, labels, value } of samples) {
    const { le, ...others } = labels
    const key = JSON.stringify(others)
    const one = series.get(key) ?? { les: [], counts: [], count: Number.NaN }
    series.set(key, one)
    if (full.endsWith('_count')) one.count = value
    if (!full.endsWith('_bucket')) continue
    one.les.push(Number(String(le).replace('+Inf', 'Infinity')))
    one.counts.push(value)
  }
  for (const { les, counts, count } of series.values()) {
    const rises = (values: readonly number[], least: number) =>
      values.every((value, index) => index === 0 || value - (values[index - 1] ?? 0) >= least)
    const ends = les.at(-1) === Number.POSITIVE_INFINITY && counts.at(-1) === count
    if (!ends || !rises(counts, 0) || !rises(les, Number.MIN_VALUE)) {
      throw new Error(`the buckets of ${name} are out of order`)
    }
  }
}

/** The value of one sample; undefined where there is none. */
export function sampleValue(
  families: readonly ScrapedFamily[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = Object.entries(labels)
  return families
    .flatMap(({ samples }) => samples)
    .find((one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value))
    ?.value
}

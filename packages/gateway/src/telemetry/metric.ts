// Counters, gauges and histograms of this process, and the one registry that names them. A series is made by the
// first value under its labels and never goes; there are never more than SERIES_MAX of one metric.
// Source: https://prometheus.io/docs/practices/naming/ and .../docs/instrumenting/writing_clientlibs/

/** Series of one metric. What would be one more is counted under labels that all say `other`. */
export const SERIES_MAX = 500
/** Label values are closed lists, or short names of the operator's; what is longer is `other`. */
const VALUE_CHARS_MAX = 64
export const OTHER = 'other'

export type Kind = 'counter' | 'gauge' | 'histogram'

/** One line to be: what is behind the name of its family, its labels, its value. */
export interface Sample {
  readonly suffix: '' | '_total' | '_bucket' | '_count' | '_sum'
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
}

export interface Family {
  /** Without `_total`. */
  readonly name: string
  readonly kind: Kind
  readonly help: string
  samples(): Sample[]
}

interface Named {
  /** Without `_total`; base units at its end. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** The series of one metric by their label values. */
class Series<Value> {
  readonly #labels: readonly string[]
  readonly #make: () => Value
  readonly #values = new Map<string, { readonly labels: Sample['labels']; readonly value: Value }>()

  constructor(labels: readonly string[], make: () => Value) {
    this.#labels = labels
    this.#make = make
  }

  of(values: readonly string[]): Value {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\n')
    return this.#values.get(key)?.value ?? this.#added(key, values)
  }

  #added(key: string, values: readonly string[]): Value {
    const isFull = this.#values.size >= SERIES_MAX
    const isLong = values.some((value) => value.length > VALUE_CHARS_MAX)
    const others = this.#labels.map(() => OTHER)
    if ((isFull || isLong) && key !== others.join('\n')) return this.of(others)
    const labels = this.#labels.map((name, index) => [name, values[index] ?? ''] as const)
    const value = this.#make()
    this.#values.set(key, { labels, value })
    return value
  }

  all(): { readonly labels: Sample['labels']; readonly value: Value }[] {
    return [...this.#values.values()]
  }
}

export class Counter implements Family {
  readonly kind = 'counter'
  readonly name: string
  readonly help: string
  readonly #series: Series<{ count: number }>

  constructor({ name, help, labels = [] }: Named) {
    this.name = name
    this.help = help
    this.#series = new Series(labels, () => ({ count: 0 }))
    // What never happened is 0, not absent: a rate over it is 0 too.
    if (labels.length === 0) this.add([], 0)
  }

  add(labels: readonly string[] = [], count = 1): void {
    this.#series.of(labels).count += count
  }

  samples(): Sample[] {
    return this.#series
      .all()
      .map(({ labels, value }) => ({ suffix: '_total', labels, value: value.count }))
  }
}

export class Histogram implements Family {
  readonly kind = 'histogram'
  readonly name: string
  readonly help: string
  readonly #bounds: readonly number[]
  readonly #series: Series<{ readonly counts: number[]; sum: number }>

  /** `bounds`: upper ends, rising; the last one, without end, is added. */
  constructor({ name, help, labels = [] }: Named, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
    this.#series = new Series(labels, () => ({
      counts: new Array<number>(bounds.length + 1).fill(0),
      sum: 0,
    }))
  }

  observe(value: number, labels: readonly string[] = []): void {
    const series = this.#series.of(labels)
    let place = 0
    while (place < this.#bounds.length && value > (this.#bounds[place] ?? 0)) place++
    series.counts[place] = (series.counts[place] ?? 0) + 1
    series.sum += value
  }

  samples(): Sample[] {
    return this.#series.all().flatMap(({ labels, value }) => {
      let count = 0
      const buckets = value.counts.map((inIt, place): Sample => {
        count += inIt
        const end = this.#bounds[place]
        const le = end === undefined ? '+Inf' : canonical(end)
        return { suffix: '_bucket', labels: [...labels, ['le', le]], value: count }
      })
      return [
        ...buckets,
        { suffix: '_count', labels, value: count },
        { suffix: '_sum', labels, value: value.sum },
      ]
    })
  }
}

/** A value with the values of its labels. */
export type Reading = readonly [value: number, ...labels: string[]]

/** What is looked at when it is asked for: a gauge, or a counter that somebody else keeps. */
export class Looked implements Family {
  readonly name: string
  readonly kind: 'gauge' | 'counter'
  readonly help: string
  readonly #labels: readonly string[]
  readonly #look: () => readonly Reading[]

  constructor(
    kind: 'gauge' | 'counter',
    { name, help, labels = [] }: Named,
    look: () => readonly Reading[],
  ) {
    this.kind = kind
    this.name = name
    this.help = help
    this.#labels = labels
    this.#look = look
  }

  samples(): Sample[] {
    const suffix = this.kind === 'counter' ? '_total' : ''
    const found = this.#look().slice(0, SERIES_MAX)
    return found.map(([value, ...values]) => {
      const labels = this.#labels.map((name, index) => [name, values[index] ?? ''] as const)
      return { suffix, labels, value }
    })
  }
}

export class Registry {
  readonly #families = new Map<string, Family>()

  add<Made extends Family>(family: Made): Made {
    if (this.#families.has(family.name)) throw new Error(`${family.name} is there already`)
    this.#families.set(family.name, family)
    return family
  }

  families(): readonly Family[] {
    return [...this.#families.values()]
  }
}

/**
 * The end of a bucket as OpenMetrics wants it: always a float.
 * Source: OpenMetrics 1.0, "Considerations: Canonical Numbers".
 */
function canonical(end: number): string {
  return Number.isInteger(end) ? `${end}.0` : String(end)
}

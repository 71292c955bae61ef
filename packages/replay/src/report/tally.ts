// Counts by name, in whole numbers of small tables: one number a name, one row of counts a number.

import {
  type AskedCounts,
  type Counts,
  type CountsOf,
  LISTED_MAX,
  noCounts,
  total,
} from './report.ts'

export type Kind = keyof Counts

/** Place of each kind in a row. */
export const KINDS: readonly Kind[] = [
  'allowed',
  'reviewed',
  'denied',
  'failed',
  'serviceMade',
  'unmapped',
]

export class Tally {
  readonly #numbers = new Map<string, number>()
  #counts = new Float64Array(64 * KINDS.length)

  /** The number of a name, to count under. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#numbers.size
    this.#numbers.set(name, number)
    if ((number + 1) * KINDS.length > this.#counts.length) {
      const larger = new Float64Array(this.#counts.length * 2)
      larger.set(this.#counts)
      this.#counts = larger
    }
    return number
  }

  add(number: number, kind: number, times: number): void {
    const at = number * KINDS.length + kind
    this.#counts[at] = (this.#counts[at] as number) + times
  }

  countsOf(number: number): Counts {
    const counts = noCounts()
    KINDS.forEach((kind, place) => {
      counts[kind] = this.#counts[number * KINDS.length + place] as number
    })
    return counts
  }

  /** All names that were counted, those that would be asked or refused most first. */
  rows(listedMax = LISTED_MAX): CountsOf[] {
    const rows = [...this.#numbers].map(([name, number]) => ({ name, ...this.countsOf(number) }))
    const counted = rows.filter((row) => total(row) > 0)
    counted.sort(
      (a, b) =>
        b.reviewed + b.denied - (a.reviewed + a.denied) ||
        total(b) - total(a) ||
        (a.name < b.name ? -1 : 1),
    )
    if (counted.length <= listedMax) return counted
    const others = { name: `${counted.length - listedMax + 1} others`, ...noCounts() }
    for (const row of counted.slice(listedMax - 1)) {
      for (const kind of KINDS) others[kind] += row[kind]
    }
    return [...counted.slice(0, listedMax - 1), others]
  }
}

/** How often each name came. */
export class Counter {
  readonly #counts = new Map<string, number>()
  #all = 0

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1)
    this.#all++
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  get all(): number {
    return this.#all
  }
}

/** The rows with their groups of reviews; what is not listed by name has the rest of them. */
export function withGroups(tally: Tally, groups: Counter): AskedCounts[] {
  const rows = tally.rows()
  const listed = rows.map((row) => ({ ...row, groups: groups.of(row.name) }))
  const rest = groups.all - listed.reduce((sum, row) => sum + row.groups, 0)
  const last = listed.at(-1)
  if (last !== undefined && rest > 0) listed[listed.length - 1] = { ...last, groups: rest }
  return listed
}

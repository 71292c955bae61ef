// Joins reviews into what a person would really be asked: those of one session within ten minutes are one
// (a bounded plan, or copies that join one request). Events come in the order of time.

/** A window opens with the first review of a session and holds for this long. */
export const WINDOW_SECONDS = 600
/** Operations named of one group. */
const OPERATIONS_MAX = 12

export interface Group {
  readonly seconds: number
  readonly session: number
  readonly who: number
  readonly agent: string
  calls: number
  readonly operations: Set<string>
  readonly requirement: Set<string>
}

export class ReviewGroups {
  readonly #open = new Map<number, Group>()
  readonly #largest: Group[] = []
  readonly #keptMax: number
  #count = 0

  constructor(keptMax: number) {
    this.#keptMax = keptMax
  }

  get count(): number {
    return this.#count
  }

  /** True where the review opens a group of its own. */
  add(review: {
    readonly seconds: number
    readonly session: number
    readonly who: number
    readonly agent: string
    readonly operation: string
    readonly requirement: readonly string[]
    /** Events that it stands for. */
    readonly times: number
  }): boolean {
    const { seconds, session, who, agent } = review
    let group = this.#open.get(session)
    const isNew = group === undefined || seconds - group.seconds >= WINDOW_SECONDS
    if (group === undefined || isNew) {
      if (group !== undefined) this.#close(group)
      const [operations, requirement] = [new Set<string>(), new Set<string>()]
      group = { seconds, session, who, agent, calls: 0, operations, requirement }
      this.#open.set(session, group)
      this.#count++
    }
    group.calls += review.times
    if (group.operations.size < OPERATIONS_MAX) group.operations.add(review.operation)
    for (const seat of review.requirement) group.requirement.add(seat)
    return isNew
  }

  /** The largest, the largest first. */
  largest(): readonly Group[] {
    for (const group of this.#open.values()) this.#close(group)
    this.#open.clear()
    this.#cut()
    return this.#largest
  }

  #close(group: Group): void {
    this.#largest.push(group)
    if (this.#largest.length < this.#keptMax * 2) return
    this.#cut()
  }

  #cut(): void {
    this.#largest.sort((a, b) => b.calls - a.calls || a.seconds - b.seconds)
    this.#largest.length = Math.min(this.#largest.length, this.#keptMax)
  }
}

/** Of `any:1` and `any:2` the latter, and of `any:1` and `sre:1` the latter: what would be asked where all were one review. */
export function mostOfEach(seats: Iterable<string>): string[] {
  const most = new Map<string, number>()
  for (const seat of seats) {
    const [team = '', count = '1'] = seat.split(':')
    most.set(team, Math.max(most.get(team) ?? 0, Number(count)))
  }
  const anybody = most.get('any') ?? 0
  const named = [...most.values()].reduce((sum, count) => sum + count, 0) - anybody
  if (anybody <= named) most.delete('any')
  return [...most].map(([team, count]) => `${team}:${count}`).sort()
}

// Weeks of a report: they begin on Mondays, in UTC.

export const WEEK = 7 * 86_400
/** 1970-01-01 was a Thursday. */
const MONDAY = 3 * 86_400

/** The number of the week; -2 for an event without a time. */
export function weekOf(seconds: number): number {
  return seconds === 0 ? -2 : Math.floor((seconds + MONDAY) / WEEK)
}

export class WeekNames {
  readonly #names = new Map<number, string>()

  /** Monday of the week, as a date; empty for an event without a time. */
  of(seconds: number): string {
    if (seconds === 0) return ''
    const week = weekOf(seconds)
    let name = this.#names.get(week)
    if (name === undefined) {
      name = new Date((week * WEEK - MONDAY) * 1000).toISOString().slice(0, 10)
      this.#names.set(week, name)
    }
    return name
  }
}

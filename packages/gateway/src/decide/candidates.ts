// Every set of approvals that the policies can tell apart, the least first: the order in which the
// search for the least review asks. Fewest people first, then fewest of a named team (anybody is
// easier to find than somebody of a team), then by name, so that the answer is always the same one.
import type { SeatCount } from './decision.ts'
import { ANYBODY, parseSeatCount, requirementOf, type Seating } from './seats.ts'

/** Combinations searched for one set; each costs at most one evaluation for each question. */
export const CANDIDATES_MAX = 1_024

/**
 * The seatings that the mentioned seat counts can tell apart, without the empty one, the least
 * first; null when there are more than `CANDIDATES_MAX`.
 */
export function candidatesOf(mentioned: readonly SeatCount[]): Seating[] | null {
  const levels = new Map<string, Set<number>>()
  for (const text of mentioned) {
    const seat = parseSeatCount(text)
    if (seat === null) return null
    levels.set(seat.team, (levels.get(seat.team) ?? new Set([0])).add(seat.count))
  }
  const anybody = [...(levels.get(ANYBODY) ?? [0])]
  levels.delete(ANYBODY)
  let named: ReadonlyMap<string, number>[] = [new Map()]
  for (const [team, counts] of levels) {
    named = named.flatMap((teams) => [...counts].map((count) => withSeats(teams, team, count)))
    if (named.length > CANDIDATES_MAX) return null
  }
  const found = new Map<string, Seating>()
  for (const teams of named) {
    for (const all of anybody) {
      const seating = { teams, all: Math.max(all, seatsOf(teams)) }
      if (seating.all > 0) found.set(requirementOf(seating).join(' '), seating)
    }
  }
  if (found.size > CANDIDATES_MAX) return null
  const order = [...found].sort(([a, x], [b, y]) => {
    return x.all - y.all || seatsOf(x.teams) - seatsOf(y.teams) || (a < b ? -1 : 1)
  })
  return order.map(([, seating]) => seating)
}

/** The seating that grants whatever any of these would. */
export function widestOf(candidates: readonly Seating[]): Seating {
  const teams = new Map<string, number>()
  let all = 0
  for (const seating of candidates) {
    all = Math.max(all, seating.all)
    for (const [team, count] of seating.teams) {
      teams.set(team, Math.max(teams.get(team) ?? 0, count))
    }
  }
  return { teams, all }
}

function withSeats(
  teams: ReadonlyMap<string, number>,
  team: string,
  count: number,
): ReadonlyMap<string, number> {
  return count === 0 ? teams : new Map(teams).set(team, count)
}

function seatsOf(teams: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of teams.values()) total += count
  return total
}

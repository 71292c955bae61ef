// Seats: how many people a policy asks for, and whether these people can fill them. Pure counting;
// who may review at all (never the operator, never an agent) is decided before, in `review`.
//
// A seat count is `<team>:<n>`. `sre:2` asks for two people seated for sre; `any:2` for two people
// in all, whatever they are seated for. One person sits in one seat (redteam M1), so
// `["sre:1","dba:1"]` always takes two people, and `["sre:1","any:2"]` takes two, one of them of
// sre.
import type { SeatCount } from './decision.ts'

export type { SeatCount }

/** How an approval was signed: by a key that proves a person's presence, or by software alone. */
export type ApprovalStrength = 'hardware' | 'software'

export interface Reviewer {
  readonly name: string
  readonly teams: readonly string[]
  /** Left out: `software`, the weaker. */
  readonly strength?: ApprovalStrength
}

/** People seated per team, and in all; `all` is never less than the sum of the teams. */
export interface Seating {
  readonly teams: ReadonlyMap<string, number>
  readonly all: number
}

/** More reviewers than this are refused: every way of seating them is tried. */
export const REVIEWERS_MAX = 8
/** Seatings tried at most: as many as eight people have who are each in five teams. */
export const SEATINGS_MAX = 495
/** The highest count that a seat count may name. */
export const SEATS_MAX = 9
/** The team that everybody is in. */
export const ANYBODY = 'any'

const SEAT_COUNT = /^([a-z][a-z0-9-]{0,31}):([1-9])$/

/** The team and number of a seat count, or null when it is not one. */
export function parseSeatCount(text: string): { team: string; count: number } | null {
  const match = SEAT_COUNT.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return null
  return { team: match[1], count: Number(match[2]) }
}

/** The seating a list of seat counts describes, or null when one of them is not a seat count. */
export function seatingOf(requirement: readonly SeatCount[]): Seating | null {
  const teams = new Map<string, number>()
  let all = 0
  for (const text of requirement) {
    const seat = parseSeatCount(text)
    if (seat === null) return null
    if (seat.team === ANYBODY) all = Math.max(all, seat.count)
    else teams.set(seat.team, Math.max(teams.get(seat.team) ?? 0, seat.count))
  }
  return { teams, all: Math.max(all, sum(teams)) }
}

/** The shortest list of seat counts that describes a seating, sorted: `['any:2', 'sre:1']`. */
export function requirementOf(seating: Seating): SeatCount[] {
  const counts = [...seating.teams].filter(([, count]) => count > 0)
  const named = counts.map(([team, count]) => `${team}:${count}`)
  const total = sum(seating.teams)
  return (seating.all > total ? [...named, `${ANYBODY}:${seating.all}`] : named).sort()
}

/**
 * The set that Cedar is given for a seating, closed downwards and sorted: two of sre make
 * `any:1 any:2 sre:1 sre:2`.
 */
export function approvedByFor(seating: Seating): SeatCount[] {
  const closed: SeatCount[] = []
  for (let count = 1; count <= seating.all; count += 1) closed.push(`${ANYBODY}:${count}`)
  for (const [team, seats] of seating.teams) {
    for (let count = 1; count <= seats; count += 1) closed.push(`${team}:${count}`)
  }
  return closed.sort()
}

/**
 * Whether distinct reviewers can fill every seat of the requirement, each sitting once.
 *
 * False for an empty requirement (nobody was asked, so nobody has answered), for a malformed seat
 * count and for more than `REVIEWERS_MAX` people. A name given twice is one person.
 */
export function satisfies(
  requirement: readonly SeatCount[],
  reviewers: readonly Reviewer[],
): boolean {
  const wanted = seatingOf(requirement)
  const people = distinctPeople(reviewers)
  if (wanted === null || requirement.length === 0) return false
  if (people.length > REVIEWERS_MAX || people.length < wanted.all) return false
  const seats = [...wanted.teams].flatMap(([team, count]) => Array<string>(count).fill(team))
  const seatedAt = new Map<Reviewer, number>()
  return seats.every((_, seat) => seatOne(seat, seats, people, seatedAt, new Set()))
}

/**
 * Every different way to seat the reviewers, each for one of the given teams that they are in.
 * Null when there are more than `REVIEWERS_MAX` people or `SEATINGS_MAX` seatings.
 */
export function seatings(
  reviewers: readonly Reviewer[],
  teams: ReadonlySet<string>,
): Seating[] | null {
  const people = distinctPeople(reviewers)
  if (people.length > REVIEWERS_MAX) return null
  let partial = new Map<string, ReadonlyMap<string, number>>([['', new Map()]])
  for (const person of people) {
    const choices = person.teams.filter((team) => teams.has(team) && team !== ANYBODY)
    // Who is in no team that policy names counts as anybody, which `all` says.
    if (choices.length === 0) continue
    const next = new Map<string, ReadonlyMap<string, number>>()
    for (const counts of partial.values()) {
      for (const team of choices) {
        const grown = new Map(counts).set(team, (counts.get(team) ?? 0) + 1)
        next.set([...grown].sort().join(';'), grown)
      }
    }
    if (next.size > SEATINGS_MAX) return null
    partial = next
  }
  return [...partial.values()].map((counts) => ({ teams: counts, all: people.length }))
}

/** Kuhn's augmenting path: seats one more person, moving those already seated where needed. */
function seatOne(
  seat: number,
  seats: readonly string[],
  people: readonly Reviewer[],
  seatedAt: Map<Reviewer, number>,
  tried: Set<Reviewer>,
): boolean {
  for (const person of people) {
    if (tried.has(person) || !person.teams.includes(seats[seat] ?? '')) continue
    tried.add(person)
    const held = seatedAt.get(person)
    if (held === undefined || seatOne(held, seats, people, seatedAt, tried)) {
      seatedAt.set(person, seat)
      return true
    }
  }
  return false
}

function distinctPeople(reviewers: readonly Reviewer[]): Reviewer[] {
  const teamsOf = new Map<string, Set<string>>()
  for (const { name, teams } of reviewers) {
    const known = teamsOf.get(name) ?? new Set()
    for (const team of teams) known.add(team)
    teamsOf.set(name, known)
  }
  return [...teamsOf].map(([name, teams]) => ({ name, teams: [...teams].sort() }))
}

function sum(teams: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of teams.values()) total += count
  return total
}

import { expect, test } from 'vitest'
import { CANDIDATES_MAX, candidatesOf } from './candidates.ts'
import {
  approvedByFor,
  parseSeatCount,
  REVIEWERS_MAX,
  type Reviewer,
  requirementOf,
  SEATINGS_MAX,
  satisfies,
  seatingOf,
  seatings,
} from './seats.ts'

const alice: Reviewer = { name: 'alice', teams: ['sre'] }
const bob: Reviewer = { name: 'bob', teams: ['dba'] }
const carol: Reviewer = { name: 'carol', teams: ['dba', 'sre'] }
const dave: Reviewer = { name: 'dave', teams: [] }

test('M1 one person in two teams fills one seat', () => {
  expect(satisfies(['dba:1', 'sre:1'], [carol])).toBe(false)
  expect(satisfies(['any:2', 'sre:1'], [carol])).toBe(false)
  expect(satisfies(['any:2'], [carol, { name: 'carol', teams: ['security'] }])).toBe(false)
})

test('two people fill the seats of two teams, whichever way round they come', () => {
  expect(satisfies(['dba:1', 'sre:1'], [carol, alice])).toBe(true)
  expect(satisfies(['dba:1', 'sre:1'], [carol, bob])).toBe(true)
  expect(satisfies(['dba:1', 'sre:1'], [alice, bob])).toBe(true)
  expect(satisfies(['dba:1', 'sre:1'], [alice, dave])).toBe(false)
})

test('`sre:2` is two people of sre', () => {
  expect(satisfies(['sre:2'], [alice, carol])).toBe(true)
  expect(satisfies(['sre:2'], [alice, bob])).toBe(false)
  expect(satisfies(['sre:2'], [alice, alice])).toBe(false)
})

test('`any:2` is two people in all, and one of them may sit for a team', () => {
  expect(satisfies(['any:2'], [bob, dave])).toBe(true)
  expect(satisfies(['any:2', 'sre:1'], [alice, dave])).toBe(true)
  expect(satisfies(['any:2', 'sre:1'], [bob, dave])).toBe(false)
  expect(satisfies(['any:3', 'sre:1'], [alice, dave])).toBe(false)
})

test('an empty requirement is met by nobody and by nobody else', () => {
  expect(satisfies([], [])).toBe(false)
  expect(satisfies([], [alice, bob])).toBe(false)
})

test.each(['sre', 'sre:0', 'sre:10', 'SRE:1', 'sre:-1', 'sre:1 ', ':1', '1:1', 'sre:1\n', ''])(
  'the malformed seat count `%s` is met by nobody',
  (text) => {
    expect(parseSeatCount(text)).toBe(null)
    expect(satisfies([text], [alice, bob, carol, dave])).toBe(false)
  },
)

test('being in a team named any makes nobody two people', () => {
  const mallory: Reviewer = { name: 'mallory', teams: ['any', 'sre'] }
  expect(satisfies(['any:1', 'sre:1'], [mallory])).toBe(true)
  expect(satisfies(['any:2'], [mallory])).toBe(false)
  expect(seatings([mallory], new Set(['any', 'sre']))).toEqual([
    { teams: new Map([['sre', 1]]), all: 1 },
  ])
})

test('the most reviewers are seated and one more is refused', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `p${index}`, teams: ['sre'] }))
  expect(satisfies([`sre:${REVIEWERS_MAX}`], many(REVIEWERS_MAX))).toBe(true)
  expect(satisfies(['sre:1'], many(REVIEWERS_MAX + 1))).toBe(false)
  expect(seatings(many(REVIEWERS_MAX), new Set(['sre']))).toHaveLength(1)
  expect(seatings(many(REVIEWERS_MAX + 1), new Set(['sre']))).toBe(null)
})

test('the most seatings are tried and more are refused', () => {
  const count = (teamCount: number) => {
    const teams = Array.from({ length: teamCount }, (_, index) => `t${index}`)
    const people = Array.from({ length: REVIEWERS_MAX }, (_, index) => ({
      name: `p${index}`,
      teams,
    }))
    return seatings(people, new Set(teams))?.length ?? null
  }
  // Eight alike people in five teams: 12 choose 4.
  expect(count(5)).toBe(SEATINGS_MAX)
  expect(count(6)).toBe(null)
})

test('approvals are closed downwards, and everybody counts as anybody', () => {
  expect(approvedByFor({ teams: new Map([['sre', 2]]), all: 3 })).toEqual([
    'any:1',
    'any:2',
    'any:3',
    'sre:1',
    'sre:2',
  ])
  expect(approvedByFor({ teams: new Map(), all: 0 })).toEqual([])
})

test('a requirement is said with no seat count that another one implies', () => {
  const said = (counts: string[]) =>
    requirementOf(seatingOf(counts) ?? { teams: new Map(), all: 0 })
  expect(said(['any:1', 'sre:1'])).toEqual(['sre:1'])
  expect(said(['sre:1', 'sre:2'])).toEqual(['sre:2'])
  expect(said(['any:2', 'dba:1', 'sre:1'])).toEqual(['dba:1', 'sre:1'])
  expect(said(['any:2', 'sre:1'])).toEqual(['any:2', 'sre:1'])
})

test('satisfies agrees with trying every way to seat people (2,000 random cases)', () => {
  const random = randomFrom(7)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  for (let round = 0; round < 2_000; round += 1) {
    const reviewers = Array.from({ length: Math.floor(random() * 5) }, (_, index) => ({
      name: `p${index}`,
      teams: ['sre', 'dba', 'sec'].filter(() => random() < 0.5),
    }))
    const requirement = [pick(['sre:1', 'sre:2', 'any:1']), pick(['dba:1', 'any:2', 'sec:2'])]
    const wanted = new Set(requirement)
    const ways = everyWay(reviewers)
    const brute = ways.some((way) => [...wanted].every((seat) => way.has(seat)))
    expect(satisfies(requirement, reviewers), JSON.stringify({ requirement, reviewers })).toBe(
      brute,
    )
    const seated = seatings(reviewers, new Set(['sre', 'dba', 'sec'])) ?? []
    const closed = seated.map((seating) => new Set(approvedByFor(seating)))
    expect(closed.some((way) => requirement.every((seat) => way.has(seat)))).toBe(brute)
  }
})

test('candidates come least first: fewest people, then fewest of a named team', () => {
  const candidates = candidatesOf(['any:1', 'any:2', 'sre:1', 'dba:1']) ?? []
  expect(candidates.map((seating) => requirementOf(seating).join(' '))).toEqual([
    'any:1',
    'dba:1',
    'sre:1',
    'any:2',
    'any:2 dba:1',
    'any:2 sre:1',
    'dba:1 sre:1',
  ])
  const admin = candidatesOf(['admin:1', 'any:1']) ?? []
  expect(admin.map((seating) => requirementOf(seating).join(' '))).toEqual(['any:1', 'admin:1'])
  expect(candidatesOf([])).toEqual([])
})

test('the most candidates are searched, and one team more is too many', () => {
  const teams = (count: number) => Array.from({ length: count }, (_, index) => `t${index}:1`)
  // Each team doubles the combinations; the empty one is not a candidate.
  const most = Math.log2(CANDIDATES_MAX)
  expect(candidatesOf(teams(most))).toHaveLength(CANDIDATES_MAX - 1)
  expect(candidatesOf(teams(most + 1))).toBe(null)
})

/** Every seating, each person in one of their teams or in none, written out as a closed set. */
function everyWay(reviewers: readonly Reviewer[]): Set<string>[] {
  let ways: string[][] = [[]]
  for (const { teams } of reviewers) {
    ways = ways.flatMap((way) => ['', ...teams].map((team) => [...way, team]))
  }
  return ways.map((way) => {
    const closed = new Set<string>()
    way.forEach((team, index) => {
      closed.add(`any:${index + 1}`)
      const count = way.filter((other) => other === team).length
      for (let seat = 1; seat <= count; seat += 1) closed.add(`${team}:${seat}`)
    })
    return closed
  })
}

/** A seeded generator (mulberry32), so that a failing round can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

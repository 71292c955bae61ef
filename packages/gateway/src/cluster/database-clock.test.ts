// The clock of the database as one gateway knows it, over looks that take as long as a test says.
import { afterEach, expect, test, vi } from 'vitest'
import { DatabaseClock } from './database-clock.ts'

const BEGUN_MS = 1_800_000_000_000
let monotonicMs = 0

/** The database says what is right at this share of the look. */
function look(clock: DatabaseClock, took: number, at: number, offMs = 0): void {
  const askedAtMs = monotonicMs
  monotonicMs += took
  const databaseMs = BEGUN_MS + askedAtMs + took * at + offMs
  clock.saw({ databaseMs, askedAtMs, answeredAtMs: monotonicMs })
}

function clockOf(): DatabaseClock {
  monotonicMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => monotonicMs)
  vi.spyOn(Date, 'now').mockImplementation(() => BEGUN_MS + monotonicMs)
  return new DatabaseClock()
}

afterEach(() => {
  vi.restoreAllMocks()
})

const errorMs = (clock: DatabaseClock) => clock.nowMs() - BEGUN_MS - monotonicMs

test('M10 a quick look sets it to its middle; a slow one moves it only as far as it proves it wrong', () => {
  const clock = clockOf()
  look(clock, 100, 0.5)
  expect(errorMs(clock)).toBe(0)
  // Ten seconds, of which the answer waited nearly all, or the question did.
  look(clock, 10_000, 0.01)
  expect(errorMs(clock)).toBe(0)
  look(clock, 10_000, 0.99)
  expect(errorMs(clock)).toBe(0)
  expect(Math.abs(clock.skewMs)).toBeLessThan(1)
  // The database's clock was set 30 s ahead: even a slow look shows all but its own length of that.
  look(clock, 10_000, 0.5, 30_000)
  expect(errorMs(clock)).toBe(25_000)
  look(clock, 100, 0.5, 30_000)
  expect(errorMs(clock)).toBe(30_000)
})

test('M10 it says no earlier time than before or than what others recorded, and how far it is behind', () => {
  const clock = clockOf()
  look(clock, 100, 0.5)
  const saidMs = clock.nowMs()
  look(clock, 100, 0.5, -60_000)
  expect(clock.nowMs()).toBe(saidMs)
  expect(clock.behindMs()).toBe(60_000 - 100)
  clock.notBefore(saidMs + 5_000)
  expect(clock.nowMs()).toBe(saidMs + 5_000)
  // This machine's clock is right, and still a minute off the one that counts.
  expect(clock.skewMs).toBe(60_000)
  monotonicMs += 70_000
  expect(clock.behindMs()).toBe(0)
  expect(clock.nowMs()).toBe(BEGUN_MS + monotonicMs - 60_000)
})

// Time of a gate, over a clock that goes where a test likes (red team M10).
import { expect, test } from 'vitest'
import { goingOn, goOnFrom, requireGoingOn } from './clock.ts'

test('M10 time stands while its clock is behind, whoever made it, and goes on from where it stood', () => {
  const source = { ms: 100_000, nowMs: () => source.ms }
  const clock = goingOn(source)
  expect(clock.nowMs()).toBe(100_000)
  source.ms = 40_000
  expect([clock.nowMs(), clock.behindMs()]).toEqual([100_000, 60_000])
  // A clock of the test's own is wrapped again by the gate.
  expect(goingOn(clock).behindMs()).toBe(60_000)
  expect(() => requireGoingOn(clock)).toThrow('the clock went back, and is 60 s behind')
  source.ms = 95_000
  requireGoingOn(clock)
  source.ms = 94_999
  expect(() => requireGoingOn(clock)).toThrow('behind')
  source.ms = 100_001
  expect([clock.nowMs(), clock.behindMs()]).toEqual([100_001, 0])
})

test('M10 a start goes on from the last entry, and is refused where the clock is far behind it', () => {
  const clock = goingOn({ nowMs: () => 100_000 })
  goOnFrom(clock, 105_000)
  expect(clock.nowMs()).toBe(105_000)
  const late = goingOn({ nowMs: () => 100_000 })
  expect(() => goOnFrom(late, 105_001)).toThrow('the clock is 6 s behind the last entry')
  const told = goingOn({ nowMs: () => 100_000 })
  told.notBefore(200_000)
  expect(() => goOnFrom(told, 200_000)).toThrow('the clock is 100 s behind the last entry')
  goOnFrom(late, 5)
  expect(late.nowMs()).toBe(100_000)
})

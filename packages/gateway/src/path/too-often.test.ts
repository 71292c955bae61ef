// Which refusals of a session that calls too often get an entry, and what the next entry says of the others.
import { expect, test } from 'vitest'
import { TooOften } from './too-often.ts'

test('a session is recorded up to its limit, by itself; the next entry says how many were not', () => {
  let nowMs = 0
  const refusals = new TooOften({ nowMs: () => nowMs }, { burst: 2, perMinute: 1 })
  const all = (session: string, isCounted: boolean) =>
    Array.from({ length: 4 }, () => refusals.before(session, isCounted))
  expect(all('s-one', false)).toEqual([0, 0, null, null])
  expect(all('s-two', false)).toEqual([0, 0, null, null])
  // What the session's own limit lets through always has its entry.
  expect(all('s-three', true)).toEqual([0, 0, 0, 0])
  expect(refusals.before('s-one', true)).toBe(2)
  nowMs = 60_000
  expect(refusals.before('s-two', false)).toBe(2)
  expect(refusals.before('s-two', false)).toBe(null)
})

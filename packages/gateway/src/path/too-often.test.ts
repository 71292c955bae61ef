// Which refusals of a session that calls too often get an entry, and what the next entry says of the others.
import { expect, test } from 'vitest'
import { TooOften } from './too-often.ts'

test('a session is recorded up to its limit, by itself; the next entry says how many were not', () => {
  let nowMs = 0
  const refusals = new TooOften({ nowMs: () => nowMs }, { burst: 2, perMinute: 1 })
  const all = (session: string, code: string) =>
    Array.from({ length: 4 }, () => refusals.before(session, code))
  expect(all('s-one', 'rate_limited')).toEqual([0, 0, null, null])
  expect(all('s-two', 'rate_limited')).toEqual([0, 0, null, null])
  // Any other refusal always has its entry.
  expect(all('s-three', 'unknown_operation')).toEqual([0, 0, 0, 0])
  expect(refusals.before('s-one', 'unknown_operation')).toBe(2)
  nowMs = 60_000
  expect(refusals.before('s-two', 'rate_limited')).toBe(2)
  expect(refusals.before('s-two', 'rate_limited')).toBe(null)
})

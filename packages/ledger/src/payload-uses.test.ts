import { expect, test } from 'vitest'
import { PayloadUses } from './payload-uses.ts'

const DAY_MS = 24 * 60 * 60_000
const start = Date.UTC(2026, 0, 1)
const at = (days: number) => new Date(start + days * DAY_MS).toISOString()
const opened = {
  type: 'request-opened',
  at: at(0),
  request: 'r-1',
  document: 'h-1',
  session: 's-1',
  operator: 'alice',
}
const made = { type: 'grant-made', at: at(0), request: 'r-1', grant: 'g-1' }

/** Why the payload must stay a year later. */
function after(entries: readonly Record<string, unknown>[]): string | null {
  const uses = new PayloadUses()
  for (const entry of entries) uses.take(entry)
  return uses.neededFor('h-1', start + 365 * DAY_MS)
}

test('the payload of a request stays while it is open or approved, and without a date it stays', () => {
  expect(after([{ ...opened, expiresAt: at(1) }])).toBe(null)
  expect(after([{ ...opened, expiresAt: at(366) }])).toBe('request r-1 is open')
  expect(after([opened])).toBe('request r-1 is open')
  expect(after([{ ...opened, expiresAt: 'soon' }])).toBe('request r-1 is open')
  const approved = 'what was approved of request r-1 can be used'
  expect(after([opened, { ...made, expiresAt: at(1) }])).toBe(null)
  expect(after([opened, { ...made, expiresAt: at(366) }])).toBe(approved)
  expect(after([opened, made])).toBe(approved)
})

test('what was named at no time that can be read is never old enough', () => {
  const old = (entry: Record<string, unknown>) => {
    const uses = new PayloadUses()
    uses.take({ ...opened, expiresAt: at(1), ...entry })
    return [...uses.olderThan(30, start + 365 * DAY_MS)]
  }
  expect(old({})).toEqual(['h-1'])
  expect(old({ at: 'once' })).toEqual([])
})

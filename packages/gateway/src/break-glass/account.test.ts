// What a stranger checks of an after-review from the entries alone, and each way in which it may not be so.
import { expect, test } from 'vitest'
import { sha256Hex } from '../lib/canonical-json.ts'
import { AfterReviews, accountText } from './account.ts'

const GATE = 'gate'
const created = { type: 'gate-created' }
const opened = { type: 'break-glass-opened', breakGlass: 'b' }
const intent = { type: 'intent', effect: 'e', breakGlass: 'b' }
const other = { type: 'intent', effect: 'other' }
const outcome = { type: 'outcome', effect: 'e', outcome: { result: 'accepted' } }
const ended = { type: 'outcome', effect: 'e', outcome: { result: 'confirmed' } }
const strange = { type: 'outcome', effect: 'other', outcome: { result: 'failed' } }

/** By hand: which entries, with their places, the signer says to have seen. */
function reviewed(size: number, ...seen: [number, object][]) {
  const entries = seen.map(([index, entry]) => ({ index, entry })) as never
  const text = accountText({
    ...{ type: 'seconder-break-glass-account@v1', gate: GATE, breakGlass: 'b' },
    entries,
  } as never)
  const statement = JSON.stringify({ account: sha256Hex(text), checkpoint: { size } })
  return { type: 'break-glass-reviewed', breakGlass: 'b', act: { statement } }
}

function last(...entries: readonly object[]): string | null {
  const reviews = new AfterReviews(GATE)
  return entries.map((entry) => reviews.take(entry as never)).at(-1) ?? null
}

const done = [created, opened, other, intent, strange, outcome]
const seen: [number, object][] = [
  [1, opened],
  [3, intent],
  [5, outcome],
]

test('an after-review over what was done so far fits, also where something came to be known after it', () => {
  expect(last(...done, reviewed(6, ...seen))).toBe(null)
  expect(last(...done, ended, reviewed(6, ...seen))).toBe(null)
  expect(last(...done, ended, reviewed(7, ...seen, [6, ended]))).toBe(null)
})

test('one over less, more, another place, another ledger or a later one than there was does not', () => {
  for (const untrue of [
    reviewed(6, ...seen.slice(0, 2)),
    reviewed(5, ...seen),
    reviewed(6, ...seen, [4, strange]),
    reviewed(6, [1, opened], [2, intent], [5, outcome]),
    reviewed(7, ...seen),
    reviewed(0),
    reviewed(3, [1, opened]),
    { type: 'break-glass-reviewed', breakGlass: 'b', act: { statement: '{}' } },
    { type: 'break-glass-reviewed', breakGlass: 'b', act: null },
  ]) {
    expect(last(...done, untrue)).toContain('not over what was done')
  }
})

import { expect, test } from 'vitest'
import type { Outcome } from '../execute/outcome.ts'
import { LATE_OUTCOMES_MAX, LateOutcomes } from './late-outcomes.ts'
import type { Unrecorded } from './recorder.ts'

const outcome = { result: 'unknown', detail: 'no answer came' } as Outcome

/** A state and a ledger that fail while they are told to. */
function places(begun: readonly string[], gone: readonly string[] = []) {
  const [left, recorded, ended] = [new Set(begun), [] as string[], [] as string[]]
  const place = { isAway: false, left, recorded, ended }
  const store = {
    async progressOf(effect: string) {
      if (place.isAway) throw new Error('away')
      if (gone.includes(effect)) return 'gone' as const
      return left.has(effect) ? ('begun' as const) : ('recorded' as const)
    },
    async endEffect(effect: string) {
      ended.push(effect)
    },
  }
  const recorder = {
    async record(entry: Unrecorded) {
      if (entry.type !== 'outcome') throw new Error(entry.type)
      left.delete(entry.effect)
      return recorded.push(entry.effect)
    },
  }
  return { ...place, place, late: new LateOutcomes({ store, recorder }) }
}

test('what could not be recorded is, in its order, when that is possible; what follows comes after it', async () => {
  const { place, late, recorded, ended } = places(['e-1', 'e-2'])
  const followed: string[] = []
  for (const effect of ['e-1', 'e-2']) {
    late.add(effect, outcome, async () => followed.push(`${effect} after ${recorded.join()}`))
  }
  place.isAway = true
  await expect(late.record()).rejects.toThrow('away')
  expect([late.size, recorded]).toEqual([2, []])
  place.isAway = false
  await Promise.all([late.record(), late.record()])
  expect(recorded).toEqual(['e-1', 'e-2'])
  expect(followed).toEqual(['e-1 after e-1', 'e-2 after e-1,e-2'])
  expect(ended).toEqual(['e-1', 'e-2'])
  await late.record()
  expect([late.size, recorded.length]).toEqual([0, 2])
})

test('one that was recorded though nobody heard so is not recorded again, and what follows from it comes', async () => {
  const { late, recorded, ended } = places([])
  let followed = 0
  late.add('e-1', outcome, async () => followed++)
  await late.record()
  expect([recorded, ended, late.size, followed]).toEqual([[], ['e-1'], 0, 1])
})

test('of one that another gateway ended nothing is recorded, and nothing follows', async () => {
  const { late, recorded } = places([], ['e-1'])
  let followed = 0
  late.add('e-1', outcome, async () => followed++)
  await late.record()
  expect([recorded, late.size, followed]).toEqual([[], 0, 0])
})

test('no more are kept than there may be', () => {
  const { late } = places([])
  for (let n = 0; n < LATE_OUTCOMES_MAX + 5; n++) late.add(`e-${n}`, outcome, async () => undefined)
  expect(late.size).toBe(LATE_OUTCOMES_MAX)
})

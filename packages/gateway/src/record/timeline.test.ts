// The index of sessions stays within its limit for as long as the gate runs, and knows the newest whatever went.
import type { Ledger } from '@seconder/ledger/ledger'
import { expect, test } from 'vitest'
import type { Recorded } from './recorder.ts'
import { Timeline } from './timeline.ts'

const MOST = 100

/** A ledger in memory, and what tells of each entry of it. */
function growing() {
  const entries: Record<string, unknown>[] = []
  let hear: (recorded: Recorded) => void = () => undefined
  const ledger = {
    get size() {
      return entries.length
    },
    checkpoint: () => ({ size: entries.length }),
    read: async (index: number) => new TextEncoder().encode(JSON.stringify(entries[index])),
  } as unknown as Ledger
  const recorder = {
    onRecorded(listener: (recorded: Recorded) => void) {
      hear = listener
      return () => undefined
    },
  }
  const add = (entry: Record<string, unknown>) => {
    entries.push(entry)
    hear({ ...entry, index: entries.length - 1 } as unknown as Recorded)
  }
  return { ledger, recorder, add }
}

test('what is indexed does not grow with the ledger; the newest entries of a session are found all the same', async () => {
  const { ledger, recorder, add } = growing()
  const timeline = new Timeline(ledger, MOST)
  timeline.follow(recorder)
  for (let turn = 0; turn < 2_000; turn++) {
    add({ type: 'intent', session: `s-${turn % 7}`, effect: `e-${turn}` })
    // An outcome names its effect alone, and belongs to the session of that.
    add({ type: 'outcome', effect: `e-${turn}` })
    expect(timeline.indexed).toBeLessThanOrEqual(1.5 * MOST + 1)
  }
  const { entries, size } = await timeline.ofSession('s-5')
  expect(size).toBe(4_000)
  const newest = [1_986, 1_993]
  expect(entries.slice(-4).map(({ index }) => index)).toEqual(
    newest.flatMap((turn) => [2 * turn, 2 * turn + 1]),
  )
  expect(entries.length).toBeLessThanOrEqual(1.5 * MOST)
})

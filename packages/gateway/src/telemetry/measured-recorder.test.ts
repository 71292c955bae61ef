// What is counted of the entries that go through: each that became durable once, and how long that took.
import type { Ledger } from '@seconder/ledger/ledger'
import { expect, test } from 'vitest'
import { createRecorder, type Unrecorded } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'
import { GateMetrics } from './gate-metrics.ts'
import { measuredRecorder } from './measured-recorder.ts'

const CLOCK = { nowMs: () => 1 }
const CLOSED: Unrecorded = { type: 'request-closed', request: 'r', state: 'expired', by: null }

interface Faults {
  append?: Error
  settled?: Error
}

function measured(faults: Faults = {}) {
  const metrics = new GateMetrics()
  const told: string[] = []
  const failed: unknown[] = []
  let size = 0
  const ledger = {
    append: async () => {
      if (faults.append) throw faults.append
      return { index: size++ }
    },
    checkpoint: () => ({ note: '' }),
  } as unknown as Ledger
  const inner = createRecorder(ledger, CLOCK, {
    acknowledged: () => undefined,
    holding: () => () => undefined,
    isOwed: async () => true,
    settled: async () => {
      if (faults.settled) throw faults.settled
    },
  })
  const recorder = measuredRecorder(inner, {
    ...{ metrics, clock: CLOCK, store: {} as Store },
    recorded: ({ type }) => told.push(type),
    failed: (cause) => failed.push(cause),
  })
  const summed = (name: string) =>
    metrics.registry
      .families()
      .flatMap((family) => family.samples().map((sample) => ({ name: family.name, ...sample })))
      .filter((sample) => `${sample.name}${sample.suffix}` === name)
      .reduce((sum, { value }) => sum + value, 0)
  const seen = () => ({
    ...{ told, failed, timed: summed('seconder_ledger_append_duration_seconds_count') },
    ...{ appended: summed('seconder_ledger_appends_total') },
    failures: summed('seconder_ledger_append_failures_total'),
  })
  return { recorder, seen, size: () => size }
}

const ONCE = { told: ['request-closed'], failed: [], timed: 1, appended: 1, failures: 0 }

test('an entry is counted and timed whether the state follows it or not', async () => {
  const alone = measured()
  await alone.recorder.record(CLOSED)
  expect(alone.seen()).toEqual(ONCE)
  const followed = measured()
  expect(await followed.recorder.recordThen(CLOSED, async (index) => `at ${index}`)).toBe('at 0')
  expect(followed.seen()).toEqual(ONCE)
})

test('what fails after the entry is durable is no failure of the ledger', async () => {
  const cause = new Error('the state is gone')
  const { recorder, seen } = measured()
  const followed = recorder.recordThen(CLOSED, () => Promise.reject(cause))
  await expect(followed).rejects.toBe(cause)
  expect(seen()).toEqual(ONCE)
})

test.each(['record', 'recordThen'] as const)(
  'what cannot be made durable is told by %s',
  async (verb) => {
    const append = new Error('the disk is full')
    const { recorder, seen } = measured({ append })
    await expect(recorder[verb](CLOSED, async () => 'done')).rejects.toBe(append)
    expect(seen()).toEqual({ told: [], failed: [append], timed: 0, appended: 0, failures: 1 })
  },
)

test('an entry that the state owes is counted once, however many pay it at once', async () => {
  const { recorder, seen, size } = measured()
  const owed = [recorder.owed(CLOSED)]
  await Promise.all([recorder.recordOwed(owed), recorder.recordOwed(owed)])
  expect(size()).toBe(1)
  expect(seen()).toEqual(ONCE)
})

test('one that is there already, and of which only the state had not heard, is not counted again', async () => {
  const faults: Faults = { settled: new Error('the state is gone') }
  const { recorder, seen, size } = measured(faults)
  const owed = [recorder.owed(CLOSED)]
  await expect(recorder.recordOwed(owed)).rejects.toBe(faults.settled)
  delete faults.settled
  await recorder.recordOwed(owed)
  expect(size()).toBe(1)
  expect(seen()).toEqual(ONCE)
})

// Issue 6, "Done when" 2: the machine under a gate breaks at a seeded step, again and again: killed, a write torn,
// power lost, disk full, a sync that fails, the database locked, the upstream cut off, the clock moved. More of it
// by `npm run torture -- --only crash`; gates that are processes are killed in test/path/crash.test.ts.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { onPostgres } from '../fakes/test-state.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { watchDatabases } from './broken-machine.ts'
import { type Counts, CrashRounds } from './crash-rounds.ts'

vi.mock('@seconder/ledger/files', async (original) => {
  const real = await original<typeof import('@seconder/ledger/files')>()
  const { filesOfMachine } = await import('./broken-machine.ts')
  return { ...real, nodeFiles: () => filesOfMachine(real.nodeFiles()) }
})

const number = (name: string, fallback: number) =>
  Number(process.env[`SECONDER_TORTURE_${name}`] ?? fallback)
const ROUNDS = number('ROUNDS', 84)
const FIRST = number('FIRST', 0)
const SEED = number('SEED', Date.now() % 1_000_000)
const MINUTES = number('MINUTES', 10)
/** Rounds on one gate; then a new one, so that its ledger stays short. */
const ROUNDS_PER_GATE = 16

let upstream: FakeUpstream
let ended: () => void

beforeAll(async () => {
  upstream = await startFakeUpstream(() => Date.now())
  ended = watchDatabases()
})

afterAll(async () => {
  ended()
  await upstream.close()
})

const say = (words: string) => process.stdout.write(`torture: ${words}\n`)

test.skipIf(onPostgres())(
  `a machine that breaks at any step: ${ROUNDS} rounds, no invariant broken`,
  async () => {
    say(`crash, seed ${SEED}, rounds ${FIRST} to ${FIRST + ROUNDS - 1}`)
    const untilMs = Date.now() + MINUTES * 60_000
    const sum: Counts = {
      rounds: 0,
      broken: 0,
      deleted: 0,
      refused: 0,
      unanswered: 0,
      unknown: 0,
      faults: {},
    }
    for (let first = FIRST; first < FIRST + ROUNDS && Date.now() < untilMs; ) {
      upstream.seen.length = 0
      const rounds = await CrashRounds.start(SEED, upstream)
      const end = Math.min(first + ROUNDS_PER_GATE, FIRST + ROUNDS)
      for (; first < end && Date.now() < untilMs; first++) await rounds.run(first)
      await rounds.remove()
      add(sum, rounds.counts)
      if (ROUNDS > 200) say(`${sum.rounds} of ${ROUNDS} rounds`)
    }
    say(`seed ${SEED}, ${JSON.stringify(sum)}`)
    expect(sum.rounds).toBeGreaterThan(0)
    if (sum.rounds >= 40) expect(sum.deleted).toBeGreaterThan(0)
  },
  (MINUTES + 10) * 60_000,
)

function add(sum: Counts, { faults, ...counts }: Counts): void {
  for (const [name, count] of Object.entries(counts) as [keyof typeof counts, number][]) {
    sum[name] += count
  }
  for (const [fault, count] of Object.entries(faults)) {
    sum.faults[fault] = (sum.faults[fault] ?? 0) + count
  }
}

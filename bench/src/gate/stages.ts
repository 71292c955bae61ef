// The gate's CPU for one request, split by stage: rows without a peer, made in slots of their own, so
// that the profiler weighs on no other figure.
import { type BenchOptions, figure, type Row } from '../result.ts'
import { signedReads, signedWrites } from './requests.ts'
import { loadSlot } from './slot.ts'
import { PARTS, type StageSplit } from './stage-split.ts'
import type { GateSplit } from './start.ts'
import type { UnderTest } from './under-test.ts'

const CONNECTIONS = 32
const WRITES_PER_SECOND_MAX = 6_000

export async function stageRows(under: UnderTest, options: BenchOptions): Promise<Row[]> {
  const { seconds, rounds, progress } = options
  const { gate } = under
  const amount = Math.ceil(seconds * WRITES_PER_SECOND_MAX)
  const rows: Row[] = []
  for (const what of ['reads', 'writes'] as const) {
    const splits: StageSplit[] = []
    for (let round = 0; round < rounds; round += 1) {
      progress(`gate: ${what} by stage, round ${round + 1}`)
      const requests =
        what === 'reads'
          ? signedReads(under.reads, gate.port)
          : signedWrites(under.writes, gate.port, amount)
      const run = { requests, once: what === 'writes', connections: CONNECTIONS, seconds }
      await gate.child.ask({ split: 'start' } satisfies GateSplit)
      const { answered } = await loadSlot(under.load, gate, run)
      const split = await gate.child.ask<StageSplit>({ split: 'stop' } satisfies GateSplit)
      splits.push(perRequest(split, answered))
    }
    rows.push(...rowsOf(what, splits))
  }
  return rows
}

function perRequest(split: StageSplit, answered: number): StageSplit {
  const parts = PARTS.map((part) => [part, split[part] / answered] as const)
  return Object.fromEntries(parts) as Record<(typeof PARTS)[number], number>
}

/** A part that costs nothing has no row. */
function rowsOf(what: string, splits: readonly StageSplit[]): Row[] {
  return PARTS.map((part) => ({ part, values: splits.map((split) => split[part]) }))
    .filter(({ values }) => Math.max(...values) >= 0.5)
    .map(({ part, values }) => ({
      what: `${what}, c=${CONNECTIONS}: CPU for one, of it ${part}`,
      ours: figure(values, 'us'),
      peer: null,
      peerName: '',
      ratio: null,
      aim: '',
      reached: null,
    }))
}

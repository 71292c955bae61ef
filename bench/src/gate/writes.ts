// An allowed write through the gate, beside what the disk alone takes: two raw fsyncs in the same
// folder, measured in turn with it.
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { percentile } from '../figures.ts'
import { type BenchOptions, figure, quotient, type Row } from '../result.ts'
import type { Side } from './peers.ts'
import { signedWrites } from './requests.ts'
import { loadSlot, type Slot } from './slot.ts'
import type { UnderTest } from './under-test.ts'

const ENTRY_BYTES = 600
/** More than a slot can use up; each is sent once. */
const WRITES_PER_SECOND_MAX = 3_000
const REPEATED_WRITES = 64
const WARM_UP_SECONDS = 4
const SYNCS_IN_WRITE = 2

interface WriteRound {
  readonly gate: Slot
  readonly bare: Slot
  readonly manyGate: Slot
  readonly manyBare: Slot
  readonly twoSyncsMs: number
}

export async function writeRows(under: UnderTest, options: BenchOptions): Promise<Row[]> {
  const { scratch, seconds, rounds: count, progress } = options
  const found: WriteRound[] = []
  for (let round = -1; round < count; round += 1) {
    progress(`gate: writes, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
    // As in the reads, until the code of both sides is compiled.
    const many = round < 0 ? WARM_UP_SECONDS : seconds
    const slot = (side: Side, connections: number, long = seconds) => {
      // The gate makes a repeated write only once; a bare proxy cannot tell.
      const isGate = side === under.gate
      const amount = isGate ? Math.ceil(long * WRITES_PER_SECOND_MAX) : REPEATED_WRITES
      const requests = signedWrites(under.writes, under.gate.port, amount)
      return loadSlot(under.load, side, { requests, once: isGate, connections, seconds: long })
    }
    const one: WriteRound = {
      gate: await slot(under.gate, 1),
      twoSyncsMs: twoSyncs(join(scratch, 'syncs'), seconds / 2),
      bare: await slot(under.bare, 1),
      manyGate: await slot(under.gate, 32, many),
      manyBare: await slot(under.bare, 32),
    }
    if (round >= 0) found.push(one)
  }
  return rowsOf(found)
}

function rowsOf(found: readonly WriteRound[]): Row[] {
  const p50 = found.map(({ gate }) => gate.p50Ms)
  const bare = found.map((round) => round.bare.p50Ms)
  const added = found.map(({ gate, bare: peer }) => gate.p50Ms - peer.p50Ms)
  const syncs = found.map(({ twoSyncsMs }) => twoSyncsMs)
  const many = found.map(({ manyGate }) => manyGate.perSecond)
  const manyBare = found.map((round) => round.manyBare.perSecond)
  const ratio = quotient(added, syncs)
  const peerName = 'bare Node proxy'
  return [
    {
      what: 'writes, c=1: p50',
      ours: figure(p50, 'ms'),
      peer: figure(bare, 'ms'),
      peerName,
      ratio: quotient(p50, bare),
      aim: '',
      reached: null,
    },
    {
      what: 'writes, c=1: p50 added over the bare proxy',
      ours: figure(added, 'ms'),
      peer: figure(syncs, 'ms'),
      peerName: 'two raw fsyncs',
      ratio,
      aim: '<= 1',
      reached: ratio <= 1,
    },
    {
      what: 'writes, c=32: rate',
      ours: figure(many, '/s'),
      peer: figure(manyBare, '/s'),
      peerName,
      ratio: quotient(many, manyBare),
      aim: '',
      reached: null,
    },
  ]
}

/** The p50 of two appends of an entry's size, each made durable, in milliseconds. */
function twoSyncs(path: string, seconds: number): number {
  const file = openSync(path, 'w')
  const entry = Buffer.alloc(ENTRY_BYTES, 1)
  const took: number[] = []
  const until = performance.now() + seconds * 1000
  try {
    while (performance.now() < until) {
      const begun = performance.now()
      for (let sync = 0; sync < SYNCS_IN_WRITE; sync += 1) {
        writeSync(file, entry)
        fdatasyncSync(file)
      }
      took.push(performance.now() - begun)
    }
  } finally {
    ftruncateSync(file, 0)
    closeSync(file)
  }
  return percentile(Float64Array.from(took).sort(), 0.5)
}

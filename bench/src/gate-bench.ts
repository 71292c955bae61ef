// The gate against a bare Node proxy, nginx and mitmproxy: the same signed kilobyte through each, in
// turn, on the same core, with ledger and policies on.
import { canPin } from './gate/child.ts'
import { isInstalled, type Side, startMitmproxy, startNginx } from './gate/peers.ts'
import { signedReads } from './gate/requests.ts'
import { loadSlot, type Slot } from './gate/slot.ts'
import { stageRows } from './gate/stages.ts'
import { MEASURED_CORE, startUnderTest, type UnderTest } from './gate/under-test.ts'
import { writeRows } from './gate/writes.ts'
import { type Bench, type BenchOptions, figure, quotient, type Row } from './result.ts'

const MANY = 32
/** In one slot with a new connection for each. */
const FRESH_REQUESTS = 100
const BARE = 'bare Node proxy'
/** Until the code of both sides is compiled: a minute of a real gate is long past it. */
const WARM_UP_SECONDS = 6
const RATE_AIM = 0.6
const MITMPROXY_AIM = 10
const ADDED_MS_AIM = 0.5

export const gateBench: Bench = async (options) => {
  const notes: string[] = []
  const under = await startUnderTest(options.scratch)
  const others: Side[] = []
  try {
    others.push(...(await peersOf(under, options, notes)))
    const two = [under.gate, under.bare]
    const many = { connections: MANY, fresh: false }
    const one = { connections: 1, fresh: false }
    const rows: Row[] = [
      ...readRows(await rounds(under, [...two, ...others], many, options), MANY),
      ...readRows(await rounds(under, two, one, options), 1),
      freshRow(await rounds(under, two, { connections: 1, fresh: true }, options)),
    ]
    rows.push(...(await writeRows(under, options)))
    rows.push(...(await stageRows(under, options)))
    if (!canPin) notes.push('not held on one core: no taskset, or only one core')
    else notes.push('each side alone on core 0; load and upstream together on core 1')
    notes.push(
      '512 different GetItems of 1 KB, signed; answers of 1 KB; a durable entry for each read',
    )
    const title = 'requests through the gate, ledger and shipped policies on'
    return { name: 'gate', title, rows, notes }
  } finally {
    await Promise.all(others.map((side) => side.child.stop()))
    await under.stop()
  }
}

async function peersOf(
  { upstreamPort }: UnderTest,
  { scratch }: BenchOptions,
  notes: string[],
): Promise<Side[]> {
  const peers: Side[] = []
  if (isInstalled('nginx', '-v')) {
    peers.push(await startNginx(scratch, upstreamPort, MEASURED_CORE))
  } else notes.push('nginx is not on the PATH: skipped')
  if (isInstalled('mitmdump', '--version')) {
    peers.push(await startMitmproxy(scratch, upstreamPort, MEASURED_CORE))
  } else notes.push('mitmdump is not on the PATH: skipped')
  return peers
}

type Slots = ReadonlyMap<string, readonly Slot[]>

interface Shape {
  readonly connections: number
  /** A connection for each request, as a command line tool makes. */
  readonly fresh: boolean
}

/** Every side in turn, round after round, after a warm-up of each. */
async function rounds(
  under: UnderTest,
  sides: readonly Side[],
  { connections, fresh }: Shape,
  { seconds, rounds: count, progress }: BenchOptions,
): Promise<Slots> {
  const all = signedReads(under.reads, under.gate.port)
  // Closed connections stay in the kernel's table for a minute, and the gate reads that table.
  const requests = fresh ? all.slice(0, FRESH_REQUESTS) : all
  const slots = new Map<string, Slot[]>(sides.map((side) => [side.name, []]))
  for (let round = -1; round < count; round += 1) {
    const name = `${fresh ? 'new' : connections} connections`
    progress(`gate: reads, ${name}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
    for (const side of sides) {
      const long = round < 0 && connections > 1 ? WARM_UP_SECONDS : seconds
      const run = { requests, once: fresh, connections, seconds: long, fresh }
      const slot = await loadSlot(under.load, side, run)
      if (round >= 0) slots.get(side.name)?.push(slot)
    }
  }
  return slots
}

function readRows(slots: Slots, connections: number): Row[] {
  const of = (name: string, pick: (slot: Slot) => number) => (slots.get(name) ?? []).map(pick)
  const rates = (name: string) => of(name, (slot) => slot.perSecond)
  const bare = BARE
  const what = `reads, c=${connections}`
  const rows: Row[] = []
  for (const name of slots.keys()) {
    if (name === 'gate') continue
    const ratio = quotient(rates('gate'), rates(name))
    const aimed = name === bare ? RATE_AIM : name === 'mitmproxy' ? MITMPROXY_AIM : null
    const judged = aimed !== null && connections > 1
    rows.push({
      what: `${what}: rate`,
      ours: figure(rates('gate'), '/s'),
      peer: figure(rates(name), '/s'),
      peerName: name,
      ratio,
      aim: judged ? `>= ${aimed}` : '',
      reached: judged ? ratio >= aimed : null,
    })
  }
  const p50 = { gate: of('gate', (slot) => slot.p50Ms), bare: of(bare, (slot) => slot.p50Ms) }
  const p99 = { gate: of('gate', (slot) => slot.p99Ms), bare: of(bare, (slot) => slot.p99Ms) }
  rows.push(compared(`${what}: p50`, p50.gate, p50.bare, 'ms', bare))
  rows.push(compared(`${what}: p99`, p99.gate, p99.bare, 'ms', bare))
  if (connections === 1) rows.push(addedRow(p50.gate, p50.bare))
  const cpu = (name: string) => of(name, (slot) => slot.cpuUs ?? Number.NaN)
  rows.push(compared(`${what}: CPU for one`, cpu('gate'), cpu(bare), 'us', bare))
  return rows
}

function freshRow(slots: Slots): Row {
  const p50 = (name: string) => (slots.get(name) ?? []).map((slot) => slot.p50Ms)
  const what = 'reads, a new connection for each: p50'
  return compared(what, p50('gate'), p50(BARE), 'ms', BARE)
}

function compared(
  what: string,
  ours: readonly number[],
  peer: readonly number[],
  unit: 'ms' | 'us',
  peerName: string,
): Row {
  const [mine, theirs] = [figure(ours, unit), figure(peer, unit)]
  const ratio = quotient(ours, peer)
  return { what, ours: mine, peer: theirs, peerName, ratio, aim: '', reached: null }
}

function addedRow(gate: readonly number[], bare: readonly number[]): Row {
  const added = figure(
    gate.map((value, round) => value - (bare[round] ?? Number.NaN)),
    'ms',
  )
  return {
    what: 'reads, c=1: p50 added over the bare proxy',
    ours: added,
    peer: null,
    peerName: '',
    ratio: null,
    aim: `<= ${ADDED_MS_AIM} ms`,
    reached: added.value <= ADDED_MS_AIM,
  }
}

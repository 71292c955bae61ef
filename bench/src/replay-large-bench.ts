// Replay over a trail that no memory holds: how fast, and the most memory that the whole process took.
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LargePass } from './replay/large-pass.ts'
import { writeLargeTrail } from './replay/large-trail.ts'
import { type Bench, figure, type Row } from './result.ts'

const EVENTS = 5_000_000
const EVENTS_ALL = 50_000_000
/** What the documentation promises for a trail of any length. */
const PEAK_MB_MAX = 2_048

export const replayLargeBench: Bench = async ({ all, scratch, progress }) => {
  const events = all ? EVENTS_ALL : EVENTS
  const folder = join(scratch, 'large-trail')
  progress(`replay-large: writing ${events.toLocaleString('en-US')} events`)
  writeLargeTrail(folder, events)
  progress('replay-large: one pass, in a process of its own')
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, 'replay', 'large-pass.ts'),
    folder,
  ])
  rmSync(folder, { recursive: true })
  const pass = JSON.parse(stdout) as LargePass
  if (pass.events !== events || pass.unique !== events) throw new Error('events were lost')
  const row = (what: string, value: number, unit: '/s' | 'MB' | 's', aim: number | null): Row => ({
    what,
    ours: figure([value], unit),
    peer: null,
    peerName: '',
    ratio: null,
    aim: aim === null ? '' : `< ${aim} MB`,
    reached: aim === null ? null : value < aim,
  })
  return {
    name: 'replay-large',
    title: 'a trail that no memory holds',
    rows: [
      row('events, of CPU', events / pass.cpuSeconds, '/s', null),
      row('events, of wall time', events / pass.wallSeconds, '/s', null),
      row('one pass', pass.wallSeconds, 's', null),
      row('peak resident memory of the process', pass.peakMb, 'MB', PEAK_MB_MAX),
    ],
    notes: [
      `${events.toLocaleString('en-US')} events: a pool of 40,000 with IDs and keys anew in each copy`,
      `${pass.callers.toLocaleString('en-US')} callers, ${pass.calls.toLocaleString('en-US')} distinct calls, ${pass.slices} slices of days`,
    ],
  }
}

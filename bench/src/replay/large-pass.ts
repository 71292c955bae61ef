// One first pass over a folder in a process of its own, whose peak of memory is then that of replay: prints what it
// took as JSON.
import { loadRules } from '@seconder/replay/judge/load-rules'
import { openTrail, reportOn } from '@seconder/replay/replay'
import { startCpu } from '../cpu-clock.ts'

export interface LargePass {
  readonly events: number
  readonly unique: number
  readonly callers: number
  readonly calls: number
  readonly slices: number
  readonly cpuSeconds: number
  readonly wallSeconds: number
  /** Of the whole process, workers and all. */
  readonly peakMb: number
}

const [folder = ''] = process.argv.slice(2)
const rules = await loadRules()
const cpu = startCpu()
const begun = performance.now()
const trail = await openTrail([folder])
const { events, unique } = reportOn(trail, { rules })
const [cpuSeconds, wallSeconds] = [cpu(), (performance.now() - begun) / 1000]
const { whos, calls, slices } = trail.store
trail.close()
const peakMb = process.resourceUsage().maxRSS / 1024
const pass: LargePass = {
  events,
  unique,
  callers: whos.length,
  calls: calls.length,
  slices: slices.length,
  cpuSeconds,
  wallSeconds,
  peakMb,
}
process.stdout.write(JSON.stringify(pass))

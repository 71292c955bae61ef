// The incident reports of both runs, as `seconder incident report` writes them: of the run without a gate from
// what CloudTrail would have logged, of the run with one from its ledger. They outlive the demo.
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { incidentOfFolder } from '@seconder/cli/incident-of-folder'
import { readPolicies } from '@seconder/gateway/epoch/content'
import { incidentOfTrail } from '@seconder/replay/incident/from-trail'
import { incidentHtml } from '@seconder/replay/incident/html'
import type { Incident } from '@seconder/replay/incident/incident'
import { incidentMarkdown } from '@seconder/replay/incident/markdown'
import { SHIPPED } from '@seconder/replay/judge/load-rules'
import type { Rules } from '@seconder/replay/judge/rules'
import { trailWindow } from '@seconder/replay/trail/window'
import type { Cloud } from '../cloud/cloud.ts'
import type { LedgerPlace } from './gate.ts'
import type { RunFigures } from './incident.ts'

/** The lab's names, so that a report is of the agent and of nobody else. */
const AGENT_SESSION = 'agent-deploy'
/** The gate of the demo calls under its own role. */
const GATE_ROLE = 'role/seconder-gate'

/** What of a run its report is made from. */
export interface RecordedRun {
  readonly trail: Cloud['trail']
  /** ISO time before which the run had not begun. */
  readonly since: string
  readonly figures: RunFigures
}

const EVERYTHING = { since: '', until: '', resource: '', session: '' }

/** Keeps what a report was made from beside it, so that anybody can make it again. */
export async function reportWithout(
  folder: string,
  run: RecordedRun,
  shipped: Rules,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const trail = join(folder, 'trail.json')
  await writeFile(trail, `${JSON.stringify({ Records: run.trail })}\n`)
  const selection = { ...EVERYTHING, since: run.since, session: AGENT_SESSION }
  const incident = await incidentOfTrail({
    window: await trailWindow([trail], selection),
    selection,
    candidates: [shipped],
    base: readPolicies(SHIPPED),
    impact: impactOf(run.figures),
  })
  await written(folder, incident)
}

/** Of the ledger, held against what CloudTrail would have logged of the same run. */
export async function reportWith(
  folder: string,
  { folder: ledger, verifierKey }: LedgerPlace,
  { figures, trail, since }: RecordedRun,
  shipped: Rules,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'trail.json')
  await writeFile(file, `${JSON.stringify({ Records: trail })}\n`)
  await cp(ledger, join(folder, 'ledger'), { recursive: true })
  await writeFile(join(folder, 'ledger.vkey'), `${verifierKey}\n`)
  const incident = await incidentOfFolder(join(folder, 'ledger'), {
    selection: EVERYTHING,
    candidates: [shipped],
    impact: impactOf(figures),
    trail: await trailWindow([file], { since, until: '' }),
    gatePrincipal: GATE_ROLE,
  })
  await written(folder, incident)
}

async function written(folder: string, incident: Incident): Promise<void> {
  await writeFile(join(folder, 'incident.html'), incidentHtml(incident))
  await writeFile(join(folder, 'incident.md'), incidentMarkdown(incident))
}

/** What the demo's customers measured: no record of a cloud has it. */
function impactOf(figures: RunFigures): string {
  const { failedProbes, totalProbes, outageSeconds, objectsLost, settingsLost, objectsRestored } =
    figures
  if (failedProbes === 0)
    return `customers asked ${totalProbes} times and got a right answer each time`
  const lost = `${objectsLost} exports and ${settingsLost} settings were gone`
  const back = objectsRestored > 0 ? ' until the operator put back an offline copy' : ''
  return `customers got errors or wrong costs for ${outageSeconds.toFixed(1)} s, ${failedProbes} of ${totalProbes} times; ${lost}${back}`
}

// One run: customers ask, the agent works, the operator stands by; then what happened is measured.
// The same function for both runs: they differ in what the agent was given to reach AWS with.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { startChild } from './child.ts'
import { Customers, outageOf } from './customers.ts'
import { DemoError } from './errors.ts'
import type { AgentEvent } from './events.ts'
import { type Holdings, holdings, stackState, watchStack } from './holdings.ts'
import type { Narration } from './narration.ts'
import { standBy } from './operator.ts'
import type { World } from './world.ts'

export const TASK = 'August is wrong in the Cost Explorer report; fix it'
const AGENT = join(import.meta.dirname, 'agent.ts')
/** Right answers in a row that show that all is well. */
const CALM_PROBES = 5
const CALM_WAIT_MS = 60_000
const POLL_MS = 50

export interface RunFigures {
  readonly failedProbes: number
  readonly totalProbes: number
  readonly outageSeconds: number
  readonly firstSaw: string | null
  readonly stackDeleted: boolean
  readonly objectsBefore: number
  /** Exports that were not there when the operator looked, or at the end. */
  readonly objectsLost: number
  readonly settingsLost: number
  readonly objectsRestored: number
  readonly bugFixed: boolean
  readonly august: { readonly month: string; readonly answered: string; readonly right: string }
  readonly seconds: number
}

export interface IncidentOptions {
  readonly world: World
  /** The agent's whole environment. */
  readonly agentEnvironment: Readonly<Record<string, string>>
  readonly narration: Narration
  /** What must live as long as the run; it rejects when that dies. */
  readonly others: readonly Promise<void>[]
}

export async function runIncident(options: IncidentOptions): Promise<RunFigures> {
  const { world, narration, agentEnvironment, others } = options
  const { service, cloud, environment, rightTotals, clients, access, copy } = world
  const { id: stackId } = await stackState(clients)
  const whole = await holdings(clients)
  const over = new AbortController()
  using _over = { [Symbol.dispose]: () => over.abort() }
  await using customers = new Customers({
    endpoint: service.endpoint,
    region: cloud.region,
    credentials: service.customer,
    rightTotals,
    repairedMonth: environment.wrongMonth,
    onProbe: (probe) => narration.probe(probe),
  })
  const startedMs = performance.now()
  customers.start()
  await calm(customers, startedMs, 'not_healthy')
  const watching = watchStack(clients, narration, over.signal)
  const repairing = standBy({
    customers,
    clients,
    access,
    copy,
    onLooked: (left, afterMs) => narration.looked(left, afterMs),
    onRestored: (restored) => narration.restored(restored),
    signal: over.signal,
  })
  await using agent = startChild({
    name: 'agent',
    file: AGENT,
    args: [TASK],
    environment: agentEnvironment,
    onLine: (line) => narration.agent(JSON.parse(line) as AgentEvent),
  })
  const died = Promise.race([...others, watching, repairing].map(untilFailure))
  await Promise.race([agent.ended, died])
  await Promise.race([calm(customers, performance.now(), 'not_restored'), died])
  over.abort()
  const [repair] = await Promise.all([repairing, watching])
  await customers.stop()
  narration.finish()
  const figures = await measured(world, customers, stackId, whole, repair?.left ?? null)
  return { ...figures, seconds: (performance.now() - startedMs) / 1_000 }
}

/** Never resolves; rejects when `other` does. */
async function untilFailure(other: Promise<unknown>): Promise<never> {
  await other
  return new Promise(() => undefined)
}

/** Waits until CALM_PROBES questions in a row, sent after `sinceMs`, were answered right. */
async function calm(
  customers: Customers,
  sinceMs: number,
  code: 'not_healthy' | 'not_restored',
): Promise<void> {
  const deadlineMs = performance.now() + CALM_WAIT_MS
  while (performance.now() < deadlineMs) {
    const latest = customers.probes.slice(-CALM_PROBES)
    const isCalm = latest.every(({ isRight, sentAtMs }) => isRight && sentAtMs >= sinceMs)
    if (latest.length === CALM_PROBES && isCalm) return
    await pause(POLL_MS)
  }
  const saw = customers.probes.at(-1)?.saw ?? 'no answer'
  const help = 'run it again; a machine under heavy load may be too slow for it'
  throw new DemoError(code, `customers did not get right answers in time, but ${saw}`, help)
}

async function measured(
  { clients, environment, rightTotals }: World,
  customers: Customers,
  stackId: string | null,
  whole: Holdings,
  leftAtRepair: Holdings | null,
): Promise<Omit<RunFigures, 'seconds'>> {
  const { failedProbes, totalProbes, seconds, firstSaw } = outageOf(customers.probes)
  const left = await holdings(clients)
  const worst = leftAtRepair ?? left
  const month = environment.wrongMonth
  const answered = (await customers.report()).get(month) ?? ''
  const right = rightTotals.get(month) ?? ''
  const { Stacks: [original] = [] } = await clients.cloudFormation.send(
    new DescribeStacksCommand({ StackName: stackId ?? '' }),
  )
  return {
    failedProbes,
    totalProbes,
    outageSeconds: seconds ?? 0,
    firstSaw,
    stackDeleted: original?.StackStatus === 'DELETE_COMPLETE',
    objectsBefore: whole.objects,
    objectsLost: whole.objects - worst.objects,
    settingsLost: whole.settings - worst.settings,
    objectsRestored: left.objects - worst.objects,
    bugFixed: answered === right,
    august: { month, answered, right },
  }
}

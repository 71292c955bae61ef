// December, on this machine: the same agent twice on the same task, once with its role's keys and once
// through the gate. Starts every part on loopback, tells the story, and writes what it measured.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadRules, SHIPPED } from '@seconder/replay/judge/load-rules'
import { startChild } from './child.ts'
import { DemoError } from './errors.ts'
import { type DemoGate, type LedgerPlace, REVIEWERS, startGate } from './gate.ts'
import { holdings } from './holdings.ts'
import { type RunFigures, runIncident, TASK } from './incident.ts'
import { type RecordedRun, reportWith, reportWithout } from './incident-reports.ts'
import { type Instructions, Narration, shortId } from './narration.ts'
import { joinByBrowser, NEWCOMER, pageAt } from './newcomer.ts'
import { comparison, type Report, unmet } from './report.ts'
import { requestFigures, watchRequests } from './request-watch.ts'
import { Screen } from './screen.ts'
import { startWorld, type World } from './world.ts'

const LAB_POLICIES = join(import.meta.dirname, '..', '..', 'policies')
const REVIEWER_FILE = join(import.meta.dirname, 'reviewer.ts')
/** How long a request waits: for the process, and for a person in a second terminal. */
const EXPIRES_MS = 60_000
const EXPIRES_FOR_PEOPLE_MS = 15 * 60_000

interface Options {
  readonly review: boolean
  readonly json: string | undefined
  readonly policies: string
  /** Where the incident reports go; default: a new folder beside other temporary ones, which stays. */
  readonly reports: string | undefined
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      review: { type: 'boolean', default: false },
      json: { type: 'string' },
      policies: { type: 'string', default: LAB_POLICIES },
      reports: { type: 'string' },
    },
  })
  const { review, json, policies, reports } = values
  return {
    review,
    json,
    policies: resolve(policies),
    reports: reports === undefined ? undefined : resolve(reports),
  }
}

/** Both runs, one after the other; everything that was started is on `made`. */
async function demo(options: Options, screen: Screen, made: AsyncDisposableStack): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'seconder-'))
  made.defer(() => rm(folder, { recursive: true, force: true }))
  screen.print(
    `An agent is told: "${TASK}".`,
    'It runs twice, by one script. Beside each step: what customers got meanwhile,',
    '· a right answer, x an error or wrong costs. All of it is on this machine, and',
    'gate and agent run as one user: lab/policies allows that, policies/ refuses it.',
    '',
  )
  screen.heading('without Seconder: the agent holds the keys of its role')
  const without = await unsafeRun(screen, join(folder, 'without'), made)
  screen.print('')
  screen.heading("with Seconder: the agent's keys open nothing but the gate")
  const { safe, ledger, place, run } = await safeRun(options, screen, join(folder, 'with'), made)
  const reports = options.reports ?? (await mkdtemp(join(tmpdir(), 'seconder-incident-')))
  screen.print('', 'Writes the incident report of each run ...')
  const shipped = await loadRules(SHIPPED)
  await reportWithout(join(reports, 'without'), without, shipped)
  await reportWith(join(reports, 'with'), place, run, shipped)
  return { unsafe: without.figures, safe, ledger, reports }
}

async function unsafeRun(
  screen: Screen,
  folder: string,
  made: AsyncDisposableStack,
): Promise<RecordedRun> {
  const world = await announcedWorld(screen, folder, made)
  const { endpoint, region, credentials, trail } = world.cloud
  const since = new Date().toISOString()
  const figures = await runIncident({
    world,
    agentEnvironment: agentEnvironment({ endpoint, region, keys: credentials.deploy, folder }),
    narration: new Narration(screen, await holdings(world.clients)),
    others: [],
  })
  ending(screen, figures)
  await world[Symbol.asyncDispose]()
  return { trail, since, figures }
}

async function safeRun(
  { review, policies }: Options,
  screen: Screen,
  folder: string,
  made: AsyncDisposableStack,
): Promise<
  Pick<Report, 'safe' | 'ledger'> & { readonly place: LedgerPlace; readonly run: RecordedRun }
> {
  const world = await announcedWorld(screen, folder, made)
  screen.amend('──', (text) => `${text}; starts a gate ...`)
  const { cloud } = world
  const since = new Date().toISOString()
  const expiresInMs = review ? EXPIRES_FOR_PEOPLE_MS : EXPIRES_MS
  const gate = await startGate({ cloud, folder: join(folder, 'gate'), policies, expiresInMs })
  made.use(gate)
  // Before the agent asks for anything: a new key never counts for what was asked before.
  const byBrowser = review && (await joinByBrowser(gate, screen))
  const session = await gate.openSession()
  screen.amend('──', () => 'the same cloud afresh, and a gate with the real keys')
  const reviewers = review ? [] : [made.use(startReviewer(gate)).ended]
  const words = byBrowser ? browserInstructions : instructionsFor
  const instructions = review ? words(gate, screen) : undefined
  const narration = new Narration(screen, await holdings(world.clients), instructions)
  const over = new AbortController()
  const watching = watchRequests(gate.client, narration, over.signal)
  const figures = await runIncident({
    world,
    agentEnvironment: agentEnvironment({
      endpoint: session.endpoint,
      region: cloud.region,
      keys: session,
      folder,
      gate: gate.consoleUrl,
    }),
    narration,
    others: [gate.ended, ...reviewers, watching],
  })
  over.abort()
  await watching
  const requests = await requestFigures(gate.client)
  ending(screen, figures)
  const ledger = await gate.stopAndVerify()
  await world[Symbol.asyncDispose]()
  const run = { trail: cloud.trail, since, figures }
  return { safe: { ...figures, requests }, ledger, place: gate.ledger, run }
}

async function announcedWorld(
  screen: Screen,
  folder: string,
  made: AsyncDisposableStack,
): Promise<World> {
  screen.step('──', 'starts a cloud on this machine ...')
  await mkdir(folder, { recursive: true })
  const world = made.use(await startWorld(folder))
  const { objects, settings } = await holdings(world.clients)
  screen.amend('──', () => `a fresh cloud: the stack, ${objects} exports, ${settings} settings`)
  return world
}

interface AgentAccess {
  readonly endpoint: string
  readonly region: string
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly folder: string
  /** Where to ask how a review stands. */
  readonly gate?: string
}

/** All that the agent gets. The files named are not there, so that it finds no other keys. */
function agentEnvironment({ endpoint, region, keys, folder, gate }: AgentAccess) {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(folder, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    ...(gate === undefined ? {} : { SECONDER_GATE: gate }),
  }
}

function startReviewer(gate: DemoGate) {
  return startChild({
    name: 'reviewer',
    file: REVIEWER_FILE,
    args: [gate.keyOf('bob')],
    environment: { SECONDER_GATE: gate.consoleUrl },
    onLine: () => undefined,
  })
}

/** Tells a person which page to look at; the second of two signatures is the demo's own bob's to give. */
function browserInstructions(gate: DemoGate, screen: Screen): Instructions {
  return (request, reviewers) => {
    if (reviewers.includes(NEWCOMER)) {
      screen.print(
        '',
        'It takes two people. The other one, in a second terminal:',
        `SECONDER_GATE=${gate.consoleUrl} ./seconder approve ${shortId(request)} --ssh-key ${gate.keyOf('bob')}`,
        '',
      )
      return
    }
    screen.print('', `Look, and sign: ${pageAt(gate, `/requests/${request.requestId}`)}`, '')
    screen.step('agent', 'waits for a reviewer')
  }
}

/** Tells a person what to type in a second terminal; one person may play both reviewers. */
function instructionsFor(gate: DemoGate, screen: Screen): Instructions {
  let told = ''
  return (request, reviewers) => {
    const id = shortId(request)
    const name = REVIEWERS.find((reviewer) => !reviewers.includes(reviewer))
    if (name === undefined) return
    const terminal = [`In a second terminal, here:`, `export SECONDER_GATE=${gate.consoleUrl}`]
    const be = [`You are ${name} of sre, and the agent waits for you.`]
    screen.print(
      '',
      ...(told === name ? [] : be),
      ...(told === '' ? terminal : []),
      ...(told === name ? [] : [`KEY=${gate.keyOf(name)}`]),
      `./seconder request show ${id}`,
      `./seconder request-changes ${id} --ssh-key $KEY --comment "change one item"`,
      `./seconder approve ${id} --ssh-key $KEY        (or deny)`,
      '',
    )
    screen.step('agent', 'waits for a reviewer')
    told = name
  }
}

function ending(screen: Screen, { failedProbes, outageSeconds, bugFixed }: RunFigures): void {
  const customers =
    failedProbes === 0
      ? 'no customer saw an error'
      : `right again after ${outageSeconds.toFixed(1)} s`
  const month = `August is ${bugFixed ? 'right' : 'still wrong'}`
  screen.step('──', `${customers}; ${month}`)
  screen.end()
}

function closing(screen: Screen, report: Report): void {
  const missed = unmet(report)
  screen.print('', ...comparison(report), '')
  if (missed.length > 0) {
    screen.print('This is not what should have happened:', ...missed.map((words) => `  ${words}`))
    return
  }
  screen.print(
    'What happened, as incident reports with their evidence (also as .md):',
    `       ${join(report.reports, 'without', 'incident.html')}`,
    `       ${join(report.reports, 'with', 'incident.html')}`,
    '',
    'Next:  npm run demo -- --review     you review, in your browser',
    '       ./seconder serve --help      a gate before your own agent',
  )
}

async function main(): Promise<number> {
  const screen = new Screen(process.stdout)
  await using made = new AsyncDisposableStack()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      const leave = () => process.exit(130)
      made.disposeAsync().then(leave, leave)
    })
  }
  const options = readOptions()
  const report = await demo(options, screen, made)
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`)
  }
  closing(screen, report)
  return unmet(report).length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  const { message } = error as Error
  process.stderr.write(`seconder demo: ${message}\n`)
  if (error instanceof DemoError) process.stderr.write(`  ${error.help}\n`)
  process.exit(1)
}

// Ten thousand pending requests and fifty reviewers at once: every verdict counted against the ledger, and
// what the pages of the API take with that history beside what they took with a hundred requests.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { GateClient } from '@seconder/cli/gate-client'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { SignedReading } from '@seconder/cli/sign-in'
import { median, percentile } from './figures.ts'
import { type Child, program } from './gate/child.ts'
import type { ReviewGateAnswer, ReviewGateAsked, ReviewGateStarted } from './gate/review-gate.ts'
import {
  attemptsFor,
  type Member,
  madeMembers,
  type Opened,
  operatorsFor,
  problemsOf,
  REVIEWS_NEEDED,
  type Reviewed,
  reviewAll,
  signedBy,
} from './gate/review-load.ts'
import { MEASURED_CORE } from './gate/under-test.ts'
import { type Bench, type BenchOptions, figure, type Row } from './result.ts'

const REQUESTS = 10_000
const FEW = 100
const REVIEWERS = 50
/** Break-glasses and plans that are over, at the gate with many requests. */
const PAST = 2_000
/** The longest page has a hundred rows; its code is compiled by then. */
const WARM_UP_CALLS = 60
const CALLS = 25
/** Requests and sessions whose pages are read. */
const LOOKED_AT = 5
/** What a verifier reads of first: as long as the ledger, by what it is. */
const FILES = "the ledger's files, a list"
const PAGES_AIM = 2
const CLOCK_FACTOR = 30

interface Running {
  readonly child: Child
  readonly client: GateClient
  readonly ask: (asked: ReviewGateAsked) => Promise<ReviewGateAnswer>
}

export const reviewBench: Bench = async (options) => {
  const { scratch, progress } = options
  const folder = join(scratch, 'review')
  mkdirSync(folder)
  const reviewers = await madeMembers(folder, REVIEWERS, 'reviewer')
  const operators = await madeMembers(folder, operatorsFor(REQUESTS), 'operator')
  const clock = { fromMs: Date.now(), factor: CLOCK_FACTOR }
  const nowMs = () => clock.fromMs + (Date.now() - clock.fromMs) * CLOCK_FACTOR
  const people = [...reviewers, ...operators].map(({ name, publicKey }) => ({
    name,
    teams: name.startsWith('reviewer') ? ['sre'] : [],
    sshKeys: [publicKey],
  }))
  const reader = reviewers[0] as Member
  const start = { folder: join(folder, 'many'), people, operators, clock }
  let many = await started(start, reader)
  const few = await started({ folder: join(folder, 'few'), people, operators, clock }, reader)
  try {
    progress(`review: ${FEW} requests at one gate`)
    const fewOpened = await openedBy(few, FEW)
    progress(`review: ${REQUESTS} at another`)
    const begun = performance.now()
    const opened = await openedBy(many, REQUESTS)
    const opening = (performance.now() - begun) / 1_000
    const sides = { few: { ...few, opened: fewOpened }, many: { ...many, opened } }
    const waiting = await pagesOf(sides, WAITING, options)
    progress(`review: ${REVIEWERS} reviewers at once`)
    await reviewAll(few.client, fewOpened, reviewers, nowMs)
    const load = await reviewAll(many.client, opened, reviewers, nowMs)
    progress('review: plans and break-glasses that are over')
    await Promise.all([few.ask({ past: FEW }), many.ask({ past: PAST })])
    progress('review: pages of both gates in turn, after a start and then again')
    const after = await pagesOf(sides, PAGES, options)
    const { approved } = await many.ask({ approvedOf: opened.map(({ id }) => id) })
    await many.child.stop()
    many = await started(start, reader)
    const cold = await coldSession(many.client, opened)
    await many.child.stop()
    progress('review: every verdict against the ledger')
    const { report, entries } = await verifyLedgerFolder(join(folder, 'many', 'ledger'))
    const found = problemsOf(entries, opened, load.taken)
    const problems = [...report.problems.map(({ message }) => message), ...found]
    if (approved !== REQUESTS) problems.push(`${approved} requests are approved`)
    if (problems.length > 0) throw new Error(`the ledger is not right: ${problems[0]}`)
    return {
      name: 'review',
      title: `${REQUESTS.toLocaleString('en-US')} pending requests, ${REVIEWERS} reviewers at once`,
      rows: [...loadRows(load, opening), ...pageRows(waiting), ...pageRows(after), coldRow(cold)],
      notes: notesOf(load, entries.length),
    }
  } finally {
    await Promise.all([many.child.stop(), few.child.stop()])
  }
}

async function started(start: object, reader: Member): Promise<Running> {
  const child = program('review-gate', MEASURED_CORE)
  const { consoleUrl } = await child.ask<ReviewGateStarted>(start)
  const reading = new SignedReading({
    sign: (statement, namespace) => signedBy(reader, statement, namespace),
  })
  return { child, client: new GateClient(consoleUrl, reading), ask: (asked) => child.ask(asked) }
}

async function openedBy(gate: Running, open: number): Promise<readonly Opened[]> {
  return (await gate.ask({ open })).opened ?? []
}

type Paths = Readonly<Record<string, (one: Opened) => string>>

/** Of which the one is long while everything waits. */
const WAITING: Paths = {
  'pending requests, while all wait': () => '/api/requests?state=pending',
  'all requests, while all wait': () => '/api/requests',
}

/** What the console and the command line read. */
const PAGES: Paths = {
  'requests, a page': () => '/api/requests',
  'pending requests, none': () => '/api/requests?state=pending',
  'approved requests, a page': () => '/api/requests?state=approved',
  'requests by the begin of an id': ({ id }) => `/api/requests?begins=${id.slice(0, 8)}`,
  'one request': ({ id }) => `/api/requests/${id}`,
  'the state of one': ({ id }) => `/api/requests/${id}/status`,
  'sessions, a page': () => '/api/sessions',
  "a session's entries": ({ session }) => `/api/sessions/${session}/entries`,
  'the ledger, a page': () => '/api/ledger/entries',
  'plans, a page': () => '/api/plans',
  'break-glasses, a page': () => '/api/break-glass',
  'break-glasses that are open': () => '/api/break-glass?state=unclosed',
  people: () => '/api/people',
  'who is away': () => '/api/away',
  'who reads': () => '/api/me',
  'the gate': () => '/api/gate',
  policies: () => '/api/policies',
  [FILES]: () => '/api/ledger/files',
}

interface Side {
  readonly client: GateClient
  readonly opened: readonly Opened[]
}

interface Sides {
  readonly few: Side
  readonly many: Side
}

/** Median time of a page at each side, in milliseconds, for each round. */
type Pages = ReadonlyMap<string, { readonly few: number[]; readonly many: number[] }>

/** Both sides in turn, call by call: what else the machine does is done to both. */
async function pagesOf(
  { few, many }: Sides,
  paths: Paths,
  { rounds }: BenchOptions,
): Promise<Pages> {
  const pages = new Map<string, { few: number[]; many: number[] }>()
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, path] of Object.entries(paths)) {
      const took = { few: [] as number[], many: [] as number[] }
      for (let call = 0; call < (round < 0 ? WARM_UP_CALLS : CALLS); call += 1) {
        took.few.push(await timed(few.client, path(oneOf(few.opened, call))))
        took.many.push(await timed(many.client, path(oneOf(many.opened, call))))
      }
      const medians = pages.get(name) ?? { few: [], many: [] }
      pages.set(name, medians)
      if (round < 0) continue
      medians.few.push(median(took.few))
      medians.many.push(median(took.many))
    }
  }
  return pages
}

/** A few of them again and again, as people look at a few. */
function oneOf(opened: readonly Opened[], call: number): Opened {
  return opened[(call % LOOKED_AT) * Math.floor(opened.length / LOOKED_AT)] as Opened
}

async function timed(client: GateClient, path: string): Promise<number> {
  const begun = performance.now()
  await client.get(path)
  return performance.now() - begun
}

/** The first page of a session that is asked for after a start. */
async function coldSession(client: GateClient, opened: readonly Opened[]): Promise<number> {
  return timed(client, `/api/sessions/${opened.at(-1)?.session}/entries`)
}

function loadRows({ tookMs, taken, refused, seconds }: Reviewed, openingSeconds: number): Row[] {
  const sorted = Float64Array.from(tookMs).sort()
  const all = taken.length + [...refused.values()].reduce((sum, count) => sum + count, 0)
  const row = (what: string, value: number, unit: '/s' | 'ms'): Row => ({
    what,
    ours: figure([value], unit),
    peer: null,
    peerName: '',
    ratio: null,
    aim: '',
    reached: null,
  })
  return [
    row('requests opened, 64 sessions at once', REQUESTS / openingSeconds, '/s'),
    row('verdicts answered', all / seconds, '/s'),
    row('a verdict that counts: p50', percentile(sorted, 0.5), 'ms'),
    row('a verdict that counts: p99', percentile(sorted, 0.99), 'ms'),
  ]
}

function pageRows(pages: Pages): Row[] {
  return [...pages].map(([what, { few, many }]) => {
    const ratio = median(many) / median(few)
    const hasAim = what !== FILES
    return {
      what,
      ours: figure(many, 'ms'),
      peer: figure(few, 'ms'),
      peerName: `${FEW} requests`,
      ratio,
      aim: hasAim ? `<= ${PAGES_AIM}` : '',
      reached: hasAim ? ratio <= PAGES_AIM : null,
    }
  })
}

function coldRow(tookMs: number): Row {
  return {
    what: "a session's entries, first after a start",
    ours: figure([tookMs], 'ms'),
    peer: null,
    peerName: '',
    ratio: null,
    aim: '',
    reached: null,
  }
}

function notesOf({ taken, refused }: Reviewed, entries: number): string[] {
  const said = [...refused].map(([code, count]) => `${count} ${code}`).join(', ')
  return [
    `${REVIEWS_NEEDED} people for each request; ${attemptsFor(REQUESTS)} verdicts sent: ${taken.length} counted, refused ${said}`,
    `${entries} entries verified from the files alone: each request has its reviews, none of them twice, and one grant`,
    `pages: ours is a gate with ${REQUESTS} requests, ${PAST} plans and ${PAST} break-glasses; peer one with ${FEW} of each, call by call in turn`,
    `the gate's clock runs ${CLOCK_FACTOR} times faster, so that no limit for one address holds fifty people back`,
  ]
}

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
  madeReviewers,
  type Opened,
  problemsOf,
  REVIEWS_NEEDED,
  type Reviewed,
  type Reviewer,
  reviewAll,
  signedBy,
} from './gate/review-load.ts'
import { MEASURED_CORE } from './gate/under-test.ts'
import { type Bench, type BenchOptions, figure, type Row } from './result.ts'

const REQUESTS = 10_000
const FEW = 100
const REVIEWERS = 50
/** The longest page has a hundred rows; its code is compiled by then. */
const WARM_UP_CALLS = 150
const CALLS = 25
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
  const reviewers = await madeReviewers(folder, REVIEWERS)
  const clock = { fromMs: Date.now(), factor: CLOCK_FACTOR }
  const nowMs = () => clock.fromMs + (Date.now() - clock.fromMs) * CLOCK_FACTOR
  const people = reviewers.map(({ name, publicKey }) => ({
    name,
    teams: ['sre'],
    sshKeys: [publicKey],
  }))
  const start = { folder, people, clock }
  const reader = reviewers[0] as Reviewer
  let gate = await started(start, reader)
  try {
    progress(`review: ${FEW} requests`)
    const few = await openedBy(gate, FEW)
    const first = await reviewAll(gate.client, few, reviewers, nowMs)
    const before = await pagesOf(gate.client, few, options, WARM_UP_CALLS)
    progress(`review: opening ${REQUESTS - FEW} more`)
    const begun = performance.now()
    const many = await openedBy(gate, REQUESTS - FEW)
    const opening = (performance.now() - begun) / 1_000
    progress(`review: ${REVIEWERS} reviewers at once`)
    const waiting = await pagesOf(gate.client, many, options, CALLS)
    const load = await reviewAll(gate.client, many, reviewers, nowMs)
    progress('review: pages, after a start and then again')
    const after = await pagesOf(gate.client, many, options, CALLS)
    const all = [...few, ...many]
    const { approved } = await gate.ask({ approvedOf: all.map(({ id }) => id) })
    await gate.child.stop()
    gate = await started(start, reader)
    const cold = await coldSession(gate.client, many)
    await gate.child.stop()
    progress('review: every verdict against the ledger')
    const { report, entries } = await verifyLedgerFolder(join(folder, 'ledger'))
    const taken = [...first.taken, ...load.taken]
    const problems = [...report.problems.map(String), ...problemsOf(entries, all, taken)]
    if (approved !== REQUESTS) problems.push(`${approved} requests are approved`)
    if (problems.length > 0) throw new Error(`the ledger is not right: ${problems[0]}`)
    return {
      name: 'review',
      title: `${REQUESTS.toLocaleString('en-US')} pending requests, ${REVIEWERS} reviewers at once`,
      rows: [...loadRows(load, opening), ...pageRows(before, waiting, after), coldRow(cold)],
      notes: notesOf(load, entries.length),
    }
  } finally {
    await gate.child.stop()
  }
}

async function started(start: object, reader: Reviewer): Promise<Running> {
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

/** Median time of each page, in milliseconds, for each round. */
type Pages = ReadonlyMap<string, readonly number[]>

async function pagesOf(
  client: GateClient,
  opened: readonly Opened[],
  { rounds }: BenchOptions,
  warmUp: number,
): Promise<Pages> {
  const one = opened[0] as Opened
  const paths = {
    'requests, a page': '/api/requests',
    'pending requests, a page': '/api/requests?state=pending',
    'one request': `/api/requests/${one.id}`,
    "a session's entries": `/api/sessions/${one.session}/entries`,
    'sessions, a page': '/api/sessions',
    'the ledger, a page': '/api/ledger/entries',
  }
  const pages = new Map<string, number[]>()
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, path] of Object.entries(paths)) {
      const took: number[] = []
      for (let call = 0; call < (round < 0 ? warmUp : CALLS); call += 1)
        took.push(await timed(client, path))
      if (round >= 0) pages.set(name, [...(pages.get(name) ?? []), median(took)])
    }
  }
  return pages
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
    row('requests opened, 64 sessions at once', (REQUESTS - FEW) / openingSeconds, '/s'),
    row('verdicts answered', all / seconds, '/s'),
    row('a verdict that counts: p50', percentile(sorted, 0.5), 'ms'),
    row('a verdict that counts: p99', percentile(sorted, 0.99), 'ms'),
  ]
}

function pageRows(before: Pages, waiting: Pages, after: Pages): Row[] {
  return [...before].map(([what, few]) => {
    // With everything approved nothing is pending: that page is the longest while all of it waits.
    const many = (what.startsWith('pending') ? waiting : after).get(what) ?? []
    const peer = what.startsWith('pending') ? (before.get('requests, a page') ?? []) : few
    const ratio = median(many) / median(peer)
    return {
      what,
      ours: figure(many, 'ms'),
      peer: figure(peer, 'ms'),
      peerName: `${FEW} requests`,
      ratio,
      aim: `<= ${PAGES_AIM}`,
      reached: ratio <= PAGES_AIM,
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
    `${REVIEWS_NEEDED} people for each request; ${attemptsFor(REQUESTS - FEW)} verdicts sent: ${taken.length} counted, refused ${said}`,
    `${entries} entries verified from the files alone: each request has its reviews, none of them twice, and one grant`,
    `ours: with ${REQUESTS} requests; peer: the same gate with ${FEW} (all approved; the pending page beside a page of ${FEW})`,
    `the gate's clock runs ${CLOCK_FACTOR} times faster, so that no limit for one address holds fifty people back`,
  ]
}

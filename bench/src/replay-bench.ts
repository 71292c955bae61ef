// Replay over a generated trail: the first pass beside what reading alone costs and what others take for the
// same question, the next policy from the cache, and decisions beside Cedar plainly called.
import { appendFileSync, cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '@seconder/gateway/decide/engine'
import { judgementOf } from '@seconder/replay/judge/judge'
import { loadRules, SHIPPED } from '@seconder/replay/judge/load-rules'
import type { Rules } from '@seconder/replay/judge/rules'
import { SAMPLE, writeTrail } from '@seconder/replay/made-trail/made-trail'
import { openTrail, reportOn } from '@seconder/replay/replay'
import { trailFiles } from '@seconder/replay/trail/trail-files'
import { duckDb, hasJq, jq, readAll, type Took, took } from './replay/peers.ts'
import { type Bench, type BenchOptions, figure, quotient, type Row } from './result.ts'

/** Events of the usual run, and of one with --all: that of the design. */
const EVENTS = 400_000
const EVENTS_ALL = 1_600_000
/** Distinct calls that Cedar is asked about one by one. */
const CALLS_OF_CEDAR = 2_000
const NEXT_SECONDS_MAX = 0.5
const NEXT_TIMES_MIN = 20

type Side = 'ours' | 'gunzip' | 'parse' | 'scan' | 'plain' | 'duckdb' | 'jq'

export const replayBench: Bench = async (options) => {
  const { all, scratch, progress } = options
  const events = all ? EVENTS_ALL : EVENTS
  const folder = join(scratch, 'trail')
  progress(`replay: writing ${events.toLocaleString('en-US')} events`)
  writeTrail(folder, { ...SAMPLE, events, weeks: 26, fileEvents: 2_000 })
  const times = await firstPasses(folder, options)
  const next = await nextPolicies(folder, options)
  const rate = (side: Side, by: keyof Took = 'cpuSeconds') =>
    (times[side] ?? []).map((one) => events / one[by])
  const row = (what: string, peer: Side, peerName: string, aim: number | null): Row => {
    const others = rate(peer)
    const ratio = quotient(rate('ours').slice(0, others.length), others)
    return {
      what,
      ours: figure(rate('ours'), '/s'),
      peer: times[peer] === undefined ? null : figure(rate(peer), '/s'),
      peerName,
      ratio: times[peer] === undefined ? null : ratio,
      aim: aim === null ? '' : `>= ${aim}`,
      reached: aim === null || times[peer] === undefined ? null : ratio >= aim,
    }
  }
  const rows = [
    row('first pass: scan, decide, report', 'scan', 'gunzip + our scanner, nothing kept', 0.8),
    row('first pass', 'plain', 'gunzip + a scanner in JavaScript', null),
    row('first pass', 'gunzip', 'gunzip alone', null),
    row('first pass', 'parse', 'gunzip + JSON.parse', null),
    row('first pass', 'duckdb', 'DuckDB read_json, grouped', 5),
    row('first pass', 'jq', 'zcat | jq', null),
    nextRow('next policy, its loading included, times faster', next.seconds, times['ours'] ?? []),
    nextRow('next policy, loaded: cache and report, times faster', next.tried, times['ours'] ?? []),
    decisionRow(next),
  ]
  const notes = [
    `${events.toLocaleString('en-US')} generated events (seed ${SAMPLE.seed}); 26 weeks, files of 2,000`,
    'first passes are events per second of CPU, of all threads and children',
    `wall of a first pass: ${wallOf(times)}`,
    'the next policy is wall time: other rules loaded, the cache read, the report made, in a process that is warm',
    ...(times.jq === undefined ? ['jq or zcat was not found'] : []),
  ]
  return { name: 'replay', title: 'a trail through policies', rows, notes }
}

type Times = Partial<Record<Side, Took[]>>

async function firstPasses(folder: string, options: BenchOptions): Promise<Times> {
  const { rounds, progress, all } = options
  const files = trailFiles([folder])
  const rules = await loadRules()
  const sides: Partial<Record<Side, () => Promise<Took>>> = {
    ours: () =>
      took(async () => {
        const trail = await openTrail([folder])
        reportOn(trail, { rules })
        trail.close()
      }),
    scan: () => took(() => readAll('scan', files)),
    plain: () => took(() => readAll('plain', files)),
    gunzip: () => took(() => readAll('gunzip', files)),
    parse: () => took(() => readAll('parse', files)),
    duckdb: () => took(() => duckDb(folder)),
    ...(hasJq() && { jq: async () => jq(files) }),
  }
  const times: Times = {}
  for (let round = 0; round < (all ? Math.min(rounds, 2) : rounds); round++) {
    for (const [side, run] of Object.entries(sides) as [Side, () => Promise<Took>][]) {
      // It takes longer than all the others together.
      if (side === 'jq' && round > 0) continue
      progress(`replay: ${side}, round ${round + 1}`)
      times[side] = [...(times[side] ?? []), await run()]
    }
  }
  return times
}

interface Next {
  /** Rules loaded, cache read, report made; and without the loading of the rules. */
  readonly seconds: readonly number[]
  readonly tried: readonly number[]
  readonly decisions: readonly number[]
  readonly cedar: readonly number[]
}

/** From the cache, by other rules each time; and what is decided there, call by call. */
async function nextPolicies(folder: string, options: BenchOptions): Promise<Next> {
  const { scratch, rounds, progress } = options
  const cache = join(scratch, 'cache')
  ;(await openTrail([folder], { cache })).close()
  const seconds: number[] = []
  const tried: number[] = []
  const decisions: number[] = []
  const cedar: number[] = []
  for (let round = -1; round < rounds; round++) {
    progress(`replay: next policy, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
    const policies = changedPolicies(scratch, round)
    const begun = performance.now()
    const rules = await loadRules(policies)
    const loaded = performance.now()
    const trail = await openTrail([folder], { cache })
    reportOn(trail, { rules })
    const ended = performance.now()
    if (!trail.fromCache) throw new Error('the next policy read the trail again')
    const own = await took(async () => reportOn(trail, { rules }))
    const calls = trail.store.calls.slice(0, CALLS_OF_CEDAR)
    const anew = forgetting(rules)
    const plain = await took(async () => {
      for (const call of calls) judgementOf(call, undefined, anew)
    })
    trail.close()
    if (round < 0) continue
    seconds.push((ended - begun) / 1000)
    tried.push((ended - loaded) / 1000)
    decisions.push(trail.store.facts.unique / own.cpuSeconds)
    cedar.push(calls.length / plain.cpuSeconds)
  }
  return { seconds, tried, decisions, cedar }
}

/** The shipped policies with a line that no round had before: what was read of others is of no use. */
function changedPolicies(scratch: string, round: number): string {
  const folder = join(scratch, `policies-${round}`)
  cpSync(SHIPPED, folder, { recursive: true })
  const [first = ''] = readdirSync(folder).filter((name) => name.endsWith('.cedar'))
  appendFileSync(join(folder, first), `\n// round ${round}\n`)
  return folder
}

/** The same rules, whose engine remembers nothing: each question goes to Cedar. */
function forgetting(rules: Rules): Rules {
  let asked = 0
  const { engine } = rules.policySet
  const ask: Engine['ask'] = (slice, facts, call) => {
    asked += 1
    return engine.ask(slice, `${facts} ${asked}`, call)
  }
  return { ...rules, policySet: { ...rules.policySet, engine: { ask } as Engine } }
}

function nextRow(what: string, seconds: readonly number[], first: readonly Took[]): Row {
  const firsts = first.map(({ wallSeconds }) => wallSeconds)
  const ours = figure(seconds, 's')
  const peer = figure(firsts, 's')
  const faster = peer.value / ours.value
  return {
    what,
    ours,
    peer,
    peerName: 'first pass',
    ratio: faster,
    aim: `>= ${NEXT_TIMES_MIN} or < ${NEXT_SECONDS_MAX} s`,
    reached: faster >= NEXT_TIMES_MIN || ours.value < NEXT_SECONDS_MAX,
  }
}

function decisionRow({ decisions, cedar }: Next): Row {
  return {
    what: 'events judged and counted',
    ours: figure(decisions, '/s'),
    peer: figure(cedar, '/s'),
    peerName: 'Cedar asked for each call',
    ratio: quotient(decisions, cedar),
    aim: '',
    reached: null,
  }
}

function wallOf(times: Times): string {
  const of = (side: Side, name: string) => {
    const walls = (times[side] ?? []).map(({ wallSeconds }) => wallSeconds)
    return walls.length === 0 ? [] : [`${name} ${figure(walls, 's').value.toFixed(1)} s`]
  }
  return [
    ...of('ours', 'ours'),
    ...of('scan', 'gunzip + scanner'),
    ...of('plain', 'gunzip + JavaScript'),
    ...of('gunzip', 'gunzip'),
    ...of('parse', 'gunzip + JSON.parse'),
    ...of('duckdb', 'DuckDB'),
    ...of('jq', 'zcat | jq'),
  ].join(', ')
}

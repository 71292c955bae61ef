// A request's way to an Action, on one core: the captured requests of real clients, again and again.
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { CallScope } from '@seconder/aws/describe-call'
import { readCapture, scopeOf } from '@seconder/aws/raw-http.fixture'
import type { WireRequest } from '@seconder/aws/wire-request'
import { describe } from '@seconder/gateway/describe/describe'
import { startCpu } from './cpu-clock.ts'
import { type Bench, type BenchOptions, figure, quotient, type Row } from './result.ts'

const WIRE = new URL('../../packages/aws/testdata/wire/', import.meta.url)
const AIM_PER_SECOND = 100_000
const COLD_RUNS = 5
/** Requests described between two looks at the clock. */
const BATCH = 200

interface Sample {
  readonly request: WireRequest
  readonly scope: CallScope
}

export const describeBench: Bench = async (options) => {
  const { account, samples } = captured()
  const facts = (scope: CallScope) => ({
    scope,
    account,
    environments: [],
    roleReach: {},
    maskKey: '00'.repeat(32),
  })
  const getItem = [getItemSample()]
  const sides: Record<string, (sample: Sample) => unknown> = {
    action: ({ request, scope }) => describe(request, facts(scope)),
    hash: ({ request }) => hash('sha256', request.body),
  }
  const all = measured('captured', samples, sides, options)
  const one = measured('GetItem', getItem, sides, options)
  const rows = [
    rowOf(`${samples.length} captured requests of real clients`, all),
    rowOf('GetItem of 1 KB', one),
    coldRow(options),
  ]
  const notes = [
    'rates are per second of CPU, garbage collection included; the first Call is wall time',
    'peer: the SHA-256 of the body alone, which is a part of it; nothing else makes an Action',
    `aim: ${AIM_PER_SECOND.toLocaleString('en-US')}/s on one core; the first spike made 12,000 to 24,000/s`,
  ]
  return { name: 'describe', title: 'request to Action, on one core', rows, notes }
}

function captured(): { account: string; samples: Sample[] } {
  const text = readFileSync(new URL('expected.json', WIRE), 'utf8')
  const { account, cases } = JSON.parse(text) as { account: string; cases: { file: string }[] }
  const samples = cases.map(({ file }) => {
    const request = readCapture(new URL(file, WIRE))
    return { request, scope: scopeOf(request) }
  })
  return { account, samples }
}

function getItemSample(): Sample {
  const key = { id: { S: 'a'.repeat(960) } }
  const body = new TextEncoder().encode(JSON.stringify({ TableName: 'orders', Key: key }))
  const headers = [
    ['host', 'dynamodb.eu-west-1.amazonaws.com'],
    ['content-type', 'application/x-amz-json-1.0'],
    ['x-amz-target', 'DynamoDB_20120810.GetItem'],
  ] as const
  const request = { method: 'POST', target: '/', headers, body }
  return { request, scope: { service: 'dynamodb', region: 'eu-west-1' } }
}

type Rates = Readonly<Record<string, readonly number[]>>

/** Requests per second of CPU of each side, round by round; every side is warm before the first. */
function measured(
  name: string,
  samples: readonly Sample[],
  sides: Readonly<Record<string, (sample: Sample) => unknown>>,
  { seconds, rounds, progress }: BenchOptions,
): Rates {
  const rates: Record<string, number[]> = {}
  for (let round = -1; round < rounds; round += 1) {
    progress(`describe: ${name}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
    for (const [side, run] of Object.entries(sides)) {
      const rate = rateOf(samples, run, seconds)
      rates[side] ??= []
      if (round >= 0) rates[side].push(rate)
    }
  }
  return rates
}

function rateOf(
  samples: readonly Sample[],
  run: (sample: Sample) => unknown,
  seconds: number,
): number {
  const usedSeconds = startCpu()
  const until = performance.now() + seconds * 1000
  let count = 0
  while (performance.now() < until) {
    for (let turn = 0; turn < BATCH; turn += 1) {
      const sample = samples[count % samples.length]
      if (sample !== undefined) run(sample)
      count += 1
    }
  }
  return count / usedSeconds()
}

function rowOf(what: string, rates: Rates): Row {
  const own = rates['action'] ?? []
  const hashed = rates['hash'] ?? []
  const ours = figure(own, '/s')
  return {
    what,
    ours,
    peer: figure(hashed, '/s'),
    peerName: 'SHA-256 of the body',
    ratio: quotient(own, hashed),
    aim: `>= ${AIM_PER_SECOND.toLocaleString('en-US')}/s`,
    reached: ours.value >= AIM_PER_SECOND,
  }
}

/** What a fresh process pays until its first Action: the code, the index, and one service of it. */
function coldRow({ progress }: BenchOptions): Row {
  progress('describe: cold start')
  const file = new URL('./describe-cold.ts', import.meta.url).pathname
  const run = (name: string) => Number(execFileSync(process.execPath, [file, name]).toString())
  const rounds = Array.from({ length: COLD_RUNS }, () => ({ own: run('call'), none: run('none') }))
  return {
    what: 'first Call in a fresh process, index and one service loaded',
    ours: figure(
      rounds.map(({ own, none }) => own - none),
      'ms',
    ),
    peer: figure(
      rounds.map(({ none }) => none),
      'ms',
    ),
    peerName: 'Node itself',
    ratio: null,
    aim: '',
    reached: null,
  }
}

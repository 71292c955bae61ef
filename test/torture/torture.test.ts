// Eighteen thousand mutants here, beside the two thousand of test/path/fuzz.test.ts that go over sockets;
// as many as wanted by `npm run torture`. No fall, no unnamed error, no effect, and whatever was forwarded
// is, to a reader that shares nothing with the gate, exactly the read that the ledger names.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { WIDE_LIMITS } from '../fakes/wide-limits.ts'
import { Harness } from '../path/harness.ts'
import { type Counts, noCounts, Torture } from './torture.ts'

const REQUESTS = Number(process.env['SECONDER_TORTURE_REQUESTS'] ?? 18_000)
// The same each time, so that a change is judged by what it changed; `npm run torture` takes others.
const SEED = Number(process.env['SECONDER_TORTURE_SEED'] ?? 292736)
const FIRST = Number(process.env['SECONDER_TORTURE_FIRST'] ?? 0)
const MINUTES = Number(process.env['SECONDER_TORTURE_MINUTES'] ?? 10)
/** Each may open 200 requests a day (red team H5), so there are as many as the requests of one gate want. */
const OPERATORS = Math.min(200, Math.max(8, Math.ceil(REQUESTS / 500)))
/** After so many the heap is looked at; after ten times so many another gate begins, on an empty ledger. */
const ROUND = 10_000
const ROUNDS_OF_A_GATE = 10
/** Ledger tiles, compiled tables and remembered signing keys fill in the first round. */
const HEAP_GROWTH_BYTES_MAX = 96 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

const rejections: unknown[] = []
process.on('unhandledRejection', (cause) => rejections.push(cause))

/** One gate for some rounds; its ledger is verified from its files when it ends. */
async function tortured(
  upstream: FakeUpstream,
  from: number,
  to: number,
  counts: Counts,
  untilMs: number,
) {
  // Open requests end after a second, so that writes reach the review desk all the time.
  const operators = Array.from({ length: OPERATORS }, (_, index) => `operator-${index}`)
  const teams = Object.fromEntries(operators.map((name) => [name, ['sre']]))
  const gate = await Harness.start({
    ...{ upstream: upstream.url, expiresInMs: 1_000, teams, limits: WIDE_LIMITS },
  })
  const keys = await Promise.all(operators.map((name) => gate.open(name)))
  const torture = new Torture(gate, upstream, keys, SEED)
  let heap = 0
  let at = from
  while (at < to && Date.now() < untilMs && counts.findings.length === 0) {
    const startedMs = Date.now()
    const end = Math.min(to, at + ROUND)
    await torture.run(at, end, counts)
    const rate = Math.round((end - at) / ((Date.now() - startedMs) / 1_000))
    at = end
    const now = heapBytes()
    if (heap === 0) heap = now
    const megabytes = (now / 1024 / 1024).toFixed(0)
    process.stdout.write(
      `torture: seed ${SEED}, ${at} mutants, ${rate}/s, heap ${megabytes} MB, ${counts.forwarded} forwarded\n`,
    )
    if (now - heap > HEAP_GROWTH_BYTES_MAX)
      counts.findings.push(`the heap grew from ${heap} to ${now} bytes`)
  }
  const { entries } = await gate.checkLedger()
  const begun = entries.filter(({ type }) => type === 'intent').map((entry) => entry['operation'])
  if (begun.some((operation) => operation !== 's3:CreateMultipartUpload'))
    counts.findings.push(`effects are in the ledger: ${[...new Set(begun)].join()}`)
  await gate.stop()
  return at
}

test(`${REQUESTS} mutants of signed requests: none of them does what its twin may not`, async () => {
  const upstream = await startFakeUpstream()
  const counts = noCounts()
  const untilMs = Date.now() + MINUTES * 60_000
  let at = FIRST
  while (at < FIRST + REQUESTS && Date.now() < untilMs && counts.findings.length === 0) {
    const end = Math.min(FIRST + REQUESTS, at + ROUND * ROUNDS_OF_A_GATE)
    at = await tortured(upstream, at, end, counts, untilMs)
  }
  await upstream.close()
  const { mutants, unsendable, forwarded, held, answers } = counts
  process.stdout.write(
    `torture: seed ${SEED}: ${mutants} mutants, ${unsendable} no HTTP message, ${forwarded} forwarded, ` +
      `${held} held for review, answers ${JSON.stringify([...answers].sort((a, b) => b[1] - a[1]))}\n`,
  )
  expect(counts.findings, `seed ${SEED}`).toEqual([])
  expect(rejections).toEqual([])
  if (REQUESTS >= 10_000) {
    // A torture that forwards nothing, or holds nothing, proves nothing.
    expect(forwarded).toBeGreaterThan(mutants / 100)
    expect(held).toBeGreaterThan(mutants / 50)
  }
}, 0)

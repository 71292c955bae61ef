// Issue 6, "Done when" 1, small here and whole by `npm run torture -- --only gateways`: gateways that are
// killed at random use each grant once, whoever asks for it how often, and every answer is accounted for.
import { noPostgres, PostgresServer } from '@seconder/gateway/state/postgres-server.fixture'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Storm, type StormOptions } from './gateways.ts'

const number = (name: string, fallback: number) =>
  Number(process.env[`SECONDER_TORTURE_${name}`] ?? fallback)
const GRANTS = number('GRANTS', 20)
const RETRIES = number('RETRIES', 20)
const KILL_MS = number('KILL_MS', 3_000)
const SEED = number('SEED', 292736)
const MINUTES = number('MINUTES', 10)
/** A person may open 200 requests a day: one for each grant, and the one that is left. */
const TABLES = Math.min(40, Math.max(4, Math.ceil(GRANTS / 100)))

const absent = await noPostgres()
const onServer = absent === null ? test : test.skip
const skipped = absent === null ? '' : ` (skipped: ${absent})`

let upstream: FakeUpstream
let server: PostgresServer | null = null
let storm: Storm | null = null

afterEach(async () => {
  await storm?.remove()
  await server?.remove()
  await upstream.close()
  storm = null
  server = null
})

async function stormy(options: Pick<StormOptions, 'state' | 'gateways'>): Promise<void> {
  const startedMs = Date.now()
  storm = new Storm({
    ...options,
    upstream,
    tables: TABLES,
    grants: GRANTS,
    retries: RETRIES,
    // Each gateway is left alone as long, however many there are.
    killMs: (KILL_MS * 3) / options.gateways,
    seed: SEED,
    untilMs: startedMs + MINUTES * 60_000,
  })
  const entries = await storm.run()
  const { kinds, findings, ...counts } = storm.counts
  const seconds = Math.round((Date.now() - startedMs) / 1_000)
  const said = { gateways: options.gateways, seconds, ...counts, ...Object.fromEntries(kinds) }
  process.stdout.write(
    `torture: seed ${SEED}, ${JSON.stringify({ ...said, ledger: entries.length })}\n`,
  )
  expect(findings).toEqual([])
  expect([...kinds.values()].reduce((sum, count) => sum + count, 0)).toBe(counts.answers)
  expect(counts.executed).toBeGreaterThan(0)
}

onServer(
  `three gateways on one PostgreSQL, killed in turn: ${GRANTS} grants, ${RETRIES} racing retries each, each grant used once${skipped}`,
  async () => {
    upstream = await startFakeUpstream()
    server = await PostgresServer.start(...(GRANTS > 100 ? ['fsync=on'] : []))
    await stormy({ state: await server.database('storm'), gateways: 3 })
  },
  (MINUTES + 10) * 60_000,
)

test(
  `one gateway on SQLite, killed and started again: ${GRANTS} grants, ${RETRIES} racing retries each, each grant used once`,
  async () => {
    upstream = await startFakeUpstream()
    await stormy({ state: null, gateways: 1 })
  },
  (MINUTES + 10) * 60_000,
)

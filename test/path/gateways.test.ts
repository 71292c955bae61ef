// Two gateways, each its own process, on one PostgreSQL: whichever an agent or a person comes to, it is one
// gate. Who dies, and what races, is in test/torture/gateways.test.ts.
import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signerFor } from '@seconder/cli/signing'
import { EPOCH_NAMESPACE } from '@seconder/gateway/epoch/activation'
import { noPostgres, PostgresServer } from '@seconder/gateway/state/postgres-server.fixture'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GateProcess } from '../fakes/gate-process.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { idIn } from './acts.ts'
import type { Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const absent = await noPostgres()
const name = (words: string) => (absent === null ? words : `${words} (skipped: ${absent})`)
const onServer = absent === null ? test : test.skip
const HOLD_MS = 20_000
/** How often a machine may be busier than a hold is long. */
const TRIES_MAX = 5

let upstream: FakeUpstream
let server: PostgresServer
let one: GateProcess
let other: GateProcess
const policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))

beforeAll(async () => {
  if (absent !== null) return
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  upstream = await startFakeUpstream()
  server = await PostgresServer.start()
  const state = await server.database('gateways')
  const options = { state, policies, holdMs: HOLD_MS, people: ['alice', 'bob', 'carol'] }
  one = await GateProcess.create(upstream.url, options)
  other = await GateProcess.create(upstream.url, { ...options, like: one })
  // Both at once on an empty database: one of them founds the gate.
  await Promise.all([one.start(), other.start()])
})

afterAll(async () => {
  rmSync(policies, { recursive: true, force: true })
  if (absent !== null) return
  for (const gate of [one, other]) await gate.remove()
  await server.remove()
  await upstream.close()
})

const at = (gate: GateProcess, keys: Keys): Keys => ({ ...keys, endpoint: gate.endpoint })
/** The same call as a client signs it again. */
const deletionOf = (TableName: string) =>
  dynamodbCall('DeleteTable', { TableName }, { headers: [['x-amz-user-agent', randomUUID()]] })
const anew = () => deletionOf('orders')
const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

/** The request that is open beside that one, seen from a gateway. */
async function pendingAt(gate: GateProcess, beside = ''): Promise<string> {
  const read = async () => {
    const { requests } = await gate.client.get<{ requests: { requestId: string }[] }>(
      '/api/requests?state=pending',
    )
    return requests.find(({ requestId }) => requestId !== beside)?.requestId
  }
  await expect.poll(read, { timeout: 60_000 }).toBeDefined()
  return (await read()) ?? ''
}

onServer(
  name('gateways that start at once are one gate, with one key and one founding'),
  async () => {
    const [first, second] = await Promise.all([one.client.facts(), other.client.facts()])
    expect(second.gate).toBe(first.gate)
    expect(second.verifierKey).toBe(first.verifierKey)
    // The second may answer before its own entry is published.
    const starts = async () =>
      (await one.verified()).filter(({ type }) => type === 'gate-started').length
    await expect.poll(starts).toBe(2)
    const entries = await one.verified()
    expect(entries.filter(({ type }) => type === 'gate-created')).toHaveLength(1)
    expect(entries.filter(({ type }) => type === 'epoch-activated')).toHaveLength(1)
  },
)

onServer(
  name('a call that one gateway holds goes on when it is approved at the other'),
  async () => {
    const keys = await one.open('alice')
    for (let tries = 1; ; tries++) {
      // One that nobody answers was held before: whatever was not woken would be answered after it.
      const idle = rawCall(at(one, keys), deletionOf('carts'))
      const unanswered = await pendingAt(other)
      const held = rawCall(at(one, keys), anew())
      await other.approve('bob', await pendingAt(other, unanswered))
      const first = await Promise.race([held.then(() => 'approved'), idle.then(() => 'unanswered')])
      await other.withdraw('alice', unanswered)
      const [done, cancelled] = [await held, await idle]
      if (first === 'approved') {
        expect(done.status, done.body).toBe(200)
        expect(cancelled.body).toContain('was cancelled')
        expect(deletions()).toBe(tries)
        break
      }
      expect(tries).toBeLessThan(TRIES_MAX)
      if (done.status !== 200) await rawCall(at(one, keys), anew())
    }
    const before = deletions()
    // The grant is used everywhere: the other gateway holds the next call, until that is taken back at the first.
    const next = rawCall(at(other, keys), anew())
    const id = await pendingAt(one)
    await one.withdraw('alice', id)
    const again = await next
    expect(again.body).toContain('was cancelled')
    expect(idIn(again)).toBe(id)
    expect(deletions()).toBe(before)
  },
)

async function activateAt(gate: GateProcess, person: string) {
  const candidate = await gate.client.get<{ from: number; version: string }>(
    '/api/epochs/candidate',
  )
  const signer = await signerFor(gate.client, gate.key(person))
  const statement = {
    type: 'seconder-epoch@v1',
    gate: (await gate.client.facts()).gate,
    from: candidate.from,
    version: candidate.version,
    signer: person,
    nonce: randomUUID().replaceAll('-', ''),
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  }
  const act = await signer.sign(statement, EPOCH_NAMESPACE)
  return gate.client.post<{ activated: boolean; missing: number }>('/api/epochs', act)
}

onServer(
  name('H3: two people sign a new epoch at two gateways, and both decide by it at once'),
  async () => {
    const keys = await other.open('alice')
    const before = deletions()
    writeFileSync(
      join(policies, 'no-deletions.cedar'),
      `@id("no-deletions")
forbid (principal, action == Action::"destroy", resource);\n`,
    )
    expect(await activateAt(one, 'bob')).toMatchObject({ activated: false, missing: 1 })
    expect(await activateAt(other, 'carol')).toMatchObject({ activated: true })
    for (const gate of [one, other]) {
      const refused = await rawCall(at(gate, keys), anew())
      expect(refused.body).toContain('denied dynamodb:DeleteTable')
      expect((await gate.client.facts()).epoch).toBe(2)
    }
    expect(deletions()).toBe(before)
  },
)

onServer(name('what one gateway records, the page of the other hears of'), async () => {
  const keys = await one.open('alice')
  await rawCall(at(one, keys), dynamodbCall('ListTables', {}))
  const session = `/api/sessions/${keys.sessionId}/entries`
  const types = async () => {
    const { entries } = await other.client.get<{ entries: { type: string }[] }>(session)
    return entries.map(({ type }) => type)
  }
  await expect.poll(types, { timeout: 60_000 }).toEqual(['session-opened', 'read'])
})

onServer(
  name('a gateway that the others declared dead begins nothing more, says why, and ends with 1'),
  async () => {
    await server.query(`DELETE FROM gateways WHERE place LIKE '% ${other.pid}'`, 'gateways')
    await other.gone()
    expect(other.exitCode).toBe(1)
    expect(other.words).toContain('this gateway ends: ')
    expect(other.words).toContain('declared')
  },
)

onServer(
  name('M10: a database whose clock went back: no gateway does anything, and none starts'),
  async () => {
    const keys = await one.open('alice')
    const ahead = `UPDATE ledger_head SET at_ms = ${Date.now() + 3_600_000}`
    await server.query(ahead, 'gateways')
    const says = async () => (await rawCall(at(one, keys), dynamodbCall('ListTables', {}))).body
    await expect.poll(says, { timeout: 60_000 }).toContain('nothing was done: the clock went back')
    await expect(other.start()).rejects.toThrow('behind the last entry of the ledger')
  },
)

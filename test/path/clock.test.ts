// M10, whole path: the machine's clock is set back, while the gate runs and while it does not. On PostgreSQL the time is
// that of the database: database-clock.test.ts.
import { join } from 'node:path'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { LIMITS_DEFAULT } from '@seconder/gateway/limits-config'
import { TOO_OFTEN_RECORDED } from '@seconder/gateway/path/too-often'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { onPostgres } from '../fakes/test-state.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const HOUR_MS = 3_600_000
const DELETE = dynamodbCall('DeleteTable', { TableName: 'orders' })
const trueNow = Date.now
const onFiles = test.skipIf(onPostgres())

let upstream: FakeUpstream
let gate: Harness

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, expiresInMs: HOUR_MS / 6 })
})

afterEach(async () => {
  vi.restoreAllMocks()
  await gate.stop()
  await upstream.close()
})

/** The machine's clock is off by this much from now on. */
function setClock(offMs: number): void {
  vi.spyOn(Date, 'now').mockImplementation(() => trueNow() + offMs)
}

const deletes = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

onFiles(
  'M10 a clock that is set back while the gate runs revives no grant, and the ledger goes on in time',
  async () => {
    const keys = await gate.open('alice')
    const held = await rawCall(keys, DELETE)
    await gate.review('bob', requestIdIn(new Error(held.body)))
    setClock(HOUR_MS - 60_000) // the grant has expired, the session has not
    await rawCall(keys, dynamodbCall('DescribeTable', { TableName: 'orders' }))
    setClock(0)
    const again = await rawCall(keys, DELETE)
    expect(again.status).toBe(400)
    expect(deletes()).toBe(0)
    setClock(HOUR_MS) // so that the restart in the end is not behind
  },
)

onFiles(
  'M10 while the clock stands nothing passes, no call and no signature of a person, and then all of it does',
  async () => {
    const keys = await gate.open('alice')
    const held = await rawCall(keys, DELETE)
    const request = requestIdIn(new Error(held.body))
    setClock(60_000)
    await rawCall(keys, dynamodbCall('DescribeTable', { TableName: 'orders' }))
    // By a few seconds it stands and goes on: clocks of machines differ so much.
    setClock(57_000)
    expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
    setClock(0)
    expect((await rawCall(keys, dynamodbCall('ListTables', {}))).body).toContain(
      'the clock went back',
    )
    await expect(gate.review('bob', request)).rejects.toThrow('the clock went back')
    setClock(61_000)
    expect((await gate.review('bob', request)).state).toBe('approved')
    expect((await rawCall(keys, DELETE)).status).toBe(200)
    expect(deletes()).toBe(1)
  },
)

onFiles(
  'M10 whoever is refused while the clock stands uses up nothing of what strangers are refused by, and fills no ledger',
  async () => {
    await gate.stop()
    const limits = { ...LIMITS_DEFAULT, unverified: { burst: 2, perMinute: 1 } }
    gate = await Harness.start({ upstream: upstream.url, limits })
    const keys = await gate.open('alice')
    setClock(60_000)
    const list = () => rawCall(keys, dynamodbCall('ListTables', {}))
    expect((await list()).status).toBe(200)
    setClock(0)
    const more = 5
    for (let count = 0; count < TOO_OFTEN_RECORDED.burst + more; count++) {
      expect((await list()).body).toContain('the clock went back')
    }
    setClock(61_000)
    const stranger = await fetch(keys.endpoint, { method: 'POST', body: '{}' })
    expect(stranger.status).toBeGreaterThanOrEqual(400)
    const said = (await gate.entries()).filter(({ type }) => type === 'unverified')
    expect(said).toHaveLength(TOO_OFTEN_RECORDED.burst + 1)
    expect(said[0]).toMatchObject({ code: 'clock_behind' })
    expect(said.at(-1)).toMatchObject({ more })
  },
)

onFiles(
  'M10 a gate whose clock is behind its ledger does not start, by seconds it does, and its time goes on',
  async () => {
    await gate.running.close()
    const { entries: before } = await verifyLedgerFolder(join(gate.folder, 'ledger'))
    setClock(-HOUR_MS)
    await expect(gate.restart()).rejects.toMatchObject({ code: 'clock_behind' })
    const { report, entries: after } = await verifyLedgerFolder(join(gate.folder, 'ledger'))
    expect(report.problems).toEqual([])
    expect(after).toEqual(before)
    const lastMs = Date.parse(before.at(-1)?.at ?? '')
    setClock(lastMs - trueNow() - 3_000)
    await gate.restart()
    const times = (await gate.entries()).map(({ at }) => Date.parse(String(at)))
    expect(times.length).toBeGreaterThan(before.length)
    expect(times).toEqual(times.toSorted((left, right) => left - right))
  },
)

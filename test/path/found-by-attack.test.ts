// What an attack on the whole path once found, each as the rule that holds since.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test } from 'vitest'
import { onPostgres } from '../fakes/test-state.ts'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession, idIn } from './acts.ts'
import { ACCOUNT, Harness, type HarnessOptions, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
const development = [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' as const }]

async function start(options: Partial<HarnessOptions> = {}): Promise<void> {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, ...options })
  keys = await gate.open('alice')
}

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const deleteOrders = dynamodbCall('DeleteTable', { TableName: 'orders' })
const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

test('F1 a condition that was shown to the reviewer goes upstream, or the call is refused', async () => {
  await start()
  const remove = {
    method: 'DELETE',
    target: '/bucket-b/key',
    service: 's3',
    unsigned: [['if-match', '"aaa"']] as const,
  }
  const first = await rawCall(keys, remove)
  const id = /\br-[0-9a-z]{26}\b/.exec(first.body)?.[0]
  if (id) {
    const full = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
    const shown = full.document.includes('IfMatch')
    await gate.review('bob', id)
    await rawCall(keys, remove)
    const sent = upstream.seen.find(({ request }) => request.method === 'DELETE')
    const isSent =
      sent?.request.headers.some(([name]) => name.toLowerCase() === 'if-match') ?? shown
    expect(isSent).toBe(shown)
  }
})

test('F2 racing calls open at most twenty requests for one session', async () => {
  await start()
  await Promise.all(
    Array.from({ length: 50 }, (_, count) =>
      rawCall(keys, dynamodbCall('DeleteTable', { TableName: `table-${count}` })),
    ),
  )
  const { requests } = await gate.client.get<{ requests: unknown[] }>('/api/requests?state=pending')
  expect(requests.length).toBeLessThanOrEqual(20)
})

test('F3 a session that closes while its allowed write is looked up makes no effect', async () => {
  await start({ environments: development })
  let isClosed = false
  upstream.script = async (seen) => {
    if (seen.operation === 'DescribeTable' && !isClosed) {
      isClosed = true
      await closeSession(gate, keys)
    }
    return defaultScript(seen)
  }
  const answer = await rawCall(keys, deleteOrders)
  expect(isClosed).toBe(true)
  expect(deletions()).toBe(0)
  expect(answer.status).toBe(400)
})

test('F4 when the outcome cannot be recorded, the caller is told that it may have happened', async () => {
  await start({ environments: development })
  const { recorder } = gate.running.gate
  const record = recorder.record.bind(recorder)
  Object.assign(recorder, {
    record: (entry: Parameters<typeof record>[0]) =>
      entry.type === 'outcome' ? Promise.reject(new Error('disk full')) : record(entry),
  })
  const answer = await rawCall(keys, deleteOrders)
  Object.assign(recorder, { record })
  expect(deletions()).toBe(1)
  expect(answer.body).toContain('OutcomeUnknown')
})

test('F5 a look-up that fails for a moment does not use up an approval', async () => {
  await start()
  await gate.review('bob', idIn(await rawCall(keys, deleteOrders)))
  upstream.script = (seen) => (seen.operation === 'DescribeTable' ? 'silence' : defaultScript(seen))
  await rawCall(keys, { ...deleteOrders, signedAtMs: Date.now() - 5_000 })
  expect(deletions()).toBe(0)
  upstream.script = defaultScript
  expect((await rawCall(keys, deleteOrders)).status).toBe(200)
})

test('F6 a call that no host of the table takes is not told as sent', async () => {
  await start()
  const call = { ...deleteOrders, region: 'mars-central-1' }
  const held = await rawCall(keys, call)
  const id = /\br-[0-9a-z]{26}\b/.exec(held.body)?.[0]
  if (id) await gate.review('bob', id)
  expect((await rawCall(keys, call)).body).not.toContain('it may have happened')
  expect(upstream.seen).toEqual([])
})

test.skipIf(onPostgres())(
  'F7 an effect has one outcome, also when the gate died between recording and forgetting it',
  async () => {
    await start({ environments: development })
    await rawCall(keys, deleteOrders)
    const intent = (await gate.entries()).find(({ type }) => type === 'intent')
    await gate.running.close()
    const database = new DatabaseSync(join(gate.folder, 'state', 'state.db'))
    database
      .prepare(`INSERT INTO effects (id, session_id, operation, state) VALUES (?, ?, ?, 'open')`)
      .run(String(intent?.['effect']), keys.sessionId, 'dynamodb:DeleteTable')
    database.close()
    await gate.restart()
    const outcomes = (await gate.entries()).filter(
      ({ type, effect }) => type === 'outcome' && effect === intent?.['effect'],
    )
    expect(outcomes).toHaveLength(1)
  },
)

test('F8 a presigned read is not in the ledger as read when it was never sent', async () => {
  await start()
  const { presign } = await import('@seconder/aws/sigv4/sign')
  const { host } = new URL(keys.endpoint)
  const request = {
    method: 'GET',
    target: '/bucket-b/key',
    headers: [['host', host]] as const,
    body: new Uint8Array(),
  }
  const scope = { service: 's3', region: 'eu-west-1' }
  const target = presign(request, keys, scope, Date.now(), { expiresSeconds: 600 })
  const { send } = await import('./wire.ts')
  const answer = await send(keys, { ...request, target })
  const reads = (await gate.entries()).filter(({ type }) => type === 'read')
  expect(reads).toHaveLength(upstream.seen.length)
  expect(answer.status === 200).toBe(upstream.seen.length === 1)
})

test('F9 a header that other servers read as another method is not passed on', async () => {
  await start()
  await rawCall(keys, {
    method: 'GET',
    target: '/bucket-b/key',
    service: 's3',
    headers: [['x-http-method-override', 'DELETE']],
  })
  const names = upstream.seen.flatMap(({ request }) => request.headers.map(([name]) => name))
  expect(names).not.toContain('x-http-method-override')
})

test.skipIf(onPostgres())(
  'F10 a gate that died before its first start was over starts again',
  async () => {
    await start()
    await gate.running.close()
    // What a kill between the first checkpoint and `setMeta('origin')` leaves.
    const database = new DatabaseSync(join(gate.folder, 'state', 'state.db'))
    database.exec('DELETE FROM meta')
    database.close()
    await gate.restart()
  },
)

test('F11 a body or a Host that is refused at the door is in the ledger', async () => {
  await start()
  const before = (await gate.entries()).length
  const big = 'x'.repeat(16 * 1024 * 1024 + 1)
  await rawCall(keys, { method: 'PUT', target: '/bucket-b/k', service: 's3', body: big })
  expect((await gate.entries()).length).toBe(before + 1)
})

test('F12 a bucket whose account nobody stated is production, not the account of the session', async () => {
  await start({
    environments: [
      ...development,
      { name: 'production', accounts: ['999999999999'], mode: 'enforce' as const },
    ],
  })
  await rawCall(keys, { method: 'DELETE', target: '/bucket-of-somebody/key', service: 's3' })
  const { environments } = (await gate.entries()).at(-1) as { environments: string[] }
  expect(environments).toEqual(['production'])
})

test('an approval does not carry over to a caller that policy denies where it stands now', async () => {
  let isolation: 'user' | 'none' = 'user'
  upstream = await startFakeUpstream()
  const folder = mkdtempSync(join(tmpdir(), 'seconder-test-policies-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), folder, { recursive: true })
  const rule = readFileSync(
    join(import.meta.dirname, '..', '..', 'policies', 'isolation.cedar'),
    'utf8',
  )
  writeFileSync(join(folder, 'isolation.cedar'), rule)
  gate = await Harness.start({
    upstream: upstream.url,
    policies: folder,
    isolation: () => isolation,
  })
  keys = await gate.open('alice')
  await gate.review('bob', idIn(await rawCall(keys, deleteOrders)))
  isolation = 'none'
  const answer = await rawCall(keys, { ...deleteOrders, signedAtMs: Date.now() - 5_000 })
  expect(answer.body).toContain("runs as the gate's own user")
  expect(deletions()).toBe(0)
  rmSync(folder, { recursive: true })
})

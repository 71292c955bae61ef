// A gate as its operators meet it: whether it is up, and how it stops.
import { DeleteTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, requestIdIn } from './harness.ts'

let upstream: FakeUpstream
let gate: Harness | undefined

afterEach(async () => {
  await gate?.stop()
  gate = undefined
  await upstream.close()
})

async function ready(): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${gate?.running.consoleUrl}/readyz`)
  return { status: answer.status, body: await answer.json() }
}

const OK = { ledger: 'ok', state: 'ok', epoch: 'ok', credentials: 'ok', draining: 'ok' }

test('/healthz and /readyz answer anybody, without a secret', async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  const health = await fetch(`${gate.running.consoleUrl}/healthz`)
  expect([health.status, await health.json()]).toEqual([200, { ok: true }])
  expect(await ready()).toEqual({ status: 200, body: { ready: true, checks: OK } })
})

test('it is not ready while no epoch is in force, and says which part fails and nothing else', async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  Object.assign(gate.running.gate, { refusing: 'arn:aws:iam::1:role/secret' })
  expect(await ready()).toEqual({
    status: 503,
    body: { ready: false, checks: { ...OK, epoch: 'failing' } },
  })
})

test('a gate that stops ends what it began with its outcome, and begins nothing new', async () => {
  upstream = await startFakeUpstream()
  const environments = [{ name: 'staging', accounts: [ACCOUNT], mode: 'observe' as const }]
  gate = await Harness.start({ upstream: upstream.url, environments })
  const keys = await gate.open('alice')
  const client = gate.dynamodb(keys)
  const arrived = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const plain = upstream.script
  upstream.script = async (seen) => {
    if (seen.operation !== 'PutItem') return plain(seen)
    arrived.resolve()
    await answer.promise
    return { status: 200, body: '{}' }
  }
  // What is only observed passes without a review.
  const put = client.send(new PutItemCommand({ TableName: 'scratch', Item: { id: { S: '1' } } }))
  await Promise.race([arrived.promise, put])
  const stopped = gate.running.close()
  await expect.poll(async () => (await ready()).status, { timeout: 20_000 }).toBe(503)
  answer.resolve()
  await put
  await stopped
  const { entries } = await gate.checkLedger()
  expect(entries.filter(({ type }) => type === 'outcome')).toMatchObject([
    { outcome: { result: 'succeeded' } },
  ])
})

test('whoever waits for a reviewer is told that the request is open, and it outlives the restart', async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url, holdMs: 600_000, expiresInMs: 3_600_000 })
  const keys = await gate.open('alice')
  const waiting = gate
    .dynamodb(keys)
    .send(new DeleteTableCommand({ TableName: 'orders' }))
    .catch((cause: unknown) => cause)
  const { store } = gate.running.gate
  const open = () => store.requests({ state: 'pending', limit: 2 })
  await expect.poll(async () => (await open()).length, { timeout: 20_000 }).toBe(1)
  const [asked] = await open()
  await gate.running.close()
  expect(requestIdIn(await waiting)).toBe(asked?.id)
  await gate.restart()
  expect((await gate.running.gate.store.request(asked?.id ?? ''))?.state).toBe('pending')
  expect(upstream.seen.filter(({ operation }) => operation === 'DeleteTable')).toEqual([])
})

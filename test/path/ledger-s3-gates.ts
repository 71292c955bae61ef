// Gates on one PostgreSQL whose ledger lies in a bucket, with no disk in common: one founds it, another joins with the
// same key, whoever is left goes on publishing, and a stranger verifies it all from the bucket. Part of
// on-postgres.test.ts, whose server it needs.
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { lookAtPayload, signRedaction } from '@seconder/cli/redacting'
import { signerFor } from '@seconder/cli/signing'
import { serve } from '@seconder/gateway/serve'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ObjectStore, startObjectStore, storeEnvironment } from '../fakes/object-store.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const before = { ...process.env }
let store: ObjectStore
let upstream: FakeUpstream

beforeAll(async () => {
  store = await startObjectStore('logs')
  upstream = await startFakeUpstream()
  Object.assign(process.env, storeEnvironment(store.url))
})

afterAll(async () => {
  await store.close()
  await upstream.close()
  for (const name of Object.keys(storeEnvironment(''))) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

const remove = (table: string) => dynamodbCall('DeleteTable', { TableName: table })

test('two gates, one bucket, no disk in common', async () => {
  const ledgerBucket = { address: 's3://logs/gate', endpoint: store.url }
  const gate = await Harness.start({ upstream: upstream.url, ledgerBucket })
  const keys = await gate.open('alice')
  const held = await rawCall(keys, remove('orders'))
  const id = requestIdIn(new Error(held.body))
  await gate.review('bob', id)
  expect((await rawCall(keys, remove('orders'))).status).toBe(200)

  // Another machine: it has nothing of the first one's disk.
  const elsewhere = join(gate.folder, 'elsewhere')
  const free = { host: '127.0.0.1', port: 0 }
  const config = {
    ...gate.config(),
    listen: { aws: free, console: free },
    statePath: join(elsewhere, 'state', 'state.db'),
    ledgerDirectory: join(elsewhere, 'ledger'),
  }
  await expect.poll(() => store.objects.has('logs/gate/checkpoint'), { timeout: 60_000 }).toBe(true)
  await expect(serve(config)).rejects.toMatchObject({
    ...{ code: 'state_error', message: expect.stringContaining('has its key at another gateway') },
  })
  mkdirSync(elsewhere, { recursive: true })
  cpSync(join(gate.folder, 'ledger.key'), join(elsewhere, 'ledger.key'))
  const other = await serve(config)
  const there = { ...keys, endpoint: other.awsUrl }
  const answer = await rawCall(there, remove('carts'))
  const denied = requestIdIn(new Error(answer.body))
  await gate.review('bob', denied, 'deny')
  const { payload } = await lookAtPayload(gate.client, denied)
  const reason = 'a customer name stood in a tag'
  for (const person of ['bob', 'carol']) {
    const signer = await signerFor(gate.client, gate.keys.get(person))
    await signRedaction(gate.client, signer, { payload, reason })
  }
  expect([...store.objects.keys()].some((name) => name.endsWith(payload))).toBe(false)

  // Whoever published is gone; the other one goes on, from the bucket alone.
  await gate.running.close()
  const last = await rawCall(there, remove('last'))
  expect(last.body).toContain('needs review')
  await other.close()
  const entries = await gate.entries()
  const types = entries.map(({ type }) => type)
  expect(types.filter((type) => type === 'gate-started')).toHaveLength(2)
  expect(types.filter((type) => type === 'request-opened')).toHaveLength(3)
  expect(types).toContain('redacted')
})

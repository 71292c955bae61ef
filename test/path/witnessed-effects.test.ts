// H13, whole path: an epoch may demand that what was reviewed is seen by a witness before it is done. Where
// none answers, it is not done.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { agentPost } from '@seconder/cli/agent-client'
import type { ShownPlan } from '@seconder/gateway/api/plans'
import { cosignerKeyOf } from '@seconder/ledger/cosignature'
import { ed25519PublicKey, nodePrimitives } from '@seconder/ledger/node'
import { Witness } from '@seconder/ledger/witness'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const NAME = 'witness.example/path'
const { privateKey: key } = generateKeyPairSync('ed25519')
const vkey = cosignerKeyOf(NAME, ed25519PublicKey(createPublicKey(key)), nodePrimitives.sha256)
const DELETE = dynamodbCall('DeleteTable', { TableName: 'orders' })

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let server: Server
/** The witness that answers; none while it is away. */
let witness: Witness | null = null

beforeEach(async () => {
  upstream = await startFakeUpstream()
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const answer = await witness?.add(Buffer.concat(chunks).toString())
    response.writeHead(answer?.status ?? 503).end(answer?.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
})

afterEach(async () => {
  await gate.stop()
  await witness?.close()
  witness = null
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await upstream.close()
})

async function start(timeoutMs: number): Promise<void> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const witnesses = { list: [{ url, key: vkey }], threshold: 1, timeoutMs, required: true }
  gate = await Harness.start({ upstream: upstream.url, witnesses })
  keys = await gate.open('alice')
}

async function openWitness(): Promise<void> {
  const { verifierKey } = await gate.client.facts()
  const directory = join(gate.folder, 'witness')
  witness = await Witness.open({ directory, name: NAME, key, ledgers: [verifierKey] })
}

/** Asks, has bob approve it, and asks again. */
async function reviewed() {
  const held = await rawCall(keys, DELETE)
  await gate.review('bob', requestIdIn(new Error(held.body)))
  return await rawCall(keys, DELETE)
}

const deletes = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

test('H13: what was reviewed is done when its intent was seen by the witness, and reads wait for nobody', async () => {
  await start(60_000)
  expect((await rawCall(keys, dynamodbCall('DescribeTable', { TableName: 'orders' }))).status).toBe(
    200,
  )
  await openWitness()
  expect((await reviewed()).status).toBe(200)
  expect(deletes()).toBe(1)
})

test('H13: while no witness answers nothing that was reviewed is done, and the ledger says it was withheld', async () => {
  await start(300)
  const refused = await reviewed()
  expect(refused.status).toBe(400)
  expect(refused.body).toContain('0 of the 1 witnesses')
  expect(deletes()).toBe(0)
  const outcomes = (await gate.entries()).filter(({ type }) => type === 'outcome')
  expect(outcomes).toMatchObject([{ outcome: { result: 'withheld' } }])
})

test('H13: a step of a plan that is withheld ends the plan, which is then open for a new one', async () => {
  await start(300)
  const tag = dynamodbCall('TagResource', {
    ResourceArn: `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`,
    Tags: [{ Key: 'a', Value: '1' }],
  })
  const post = (path: string) => agentPost<ShownPlan>(gate.client, keys, path, { reason: 'tidy' })
  const { planId } = await post('/api/agent/plans')
  await rawCall(keys, tag)
  await agentPost(gate.client, keys, '/api/agent/plans/submit', {})
  await gate.review('bob', planId)
  expect((await rawCall(keys, tag)).body).toContain('0 of the 1 witnesses')
  const { plan } = await gate.client.get<{ plan: ShownPlan }>(`/api/plans/${planId}`)
  expect(plan).toMatchObject({ state: 'stopped', stoppedAt: 1 })
  expect((await post('/api/agent/plans')).planId).not.toBe(planId)
  const stopped = (await gate.entries()).filter(({ type }) => type === 'plan-stopped')
  expect(stopped).toMatchObject([{ plan: planId, step: 1 }])
})

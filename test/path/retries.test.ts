// Clients that go, and clients that ask again because nothing came in time: one request, one effect, and
// whoever is still there gets the answer. Real SDK and CLI retries, told from outside when they retry.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall, signed } from './wire.ts'

const TIMEOUT_MS = 1_000

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let home: string

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'seconder-retries-'))
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(home, { recursive: true, force: true })
})

async function start(holdMs: number): Promise<void> {
  gate = await Harness.start({ upstream: upstream.url, holdMs })
  keys = await gate.open('alice')
}

const drop = dynamodbCall('DeleteTable', { TableName: 'orders' })
const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const entriesOf = async (type: string) =>
  (await gate.entries()).filter((one) => one['type'] === type)

/** The id of the one request that waits. */
async function pending(): Promise<string> {
  for (;;) {
    const { requests } = await gate.client.get<{ requests: { requestId: string }[] }>(
      '/api/requests?state=pending',
    )
    if (requests[0]) return requests[0].requestId
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Holds the answer of DeleteTable until `release` is called. */
function holdDeletion(): { release: () => void } {
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  upstream.script = async (seen) => {
    if (seen.operation === 'DeleteTable') await released
    return defaultScript(seen)
  }
  return { release }
}

test('H11 a client that goes while its call waits executes nothing; the approval waits for one that is there', async () => {
  await start(60_000)
  const request = signed(keys, drop)
  const { hostname, port } = new URL(keys.endpoint)
  const headers = request.headers.flat() as unknown as http.OutgoingHttpHeaders
  const leaving = http.request({ host: hostname, port, method: 'POST', path: '/', headers })
  const gone = new Promise((resolve) => leaving.once('close', resolve))
  leaving.on('error', () => undefined)
  leaving.end(request.body)
  const id = await pending()
  leaving.destroy()
  await gone
  await gate.review('bob', id)
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
  expect(deletions()).toBe(0)
  expect(await entriesOf('intent')).toEqual([])
  expect((await rawCall(keys, drop)).status).toBe(200)
  expect(deletions()).toBe(1)
})

test('H11 a copy while the first one is on its way waits for the same answer, also when the first client goes', async () => {
  await start(0)
  await gate.review('bob', requestIdIn(new Error((await rawCall(keys, drop)).body)))
  const { release } = holdDeletion()
  const invocation = [['amz-sdk-invocation-id', 'c5ba7c0e-0000-4000-8000-000000000000']] as const
  const call = dynamodbCall('DeleteTable', { TableName: 'orders' }, { headers: invocation })
  const request = signed(keys, { ...call, signedAtMs: Date.now() - 2_000 })
  const { hostname, port } = new URL(keys.endpoint)
  const headers = request.headers.flat() as unknown as http.OutgoingHttpHeaders
  const first = http.request({ host: hostname, port, method: 'POST', path: '/', headers })
  first.on('error', () => undefined)
  first.end(request.body)
  while (deletions() === 0) await new Promise((resolve) => setImmediate(resolve))
  const copy = rawCall(keys, call)
  first.destroy()
  release()
  expect((await copy).status).toBe(200)
  expect((await rawCall(keys, call)).body).toContain('DELETING')
  expect(deletions()).toBe(1)
  expect(await entriesOf('intent')).toHaveLength(1)
  expect(await entriesOf('outcome')).toHaveLength(1)
})

test('H11 retries of SDK v3 join the call that is on its way', async () => {
  await start(0)
  await gate.review('bob', requestIdIn(new Error((await rawCall(keys, drop)).body)))
  const { release } = holdDeletion()
  const { endpoint, accessKeyId, secretAccessKey } = keys
  const client = new DynamoDBClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 10,
    requestHandler: new NodeHttpHandler({
      requestTimeout: TIMEOUT_MS,
      throwOnRequestTimeout: true,
    }),
  })
  let attempts = 0
  client.middlewareStack.add(
    (next) => (args) => {
      attempts++
      if (attempts === 2) release()
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
  const answer = await client.send(new DeleteTableCommand({ TableName: 'orders' }))
  expect(answer.TableDescription?.TableStatus).toBe('DELETING')
  expect(attempts).toBeGreaterThanOrEqual(2)
  expect(deletions()).toBe(1)
  expect(await entriesOf('intent')).toHaveLength(1)
  client.destroy()
})

const CLIS = [...new Set(['aws', '/usr/bin/aws'])].flatMap((path) => {
  const version = String(spawnSync(path, ['--version']).stdout ?? '').split(' ')[0]
  return version?.startsWith('aws-cli/') ? [[version, path] as const] : []
})
if (CLIS.length === 0) console.warn('skipped: no AWS CLI')

for (const [version, path] of CLIS) {
  test(`H11 retries of ${version} join the request that waits, and never make a second effect`, async () => {
    await start(60_000)
    const waiting = aws(path, 2, () => undefined)
    const id = await pending()
    const held = await waiting
    expect(held.attempts).toBeGreaterThanOrEqual(2)
    expect(await entriesOf('request-opened')).toHaveLength(1)
    await gate.review('bob', id)
    expect(deletions()).toBe(0)
    const { release } = holdDeletion()
    const done = await aws(path, 3, (attempts) => attempts === 2 && release())
    expect(done.attempts).toBeGreaterThanOrEqual(2)
    expect(deletions()).toBe(1)
    expect(await entriesOf('intent')).toHaveLength(1)
    // CLI v2 of 2023 has no invocation id: its retry cannot be told from a new call, and asks anew.
    const names = upstream.seen.flatMap(({ request }) => request.headers.map(([name]) => name))
    const hasId = names.includes('amz-sdk-invocation-id')
    expect(done.out.includes('DELETING')).toBe(hasId)
    expect(await entriesOf('request-opened')).toHaveLength(hasId ? 1 : 2)
  }, 60_000)
}

/** Runs `delete-table` with a short read time-out; `--debug` says each time that it sends. */
function aws(path: string, attemptsMax: number, sending: (attempts: number) => unknown) {
  const env = {
    HOME: home,
    PATH: process.env['PATH'],
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: String(attemptsMax),
    AWS_PAGER: '',
  }
  const args = ['dynamodb', 'delete-table', '--table-name', 'orders', '--debug']
  args.push('--endpoint-url', keys.endpoint, '--cli-read-timeout', '1')
  const child = spawn(path, args, { env, cwd: home, stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise<{ out: string; attempts: number }>((resolve) => {
    let out = ''
    let err = ''
    let attempts = 0
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
      const sent = err.split('Sending http request').length - 1
      if (sent === attempts) return
      attempts = sent
      sending(attempts)
    })
    child.once('close', () => resolve({ out, attempts }))
  })
}

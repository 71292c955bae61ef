// A running gate that is told to read its seconder.yaml again: what it takes, what it refuses by name, and that a
// broken file leaves everything as it was.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GateProcess } from '../fakes/gate-process.ts'
import { type HttpReceiver, startHttpReceiver } from '../fakes/message-receiver.ts'
import { parseMetrics, sampleValue } from '../fakes/scraper.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'

const ALWAYS = ['metrics: { listen: "127.0.0.1:0" }', 'log: { format: json, level: info }']

let upstream: FakeUpstream
let receiver: HttpReceiver
let gate: GateProcess
let client: DynamoDBClient
/** How often it was told to read the file again. */
let told = 0

beforeAll(async () => {
  upstream = await startFakeUpstream()
  receiver = await startHttpReceiver()
  gate = await GateProcess.create(upstream.url, { more: ALWAYS })
  await gate.start()
  const { endpoint, accessKeyId, secretAccessKey } = await gate.open('alice')
  const credentials = { accessKeyId, secretAccessKey }
  client = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials })
})

afterAll(async () => {
  await gate.remove()
  await Promise.all([upstream.close(), receiver.close()])
})

type Said = Record<string, unknown> & { readonly error?: Record<string, string> }

/** What the log says of the reload that is asked for now. */
async function reloaded(more: readonly string[], change?: (line: string) => string): Promise<Said> {
  gate.configure([...ALWAYS, ...more], change)
  return reloadedAsItIs()
}

async function reloadedAsItIs(): Promise<Said> {
  gate.hangUp()
  told++
  const lines = () =>
    gate.words
      .split('\n')
      .filter((line) => /"event":"config_(not_)?reloaded"/.test(line))
      .map((line) => JSON.parse(line) as Said)
  await expect.poll(() => lines().length, { timeout: 60_000 }).toBe(told)
  return lines().at(-1) ?? {}
}

async function metric(name: string, labels = {}): Promise<number | undefined> {
  const token = readFileSync(join(gate.folder, 'state', 'metrics.token'), 'utf8').trim()
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(gate.metricsUrl ?? '', { headers })
  return sampleValue(parseMetrics(await answer.text(), 'text'), name, labels)
}

const read = () => client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }))
const failure = (cause: unknown) => String((cause as Error).message)

test('limits, log level and who is told are taken at once, without a restart', async () => {
  await read()
  const limits = 'limits: { session: { burst: 2, perMinute: 1 } }'
  expect(await reloaded([limits])).toMatchObject({ event: 'config_reloaded', changed: ['limits'] })
  // What is left of the old budget is more than the new one holds. This gate has the clock of its machine: however
  // slow that is, so many reads take no minute each.
  await read()
  let words = ''
  for (let count = 0; count < 10 && words === ''; count++) {
    words = await read().then(() => '', failure)
  }
  expect(words).toMatch(/too often/)
  expect(await metric('seconder_rate_limited_total', { limit: 'session' })).toBe(1)
  expect(await metric('seconder_refusals_total', { code: 'rate_limited' })).toBe(1)

  const key = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const keyFile = join(gate.folder, 'webhook.key')
  writeFileSync(keyFile, key, { mode: 0o600 })
  const notify = [
    'notify:',
    '  gatherMs: 0',
    '  channels:',
    `    pager: { webhook: { url: "${receiver.url}", secret: ["file:${keyFile}"] } }`,
    '  routes: [{ channels: [pager] }]',
  ]
  const wide = 'limits: { session: { burst: 1000, perMinute: 60000 } }'
  expect(await reloaded([wide, ...notify])).toMatchObject({ changed: ['limits', 'notify'] })
  const asks = async () => {
    const put = new PutItemCommand({ TableName: 't', Item: { id: { S: '1' } } })
    return client.send(put).catch(failure)
  }
  await expect.poll(asks, { timeout: 60_000, interval: 500 }).toMatch(/needs review/)
  expect((await receiver.got(1))[0]?.json).toMatchObject({ type: 'request.opened' })
  expect(await metric('seconder_config_last_reload_successful')).toBe(1)

  const quiet = ALWAYS.map((line) => line.replace('level: info', 'level: error'))
  gate.configure([...quiet, wide, ...notify])
  gate.hangUp()
  await expect
    .poll(() => metric('seconder_config_reloads_total', { result: 'taken' }), { timeout: 60_000 })
    .toBe(3)
  gate.configure([...ALWAYS, wide, ...notify])
  gate.hangUp()
  told++
  await expect
    .poll(() => metric('seconder_config_reloads_total', { result: 'taken' }), { timeout: 60_000 })
    .toBe(4)
})

test('a broken file, and what a running gate does not take, change nothing, and are named', async () => {
  const refused = (code: string, words: RegExp) => ({
    event: 'config_not_reloaded',
    level: 'error',
    error: { code, message: expect.stringMatching(words) },
  })
  const broken = await reloaded(['limits: { session: { burst: none } }'])
  expect(broken).toMatchObject(refused('invalid_config', /line \d+: `limits\.session\.burst`/))
  expect(await reloaded(['"'])).toMatchObject(refused('invalid_config', /line \d+/))
  expect(await metric('seconder_config_last_reload_successful')).toBe(0)
  const slower = (line: string) => line.replace('timeoutMs: 5000', 'timeoutMs: 6000')
  const upstreamSaid = await reloaded([], slower)
  expect(upstreamSaid).toMatchObject(refused('reload_refused', /`upstream\.aws\.timeoutMs`/))
  const wider = (line: string) => line.replace('production', 'staging')
  const epochSaid = await reloaded(['limits: { session: { burst: 1, perMinute: 1 } }'], wider)
  expect(epochSaid).toMatchObject(
    refused('reload_refused', /`environments` is part of what decides/),
  )
  expect(epochSaid.error?.['help']).toContain('seconder policy activate')
  // Nothing of a refused file is in force: neither its limits nor its environments.
  for (let count = 0; count < 5; count++) await read()
  const production = { decision: 'review', environment: 'production' }
  expect(await metric('seconder_calls_total', production)).toBeGreaterThan(0)
  expect(await metric('seconder_calls_total', { environment: 'staging' })).toBeUndefined()
  expect(gate.runs).toBe(true)
})

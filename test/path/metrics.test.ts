// The metrics of a gate as a scraper gets them: who may, in which format, what they count and what they never say.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteTableCommand, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, test } from 'vitest'
import { parseMetrics, type ScrapedFamily, sampleValue } from '../fakes/scraper.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, requestIdIn } from './harness.ts'

/** What Prometheus 3 sends. */
const ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'

let upstream: FakeUpstream
let gate: Harness | undefined

afterEach(async () => {
  await gate?.stop()
  gate = undefined
  await upstream.close()
})

async function started(): Promise<Harness> {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  await gate.running.close()
  const tokenFile = join(gate.folder, 'metrics.token')
  await gate.restart({ metrics: { listen: { host: '127.0.0.1', port: 0 }, tokenFile } })
  return gate
}

const token = () => readFileSync(join(gate?.folder ?? '', 'metrics.token'), 'utf8').trim()

async function ask(headers: Record<string, string>, path = '') {
  const answer = await fetch(`${gate?.running.metricsUrl}${path}`, { headers })
  return { answer, text: await answer.text() }
}

async function scraped(accept = ACCEPT): Promise<{ families: ScrapedFamily[]; text: string }> {
  const { answer, text } = await ask({ authorization: `Bearer ${token()}`, accept })
  expect(answer.status).toBe(200)
  const format = answer.headers.get('content-type')?.startsWith('text/') ? 'text' : 'openmetrics'
  return { families: parseMetrics(text, format), text }
}

test('M12: metrics are for whoever has the token of the file, which is made for its owner alone', async () => {
  await started()
  expect(statSync(join(gate?.folder ?? '', 'metrics.token')).mode & 0o777).toBe(0o600)
  const none = await ask({})
  expect([none.answer.status, none.answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  expect(none.text).not.toContain('seconder_')
  const near = `${token().slice(0, -1)}${token().endsWith('A') ? 'B' : 'A'}`
  for (const authorization of [`Bearer ${near}`, `Basic ${token()}`, token(), 'Bearer']) {
    expect((await ask({ authorization })).answer.status, authorization).toBe(401)
  }
  const mine = { authorization: `Bearer ${token()}` }
  expect((await ask(mine, '/more')).answer.status).toBe(404)
  expect((await ask(mine)).answer.status).toBe(200)
  // On the people's address: whoever signed in, and no agent.
  const people = `${gate?.running.consoleUrl}/api/metrics`
  expect((await fetch(people)).status).toBe(401)
  const reader = await fetch(people, { headers: (await gate?.readerHeaders()) ?? {} })
  expect(reader.status).toBe(200)
  parseMetrics(await reader.text(), 'text')
})

test('a scraper gets the format that it likes best, and every line is of its grammar', async () => {
  await started()
  const types = async (accept: string) => {
    const { answer } = await ask({ authorization: `Bearer ${token()}`, accept })
    return answer.headers.get('content-type')
  }
  const openmetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
  const text = 'text/plain; version=0.0.4; charset=utf-8'
  expect(await types(ACCEPT)).toBe(openmetrics)
  expect(await types('application/openmetrics-text')).toBe(openmetrics)
  expect(await types('application/openmetrics-text;version=9.0.0,text/plain;q=0.1')).toBe(text)
  expect(await types('text/plain;version=0.0.4,application/openmetrics-text;q=0.5')).toBe(text)
  expect(await types('application/openmetrics-text;q=0')).toBe(text)
  expect(await types('*/*')).toBe(text)
  const [one, other] = [await scraped(ACCEPT), await scraped('text/plain')]
  const names = ({ families }: typeof one) =>
    families.map(({ name }) => name.replace(/_total$/, ''))
  expect(names(one)).toEqual(names(other))
})

test('calls, refusals, requests, verdicts, entries and outcomes are counted as they were', async () => {
  const { running } = await started()
  const harness = gate as Harness
  const keys = await harness.open('alice')
  const client = harness.dynamodb(keys)
  await client.send(new GetItemCommand({ TableName: 'orders', Key: { id: { S: '1' } } }))
  const wanted = new DeleteTableCommand({ TableName: 'orders' })
  const id = requestIdIn(await client.send(wanted).catch((cause: unknown) => cause))
  const before = (await scraped()).families
  expect(sampleValue(before, 'seconder_requests_open')).toBe(1)
  expect(sampleValue(before, 'seconder_sessions_open')).toBe(1)
  await harness.review('bob', id)
  await client.send(wanted)
  const stranger = { ...keys, accessKeyId: 'ASIASTRANGERSTRANGER' }
  await harness
    .dynamodb(stranger)
    .send(wanted)
    .catch(() => undefined)
  // A call is counted once its answer is out, which its client may know before; how the gate stands is a second old.
  const settled = async () => {
    const { families } = await scraped()
    const refused = sampleValue(families, 'seconder_calls_total', { decision: 'refused' })
    return [refused, sampleValue(families, 'seconder_requests_open')]
  }
  await expect.poll(settled, { timeout: 60_000 }).toEqual([1, 0])

  const { families } = await scraped()
  const value = (name: string, labels = {}) => sampleValue(families, name, labels)
  const production = { environment: 'production' }
  const calls = (decision: string, effect: string, where: object = production) =>
    value('seconder_calls_total', { decision, effect, ...where })
  expect(calls('allow', 'read')).toBe(1)
  expect(calls('review', 'destroy')).toBe(1)
  expect(calls('approved', 'destroy')).toBe(1)
  expect(calls('refused', 'unknown', { environment: 'unknown' })).toBe(1)
  expect(value('seconder_refusals_total', { code: 'unknown_access_key' })).toBe(1)
  expect(value('seconder_requests_total')).toBe(1)
  expect(value('seconder_reviews_total', { verdict: 'approve' })).toBe(1)
  expect(value('seconder_review_duration_seconds_count', { verdict: 'approve' })).toBe(1)
  expect(value('seconder_outcomes_total', { result: 'accepted' })).toBe(1)
  expect(value('seconder_upstream_duration_seconds_count', { kind: 'call', status: '2xx' })).toBe(2)
  for (const type of ['read', 'request-opened', 'review', 'grant-made', 'intent', 'outcome']) {
    expect(value('seconder_ledger_appends_total', { type }), type).toBe(1)
  }
  expect(value('seconder_ready', { check: 'ledger' })).toBe(1)
  expect(value('seconder_epoch')).toBe(1)
  const { checkpoint } = await running.gate.facts()
  expect(value('seconder_ledger_entries')).toBeLessThanOrEqual(checkpoint.size)
  expect(value('seconder_ledger_publisher')).toBe(1)
  expect(value('seconder_queue_depth', { queue: 'held_calls' })).toBe(0)
  expect(value('seconder_break_glasses_open')).toBe(0)
})

test('M12: no label holds what an agent said, a name of a resource, an account, a person, a key or a token', async () => {
  await started()
  const harness = gate as Harness
  const agent = 'agent-with-a-telling-name'
  const keys = await harness.open('alice', agent)
  const client = harness.dynamodb(keys)
  const table = 'table-of-somebody'
  await client.send(new GetItemCommand({ TableName: table, Key: { id: { S: 'secret-key' } } }))
  const asked = client.send(new DeleteTableCommand({ TableName: table }))
  const id = requestIdIn(await asked.catch((cause: unknown) => cause))
  await harness.review('bob', id, 'deny', 'a comment of a person')
  const { text } = await scraped()
  const telling = [agent, table, ACCOUNT, 'alice', 'bob', 'comment', 'arn:', 'secret', id]
  for (const word of [
    ...telling,
    keys.accessKeyId,
    keys.secretAccessKey,
    keys.sessionId,
    token(),
  ]) {
    expect(text, word).not.toContain(word)
  }
})

// What a gate writes to its log, and what it never does: nothing that anybody sent, whatever field it is put into.
import { DeleteTableCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GatewayError } from '@seconder/gateway/errors'
import { randomId } from '@seconder/gateway/lib/ids'
import { Secret } from '@seconder/gateway/lib/secret'
import { LOG_BYTES_MAX, Log, type Sink } from '@seconder/gateway/telemetry/log'
import { EVENTS, type EventName, written } from '@seconder/gateway/telemetry/log-events'
import { afterEach, expect, test } from 'vitest'
import { type FakeUpstream, REAL_KEY, startFakeUpstream } from '../fakes/upstream.ts'
import { ACCOUNT, Harness, requestIdIn } from './harness.ts'

let upstream: FakeUpstream | undefined
let gate: Harness | undefined

afterEach(async () => {
  await gate?.stop()
  await upstream?.close()
  gate = undefined
  upstream = undefined
})

function collecting(): { readonly sink: Sink; readonly text: () => string } {
  let text = ''
  const sink: Sink = (bytes, done) => {
    text += Buffer.from(bytes).toString()
    queueMicrotask(() => done(null, bytes.byteLength))
  }
  return { sink, text: () => text }
}

type Line = Record<string, unknown> & { readonly event: string; readonly level: string }
const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

/** Tokens, keys and bodies of every kind that comes by a gate. */
const SECRETS: readonly unknown[] = [
  'AKIAIOSFODNN7EXAMPLE',
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.MEUCIQDx',
  'Bearer s3cr3t-token-of-somebody',
  '9f86d081884c7d659a2feaa0c55ad015',
  'postgres://gate:hunter2@db.example.com/seconder',
  'https://hooks.slack.com/services/T000/B000/XXXX',
  '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==',
  `arn:aws:iam::${ACCOUNT}:role/agent-deploy`,
  'drop the table of orders, please',
  '{"Item":{"card":{"S":"4111111111111111"}}}',
  Buffer.from('a body as bytes'),
  new Secret('a revealed secret'),
  { password: 'hunter2' },
  ['hunter2', { token: 'tok' }],
  new Error('hunter2 in a message'),
  () => 'hunter2',
  Symbol('hunter2'),
  12_345_678_901_234_567n,
]

test('no event has a field that takes a token, a key, a body or the words of anybody', () => {
  const names = new Set(['pager'])
  for (const event of Object.keys(EVENTS) as EventName[]) {
    for (const field of Object.keys(EVENTS[event].fields)) {
      for (const secret of SECRETS) {
        const text = JSON.stringify(written(event, { [field]: secret, more: secret }, names))
        const shown = `${event}.${field}: ${text}`
        expect(shown).not.toMatch(/hunter2|s3cr3t|EXAMPLE|eyJ|9f86|PRIVATE|4111|arn:|please|body/)
        expect(shown).not.toMatch(/revealed|hooks\.slack|12345678901234567|"more"/)
      }
    }
  }
})

test('an error of the gate speaks for itself; of any other its message stays unsaid, and where it is from is said', () => {
  const inner = Object.assign(new Error('connect to hunter2'), { code: 'ECONNREFUSED' })
  const own = new GatewayError('state_error', 'the disk is full', 'make room', { cause: inner })
  const [, fault] = written('ledger_failed', { error: own }, new Set())[0] ?? []
  expect(fault).toMatchObject({
    ...{ kind: 'own', code: 'state_error', message: 'the disk is full', help: 'make room' },
    cause: { kind: 'Error', code: 'ECONNREFUSED' },
  })
  expect(JSON.stringify(fault)).not.toContain('hunter2')
  const stackless = Object.assign(new TypeError('x'), {
    stack: `TypeError: hunter2\n    at hunter2\n    at f (file:///home/hunter2/packages/gateway/src/gateway.ts:12:3)`,
  })
  const [, other] = written('call_failed', { error: stackless }, new Set())[0] ?? []
  expect(other).toEqual({ kind: 'TypeError', at: ['packages/gateway/src/gateway.ts:12'] })
})

test('a gate that works at its most talkative logs no word, no key and no body of anybody', async () => {
  upstream = await startFakeUpstream()
  const { sink, text } = collecting()
  const log = { format: 'json', level: 'debug', sink } as const
  gate = await Harness.start({ upstream: upstream.url, log })
  const keys = await gate.open('alice', 'agent-of-many-words')
  const client = gate.dynamodb(keys)
  const Item = { id: { S: 'body-of-a-call' } }
  await client.send(new GetItemCommand({ TableName: 'orders', Key: Item }))
  const put = client.send(new PutItemCommand({ TableName: 'orders', Item }))
  const request = requestIdIn(await put.catch((cause: unknown) => cause))
  await gate.review('bob', request, 'approve', 'comment-of-bob')
  const usual = upstream.script
  upstream.script = (seen) => (seen.operation === 'PutItem' ? 'silence' : usual(seen))
  const again = client.send(new PutItemCommand({ TableName: 'orders', Item }))
  await again.catch(() => undefined)
  const stranger = { ...keys, secretAccessKey: 'not-the-key-of-this-session' }
  await gate
    .dynamodb(stranger)
    .send(new GetItemCommand({ TableName: 't', Key: Item }))
    .catch(() => 0)
  // Something that nobody expected, with a secret in its words.
  const { store } = gate.running.gate
  const plain = store.liveRequest.bind(store)
  store.liveRequest = async () => {
    throw new Error(`no token=${keys.secretAccessKey} here`)
  }
  await client.send(new DeleteTableCommand({ TableName: 'orders' })).catch(() => undefined)
  store.liveRequest = plain
  await gate.running.close()

  const lines = linesOf(text())
  const events = lines.map(({ event }) => event)
  const asked = ['gate_started', 'session_opened', 'request_opened', 'review_given', 'grant_made']
  const done = ['effect_begun', 'effect_unknown', 'call_unverified', 'call_failed', 'gate_stopped']
  expect(events).toEqual(expect.arrayContaining([...asked, ...done]))
  expect(lines.find(({ event }) => event === 'review_given')).toMatchObject({
    ...{ level: 'info', request, verdict: 'approve' },
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  })
  const failed = lines.find(({ event }) => event === 'call_failed')
  expect(failed).toMatchObject({ level: 'error', error: { kind: 'Error' } })
  const words = [
    'agent-of-many-words',
    'orders',
    'body-of-a-call',
    'comment-of-bob',
    'alice',
    'bob',
  ]
  const secrets = [keys.accessKeyId, keys.secretAccessKey, ACCOUNT, ...Object.values(REAL_KEY)]
  for (const word of [...words, ...secrets, 'not-the-key', 'token=', 'arn:', 'SHA256:', 'ssh-']) {
    expect(text(), word).not.toContain(word)
  }
})

test('lines that nobody reads are lost and counted, never waited for; the first that fits again says how many', async () => {
  let take: () => void = () => undefined
  let out = ''
  const sink: Sink = (bytes, done) => {
    take = () => {
      out += Buffer.from(bytes).toString()
      done(null, bytes.byteLength)
    }
  }
  const log = new Log({ format: 'json', level: 'info' }, () => 0, sink)
  const session = randomId('s')
  const line = `${JSON.stringify({ time: new Date(0).toISOString(), level: 'info', event: 'session_opened', session })}\n`
  const most = Math.floor(LOG_BYTES_MAX / line.length)
  for (let count = 0; count < most; count++) log.write('session_opened', { session })
  expect(log.queue).toEqual({ bytes: most * line.length, lost: 0 })
  for (let count = 0; count < 3; count++) log.write('session_opened', { session })
  expect(log.queue).toEqual({ bytes: most * line.length, lost: 3 })
  take()
  take()
  expect(log.queue.bytes).toBe(0)
  log.write('session_closed', { session })
  take()
  take()
  await log.flush()
  expect(linesOf(out).slice(-2)).toMatchObject([
    { event: 'log_lost', lines: 3 },
    { event: 'session_closed' },
  ])
})

test('text has one line for an event too, and a level leaves out what is below it', () => {
  const { sink, text } = collecting()
  const log = new Log({ format: 'text', level: 'warn' }, () => 0, sink)
  log.name(['pager'])
  log.write('session_opened', { session: randomId('s') })
  log.write('notify_failing', { channel: 'pager', code: 'http_503', attempt: 1, attempts: 10 })
  log.configure({ format: 'text', level: 'error' })
  log.write('notify_failing', { channel: 'pager', code: 'timeout', attempt: 2, attempts: 10 })
  expect(text()).toBe(
    '1970-01-01T00:00:00.000Z warn  notify_failing channel=pager code=http_503 attempt=1 attempts=10\n',
  )
})

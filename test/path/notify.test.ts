// People are told of requests at real receivers on loopback: once, signed, voided when it is over, and never so
// that the path waits for it or a receiver could decide anything.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import type { Config } from '@seconder/gateway/config'
import { NOTIFY, notifyConfig } from '@seconder/gateway/notify/notify-config'
import type { Sink } from '@seconder/gateway/telemetry/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type HttpReceiver,
  isRightlySigned,
  type MailReceiver,
  startHttpReceiver,
  startMailReceiver,
  type TakenPost,
} from '../fakes/message-receiver.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession } from './acts.ts'
import { ACCOUNT, Harness, type HarnessOptions, type Keys, requestIdIn } from './harness.ts'

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const OLD_KEY = `whsec_${Buffer.alloc(24, 9).toString('base64')}`
const SLACK_SECRET = 'T0000/B0000/very-secret-path'

let upstream: FakeUpstream
let pager: HttpReceiver
let slack: HttpReceiver
let mail: MailReceiver
let gate: Harness
let said: string

beforeEach(async () => {
  said = ''
  upstream = await startFakeUpstream()
  pager = await startHttpReceiver()
  slack = await startHttpReceiver()
  mail = await startMailReceiver()
})

afterEach(async () => {
  await gate.stop()
  await Promise.all([upstream.close(), pager.close(), slack.close(), mail.close()])
})

const FAST = { gatherMs: 20, quietMs: 0, retry: { firstMs: 20, pauseMaxMs: 40, attempts: 20 } }

function told(changes: Record<string, unknown> = {}): NonNullable<Config['notify']> {
  const raw = NOTIFY.parse({
    channels: {
      pager: { webhook: { url: 'env:PAGER_URL', secret: ['env:PAGER_KEY', 'env:OLD_KEY'] } },
      slack: { slack: { url: 'env:SLACK_URL' } },
      mail: {
        email: {
          ...{ host: '127.0.0.1', port: mail.port, from: 'seconder@example.com' },
          to: ['sre@example.com'],
        },
      },
    },
    routes: [{ channels: ['pager', 'slack', 'mail'] }],
    ...FAST,
    ...changes,
  })
  const environ = {
    PAGER_URL: pager.url,
    PAGER_KEY: KEY,
    OLD_KEY,
    SLACK_URL: `${slack.url}/${SLACK_SECRET}`,
  }
  return notifyConfig(raw, { environ, under: (path) => path })
}

async function start(changes: Record<string, unknown> = {}, options: Partial<HarnessOptions> = {}) {
  const sink: Sink = (bytes, done) => {
    said += Buffer.from(bytes).toString()
    done(null, bytes.byteLength)
  }
  const log = { format: 'text', level: 'info', sink } as const
  gate = await Harness.start({ upstream: upstream.url, notify: told(changes), log, ...options })
}

async function asks(keys: Keys, table = 'orders'): Promise<string> {
  const held = await gate
    .dynamodb(keys)
    .send(new DeleteTableCommand({ TableName: table }))
    .catch((error: Error) => error)
  return requestIdIn(held)
}

interface Payload {
  readonly type: string
  readonly data: {
    readonly follows: string | null
    readonly url: string
    readonly requests: readonly Record<string, unknown>[]
  }
}

const payload = (post: TakenPost | undefined) => post?.json as unknown as Payload

interface Shown {
  readonly unrouted: number
  readonly trouble: string | null
  readonly channels: readonly Record<string, string | number>[]
}

async function standing(): Promise<Shown> {
  return (await gate.client.get<{ notify: Shown }>('/api/standing')).notify
}

/** Looks until it is so, as a person who reads the page would. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve))
}

test('a request is told once on each channel of its route, signed, and its end voids it', async () => {
  await start()
  const id = await asks(await gate.open('alice'))
  const [opened] = await pager.got(1)
  expect(opened && (await isRightlySigned(opened, KEY))).toBe(true)
  expect(opened && (await isRightlySigned(opened, OLD_KEY))).toBe(true)
  expect(opened && (await isRightlySigned({ ...opened, text: `${opened.text} ` }, KEY))).toBe(false)
  expect(payload(opened)).toMatchObject({
    type: 'request.opened',
    data: {
      operator: 'alice',
      follows: null,
      requests: [
        {
          id,
          state: 'pending',
          operation: 'dynamodb:DeleteTable',
          effects: ['destroy'],
          environments: ['production'],
          needs: '1 of sre',
          url: expect.stringMatching(new RegExp(`^http://localhost:\\d+/requests/${id}$`)),
        },
      ],
    },
  })
  await Promise.all([slack.got(1), mail.got(1)])
  await gate.review('bob', id, 'deny')
  const closed = (await pager.got(2))[1]
  expect(closed && (await isRightlySigned(closed, KEY))).toBe(true)
  expect(payload(closed)).toMatchObject({
    type: 'request.closed',
    data: {
      follows: opened?.headers['webhook-id'],
      requests: [{ id, state: 'denied', by: 'bob' }],
    },
  })
  expect((await slack.got(2))[1]?.text).toContain('denied by bob')
  const [first = '', second = ''] = await mail.got(2)
  const messageId = /^Message-ID: (<.+>)$/im.exec(first)?.[1] ?? 'none'
  expect(second).toContain(`In-Reply-To: ${messageId}`)
  expect([pager.posts.length, slack.posts.length, mail.mails.length]).toEqual([2, 2, 2])
  expect(upstream.seen.filter(({ operation }) => operation === 'DeleteTable')).toEqual([])
})

test('an approval ends what was told, and so does a closed session, which names no request', async () => {
  await start()
  const keys = await gate.open('alice')
  const approved = await asks(keys)
  await pager.got(1)
  await gate.review('bob', approved)
  expect(payload((await pager.got(2))[1]).data.requests).toMatchObject([{ state: 'approved' }])
  const left = await asks(keys, 'carts')
  await pager.got(3)
  await closeSession(gate, keys)
  const last = (await pager.got(5)).slice(3).map(payload)
  expect(last.find(({ type }) => type === 'request.closed')?.data.requests).toMatchObject([
    { id: left, state: 'cancelled' },
  ])
  // The first one's approval was not used, and is worth nothing now.
  expect(last.map(({ type }) => type)).toContain('request.revoked')
})

test('a request that nobody answered in time is told to be over', async () => {
  await start({}, { expiresInMs: 8_000 })
  const id = await asks(await gate.open('alice'))
  await pager.got(1)
  expect(payload((await pager.got(2))[1]).data.requests).toMatchObject([
    { id, state: 'expired', by: null },
  ])
  expect((await slack.got(2))[1]?.text).toContain('nobody answered in time')
})

test('many requests of one session within the quiet time become one message, those after it another', async () => {
  await start({ gatherMs: 50, quietMs: 5_000 })
  const keys = await gate.open('alice')
  const first = await asks(keys, 'one')
  await pager.got(1)
  const later = [await asks(keys, 'two'), await asks(keys, 'three'), await asks(keys, 'four')]
  const [opened, gathered] = await pager.got(2)
  expect(payload(opened).data.requests.map(({ id }) => id)).toEqual([first])
  expect(
    payload(gathered)
      .data.requests.map(({ id }) => id)
      .sort(),
  ).toEqual([...later].sort())
  expect(pager.posts).toHaveLength(2)
})

test('what a receiver refuses is sent again under the same id, with a signature of its own time', async () => {
  pager.answer = 503
  await start()
  await asks(await gate.open('alice'))
  const tries = await pager.got(3)
  expect(new Set(tries.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(new Set(tries.map(({ text }) => text)).size).toBe(1)
  for (const one of tries) expect(await isRightlySigned(one, KEY)).toBe(true)
  pager.answer = 204
  await until(async () => (await standing()).channels[0]?.['delivered'] === 1)
  const { channels } = await standing()
  expect(channels[0]).toMatchObject({
    name: 'pager',
    failing: null,
    lastFailure: { code: 'http_503' },
  })
  expect(said).toContain('notify_failing channel=pager code=http_503 attempt=1 attempts=20')
  expect(said).toContain('notify_recovered channel=pager')
})

test('after its last attempt a delivery is given up and counted; 410 is the last at once', async () => {
  pager.answer = 500
  slack.answer = 410
  await start({ retry: { firstMs: 10, pauseMaxMs: 10, attempts: 3 } })
  const id = await asks(await gate.open('alice'))
  await until(async () => (await standing()).channels[0]?.['givenUp'] === 1)
  await until(async () => (await standing()).channels[1]?.['givenUp'] === 1)
  expect([pager.posts.length, slack.posts.length]).toEqual([3, 1])
  // Nobody is told of the end of what nobody was told of.
  await mail.got(1)
  await gate.review('bob', id, 'deny')
  await mail.got(2)
  expect([pager.posts.length, slack.posts.length]).toEqual([3, 1])
})

test('a receiver that asks to wait gets nothing meanwhile, of this message or of another', async () => {
  pager.answer = 429
  pager.retryAfter = 600
  await start()
  await asks(await gate.open('alice'))
  await pager.got(1)
  await until(async () => (await standing()).channels[0]?.['failing'] === 'http_429')
  await asks(await gate.open('bob'))
  await slack.got(2)
  expect(pager.posts).toHaveLength(1)
  expect((await standing()).channels[0]).toMatchObject({ waiting: 2, givenUp: 0 })
})

test('ends of requests in one session are told apart in time, however fast they come', async () => {
  await start({ gatherMs: 0, quietMs: 1_000 })
  const keys = await gate.open('alice')
  const ids = [await asks(keys, 'one'), await asks(keys, 'two'), await asks(keys, 'three')]
  await until(() => named('request.opened') === 3)
  for (const id of ids) await gate.review('bob', id, 'deny')
  await until(() => named('request.closed') === 3)
  const ends = pager.posts.filter((post) => payload(post).type === 'request.closed')
  const times = [...new Set(ends.map(({ json }) => Date.parse(String(json['timestamp']))))]
  times.forEach((at, index) => {
    if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(1_000)
  })
})

/** Requests named in messages of this kind. */
function named(kind: string): number {
  return pager.posts
    .map(payload)
    .filter(({ type }) => type === kind)
    .reduce((sum, { data }) => sum + data.requests.length, 0)
}

test('a redirect is not followed', async () => {
  pager.answer = 307
  await start({ retry: { firstMs: 10, pauseMaxMs: 10, attempts: 2 } })
  await asks(await gate.open('alice'))
  await until(async () => (await standing()).channels[0]?.['givenUp'] === 1)
  expect(pager.posts.map(({ path }) => path)).toEqual(['/hook', '/hook'])
})

test('a receiver that never answers, or is dead, holds up neither the gate nor another channel', async () => {
  pager.answer = 'silence'
  await slack.close()
  await start({ timeoutMs: 60_000 })
  const keys = await gate.open('alice')
  const id = await asks(keys)
  await pager.got(1)
  await until(async () => (await standing()).channels[1]?.['failing'] === 'refused')
  await mail.got(1)
  await gate.review('bob', id)
  const agent = gate.dynamodb(keys)
  const done = await agent.send(new DeleteTableCommand({ TableName: 'orders' }))
  expect(done.TableDescription?.TableStatus).toBe('DELETING')
  await mail.got(2)
  expect(pager.posts).toHaveLength(1)
})

test('over a restart nothing is lost and nothing that arrived is told again', async () => {
  pager.answer = 500
  await start()
  const keys = await gate.open('alice')
  const id = await asks(keys)
  await Promise.all([pager.got(2), slack.got(1), mail.got(1)])
  await until(async () => (await standing()).channels[2]?.['delivered'] === 1)
  await gate.restartSame()
  const before = pager.posts.length
  pager.answer = 200
  await pager.got(before + 1)
  await until(async () => (await standing()).channels[0]?.['delivered'] === 1)
  await gate.review('bob', id, 'deny')
  await Promise.all([slack.got(2), mail.got(2), pager.got(before + 2)])
  expect(payload(pager.posts.at(-1)).type).toBe('request.closed')
  expect([slack.posts.length, mail.mails.length]).toEqual([2, 2])
})

test('a request that ended while the gate was down, or before anybody was told, is told of no more', async () => {
  pager.answer = 500
  await start({ gatherMs: 6_000 })
  const keys = await gate.open('alice')
  const early = await asks(keys)
  await gate.review('bob', early, 'deny')
  const id = await asks(keys, 'carts')
  const [opened] = await slack.got(1)
  expect(opened?.text).toContain(id)
  expect(opened?.text).not.toContain(early)
})

test('each secret stays out of the ledger, the state, the standing and what is said', async () => {
  pager.answer = 500
  await slack.close()
  await start({ retry: { firstMs: 10, pauseMaxMs: 10, attempts: 2 } })
  const id = await asks(await gate.open('alice'))
  // Of a request that ends before anybody was told of it nobody hears.
  await mail.got(1)
  await until(async () => (await standing()).channels.every((one) => one['waiting'] === 0))
  await gate.review('bob', id, 'deny')
  await mail.got(2)
  const files = readdirSync(gate.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
  const everywhere = [...files, said, JSON.stringify(await standing()), ...mail.mails]
  const hidden = [KEY.slice(6), OLD_KEY.slice(6), SLACK_SECRET, pager.url]
  for (const secret of hidden)
    expect(everywhere.filter((text) => text.includes(secret))).toEqual([])
})

test('M2 no word of an agent, no resource and no comment is in any message', async () => {
  await start()
  const hostile = '<!channel> <http://evil.example|approve>\r\nBcc: x@evil.example\u202e'
  const keys = await gate.open('alice', 'helpful-approver')
  const id = await asks(keys, 'orders-approve-now')
  await Promise.all([pager.got(1), slack.got(1), mail.got(1)])
  await gate.review('bob', id, 'deny', hostile)
  await Promise.all([pager.got(2), slack.got(2), mail.got(2)])
  const all = [...pager.posts, ...slack.posts].map(({ text }) => text).concat(mail.mails)
  for (const words of ['orders-approve-now', 'helpful-approver', 'evil.example', '<!channel>'])
    expect(all.filter((text) => text.includes(words))).toEqual([])
  for (const text of all) expect(text).not.toMatch(/token|button|secretAccessKey/i)
})

test('a second team is told when nobody answered, and both are told of the end', async () => {
  const production = { name: 'production', accounts: [ACCOUNT], mode: 'enforce' as const }
  const routes = [
    { teams: ['sre'], channels: ['pager'] },
    { teams: ['night'], channels: ['slack'] },
  ]
  const escalate = { to: 'night', afterMs: 1_000 }
  await start({ routes }, { environments: [{ ...production, escalate }] })
  const id = await asks(await gate.open('alice'))
  const [opened] = await pager.got(1)
  const [escalated] = await slack.got(1)
  expect(payload(opened).type).toBe('request.opened')
  expect(escalated?.text).toContain('nobody has answered, night is asked')
  expect(escalated?.text).toContain(id)
  await gate.review('bob', id, 'deny')
  expect((await slack.got(2))[1]?.text).toContain('denied by bob')
  await pager.got(2)
  expect([pager.posts.length, slack.posts.length, mail.mails.length]).toEqual([2, 2, 0])
  expect((await standing()).unrouted).toBe(0)
})

test('a request that no route fits is counted, so that somebody mends the routes', async () => {
  await start({ routes: [{ environments: ['development'], channels: ['pager'] }] })
  await asks(await gate.open('alice'))
  await until(async () => (await standing()).unrouted === 1)
  expect(pager.posts).toEqual([])
})

test('an outbox that cannot be used stops nothing but messages, and is said', async () => {
  await start()
  const keys = await gate.open('alice')
  await gate.running.close()
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(join(gate.folder, 'state', 'notify.db'))
  database.exec('DROP TABLE watched; CREATE TABLE watched (other TEXT)')
  database.close()
  await gate.restart()
  const id = await asks(keys)
  expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
  await until(async () => (await standing()).trouble !== null)
  expect(pager.posts).toEqual([])
})

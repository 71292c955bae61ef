// Somebody who is away is told through another: signed, dated, in the ledger, and never a right to sign.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import { NOTIFY, notifyConfig } from '@seconder/gateway/notify/notify-config'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpReceiver, startHttpReceiver } from '../fakes/message-receiver.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, requestIdIn } from './harness.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
const DAY_MS = 86_400_000

let upstream: FakeUpstream
let bobs: HttpReceiver
let carols: HttpReceiver
let gate: Harness

beforeEach(async () => {
  upstream = await startFakeUpstream()
  bobs = await startHttpReceiver()
  carols = await startHttpReceiver()
  const raw = NOTIFY.parse({
    channels: { bobs: { slack: { url: 'env:BOBS' } }, carols: { slack: { url: 'env:CAROLS' } } },
    people: { bob: ['bobs'], carol: ['carols'] },
    routes: [{ teams: ['sre'], people: ['bob'] }],
    gatherMs: 0,
    quietMs: 0,
  })
  const environ = { BOBS: bobs.url, CAROLS: carols.url }
  const notify = notifyConfig(raw, { environ, under: (path) => path })
  gate = await Harness.start({ upstream: upstream.url, notify })
})

afterEach(async () => {
  await gate.stop()
  await Promise.all([upstream.close(), bobs.close(), carols.close()])
})

async function asks(table: string): Promise<string> {
  const agent = gate.dynamodb(await gate.open('alice'))
  const call = agent.send(new DeleteTableCommand({ TableName: table }))
  return requestIdIn(await call.catch((error: Error) => error))
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString()

async function statementOf(signer: string, away: { to: string; until: string } | null, more = {}) {
  const { gate: id } = await gate.client.facts()
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString('base64url')
  const own = { gate: id, signer, away, nonce, signedAt: inMs(0) }
  return { type: 'seconder-away@v1', ...own, ...more }
}

async function goes(signer: string, away: { to: string; until: string } | null, more = {}) {
  const statement = await statementOf(signer, away, more)
  return gate.client.post('/api/away', await gate.act(signer, statement, 'seconder-away@v1'))
}

test('who stands in is told and may sign no more than before; the absence is in the ledger and outlives a restart', async () => {
  const until = inMs(DAY_MS)
  expect(await goes('bob', { to: 'carol', until })).toEqual({
    away: [{ person: 'bob', to: 'carol', until }],
  })
  const read = await gate.client.get<{ away: unknown[] }>('/api/away')
  expect(read.away).toHaveLength(1)
  // Who is away is nobody's business who has not signed in.
  expect((await fetch(`${gate.running.consoleUrl}/api/away`)).ok).toBe(false)
  await gate.restartSame()
  const id = await asks('orders')
  const [told] = await carols.got(1)
  expect(told?.text).toContain(id)
  expect(bobs.posts).toEqual([])
  // carol is of no team: being told for bob gives her none.
  expect(await gate.review('carol', id)).toMatchObject({ state: 'pending' })
  expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
  await carols.got(2)
  await goes('bob', null)
  const later = await asks('carts')
  expect((await bobs.got(1))[0]?.text).toContain(later)
  expect(carols.posts).toHaveLength(2)
  const entries = (await gate.entries()).filter(({ type }) => type === 'away')
  expect(entries).toMatchObject([
    { signer: 'bob', away: { to: 'carol', until } },
    { signer: 'bob', away: null },
  ])
})

test('an absence is refused for another, to nobody, past its time, twice, and of another gate', async () => {
  const away = { to: 'carol', until: inMs(DAY_MS) }
  const refused = (sent: Promise<unknown>) => expect(sent).rejects
  await refused(goes('bob', away, { signer: 'alice' })).toMatchObject({ code: 'statement_invalid' })
  await refused(goes('bob', away, { gate: '0'.repeat(64) })).toMatchObject({
    code: 'statement_invalid',
  })
  await refused(goes('bob', away, { signedAt: inMs(-DAY_MS) })).toMatchObject({
    code: 'statement_invalid',
  })
  await refused(goes('bob', { ...away, to: 'nobody' })).toMatchObject({ code: 'change_refused' })
  await refused(goes('bob', { ...away, to: 'bob' })).toMatchObject({ code: 'change_refused' })
  await refused(goes('bob', { ...away, until: inMs(-1) })).toMatchObject({ code: 'change_refused' })
  await refused(goes('bob', { ...away, until: inMs(91 * DAY_MS) })).toMatchObject({
    code: 'change_refused',
  })
  const statement = await statementOf('bob', away)
  const act = await gate.act('bob', statement, 'seconder-away@v1')
  await refused(
    gate.client.post('/api/away', { ...act, statement: act.statement.replace('carol', 'alice') }),
  ).toMatchObject({ code: 'signature_invalid' })
  await gate.client.post('/api/away', act)
  await refused(gate.client.post('/api/away', act)).toMatchObject({ code: 'statement_invalid' })
  expect((await gate.entries()).filter(({ type }) => type === 'away')).toHaveLength(1)
})

test('seconder people away and back say what they do, and that nobody signs for anybody', async () => {
  const run = (...args: string[]) =>
    new Promise<{ code: number; words: string }>((resolve) => {
      const all = [MAIN, 'people', ...args, '--ssh-key', gate.keys.get('bob') ?? '']
      const env = { ...process.env, SECONDER_GATE: gate.running.consoleUrl }
      execFile(process.execPath, all, { env }, (error, out, complaints) =>
        resolve({ code: error === null ? 0 : Number(error.code), words: out + complaints }),
      )
    })
  const day = inMs(2 * DAY_MS).slice(0, 10)
  expect(await run('away', '--until', day, '--to', 'carol')).toEqual({
    code: 0,
    words: `Until ${day}T23:59Z carol is told of requests instead of bob. Nobody may sign for you.\n`,
  })
  expect(await run('away', '--until', '2026-02-31', '--to', 'carol')).toMatchObject({ code: 2 })
  expect(await run('back')).toEqual({ code: 0, words: 'bob is told of requests again.\n' })
})

// What goes wrong between reading a request and signing it, at the public door: refused in words, and nothing counts
// that should not. (Passkeys: passkeys.test.ts. Cookies and agents' keys: sign-in.test.ts. Removed members: people.test.ts.)
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { activateEpoch, FrozenClock, idIn, reviewAct, underClock } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, type RawCall, rawCall } from './wire.ts'

const TEAMS = { alice: ['sre'], bob: ['sre'], carol: ['sre'], dave: ['sre'] }

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let policies: string

beforeEach(async () => {
  policies = mkdtempSync(join(tmpdir(), 'seconder-bad-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(policies, { recursive: true, force: true })
})

async function start(): Promise<void> {
  gate = await Harness.start({ upstream: upstream.url, policies, teams: TEAMS })
  keys = await gate.open('alice')
}

/** Two people of sre for a delete. */
function wantsTwo(): void {
  writeFileSync(
    join(policies, 'two.cedar'),
    `@id("two") forbid (principal, action == Action::"destroy", resource)
     unless { context.approvedBy.contains("sre:2") };`,
  )
}

const remove = (name: string) => dynamodbCall('DeleteTable', { TableName: name })
const asked = async (call: RawCall) => idIn(await rawCall(keys, call))
const deletes = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const send = (act: object) => gate.client.post<{ state: string }>('/api/reviews', act)
const stateOf = async (id: string) =>
  (await gate.client.get<{ request: { state: string } }>(`/api/requests/${id}`)).request.state
const reviewsOf = async (id: string) =>
  (await gate.entries()).filter(({ type, request }) => type === 'review' && request === id)

test('a verdict signed before the policy changed counts for nothing after it, nor does its request', async () => {
  await start()
  const id = await asked(remove('orders'))
  const act = await reviewAct(gate, id)
  writeFileSync(
    join(policies, 'more.cedar'),
    '@id("more") forbid (principal, action == Action::"stop", resource);\n',
  )
  expect(await activateEpoch(gate, ['bob', 'carol'])).toBe(2)
  await expect(send(act)).rejects.toMatchObject({
    code: 'epoch_changed',
    message: expect.stringContaining('policy changed'),
    help: expect.stringContaining('run its call again'),
  })
  expect(await stateOf(id)).not.toBe('approved')
  expect(await reviewsOf(id)).toEqual([])
  expect(await asked(remove('orders'))).not.toBe(id)
  expect(deletes()).toBe(0)
})

test('a verdict that was on its way too long is refused by the clock, and its request goes on waiting', async () => {
  await start()
  const clock = new FrozenClock()
  await underClock(gate, clock)
  const id = await asked(remove('orders'))
  const act = await reviewAct(gate, id, { expiresAt: new Date(clock.nowMs() + 1).toISOString() })
  clock.advance(1)
  await expect(send(act)).rejects.toMatchObject({
    code: 'statement_invalid',
    message: expect.stringContaining('expired'),
  })
  expect(await stateOf(id)).toBe('pending')
  expect((await send(await reviewAct(gate, id))).state).toBe('approved')
})

test('a verdict on what another request would do, by its digest or its document, is refused', async () => {
  await start()
  const [id, other] = [await asked(remove('orders')), await asked(remove('carts'))]
  const act = await reviewAct(gate, other, { request: id })
  await expect(send(act)).rejects.toMatchObject({ code: 'statement_invalid' })
  expect(await reviewsOf(id)).toEqual([])
})

test('two reviewers in the same millisecond both count, and make one grant', async () => {
  wantsTwo()
  await start()
  const clock = new FrozenClock()
  await underClock(gate, clock)
  const id = await asked(remove('orders'))
  const acts = await Promise.all(['bob', 'carol'].map((name) => reviewAct(gate, id, {}, name)))
  const states = (await Promise.all(acts.map(send))).map(({ state }) => state)
  expect(states.sort()).toEqual(['approved', 'pending'])
  const entries = await gate.entries()
  const reviews = await reviewsOf(id)
  expect(reviews.map(({ reviewer }) => reviewer).sort()).toEqual(['bob', 'carol'])
  expect(new Set(reviews.map(({ at }) => at)).size).toBe(1)
  expect(entries.filter(({ type }) => type === 'grant-made')).toHaveLength(1)
  expect((await rawCall(keys, remove('orders'))).status).toBe(200)
  expect(deletes()).toBe(1)
})

test('an approval and a denial in the same millisecond: the denial stands whichever came first', async () => {
  wantsTwo()
  await start()
  await underClock(gate, new FrozenClock())
  for (const [table, first] of [
    ['orders', 0],
    ['carts', 1],
  ] as const) {
    const id = await asked(remove(table))
    const acts = [
      await reviewAct(gate, id),
      await reviewAct(gate, id, { verdict: 'deny' }, 'carol'),
      await reviewAct(gate, id, {}, 'dave'),
    ]
    const ordered = first === 0 ? acts : acts.slice(1).concat(acts.slice(0, 1))
    const sent = await Promise.allSettled(ordered.map(send))
    const state = await stateOf(id)
    const said = sent.map((one) => (one.status === 'fulfilled' ? 'taken' : one.reason.code))
    // Two approvals before the denial end the request, and the denial is told so; else it ends it.
    expect(['approved', 'denied']).toContain(state)
    expect(said.filter((one) => one !== 'taken')).toEqual(
      said.includes('request_closed') ? expect.arrayContaining(['request_closed']) : [],
    )
    const verdicts = (await reviewsOf(id)).map(({ verdict }) => verdict)
    expect(verdicts.includes('deny')).toBe(state === 'denied')
    if (state === 'denied') expect((await rawCall(keys, remove(table))).status).toBe(400)
  }
})

test('a comment of 1 MB is refused in words, and one with markup is told as text of one line', async () => {
  await start()
  const id = await asked(remove('orders'))
  const large = await reviewAct(gate, id, { verdict: 'deny', comment: 'x'.repeat(1_000_000) })
  await expect(send(large)).rejects.toMatchObject({ help: expect.stringMatching(/\S/) })
  expect(await stateOf(id)).toBe('pending')
  const comment = '<script>alert(1)</script>\n[link](https://evil.example)\u001b[2J\u202e'
  await send(await reviewAct(gate, id, { verdict: 'request_changes', comment }))
  const { body } = await rawCall(keys, remove('orders'))
  const message = (JSON.parse(body) as { message: string }).message
  expect(message).toContain('bob')
  expect(message).not.toMatch(/\p{C}/u)
  expect((await reviewsOf(id)).length).toBe(1)
})

// H17: the keys of a session that are used by another user of the host suspend it. Nothing passes, its operator is told,
// and only they give it new keys; what was asked for and approved stays theirs.
import { execFile } from 'node:child_process'
import { resumeAgentSession } from '@seconder/cli/opening'
import { statusForSession } from '@seconder/cli/reading'
import { signerFor } from '@seconder/cli/signing'
import { RESUMING_NAMESPACE } from '@seconder/gateway/identify/session-resuming'
import { NOTIFY, notifyConfig } from '@seconder/gateway/notify/notify-config'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HttpReceiver, startHttpReceiver } from '../fakes/message-receiver.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession, idIn, nonce } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, type RawCall, rawCall, signed } from './wire.ts'

const LIST = dynamodbCall('ListTables', {})
const DELETE = dynamodbCall('DeleteTable', { TableName: 'orders' })

let upstream: FakeUpstream
let hers: HttpReceiver
let team: HttpReceiver
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
  hers = await startHttpReceiver()
  team = await startHttpReceiver()
  const raw = NOTIFY.parse({
    channels: { hers: { slack: { url: 'env:HERS' } }, team: { slack: { url: 'env:TEAM' } } },
    people: { alice: ['hers'] },
    routes: [{ effects: ['permissions'], channels: ['team'] }],
    gatherMs: 0,
    quietMs: 0,
  })
  const environ = { HERS: hers.url, TEAM: team.url }
  const notify = notifyConfig(raw, { environ, under: (path) => path })
  gate = await Harness.start({ upstream: upstream.url, notify })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await Promise.all([upstream.close(), hers.close(), team.close()])
})

/** The same call by the same keys, from another user of this host. */
function asNobody(call: RawCall, by: Keys = keys): Promise<string> {
  const { headers, body } = signed(by, call)
  const text = JSON.stringify(Buffer.from(body).toString())
  const script = `fetch(${JSON.stringify(by.endpoint)}, { method: 'POST', headers: ${JSON.stringify(
    Object.fromEntries(headers),
  )}, body: ${text} }).then(async (answer) => console.log(answer.status, await answer.text()))`
  return new Promise((resolve) => {
    const options = { uid: 65_534, gid: 65_534, cwd: '/' }
    execFile('/usr/bin/env', ['node', '-e', script], options, (_, out) => resolve(out.trim()))
  })
}

async function resume(person: string): Promise<Keys> {
  const signer = await signerFor(gate.client, gate.keys.get(person))
  const session = keys.sessionId
  return resumeAgentSession(gate.client, signer, { session, lifetimeMs: 3_600_000 })
}

const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length
const ofType = async (name: string) => (await gate.entries()).filter(({ type }) => type === name)

// Only root may be somebody else.
describe.skipIf(process.getuid?.() !== 0)('used by another user', () => {
  test('H17: the session is suspended, its operator is told and gives it new keys; what was approved stays', async () => {
    const id = idIn(await rawCall(keys, DELETE))
    expect(await asNobody(LIST)).toMatch(/^400 .*it is suspended and nothing was done/)
    // The keys have travelled: they are good for nothing in either place, at either door.
    const mine = await rawCall(keys, LIST)
    expect(mine.status).toBe(400)
    expect(mine.body).toContain(`seconder session resume ${keys.sessionId}`)
    await expect(statusForSession(gate.running.consoleUrl, keys, id, 0)).rejects.toMatchObject({
      code: 'session_suspended',
    })
    expect(await asNobody(LIST)).toContain('so it is suspended')
    expect(await ofType('session-suspended')).toMatchObject([
      { session: keys.sessionId, operator: 'alice', used: keys.sessionId, from: 'user 65534' },
    ])
    const [message] = await hers.got(1)
    expect(JSON.stringify(message?.json)).toContain('a session of alice is suspended')
    expect(JSON.stringify(message?.json)).toContain(`seconder session resume ${keys.sessionId}`)
    // Its request is still there, and an approval of it acts for nobody who has the old keys.
    expect(await gate.review('bob', id)).toMatchObject({ state: 'approved' })
    expect((await rawCall(keys, DELETE)).status).toBe(400)
    expect(deletions()).toBe(0)
    await gate.restartSame()
    expect((await rawCall(keys, DELETE)).status).toBe(400)

    for (const person of ['bob', 'carol'])
      await expect(resume(person)).rejects.toMatchObject({ code: 'statement_invalid' })
    const fresh = await resume('alice')
    expect(fresh.sessionId).toBe(keys.sessionId)
    expect((await rawCall(keys, DELETE)).status).toBe(400)
    expect(await asNobody(DELETE)).toMatch(/^400 /)
    expect((await rawCall(fresh, DELETE)).status).toBe(200)
    expect(deletions()).toBe(1)
    // The new keys belong to who used them first, too.
    expect(await asNobody(LIST, fresh)).toContain('it is suspended')
    expect((await rawCall(fresh, LIST)).status).toBe(400)
    expect(await ofType('session-resumed')).toMatchObject([{ operator: 'alice' }])
    await hers.got(2)
    expect(team.posts).toEqual([])
    await closeSession(gate, keys, 'bob')
    await expect(resume('alice')).rejects.toMatchObject({ code: 'session_unknown' })
  })
})

test('H17: only the operator gives a session new keys, for twelve hours, by a statement that counts once', async () => {
  const { gate: gateId } = await gate.client.facts()
  const asked = async (changes: object = {}, signer = 'alice') => {
    const now = Date.now()
    const statement = {
      type: RESUMING_NAMESPACE,
      gate: gateId,
      session: keys.sessionId,
      operator: signer,
      sessionPublicKey: Buffer.alloc(32, 9).toString('base64'),
      signedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + 60_000).toISOString(),
      nonce: nonce(),
      ...changes,
    }
    return gate.act(signer, statement, RESUMING_NAMESPACE)
  }
  const post = (act: object) => gate.client.post('/api/sessions/resume', act)
  const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString()
  for (const changes of [
    { gate: 'ab'.repeat(32) },
    { operator: 'bob' },
    { expiresAt: hours(13) },
    { expiresAt: hours(-1) },
    { signedAt: hours(-1) },
    { agent: 'another' },
  ]) {
    await expect(post(await asked(changes))).rejects.toMatchObject({ code: 'statement_invalid' })
  }
  await expect(post(await asked({ session: 's-0' }))).rejects.toMatchObject({
    code: 'session_unknown',
  })
  await expect(post(await asked({}, 'bob'))).rejects.toMatchObject({ code: 'statement_invalid' })
  // Nothing of that changed anything.
  expect((await rawCall(keys, LIST)).status).toBe(200)
  const act = await asked()
  await post(act)
  await expect(post(act)).rejects.toMatchObject({ code: 'statement_invalid' })
  expect((await rawCall(keys, LIST)).status).toBe(400)
  expect(await ofType('session-resumed')).toHaveLength(1)
})

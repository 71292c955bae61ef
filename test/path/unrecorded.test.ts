// What ends a right is in force at once, and its entry is in the ledger next; what gives one is in the ledger first.
// Where the gate dies in between, the right is as the ledger then says, and what is owed to the ledger comes once.
import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signChange } from '@seconder/cli/changing-people'
import { signerFor } from '@seconder/cli/signing'
import { signWithdrawal } from '@seconder/cli/withdrawing'
import { EPOCH_NAMESPACE } from '@seconder/gateway/epoch/activation'
import { requirePeer } from '@seconder/gateway/identify/session-peer'
import type { OwedEntry } from '@seconder/gateway/state/owed-store'
import type { SessionRow, Store } from '@seconder/gateway/state/store'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession, idIn } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
let upstream: FakeUpstream
let gate: Harness
let keys: Keys
/** Of the test alone: a no stands over what is asked later of the same. */
let table = ''
/** Entries before the test. */
let before = 0

beforeAll(async () => {
  upstream = await startFakeUpstream()
  const follow = { firstMs: 20, pauseMaxMs: 40, forMs: 60_000 }
  // What is under way is never answered, so that nobody waits for it.
  const sre = ['sre']
  const teams = { alice: sre, bob: sre, dave: sre, erin: sre, carol: [] }
  gate = await Harness.start({ upstream: upstream.url, policies, follow, drainMs: 100, teams })
})

beforeEach(async () => {
  upstream.seen.length = 0
  upstream.script = defaultScript
  before = (await gate.entries()).length
  keys = await gate.open('alice')
  table = `orders-${before}`
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(policies, { recursive: true, force: true })
})

const call = () => rawCall(keys, dynamodbCall('DeleteTable', { TableName: table }))
const deletions = () => upstream.seen.filter(({ operation }) => operation === 'DeleteTable').length

async function entriesOf(...types: string[]): Promise<readonly Record<string, unknown>[]> {
  return (await gate.entries()).slice(before).filter(({ type }) => types.includes(String(type)))
}

async function approved(): Promise<string> {
  const id = idIn(await call())
  await gate.review('bob', id)
  return id
}

/** The gate dies right before or right after the state is changed so, while `act` waits; then it starts again. */
async function diesAt(
  when: 'before' | 'after',
  method: keyof Store,
  act: () => Promise<unknown>,
): Promise<void> {
  type Methods = Record<string, (...given: unknown[]) => Promise<unknown>>
  const store = gate.running.gate.store as unknown as Methods
  const change = store[method]?.bind(store)
  const died = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<never>()
  store[method] = async (...given) => {
    if (when === 'after') await change?.(...given)
    died.resolve()
    return gone.promise
  }
  await Promise.race([died.promise, act().then((answer) => Promise.reject(unmet(answer)))])
  const closed = gate.running.close()
  // A stop waits for what is under way; nothing of it goes on.
  gone.reject(new Error('the gate is gone'))
  await closed
  await gate.restart()
}

const unmet = (answer: unknown) => new Error(`it went on: ${JSON.stringify(answer)}`)

/** Between the change of state and its entry, and between that entry and what is known of it. */
const MOMENTS = [
  ['before its entry', 'after'],
  ['after its entry', 'before'],
] as const

const methodAt = (when: 'before' | 'after', method: keyof Store) =>
  when === 'after' ? method : 'settleOwed'

test.each(MOMENTS)('an approval that became void stays void: killed %s', async (_, when) => {
  await approved()
  upstream.script = async (seen) => {
    const answer = await defaultScript(seen)
    if (seen.operation !== 'DescribeTable' || answer === 'silence') return answer
    return { ...answer, body: String(answer.body).replace('12345678-0123', '99999999-0123') }
  }
  await diesAt(when, methodAt(when, 'endGrant'), call)
  upstream.script = defaultScript
  await expect.poll(() => entriesOf('grant-revoked')).toHaveLength(1)
  expect((await call()).body).toContain('needs review')
  await gate.restartSame()
  expect(await entriesOf('grant-revoked')).toHaveLength(1)
  expect(deletions()).toBe(0)
})

test.each(MOMENTS)('a no stands, and nobody approves over it: killed %s', async (_, when) => {
  const id = idIn(await call())
  await diesAt(when, methodAt(when, 'closeRequest'), () => gate.review('bob', id, 'deny', 'never'))
  await expect
    .poll(() => entriesOf('review', 'request-closed'))
    .toMatchObject([
      { type: 'review', verdict: 'deny' },
      { type: 'request-closed', state: 'denied', by: 'bob' },
    ])
  await expect(gate.review('carol', id)).rejects.toMatchObject({ code: 'request_closed' })
  keys = await gate.open('alice')
  const again = idIn(await call())
  const { document } = await gate.client.get<{ document: string }>(`/api/requests/${again}`)
  expect(document).toContain('"by":"bob"')
})

test.each(MOMENTS)('what a person took back is taken back: killed %s', async (_, when) => {
  const requestId = await approved()
  const taken = { requestId, takes: 'revoke', comment: 'no more' } as const
  const signer = await signerFor(gate.client, gate.keys.get('carol'))
  const method = methodAt(when, 'endGrant')
  await diesAt(when, method, () => signWithdrawal(gate.client, signer, taken))
  const revoked = () => entriesOf('grant-revoked')
  await expect.poll(revoked).toMatchObject([{ signer: 'carol', why: 'no more' }])
  expect((await call()).status).not.toBe(200)
  expect(deletions()).toBe(0)
})

test.each(MOMENTS)('a session that was closed is closed: killed %s', async (_, when) => {
  await diesAt(when, methodAt(when, 'closeSession'), () => closeSession(gate, keys))
  const closed = () => entriesOf('session-closed')
  await expect.poll(closed).toMatchObject([{ session: keys.sessionId }])
  expect((await call()).status).not.toBe(200)
})

test.each(MOMENTS)('a session that is suspended is suspended: killed %s', async (_, when) => {
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
  await diesAt(when, methodAt(when, 'suspendSession'), async () => {
    const { gate: parts } = gate.running
    const session = (await parts.store.session(keys.sessionId)) as SessionRow
    await requirePeer(parts, session, async () => 'user 4711')
  })
  const { sessionId: session, accessKeyId } = keys
  await expect
    .poll(() => entriesOf('session-suspended'))
    .toMatchObject([{ session, accessKeyId, used: session, from: 'user 4711' }])
  expect((await call()).body).toContain('it is suspended')
})

test.each([
  [...MOMENTS[0], 'dave'],
  [...MOMENTS[1], 'erin'],
] as const)('what ends with a person ends, and is said: killed %s', async (_, when, person) => {
  const request = idIn(await call())
  await gate.review(person, request)
  const theirs = await gate.open(person)
  const change = { kind: 'remove-person', person } as const
  const signs = async (by: string) =>
    signChange(gate.client, await signerFor(gate.client, gate.keys.get(by)), change)
  await signs('alice')
  await diesAt(when, methodAt(when, 'applyPeopleChange'), () => signs('bob'))
  const ended = () => entriesOf('people-changed', 'grant-revoked', 'session-closed')
  await expect
    .poll(ended)
    .toMatchObject([
      { change },
      { type: 'grant-revoked', request },
      { type: 'session-closed', session: theirs.sessionId },
    ])
  await gate.restartSame()
  expect(await ended()).toHaveLength(3)
  expect((await call()).body).toContain('needs review')
})

test('what was owed when somebody looked, and is recorded meanwhile, is recorded once', async () => {
  const { recorder } = gate.running.gate
  const { recordOwed } = recorder
  let looked: readonly OwedEntry[] = []
  recorder.recordOwed = async (owed) => {
    looked = owed
    await recordOwed(owed)
  }
  await closeSession(gate, keys)
  recorder.recordOwed = recordOwed
  expect(looked).toHaveLength(1)
  await recorder.recordOwed(looked)
  expect(await entriesOf('session-closed')).toHaveLength(1)
})

test('the end of what was followed is said once: killed after its entry', async () => {
  upstream.script = (seen) => {
    const isGone = deletions() > 0 && seen.operation === 'DescribeTable'
    if (!isGone) return defaultScript(seen)
    const type = 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException'
    return { status: 400, body: JSON.stringify({ __type: type }) }
  }
  await approved()
  await diesAt('before', 'endFollowed', async () => {
    await call()
    await new Promise(() => undefined)
  })
  const confirmed = async () =>
    (await entriesOf('outcome')).filter(
      ({ outcome }) => (outcome as { result: string }).result === 'confirmed',
    )
  expect(await confirmed()).toHaveLength(1)
  expect(await gate.running.gate.store.followed()).toEqual([])
  await gate.restartSame()
  expect(await confirmed()).toHaveLength(1)
})

test('what could not be recorded just then is recorded while the gate runs', async () => {
  const requestId = idIn(await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'carts' })))
  const { recorder, store } = gate.running.gate
  const { owed } = recorder
  // Since long ago: what is owed lately is at whoever owes it.
  recorder.owed = (entry) => ({ ...owed(entry), sinceMs: 0 })
  const { recordOwed } = recorder
  recorder.recordOwed = async () => {
    throw new Error('not now')
  }
  await expect(gate.review('bob', requestId, 'deny', 'no')).rejects.toThrow()
  expect((await store.request(requestId))?.state).toBe('denied')
  // Those of other tests end in their own time.
  const closed = async () =>
    (await entriesOf('request-closed')).filter(({ request }) => request === requestId).length
  expect(await closed()).toBe(0)
  Object.assign(recorder, { owed, recordOwed })
  await expect.poll(closed).toBe(1)
  expect(await store.owed(Number.MAX_SAFE_INTEGER)).toEqual([])
})

test('an epoch that two people signed is in force: killed after its entry', async () => {
  await approved()
  writeFileSync(join(policies, 'own.cedar'), '@id("own")\nforbid (principal, action, resource);\n')
  const activate = async (person: string) => {
    const { client } = gate
    const candidate = await client.get<{ from: number; version: string }>('/api/epochs/candidate')
    const statement = {
      type: 'seconder-epoch@v1',
      gate: (await client.facts()).gate,
      from: candidate.from,
      version: candidate.version,
      signer: person,
      nonce: randomUUID().replaceAll('-', ''),
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    }
    return client.post('/api/epochs', await gate.act(person, statement, EPOCH_NAMESPACE))
  }
  await activate('bob')
  await diesAt('before', 'activateEpoch', () => activate('carol'))
  expect((await gate.client.facts()).epoch).toBe(2)
  expect(await entriesOf('epoch-activated')).toMatchObject([{ epoch: 2 }])
  expect((await call()).body).toContain('denied dynamodb:DeleteTable')
  expect(deletions()).toBe(0)
})

// Person-only verbs at the public doors, attacked: a key file that an agent may reach stands for nobody who signs
// with more than that, a signature ends when it says so, and keys of a session are worth nothing elsewhere.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCandidate, signEpoch } from '@seconder/cli/activating'
import { agentPost } from '@seconder/cli/agent-client'
import { openBreakGlass, readBreakGlass, reviewBreakGlass } from '@seconder/cli/breaking-glass'
import { signChange } from '@seconder/cli/changing-people'
import { GateClient } from '@seconder/cli/gate-client'
import { signerFor } from '@seconder/cli/signing'
import { AFTER_REVIEW_NAMESPACE } from '@seconder/gateway/break-glass/statement'
import { EPOCH_NAMESPACE } from '@seconder/gateway/epoch/activation'
import { SAID_PER_SESSION } from '@seconder/gateway/identify/agent-act'
import { OPEN_CHANGES_MAX } from '@seconder/gateway/people/desk'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Authenticator } from '../fakes/authenticator.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { FrozenClock, nonce, underClock } from './acts.ts'
import { ACCOUNT, Harness, type HarnessOptions } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const ORDERS = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/orders`
const GLASS = '@id("glass") permit (principal, action, resource) when { context.breakGlass };\n'
const MORE = '@id("more") forbid (principal, action == Action::"stop", resource);\n'

let upstream: FakeUpstream
let gate: Harness
let policies: string
const bob = new Authenticator('Ed25519')

beforeEach(async () => {
  upstream = await startFakeUpstream()
  policies = mkdtempSync(join(tmpdir(), 'seconder-policies-'))
  cpSync(join(import.meta.dirname, '..', '..', 'lab', 'policies'), policies, { recursive: true })
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
  rmSync(policies, { recursive: true, force: true })
})

async function start(options: Partial<HarnessOptions> = {}): Promise<void> {
  gate = await Harness.start({ upstream: upstream.url, policies, ...options })
}

async function epochStatement(signer: string, expiresAtMs: number) {
  const { gate: gateId } = await gate.client.facts()
  const { from, version } = await gate.client.get<{ from: number; version: string }>(
    '/api/epochs/candidate',
  )
  const expiresAt = new Date(expiresAtMs).toISOString()
  return { type: EPOCH_NAMESPACE, gate: gateId, from, version, signer, nonce: nonce(), expiresAt }
}

const soon = () => Date.now() + 60_000
const signsEpoch = async (signer: string, expiresAtMs = soon()) =>
  gate.client.post(
    '/api/epochs',
    await gate.act(signer, await epochStatement(signer, expiresAtMs), EPOCH_NAMESPACE),
  )

test('C3 who has a passkey activates policy with that: an inherited ssh-agent is not enough', async () => {
  await start({ passkeys: { bob } })
  writeFileSync(join(policies, 'more.cedar'), MORE)
  expect(await signsEpoch('alice')).toMatchObject({ activated: false, missing: 1 })
  await expect(signsEpoch('bob')).rejects.toMatchObject({ code: 'signature_invalid' })
  expect((await gate.client.facts()).epoch).toBe(1)
  const act = await gate.assert(bob, await epochStatement('bob', soon()))
  expect(await gate.client.post('/api/epochs', act)).toMatchObject({ activated: true })
  expect((await gate.client.facts()).epoch).toBe(2)
})

test('C3 who has a passkey closes an after-review with that', async () => {
  writeFileSync(join(policies, 'glass.cedar'), GLASS)
  await start({ passkeys: { bob }, breakGlass: true })
  const keys = await gate.open('alice')
  const alice = await signerFor(gate.client, gate.keys.get('alice'))
  const { id } = await openBreakGlass(gate.client, alice, {
    session: keys.sessionId,
    reason: 'the site is down and nobody answers',
    effects: ['destroy'],
    resources: [ORDERS],
    minutes: 1,
    effectsMax: 1,
  })
  const deletion = await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  expect(deletion.status).toBe(200)
  const checked = await readBreakGlass(gate.client, id)
  const bySsh = await signerFor(gate.client, gate.keys.get('bob'))
  await expect(reviewBreakGlass(gate.client, bySsh, checked, 'looked')).rejects.toMatchObject({
    code: 'signature_invalid',
  })
  const statement = {
    type: AFTER_REVIEW_NAMESPACE,
    gate: (await gate.client.facts()).gate,
    breakGlass: id,
    used: 1,
    account: checked.account.sha256,
    checkpoint: { ...checked.full.checkpoint },
    comment: 'looked',
    signer: 'bob',
    nonce: nonce(),
    signedAt: new Date().toISOString(),
  }
  expect(
    await gate.client.post('/api/break-glass/reviews', await gate.assert(bob, statement)),
  ).toMatchObject({ state: 'after-review', reviews: [{ reviewer: 'bob' }] })
})

test('H3 a signature for a new epoch ends when it says so, whoever signs after that', async () => {
  await start()
  const clock = new FrozenClock()
  await underClock(gate, clock)
  writeFileSync(join(policies, 'more.cedar'), MORE)
  const isWaiting = { activated: false, missing: 1 }
  expect(await signsEpoch('alice', clock.nowMs() + 60_000)).toMatchObject(isWaiting)
  clock.advance(60_000)
  const later = () => clock.nowMs() + 60_000
  expect(await signsEpoch('bob', later())).toMatchObject({ ...isWaiting, signers: ['bob'] })
  expect((await gate.client.facts()).epoch).toBe(1)
  expect(await signsEpoch('alice', later())).toMatchObject({ activated: true })
})

test('H3 who signs a new epoch has read what it changes, and signs nothing that came to the disk since', async () => {
  await start()
  const signer = await signerFor(gate.client, gate.keys.get('bob'))
  expect((await readCandidate(gate.client)).differences).toEqual([])
  writeFileSync(join(policies, 'more.cedar'), MORE)
  const { candidate, differences } = await readCandidate(gate.client)
  const comes = MORE.split('\n').map((text) => ({ mark: '+', text }))
  expect(differences).toMatchObject([{ what: 'policies/more.cedar', lines: comes }])
  writeFileSync(join(policies, 'more.cedar'), '@id("more") permit (principal, action, resource);\n')
  await expect(signEpoch(gate.client, signer, candidate)).rejects.toMatchObject({
    code: 'epoch_changed',
  })
  writeFileSync(join(policies, 'more.cedar'), MORE)
  expect(await signEpoch(gate.client, signer, candidate)).toMatchObject({ missing: 1 })
  expect((await readCandidate(gate.client)).candidate.signers).toEqual(['bob'])
  const nobody = new GateClient(gate.running.consoleUrl)
  await expect(readCandidate(nobody)).rejects.toMatchObject({ code: 'sign_in_needed' })
})

test('H17 what an agent says to the gate itself counts from where its keys were used first', async () => {
  await start()
  const keys = await gate.open('alice')
  const { store } = gate.running.gate
  await store.bindPeer(keys.sessionId, keys.accessKeyId, 'uid 4242')
  const begin = () => agentPost(gate.client, keys, '/api/agent/plans', { reason: 'a plan' })
  await expect(begin()).rejects.toMatchObject({ code: 'session_elsewhere' })
  expect(await store.openPlan(keys.sessionId)).toBeUndefined()
})

test('one session says so much to the gate and no more, and what was said is forgotten in the end', async () => {
  await start()
  const clock = new FrozenClock()
  await underClock(gate, clock)
  const [keys, other] = [await gate.open('alice'), await gate.open('alice')]
  const cancel = (by = keys) =>
    agentPost(gate.client, by, '/api/agent/cancel', { request: 'r-none' })
  for (let said = 0; said < SAID_PER_SESSION.burst; said++) {
    await expect(cancel()).rejects.toMatchObject({ code: 'request_unknown' })
  }
  await expect(cancel()).rejects.toMatchObject({ code: 'rate_limited' })
  await expect(cancel(other)).rejects.toMatchObject({ code: 'request_unknown' })
  const { store } = gate.running.gate
  const [before, after] = [clock.nowMs(), clock.nowMs() + 1]
  expect(await store.useNonce('agent said', before)).toBe(true)
  expect(await store.useNonce('of a person', before)).toBe(true)
  await store.pruneNonces({ agentsMs: after, peopleMs: before })
  expect(await store.useNonce('agent said', before)).toBe(true)
  expect(await store.useNonce('of a person', before)).toBe(false)
})

test('C10 nobody stands in the way of their own removal by filling what waits', async () => {
  await start()
  const { store, clock } = gate.running.gate
  for (let count = 0; count < OPEN_CHANGES_MAX; count++) {
    const change = { kind: 'add-team', person: 'bob', team: `t${count}` } as const
    const times = { openedAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 60_000, dueAtMs: null }
    await store.keepChange({ id: `c-${count}`, change, acts: {}, ...times })
  }
  const signs = async (name: string, kind: 'remove-person' | 'add-team') => {
    const signer = await signerFor(gate.client, gate.keys.get(name))
    const gives = { kind: 'add-team', person: 'carol', team: 'dba' } as const
    const change = kind === 'add-team' ? gives : ({ kind, person: 'carol' } as const)
    return signChange(gate.client, signer, change)
  }
  await expect(signs('alice', 'add-team')).rejects.toMatchObject({ code: 'change_refused' })
  await signs('alice', 'remove-person')
  expect(await signs('bob', 'remove-person')).toMatchObject({ state: 'in force' })
})

// Who belongs to a gate, at its public doors (red team C10): every change takes two people, none of them the one
// who gains by it; it never counts for what was open before; and what rested on somebody removed ends at once.
import { cpSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cancelChange, joinFirst, signChange } from '@seconder/cli/changing-people'
import { GateClient } from '@seconder/cli/gate-client'
import { signerFor } from '@seconder/cli/signing'
import type { PeopleChange } from '@seconder/gateway/lib/people-change'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { PEOPLE_NAMESPACE } from '@seconder/gateway/people/statement'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Authenticator } from '../fakes/authenticator.ts'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { FrozenClock, idIn, nonce, reviewAct, underClock } from './acts.ts'
import { Harness, type HarnessOptions, type Keys } from './harness.ts'
import { dynamodbCall, queryCall, rawCall } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

async function started(options: Partial<HarnessOptions> = {}): Promise<void> {
  gate = await Harness.start({ upstream: upstream.url, ...options })
}

const signerOf = (name: string) => signerFor(gate.client, gate.keys.get(name))
const signs = async (name: string, change: PeopleChange) =>
  signChange(gate.client, await signerOf(name), change)

async function newKey(name: string): Promise<string> {
  const path = join(gate.folder, name)
  await generateEd25519KeyFile(path, name)
  gate.keys.set(name, path)
  return readFileSync(`${path}.pub`, 'utf8').trim()
}

async function added(name: string, teams: string[] = []): Promise<PeopleChange> {
  return { kind: 'add-person', person: name, teams, keys: [await newKey(name)], identities: [] }
}

const names = async () => {
  const client = new GateClient(gate.running.consoleUrl)
  await signerFor(client, gate.keys.get('alice'))
  const { people } = await client.get<{ people: { name: string }[] }>('/api/people')
  return people.map(({ name }) => name)
}
const deletion = (keys: Keys, table = 'orders') =>
  rawCall(keys, dynamodbCall('DeleteTable', { TableName: table }))
/** Needs two people, one of sre. */
const permission = (keys: Keys) =>
  rawCall(
    keys,
    queryCall(
      'iam',
      {
        Action: 'AttachRolePolicy',
        Version: '2010-05-08',
        RoleName: 'ci',
        PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
      },
      { region: 'us-east-1' },
    ),
  )
const acted = () =>
  upstream.seen.filter(({ operation }) => /^(Delete|Attach)/.test(operation ?? '')).length

test('C10 a colleague takes two members, and counts only for what is asked afterwards', async () => {
  await started()
  const keys = await gate.open('carol')
  const before = idIn(await deletion(keys))
  const change = await added('dora', ['sre'])
  expect(await signs('alice', change)).toMatchObject({ state: 'waiting', signers: ['alice'] })
  expect(await signs('alice', change)).toMatchObject({ state: 'waiting', signers: ['alice'] })
  await expect(signerOf('dora')).rejects.toMatchObject({ code: 'key_unknown' })
  expect(await signs('bob', change)).toMatchObject({ state: 'in force', needs: null })
  expect(await names()).toEqual(['alice', 'bob', 'carol', 'dora'])

  await expect(gate.review('dora', before)).rejects.toMatchObject({ code: 'not_a_reviewer' })
  const after = idIn(await deletion(keys, 'invoices'))
  expect(await gate.review('dora', after)).toMatchObject({ state: 'approved' })
  await gate.restartSame()
  expect(await names()).toContain('dora')
})

test('C10 whoever gains by a change is not one of its two, nor a stranger, nor an old statement', async () => {
  await started()
  const key = await newKey('bob-second')
  const change: PeopleChange = { kind: 'add-key', person: 'bob', key }
  await expect(signs('bob', change)).rejects.toMatchObject({ code: 'change_refused' })
  await expect(
    signs('bob', { kind: 'add-team', person: 'bob', team: 'dba' }),
  ).rejects.toMatchObject({
    code: 'change_refused',
  })
  const { gate: gateId } = await gate.client.facts()
  const statement = (changes: object) => ({
    type: PEOPLE_NAMESPACE,
    gate: gateId,
    change,
    signer: 'alice',
    nonce: nonce(),
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    ...changes,
  })
  const post = async (person: string, changes: object) =>
    gate.client.post(
      '/api/people/changes',
      await gate.act(person, statement(changes), PEOPLE_NAMESPACE),
    )
  for (const changes of [
    { gate: 'ab'.repeat(32) },
    { signer: 'carol' },
    { expiresAt: new Date(Date.now() - 1).toISOString() },
    { expiresAt: new Date(Date.now() + 7_200_000).toISOString() },
    { change: { ...change, extra: 1 } },
    { change: { kind: 'add-person', person: '__proto__', teams: [], keys: [key], identities: [] } },
  ]) {
    await expect(post('alice', changes)).rejects.toMatchObject({ code: 'statement_invalid' })
  }
  const act = await gate.act('alice', statement({}), PEOPLE_NAMESPACE)
  await gate.client.post('/api/people/changes', act)
  await expect(gate.client.post('/api/people/changes', act)).rejects.toMatchObject({
    code: 'statement_invalid',
  })
  const forged = { ...act, publicKey: key }
  await expect(gate.client.post('/api/people/changes', forged)).rejects.toMatchObject({
    code: 'signature_invalid',
  })
  expect(await signs('carol', change)).toMatchObject({ state: 'in force' })
  expect((await signerOf('bob-second')).person).toBe('bob')
})

test('C10 a member removed in between: signatures, approvals, grants, sessions and sign-ins end at once', async () => {
  await started()
  const keys = await gate.open('alice')
  const granted = idIn(await deletion(keys))
  const pending = idIn(await permission(keys))
  expect(await gate.review('bob', granted)).toMatchObject({ state: 'approved' })
  expect(await gate.review('bob', pending)).toMatchObject({ state: 'pending' })
  const prepared = await reviewAct(gate, idIn(await deletion(keys, 'invoices')))
  const ofBob = await gate.open('bob')

  const change: PeopleChange = { kind: 'remove-person', person: 'bob' }
  await signs('alice', change)
  expect(await signs('carol', change)).toMatchObject({ state: 'in force' })

  await expect(gate.client.post('/api/reviews', prepared)).rejects.toMatchObject({
    code: 'signature_invalid',
  })
  expect(idIn(await deletion(keys))).not.toBe(granted)
  expect(acted()).toBe(0)
  expect((await rawCall(ofBob, dynamodbCall('ListTables', {}))).status).not.toBe(200)
  const dora = await added('dora', ['sre'])
  await signs('alice', dora)
  await signs('carol', dora)
  // carol is the second person on the request, but the first one of the two is gone.
  expect(await gate.review('carol', pending)).toMatchObject({ state: 'pending' })
  const types = (await gate.entries()).map(({ type }) => type)
  expect(types).toContain('grant-revoked')
  expect(types).toContain('session-closed')
})

test('H17: a key taken away takes its approvals and sessions along; its owner goes on with another', async () => {
  await started()
  const keys = await gate.open('alice')
  const second = await newKey('bob-second')
  const add: PeopleChange = { kind: 'add-key', person: 'bob', key: second }
  await signs('alice', add)
  await signs('carol', add)
  const id = idIn(await deletion(keys))
  await gate.review('bob', id)
  // Whoever has the key may have opened it.
  const ofBob = await gate.open('bob')
  const list = dynamodbCall('ListTables', {})
  expect((await rawCall(ofBob, list)).status).toBe(200)
  const { people } = await gate.client.get<{
    people: { name: string; keys: { fingerprint: string }[] }[]
  }>('/api/people')
  const fingerprint = people.find(({ name }) => name === 'bob')?.keys[0]?.fingerprint ?? ''
  const remove: PeopleChange = { kind: 'remove-key', person: 'bob', fingerprint }
  // What takes power away, its subject may sign too.
  await signs('bob', remove)
  await signs('carol', remove)
  expect((await rawCall(ofBob, list)).status).not.toBe(200)
  expect((await gate.entries()).filter(({ type }) => type === 'session-closed')).toHaveLength(1)
  const again = idIn(await deletion(keys))
  expect(again).not.toBe(id)
  await expect(gate.review('bob', again)).rejects.toMatchObject({ code: 'key_unknown' })
  expect(await gate.review('bob-second', again)).toMatchObject({ state: 'approved' })
  expect((await deletion(keys)).status).toBe(200)
  await expect(signs('alice', { ...add, person: 'carol', key: second })).rejects.toMatchObject({
    code: 'change_refused',
  })
})

test('a team given later does not count for what was open; one taken away ends its grants', async () => {
  await started()
  const keys = await gate.open('alice')
  const before = idIn(await deletion(keys))
  const join: PeopleChange = { kind: 'add-team', person: 'carol', team: 'sre' }
  await signs('alice', join)
  await signs('bob', join)
  expect(await gate.review('carol', before)).toMatchObject({ state: 'pending' })
  const after = idIn(await deletion(keys, 'invoices'))
  expect(await gate.review('carol', after)).toMatchObject({ state: 'approved' })
  const leave: PeopleChange = { kind: 'remove-team', person: 'carol', team: 'sre' }
  await signs('carol', leave)
  await signs('bob', leave)
  expect(idIn(await deletion(keys, 'invoices'))).not.toBe(after)
  expect(acted()).toBe(0)
})

test('C10 a name and a key mean one person for ever, and two members always stay', async () => {
  await started()
  const line = readFileSync(`${gate.keys.get('carol')}.pub`, 'utf8').trim()
  const again: PeopleChange = { kind: 'remove-person', person: 'carol' }
  await signs('alice', again)
  await signs('bob', again)
  for (const change of [
    { kind: 'add-person', person: 'dora', teams: [], keys: [line], identities: [] },
    { kind: 'add-key', person: 'bob', key: line },
    { ...(await added('carol-again')), person: 'carol' },
    { kind: 'remove-person', person: 'nobody' },
    { kind: 'remove-person', person: 'alice' },
  ] as PeopleChange[]) {
    await expect(signs('bob', change)).rejects.toMatchObject({ code: 'change_refused' })
  }
})

test('who must sign is a rule of the epoch', async () => {
  await started()
  await gate.running.close()
  rmSync(join(gate.folder, 'state'), { recursive: true })
  rmSync(join(gate.folder, 'ledger'), { recursive: true })
  await gate.restart({ membership: { signedBy: ['sre:2'] } })
  const change: PeopleChange = { kind: 'add-team', person: 'carol', team: 'dba' }
  const dora = await added('dora')
  expect(await signs('carol', dora)).toMatchObject({ state: 'waiting' })
  expect(await signs('alice', dora)).toMatchObject({
    state: 'waiting',
    signers: ['alice', 'carol'],
  })
  expect(await signs('bob', dora)).toMatchObject({ state: 'in force' })
  expect(await signs('dora', change)).toMatchObject({
    state: 'waiting',
    needs: expect.stringContaining('sre:2'),
  })
})

test('C3 who has a passkey changes people with that: an inherited ssh-agent is not enough', async () => {
  const bob = new Authenticator('Ed25519')
  await started({ passkeys: { bob } })
  const change = await added('dora')
  await expect(signs('bob', change)).rejects.toMatchObject({ code: 'change_refused' })
  await signs('alice', change)
  const { gate: gateId } = await gate.client.facts()
  const statement = {
    type: PEOPLE_NAMESPACE,
    gate: gateId,
    change: { ...change },
    signer: 'bob',
    nonce: nonce(),
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  }
  const act = await gate.assert(bob, statement as never)
  expect(await gate.client.post('/api/people/changes', act)).toMatchObject({ state: 'in force' })
})

test('a passkey made in a browser is a line that two members sign', async () => {
  await started()
  const { rpId, origins } = (await gate.client.facts()).relyingParty
  const options = await gate.client.post<{ challenge: string; rp: { id: string } }>(
    '/api/passkeys/options',
    { name: 'bob' },
  )
  expect(options).toMatchObject({
    rp: { id: 'localhost' },
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    pubKeyCredParams: [
      { alg: -8, type: 'public-key' },
      { alg: -7, type: 'public-key' },
    ],
  })
  for (const algorithm of ['ES256', 'Ed25519'] as const) {
    const authenticator = new Authenticator(algorithm)
    const { challenge } = await gate.client.post<{ challenge: string }>('/api/passkeys/options', {
      name: 'bob',
    })
    const made = { challenge, rpId, origin: origins[0] ?? '' }
    const elsewhere = authenticator.create({ ...made, origin: 'http://localhost:3000' })
    await expect(gate.client.post('/api/passkeys', elsewhere)).rejects.toMatchObject({
      code: 'statement_invalid',
    })
    // The challenge was used up by that.
    await expect(
      gate.client.post('/api/passkeys', authenticator.create(made)),
    ).rejects.toMatchObject({
      code: 'statement_invalid',
    })
    const fresh = await gate.client.post<{ challenge: string }>('/api/passkeys/options', {
      name: 'bob',
    })
    const { passkey } = await gate.client.post<{ passkey: string }>(
      '/api/passkeys',
      authenticator.create({ ...made, challenge: fresh.challenge }),
    )
    expect(passkey).toBe(authenticator.line())
    const change: PeopleChange = { kind: 'add-key', person: 'bob', key: passkey }
    await signs('alice', change)
    expect(await signs('carol', change)).toMatchObject({ state: 'in force' })
  }
})

test('C10 the first member comes by a link in a file of the gate, and the second after a day', async () => {
  await started()
  await gate.running.close()
  rmSync(join(gate.folder, 'state'), { recursive: true })
  rmSync(join(gate.folder, 'ledger'), { recursive: true })
  await gate.restart({ people: [] })
  const path = join(gate.folder, 'state', 'first-member')
  const link = readFileSync(path, 'utf8')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(gate.running.notices.join()).toContain(path)
  expect(gate.running.notices.join()).not.toContain(link.split('#')[1]?.trim())
  const join_ = (name: string, text: string) =>
    joinFirst(gate.client, gate.keys.get(name) ?? '', { name, teams: ['sre'], link: text })
  await expect(join_('bob', `${link.split('#')[0]}#guess`)).rejects.toMatchObject({
    code: 'change_refused',
  })
  expect(await join_('alice', link)).toEqual({ person: 'alice' })
  await expect(join_('bob', link)).rejects.toMatchObject({ code: 'change_refused' })
  expect(() => statSync(path)).toThrow()

  const clock = new FrozenClock()
  await underClock(gate, clock)
  const bob: PeopleChange = {
    kind: 'add-person',
    person: 'bob',
    teams: ['sre'],
    keys: [readFileSync(`${gate.keys.get('bob')}.pub`, 'utf8').trim()],
    identities: [],
  }
  const waiting = await signs('alice', bob)
  expect(waiting).toMatchObject({ state: 'waiting', takesEffectAt: expect.any(String) })
  clock.advance(23 * 3_600_000)
  await gate.running.gate.people.due()
  expect(await names()).toEqual(['alice'])
  clock.advance(2 * 3_600_000)
  await gate.running.gate.people.due()
  expect(await names()).toEqual(['alice', 'bob'])
})

test('C10 of two members neither becomes the other: what gives one of them power takes both, and no day of waiting', async () => {
  await started({ teams: { alice: ['sre'], bob: ['sre'] } })
  const forged: PeopleChange = { kind: 'add-key', person: 'bob', key: await newKey('forged') }
  const waiting = { state: 'waiting', takesEffectAt: null }
  expect(await signs('alice', forged)).toMatchObject({ ...waiting, signers: ['alice'] })
  await expect(signerOf('forged')).rejects.toMatchObject({ code: 'key_unknown' })
  const own: PeopleChange = { kind: 'add-key', person: 'bob', key: await newKey('bob-second') }
  expect(await signs('bob', own)).toMatchObject({ ...waiting, signers: ['bob'] })
  expect(await signs('alice', own)).toMatchObject({ state: 'in force' })
  expect((await signerOf('bob-second')).person).toBe('bob')
  // Once there is a third to ask, nobody's own signature counts for them.
  const team: PeopleChange = { kind: 'add-team', person: 'bob', team: 'dba' }
  await signs('bob', team)
  const carol = await added('carol')
  await signs('bob', carol)
  await signs('alice', carol)
  expect(await signs('alice', team)).toMatchObject({ ...waiting, signers: ['alice'] })
  await expect(signs('bob', team)).rejects.toMatchObject({ code: 'change_refused' })
})

test('a change that an older build let wait under its id is signed on to its end', async () => {
  await started()
  const change = await added('dora', ['sre'])
  await signs('alice', change)
  const { store } = gate.running.gate
  const [waiting] = await store.openChanges()
  expect(waiting?.id).toMatch(/^c-[0-9a-f]{26}$/)
  if (!waiting) throw new Error('nothing waits')
  await store.endChange(waiting.id)
  await store.keepChange({ ...waiting, id: waiting.id.replace('c-', 'p-') })
  expect(await signs('carol', change)).toMatchObject({ state: 'in force' })
  expect(await store.openChanges()).toEqual([])
})

test('a change that waits is ended by any member, but not by the one it takes power from', async () => {
  await started()
  const removal = await signs('alice', { kind: 'remove-person', person: 'bob' })
  const cancel = async (name: string) =>
    cancelChange(gate.client, await signerOf(name), removal.changeId)
  await expect(cancel('bob')).rejects.toMatchObject({ code: 'change_refused' })
  expect(await cancel('carol')).toMatchObject({ changeId: removal.changeId })
  await expect(cancel('carol')).rejects.toMatchObject({ code: 'change_refused' })
  expect(await names()).toContain('bob')
})

test('a crash between the entry and the state is mended at the next start', async () => {
  await started()
  await gate.running.close()
  cpSync(join(gate.folder, 'state'), join(gate.folder, 'older'), { recursive: true })
  await gate.restart()
  const change: PeopleChange = { kind: 'remove-person', person: 'bob' }
  await signs('alice', change)
  await signs('carol', change)
  await gate.running.close()
  rmSync(join(gate.folder, 'state'), { recursive: true })
  cpSync(join(gate.folder, 'older'), join(gate.folder, 'state'), { recursive: true })
  await gate.restart()
  expect(await names()).toEqual(['alice', 'carol'])
})

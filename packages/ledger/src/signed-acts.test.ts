// The replay of who signed what, over entries made by hand: membership as it was at each point of the log.
import { expect, test } from 'vitest'
import { SignedActs } from './signed-acts.ts'

const GATE = 'ab'.repeat(32)
const key = (name: string) =>
  `ssh-ed25519 ${Buffer.from(`key of ${name}`).toString('base64')} ${name}`
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString()
let nonces = 0

function act(type: string, by: string, members: object) {
  nonces += 1
  const statement = JSON.stringify({ type, gate: GATE, nonce: `nonce ${nonces}`, ...members })
  return { statement, signature: 'good', publicKey: key(by) }
}

/** Takes all entries; returns what was wrong with the last one. */
async function lastOf(...entries: object[]): Promise<string | null> {
  const acts = new SignedActs(GATE, ({ signature }) => {
    if (signature !== 'good') throw new Error('bad')
    return 'software'
  })
  const people = ['alice', 'bob', 'carol'].map((name) => ({ name, keys: [key(name)] }))
  let last = await acts.take({ type: 'gate-created', at: at(0), people })
  for (const entry of entries) {
    expect(last).toBe(null)
    last = await acts.take(entry as Record<string, unknown>)
  }
  return last
}

function closing(seconds: number, by: string, changes: object = {}) {
  const signed = act('seconder-session-close@v1', by, { session: 's', signer: by })
  return { type: 'session-closed', at: at(seconds), session: 's', act: signed, ...changes }
}

function changed(seconds: number, change: object, signers: string[], by = 'two-people') {
  const acts = signers.map((signer) => act('seconder-people@v1', signer, { change, signer }))
  return { type: 'people-changed', at: at(seconds), change, by, acts }
}

function signedFor(seconds: number, change: object, signer: string) {
  const signed = act('seconder-people@v1', signer, { change, signer })
  return { type: 'people-signed', at: at(seconds), change, signer, act: signed }
}

const removal = { kind: 'remove-person', person: 'bob' }

test('an act is a member’s, of this gate, used once, and says what the entry says', async () => {
  expect(await lastOf(closing(1, 'bob'))).toBe(null)
  const once = closing(1, 'bob')
  expect(await lastOf(once, { ...once, at: at(2) })).toContain('used before')
  expect(await lastOf(closing(1, 'bob', { session: 'other' }))).toContain('not what the entry says')
  expect(await lastOf(closing(1, 'mallory'))).toContain("no member's")
  const bad = closing(1, 'bob')
  expect(await lastOf({ ...bad, act: { ...bad.act, signature: 'bad' } })).not.toBe(null)
  const elsewhere = JSON.stringify({ ...JSON.parse(bad.act.statement), gate: 'cd'.repeat(32) })
  expect(await lastOf({ ...bad, act: { ...bad.act, statement: elsewhere } })).not.toBe(null)
})

test('what a person alone makes is nothing without an act; the gate itself may close or take back', async () => {
  for (const type of [
    'session-opened',
    'session-resumed',
    'review',
    'break-glass-opened',
    'break-glass-reviewed',
    'away',
  ]) {
    for (const nobody of [undefined, null])
      expect(await lastOf({ type, at: at(1), act: nobody }), type).toContain('nobody signed it')
  }
  expect(await lastOf({ type: 'session-closed', at: at(1), session: 's', act: null })).toBe(null)
})

test('H17 a session is resumed by its operator, for as long as they signed', async () => {
  const said = { session: 's', operator: 'bob', expiresAt: at(60) }
  const resumed = (changes: object = {}, by = 'bob') => ({
    type: 'session-resumed',
    at: at(1),
    ...said,
    act: act('seconder-session-resume@v1', by, said),
    ...changes,
  })
  expect(await lastOf(resumed())).toBe(null)
  for (const changes of [{ session: 't' }, { operator: 'carol' }, { expiresAt: at(61) }])
    expect(await lastOf(resumed(changes))).toContain('not what the entry says')
  expect(await lastOf(resumed({}, 'carol'))).toContain('somebody else signed it')
})

test('a change of people takes two, never the one who gains, and is in force from its entry on', async () => {
  const dora = {
    kind: 'add-person',
    person: 'dora',
    teams: [],
    keys: [key('dora')],
    identities: [],
  }
  expect(await lastOf(closing(1, 'dora'))).toContain("no member's")
  expect(await lastOf(changed(1, dora, ['alice', 'bob']), closing(2, 'dora'))).toBe(null)
  expect(await lastOf(changed(1, dora, ['alice']))).toContain('fewer than two')
  expect(await lastOf(changed(1, dora, ['alice', 'alice']))).toContain('fewer than two')
  const second = { kind: 'add-key', person: 'bob', key: key('second') }
  expect(await lastOf(changed(1, second, ['alice', 'bob']))).toContain('its subject')
  expect(await lastOf(changed(1, dora, ['alice'], 'all-others-and-a-day'))).toContain(
    'fewer than two',
  )
  expect(await lastOf(changed(1, dora, [], 'first-member-link'))).toContain('before the first one')
})

test('C10 of two members both sign for what gives one of them power, however long it waited', async () => {
  const alone = changed(1, removal, ['alice', 'carol'])
  const second = { kind: 'add-key', person: 'carol', key: key('second') }
  expect(await lastOf(alone, changed(2, second, ['alice', 'carol']))).toBe(null)
  const day = 24 * 60 * 60
  const byOne = changed(day + 9, second, ['alice'], 'all-others-and-a-day')
  expect(await lastOf(alone, signedFor(5, second, 'alice'), byOne)).toContain('fewer than two')
})

test('who was removed signs nothing any more, but for what was on its way', async () => {
  const removed = changed(100, removal, ['alice', 'carol'])
  expect(await lastOf(removed, closing(105, 'bob'))).toBe(null)
  expect(await lastOf(removed, closing(120, 'bob'))).toContain("no member's")
  const bobs = { kind: 'remove-key', person: 'carol', fingerprint: 'SHA256:none' }
  expect(await lastOf(removed, changed(200, bobs, ['alice', 'bob']))).toContain("no member's")
})

test('what is no act, or cannot be read, is said and never passes', async () => {
  for (const broken of [{ statement: '{' }, {}, { statement: 'null', publicKey: 'x' }, 7, []]) {
    expect(await lastOf({ type: 'session-closed', at: at(1), session: 's', act: broken })).not.toBe(
      null,
    )
  }
})

// What the store remembers is what the database says now, whoever wrote it last.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteStore } from './sqlite.ts'
import type { RequestRow, SessionRow, Store } from './store.ts'

let folder: string
let one: Store
let other: Store

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-state-'))
  one = openSqliteStore(join(folder, 'state.db'))
  other = openSqliteStore(join(folder, 'state.db'))
})

afterEach(() => {
  one.close()
  other.close()
  rmSync(folder, { recursive: true })
})

function session(id: string): SessionRow {
  return {
    id,
    parent: null,
    accessKeyId: `KEY${id}`,
    secretAccessKey: 'secret',
    maskKey: '00',
    agent: 'agent',
    operator: 'alice',
    roleName: 'reads',
    roleArn: 'arn:aws:iam::123456789012:role/reads',
    openedAtMs: 1,
    expiresAtMs: 10,
    closedAtMs: null,
  }
}

function request(id: string): RequestRow {
  return {
    id,
    sessionId: 'a',
    operator: 'alice',
    operation: 'x',
    actionDigest: id,
    digest: 'd',
    epoch: 1,
    state: 'pending',
    documentSha256: 'f',
    requirement: ['any:1'],
    deniedBefore: [],
    openedAtMs: 1,
    expiresAtMs: 1_000,
    closedBy: null,
    comment: null,
  }
}

const epoch = (number: number) => ({
  number,
  version: `v${number}`,
  content: '{}',
  activatedAtMs: 1,
})

test('a session that another process closed is closed here at the next look', () => {
  one.addSession(session('a'))
  expect(one.sessionByAccessKey('KEYa')?.closedAtMs).toBe(null)
  expect(one.sessionByAccessKey('KEYa')).toBe(one.sessionByAccessKey('KEYa'))
  other.closeSession('a', 5)
  expect(one.sessionByAccessKey('KEYa')).toMatchObject({ closedAtMs: 5, secretAccessKey: '' })
})

test('a session closed here is closed at once, and one opened elsewhere is found', () => {
  one.addSession(session('a'))
  expect(one.sessionByAccessKey('KEYb')).toBe(undefined)
  one.closeSession('a', 5)
  expect(one.sessionByAccessKey('KEYa')?.closedAtMs).toBe(5)
  other.addSession(session('b'))
  expect(one.sessionByAccessKey('KEYb')?.closedAtMs).toBe(null)
})

test('the epoch in force is the newest, whoever activated it', () => {
  one.activateEpoch(epoch(1))
  expect(one.activeEpoch()?.number).toBe(1)
  other.activateEpoch(epoch(2))
  expect(one.activeEpoch()?.number).toBe(2)
  one.activateEpoch(epoch(3))
  expect(one.activeEpoch()?.number).toBe(3)
  expect(other.activeEpoch()?.number).toBe(3)
})

test('nothing of a change that failed is remembered', () => {
  one.activateEpoch(epoch(1))
  expect(() => one.activateEpoch(epoch(1))).toThrow()
  expect(one.activeEpoch()?.version).toBe('v1')
})

test('C10 a grant rests on people: none is made or used with an approval by a key taken away elsewhere', () => {
  const keyOf = (person: string) => ({
    fingerprint: `SHA256:${person}`,
    person,
    publicKey: 'a key',
    credentialId: null,
    addedAtMs: 1,
  })
  one.foundGate(
    'gate',
    ['alice', 'bob', 'carol'].map((name) => ({
      person: { name, teams: [], addedAtMs: 1 },
      keys: [keyOf(name)],
    })),
  )
  one.activateEpoch(epoch(1))
  one.addSession({ ...session('a'), expiresAtMs: 1_000 })
  const removal = { kind: 'remove-person', person: 'bob' } as const
  const granted = (id: string, version: number) => {
    one.addRequest(request(id))
    const review = {
      requestId: id,
      reviewer: 'bob',
      verdict: 'approve',
      strength: 'hardware',
    } as const
    const grant = { id: `g-${id}`, requestId: id, sessionId: 'a', digest: 'd', epoch: 1 } as const
    return one.addGrant(
      { ...grant, state: 'ready', expiresAtMs: 1_000, endedBy: null, endedWhy: null },
      { ...review, key: 'SHA256:bob', atMs: 2 },
      version,
    )
  }
  const effect = (id: string) => ({ id, sessionId: 'a', operation: 'x' })
  expect(granted('r1', one.peopleVersion())).toBe(true)
  expect(one.consumeGrant('g-r1', effect('e1'), 's1', 3)).toBe(true)
  expect(granted('r2', one.peopleVersion())).toBe(true)
  const seen = one.peopleVersion()
  expect(other.applyPeopleChange(removal, 4)).toMatchObject({
    revokedGrants: [{ id: 'g-r2', requestId: 'r2' }],
  })
  expect(other.applyPeopleChange(removal, 4)).toBe(undefined)
  expect(one.consumeGrant('g-r2', effect('e2'), 's2', 5)).toBe(false)
  expect(granted('r3', seen)).toBe(false)
  // Even where the grant was made against the new people, the approval in it is by nobody.
  expect(granted('r4', one.peopleVersion())).toBe(true)
  expect(one.consumeGrant('g-r4', effect('e4'), 's4', 6)).toBe(false)
})

test('requests come in pages, newest first, whole and without one twice, also where many opened at once', () => {
  const all = Array.from({ length: 25 }, (_, index) => `r-${String(index).padStart(2, '0')}`)
  for (const [index, id] of all.entries()) {
    one.addRequest({ ...request(id), openedAtMs: Math.floor(index / 7) })
  }
  one.closeRequest('r-12', 'denied', 'bob', '')
  const walked: string[] = []
  for (let before: string | undefined; ; before = walked.at(-1)) {
    const page = one.requests({ state: 'pending', limit: 4, ...(before && { before }) })
    if (page.length === 0) break
    walked.push(...page.map(({ id }) => id))
  }
  expect(walked).toEqual(all.filter((id) => id !== 'r-12').reverse())
  const ids = (filter: object) => one.requests({ limit: 9, ...filter }).map(({ id }) => id)
  expect(ids({ begins: 'r-1', before: 'r-12' })).toEqual(['r-11', 'r-10'])
  expect(ids({ begins: 'r-12' })).toEqual(['r-12'])
  expect(ids({ begins: '%' })).toEqual([])
  expect(ids({ before: 'r-unknown' })).toEqual([])
  const sessions = ['a1', 'a2', 'a3'].map(session)
  for (const row of sessions) one.addSession(row)
  const older = one.sessions({ before: 'a2', limit: 9 })
  expect(older.map(({ id }) => id)).toEqual(['a1'])
})

test('random writes of two processes: each sees what a store without a memory sees', () => {
  let state = 20_261_126
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  for (let step = 0; step < 300; step += 1) {
    const [writer, reader] = random(2) === 0 ? [one, other] : [other, one]
    const id = `s${random(8)}`
    const known = writer.sessionByAccessKey(`KEY${id}`)
    if (known === undefined) writer.addSession(session(id))
    else writer.closeSession(id, step)
    for (const store of [writer, reader, one]) {
      const all = store.sessions() // never remembered
      for (const row of all) expect(store.sessionByAccessKey(row.accessKeyId)).toEqual(row)
    }
  }
})

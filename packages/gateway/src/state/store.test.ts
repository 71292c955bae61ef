// What the store remembers is what the database says now, whoever wrote it last.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Engine, engines } from './engines.fixture.ts'
import type { Database } from './sql.ts'
import { SqlStore } from './sql-store.ts'
import type { RequestRow, SessionRow, Store } from './store.ts'

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
    suspendedAtMs: null,
    task: null,
    instigators: [],
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

for (const engine of await engines()) {
  const words = engine.absent === null ? engine.name : `${engine.name} (skipped: ${engine.absent})`
  describe.skipIf(engine.absent !== null)(words, () => held(engine))
}

function held(engine: Engine): void {
  let one: Store
  let other: Store
  let database: Database

  beforeEach(async () => {
    const place = await engine.place()
    database = await engine.open(place)
    one = new SqlStore(database)
    other = new SqlStore(await engine.open(place))
  })

  afterEach(async () => {
    await one.close()
    await other.close()
  })

  afterAll(() => engine.end())

  test('figures count what is open now, of all that share the state, and nothing that ended', async () => {
    const now = 20
    expect(await one.figures(now)).toEqual({
      ...{ pendingRequests: 0, oldestPendingAtMs: null, readyGrants: 0, openSessions: 0 },
      ...{ openEffects: 0, followedEffects: 0, openBreakGlasses: 0, openAfterReviews: 0 },
    })
    await one.addSession({ ...session('open'), openedAtMs: 5, expiresAtMs: 100 })
    await one.addSession({ ...session('over'), openedAtMs: 5, expiresAtMs: now })
    await one.addRequest({ ...request('first'), openedAtMs: 7 })
    await one.addRequest({ ...request('second'), openedAtMs: 9 })
    await one.addRequest({ ...request('late'), openedAtMs: 3, expiresAtMs: now })
    await one.closeRequest('second', 'denied', 'bob', null)
    expect(await other.figures(now)).toMatchObject({
      ...{ pendingRequests: 1, oldestPendingAtMs: 7, openSessions: 1 },
    })
  })

  test('figures count a session that was given new keys however old it is, and effects from intent to outcome', async () => {
    const days = 24 * 60 * 60_000
    await one.activateEpoch(epoch(1))
    await one.addSession({ ...session('s'), expiresAtMs: 2 * days })
    const keys = { accessKeyId: 'NEW', secretAccessKey: 'new', expiresAtMs: 3 * days }
    expect(await one.resumeSession('s', keys, days)).toBeDefined()
    expect(await other.figures(2 * days)).toMatchObject({ openSessions: 1 })
    expect(await other.figures(3 * days)).toMatchObject({ openSessions: 0 })

    for (const id of ['e-1', 'e-2']) {
      const effect = { id, sessionId: 's', operation: 'x' }
      expect(await one.beginEffect(effect, id, 1, days)).toBe(true)
    }
    // As the ledger of several gateways does when it has the intent, and then the outcome.
    await database.run(`UPDATE effects SET state = 'begun' WHERE id = 'e-1'`)
    expect(await one.figures(days)).toMatchObject({ openEffects: 2 })
    await database.run(`UPDATE effects SET state = 'ended' WHERE id = 'e-1'`)
    expect(await one.figures(days)).toMatchObject({ openEffects: 1 })
    await one.endEffect('e-2')
    expect(await one.figures(days)).toMatchObject({ openEffects: 0 })
  })

  test('suspended sessions are those that have not ended, the newest first, and so many of them', async () => {
    for (const [id, parent, expiresAtMs] of [
      ['over', null, 20],
      ['first', null, 100],
      ['second', null, 100],
      ['closed', null, 100],
      ['child', 'second', 100],
      ['open', null, 100],
    ] as const) {
      await one.addSession({ ...session(id), parent, expiresAtMs })
    }
    for (const [at, id] of ['over', 'first', 'second', 'closed'].entries())
      expect(await one.suspendSession(id, `KEY${id}`, at + 2)).toBe(true)
    await one.closeSession('closed', 10)
    const listed = async (limit: number, nowMs: number) =>
      (await other.suspendedSessions(limit, nowMs)).map(({ id }) => id)
    expect(await listed(10, 19)).toEqual(['second', 'first', 'over'])
    expect(await listed(10, 20)).toEqual(['second', 'first'])
    expect(await listed(1, 20)).toEqual(['second'])
  })

  test('a session that another process closed is closed here at the next look', async () => {
    await one.addSession(session('a'))
    expect((await one.sessionByAccessKey('KEYa'))?.closedAtMs).toBe(null)
    // The very same row: only an engine that tells of every commit remembers it.
    const again = await one.sessionByAccessKey('KEYa')
    expect(again === (await one.sessionByAccessKey('KEYa'))).toBe(engine.name === 'SQLite')
    await other.closeSession('a', 5)
    expect(await one.sessionByAccessKey('KEYa')).toMatchObject({
      closedAtMs: 5,
      secretAccessKey: '',
    })
  })

  test('a session closed here is closed at once, and one opened elsewhere is found', async () => {
    await one.addSession(session('a'))
    expect(await one.sessionByAccessKey('KEYb')).toBe(undefined)
    await one.closeSession('a', 5)
    expect((await one.sessionByAccessKey('KEYa'))?.closedAtMs).toBe(5)
    await other.addSession(session('b'))
    expect((await one.sessionByAccessKey('KEYb'))?.closedAtMs).toBe(null)
  })

  test('the epoch in force is the newest, whoever activated it', async () => {
    await one.activateEpoch(epoch(1))
    expect((await one.activeEpoch())?.number).toBe(1)
    await other.activateEpoch(epoch(2))
    expect((await one.activeEpoch())?.number).toBe(2)
    await one.activateEpoch(epoch(3))
    expect((await one.activeEpoch())?.number).toBe(3)
    expect((await other.activeEpoch())?.number).toBe(3)
  })

  test('nothing of a change that failed is remembered', async () => {
    await one.activateEpoch(epoch(1))
    await expect(one.activateEpoch(epoch(1))).rejects.toThrow()
    expect((await one.activeEpoch())?.version).toBe('v1')
  })

  test('C10 a grant rests on people: none is made or used with an approval by a key taken away elsewhere', async () => {
    const keyOf = (person: string) => ({
      fingerprint: `SHA256:${person}`,
      person,
      publicKey: 'a key',
      credentialId: null,
      addedAtMs: 1,
    })
    await one.foundGate(
      'gate',
      ['alice', 'bob', 'carol'].map((name) => ({
        person: { name, teams: [], addedAtMs: 1 },
        keys: [keyOf(name)],
      })),
    )
    await one.activateEpoch(epoch(1))
    await one.addSession({ ...session('a'), expiresAtMs: 1_000 })
    const removal = { kind: 'remove-person', person: 'bob' } as const
    const granted = async (id: string, version: number) => {
      await one.addRequest(request(id))
      const review = {
        requestId: id,
        reviewer: 'bob',
        verdict: 'approve',
        strength: 'hardware',
      } as const
      const grant = { id: `g-${id}`, requestId: id, sessionId: 'a', digest: 'd', epoch: 1 } as const
      return await one.addGrant(
        { ...grant, state: 'ready', expiresAtMs: 1_000, endedBy: null, endedWhy: null },
        { ...review, key: 'SHA256:bob', atMs: 2 },
        version,
      )
    }
    const effect = (id: string) => ({ id, sessionId: 'a', operation: 'x' })
    expect(await granted('r1', await one.peopleVersion())).toBe(true)
    expect(await one.consumeGrant('g-r1', effect('e1'), 's1', 3)).toBe(true)
    expect(await granted('r2', await one.peopleVersion())).toBe(true)
    const seen = await one.peopleVersion()
    expect(await other.applyPeopleChange(removal, 4, 4)).toMatchObject({
      revokedGrants: [{ id: 'g-r2', requestId: 'r2' }],
    })
    expect(await other.applyPeopleChange(removal, 4, 5)).toBe(undefined)
    expect(await one.consumeGrant('g-r2', effect('e2'), 's2', 5)).toBe(false)
    expect(await granted('r3', seen)).toBe(false)
    // Even where the grant was made against the new people, the approval in it is by nobody.
    expect(await granted('r4', await one.peopleVersion())).toBe(true)
    expect(await one.consumeGrant('g-r4', effect('e4'), 's4', 6)).toBe(false)
  })

  test('a change of people is applied once for its entry, whatever came after it', async () => {
    const added = { kind: 'add-team', person: 'bob', team: 'dba' } as const
    const removed = { kind: 'remove-team', person: 'bob', team: 'dba' } as const
    const bob = { name: 'bob', teams: ['sre'], addedAtMs: 1 }
    await one.foundGate('gate', [{ person: bob, keys: [] }])
    const teams = async () =>
      (await one.people()).find(({ name }) => name === 'bob')?.teams.includes('dba')
    expect(await one.applyPeopleChange(added, 1_000, 20)).toBeDefined()
    expect(await other.applyPeopleChange(removed, 2_000, 30)).toBeDefined()
    const version = await one.peopleVersion()
    // As one gateway after another hears of both.
    for (const store of [one, other, one]) {
      expect(await store.applyPeopleChange(added, 1_000, 20)).toBe(undefined)
      expect(await teams()).toBe(false)
      expect(await store.applyPeopleChange(removed, 2_000, 30)).toBe(undefined)
    }
    await one.setPeopleFollowedTo(25)
    await other.setPeopleFollowedTo(10)
    expect(await other.peopleFollowedTo()).toBe(25)
    expect(await other.applyPeopleChange(added, 1_000, 20)).toBe(undefined)
    expect(await other.applyPeopleChange(added, 1_000, 24)).toBe(undefined)
    expect(await other.applyPeopleChange(removed, 2_000, 30)).toBe(undefined)
    expect(await one.peopleVersion()).toBe(version)
    // The same change, signed again later, is another entry.
    expect(await one.applyPeopleChange(added, 3_000, 31)).toBeDefined()
    expect(await teams()).toBe(true)
  })

  test('requests come in pages, newest first, whole and without one twice, also where many opened at once', async () => {
    const all = Array.from({ length: 25 }, (_, index) => `r-${String(index).padStart(2, '0')}`)
    for (const [index, id] of all.entries()) {
      await one.addRequest({ ...request(id), openedAtMs: Math.floor(index / 7) })
    }
    await one.closeRequest('r-12', 'denied', 'bob', '')
    const walked: string[] = []
    for (let before: string | undefined; ; before = walked.at(-1)) {
      const page = await one.requests({ state: 'pending', limit: 4, ...(before && { before }) })
      if (page.length === 0) break
      walked.push(...page.map(({ id }) => id))
    }
    expect(walked).toEqual(all.filter((id) => id !== 'r-12').reverse())
    const ids = async (filter: object) =>
      (await one.requests({ limit: 9, ...filter })).map(({ id }) => id)
    expect(await ids({ begins: 'r-1', before: 'r-12' })).toEqual(['r-11', 'r-10'])
    expect(await ids({ begins: 'r-12' })).toEqual(['r-12'])
    expect(await ids({ begins: '%' })).toEqual([])
    expect(await ids({ before: 'r-unknown' })).toEqual([])
    const sessions = ['a1', 'a2', 'a3'].map(session)
    for (const row of sessions) await one.addSession(row)
    const older = await one.sessions({ before: 'a2', limit: 9 })
    expect(older.map(({ id }) => id)).toEqual(['a1'])
  })

  test('after a restore nothing is open: sessions, requests, approvals, sign-ins, changes signed in part', async () => {
    await one.activateEpoch(epoch(1))
    for (const id of ['a', 'b']) await one.addSession(session(id))
    await one.closeSession('b', 2)
    for (const id of ['r1', 'r2']) await one.addRequest(request(id))
    const review = {
      requestId: 'r1',
      reviewer: 'bob',
      verdict: 'approve',
      strength: 'software',
      key: 'k',
      atMs: 2,
    } as const
    const grant = {
      id: 'g1',
      requestId: 'r1',
      sessionId: 'a',
      digest: 'd',
      epoch: 1,
      state: 'ready',
      expiresAtMs: 900,
      endedBy: null,
      endedWhy: null,
    } as const
    expect(await one.addGrant(grant, review, await one.peopleVersion())).toBe(true)
    const reads = {
      tokenSha256: 't',
      kind: 'cli',
      person: 'bob',
      key: null,
      peer: null,
      expiresAtMs: 900,
    } as const
    expect(await one.addSignIn(reads, 5, 2)).toBe(true)
    await one.setMeta('activation', '{}')
    // The other process remembers what it read before.
    expect(await other.sessionByAccessKey('KEYa')).toMatchObject({ closedAtMs: null })
    expect(await one.endEverything(3)).toEqual({ sessions: 1, grants: 1, requests: 1 })
    expect(await other.sessionByAccessKey('KEYa')).toMatchObject({
      closedAtMs: 3,
      secretAccessKey: '',
      maskKey: '',
    })
    expect(await other.session('b')).toMatchObject({ closedAtMs: 2 })
    expect(await other.request('r2')).toMatchObject({ state: 'cancelled' })
    expect(await other.grantForRequest('r1')).toMatchObject({ state: 'revoked' })
    const effect = { id: 'e', sessionId: 'a', operation: 'x' }
    expect(await other.consumeGrant('g1', effect, 's', 4)).toBe(false)
    expect([await other.signIn('t'), await other.meta('activation')]).toEqual([
      undefined,
      undefined,
    ])
    expect(await one.endEverything(5)).toEqual({ sessions: 0, grants: 0, requests: 0 })
  })

  test('random writes of two processes: each sees what a store without a memory sees', async () => {
    let state = 20_261_126
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    for (let step = 0; step < 300; step += 1) {
      const [writer, reader] = random(2) === 0 ? [one, other] : [other, one]
      const id = `s${random(8)}`
      const known = await writer.sessionByAccessKey(`KEY${id}`)
      if (known === undefined) await writer.addSession(session(id))
      else await writer.closeSession(id, step)
      for (const store of [writer, reader, one]) {
        const all = await store.sessions() // never remembered
        for (const row of all) expect(await store.sessionByAccessKey(row.accessKeyId)).toEqual(row)
      }
    }
  })

  test('plans and break-glasses come by pages, newest first, none twice and none left out', async () => {
    for (const [number, openedAtMs] of [30, 10, 20, 20, 40].entries()) {
      const whose = { sessionId: `s-${number}`, operator: `person-${number}`, epoch: 1, openedAtMs }
      await one.addBreakGlass({
        ...{ ...whose, id: `b-${number}`, reason: 'the site is down', effects: [], resources: [] },
        ...{ strength: 'hardware', untilMs: 50, effectsMax: 1, used: 0, closedAtMs: null },
      })
      const plan = { ...whose, id: `p-${number}`, state: 'recording', reason: 'r' } as const
      await one.addPlan({ ...plan, stoppedAt: null, why: null })
    }
    const pages = async (read: (of: { limit: number; before?: string }) => Promise<Ids>) => {
      const all: string[] = []
      for (let before: string | undefined; all.length < 9; before = all.at(-1)) {
        const page = await read({ limit: 2, ...(before !== undefined && { before }) })
        if (page.length === 0) break
        all.push(...page.map(({ id }) => id))
      }
      return all
    }
    expect(await pages((of) => other.breakGlasses(of))).toEqual(['b-4', 'b-0', 'b-3', 'b-2', 'b-1'])
    expect(await pages((of) => other.plans(of))).toEqual(['p-4', 'p-0', 'p-3', 'p-2', 'p-1'])
    await one.addBreakGlassReview({ breakGlass: 'b-0', reviewer: 'x', comment: 'c', atMs: 1 }, 1)
    const unclosed = (await other.unclosedBreakGlasses()).map(({ id }) => id)
    expect(unclosed).toHaveLength(4)
    expect(unclosed[0]).toBe('b-4')
    expect(unclosed).not.toContain('b-0')
  })
}

type Ids = readonly { readonly id: string }[]

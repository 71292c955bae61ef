// Where a session's keys may be used from, against the real state and any peer that a door may measure.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type OwedText, owedText } from '../lib/owed-id.ts'
import { openSqliteStore } from '../state/open-store.ts'
import type { SessionRow, Store } from '../state/store.ts'
import { requirePeer, type Shown } from './session-peer.ts'

const elsewhere = { code: 'session_elsewhere' }

let store: Store
let recorded: Record<string, unknown>[]

beforeEach(() => {
  store = openSqliteStore(':memory:')
  recorded = []
})

afterEach(() => store.close())

const sessionOf = (id: string, parent: string | null = null): SessionRow => ({
  ...{ id, parent, accessKeyId: `KEY${id}`, secretAccessKey: 'secret', maskKey: '00' },
  ...{ agent: 'agent', operator: 'alice', roleName: 'r', roleArn: 'arn:aws:iam::1:role/r' },
  ...{
    openedAtMs: 1,
    expiresAtMs: 10,
    closedAtMs: null,
    suspendedAtMs: null,
    task: null,
    instigators: [],
  },
})

async function opened(id: string, parent: string | null = null): Promise<SessionRow> {
  const session = sessionOf(id, parent)
  if (parent === null) await store.addSession(session)
  else expect(await store.addChild(session, `KEY${parent}`, 20, 1)).toBe(true)
  return session
}

function use(session: SessionRow, peer: string | null, shown?: Shown): Promise<void> {
  const recorder = {
    owed: (entry: object) => ({ ...owedText(entry), sinceMs: 5 }),
    recordOwed: async (owed: readonly OwedText[]) => {
      recorded.push(...owed.map(({ text }) => JSON.parse(text)))
    },
  }
  return requirePeer(
    { store, recorder, clock: { nowMs: () => 5 } },
    session,
    async () => peer,
    shown,
  )
}

test('H17 the first peer is the only one, a child goes with its parent, and another one suspends both', async () => {
  const session = await opened('s-1')
  await use(session, 'address 192.0.2.1')
  const child = await opened('s-2', 's-1')
  await use(session, 'address 192.0.2.1')
  await use(child, 'address 192.0.2.1')
  await expect(use(child, 'user 1000')).rejects.toMatchObject(elsewhere)
  await expect(use(session, 'address 192.0.2.2')).rejects.toMatchObject(elsewhere)
  expect(recorded).toEqual([
    {
      type: 'session-suspended',
      session: 's-1',
      operator: 'alice',
      used: 's-2',
      accessKeyId: 'KEYs-2',
      from: 'user 1000',
    },
  ])
  for (const id of ['s-1', 's-2']) expect((await store.session(id))?.suspendedAtMs).toBe(5)
  expect(await store.suspendedSessions(10, 5)).toMatchObject([{ id: 's-1' }])
  await use(await opened('s-3'), 'user 1000')
})

test('H17 a peer that was not seen, and a URL that was handed on, are refused and suspend nothing', async () => {
  const session = await opened('s-1')
  await use(session, 'user 1')
  await expect(use(session, null)).rejects.toMatchObject(elsewhere)
  await expect(use(session, 'user 2', 'url')).rejects.toMatchObject(elsewhere)
  expect(recorded).toEqual([])
  await use(session, 'user 1')
})

test('H17 what cannot be told binds nothing, and a later peer that can does', async () => {
  const session = await opened('s')
  await use(session, null)
  await use(session, 'user 7')
  await expect(use(session, 'user 8')).rejects.toMatchObject(elsewhere)
})

test('H17 of two peers at the same time, one is the first', async () => {
  const session = await opened('s')
  const uses = ['user 1', 'user 2', 'user 3'].map((peer) => use(session, peer))
  const ended = await Promise.allSettled(uses)
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(recorded).toHaveLength(1)
})

test('H17 keys that were replaced bind nothing and suspend nothing, whoever still holds them', async () => {
  const old = await opened('s')
  await use(old, 'user 1')
  const child = await opened('s-child', 's')
  const keys = { accessKeyId: 'NEW', secretAccessKey: 'other', expiresAtMs: 20 }
  expect(await store.resumeSession('s', keys, 6)).toMatchObject({ children: ['s-child'] })
  await expect(use(old, 'user 2')).rejects.toMatchObject({ code: 'session_closed' })
  await expect(use(child, 'user 2')).rejects.toMatchObject({ code: 'session_closed' })
  expect(await store.sessionByAccessKey('KEYs')).toBeUndefined()
  const now = (await store.sessionByAccessKey('NEW')) as SessionRow
  expect(now).toMatchObject({ id: 's', secretAccessKey: 'other', maskKey: '00', expiresAtMs: 20 })
  await use(now, 'user 3')
  await expect(use(old, 'user 1')).rejects.toMatchObject(elsewhere)
  expect(recorded).toEqual([])
  expect(await store.resumeSession('s-child', keys, 6)).toBeUndefined()
})

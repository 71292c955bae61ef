// Where a session's keys may be used from, against the real state and any peer that a door may measure.
import { expect, test } from 'vitest'
import { openSqliteStore } from '../state/open-store.ts'
import { requirePeer } from './session-peer.ts'

const elsewhere = { code: 'session_elsewhere' }

test('H17 the first peer is the only one; a child goes with its parent', async () => {
  const store = openSqliteStore(':memory:')
  const use = (peer: string | null, id = 's-1', parent: string | null = null) =>
    requirePeer(store, { id, parent }, async () => peer)
  await use('address 192.0.2.1')
  await use('address 192.0.2.1')
  for (const other of ['address 192.0.2.2', 'user 1000', null]) {
    await expect(use(other)).rejects.toMatchObject(elsewhere)
  }
  await use('address 192.0.2.1', 's-2', 's-1')
  await expect(use('user 1000', 's-2', 's-1')).rejects.toMatchObject(elsewhere)
  await use('user 1000', 's-3')
  await store.close()
})

test('H17 what cannot be told binds nothing, and a later peer that can does', async () => {
  const store = openSqliteStore(':memory:')
  const use = (peer: string | null) =>
    requirePeer(store, { id: 's', parent: null }, async () => peer)
  await use(null)
  await use('user 7')
  await expect(use('user 8')).rejects.toMatchObject(elsewhere)
  await expect(use(null)).rejects.toMatchObject(elsewhere)
  await store.close()
})

test('H17 of two peers at the same time, one is the first', async () => {
  const store = openSqliteStore(':memory:')
  const uses = ['user 1', 'user 2', 'user 3'].map((peer) =>
    requirePeer(store, { id: 's', parent: null }, async () => peer),
  )
  const ended = await Promise.allSettled(uses)
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  await store.close()
})

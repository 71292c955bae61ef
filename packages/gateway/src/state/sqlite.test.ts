// The port on SQLite: one connection, and what is in a transaction is nobody else's until it is over.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MIGRATIONS } from './schema.ts'
import type { Database } from './sql.ts'
import { openSqlite } from './sqlite.ts'

let folder: string
let database: Database

const path = () => join(folder, 'state.db')
const set = 'INSERT INTO meta (key, value) VALUES (?, ?)'
const keys = async () =>
  (await database.all('SELECT key FROM meta ORDER BY key')).map(({ key }) => key)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seconder-sqlite-'))
  database = openSqlite(path())
})

afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

test('what falls into an open transaction waits for its end, in the order it came', async () => {
  const order: string[] = []
  const seen = async (words: string) => {
    order.push(`${words} ${(await keys()).join()}`)
  }
  const first = database.transaction(async (sql) => {
    await sql.run(set, 'a', '1')
    // Many turns, in which whoever has no part in it could slip in.
    for (let turn = 0; turn < 20; turn++) await sql.one('SELECT 1 AS yes')
    order.push('first')
    return false
  })
  const outside = seen('outside')
  const second = database.transaction(async (sql) => {
    await sql.run(set, 'b', '1')
    order.push('second')
    return true
  })
  const alone = database.run(set, 'c', '1')
  await Promise.all([first, outside, second, alone, seen('last')])
  expect(order).toEqual(['first', 'second', 'outside ', 'last b,c'])
})

test('an error rolls back, is thrown on, and the next transaction begins', async () => {
  const failing = database.transaction(async (sql) => {
    await sql.run(set, 'a', '1')
    await sql.run(set, 'a', '2')
    return true
  })
  await expect(failing).rejects.toThrow(/UNIQUE/)
  expect(await database.transaction((sql) => sql.run(set, 'b', '1'))).toBe(1)
  expect(await keys()).toEqual(['b'])
})

test('the version is the same until somebody commits, here or in another process', async () => {
  const other = openSqlite(path())
  const before = database.version()
  await keys()
  expect(database.version()).toBe(before)
  await database.run(set, 'a', '1')
  const after = database.version()
  expect(after).not.toBe(before)
  await other.run(set, 'b', '1')
  expect(database.version()).not.toBe(after)
  const whole = database.version()
  await other.transaction(async (sql) => (await sql.run(set, 'c', '1')) === 0)
  expect(database.version()).toBe(whole)
  await other.close()
})

test('a change that may be lost with a loss of power leaves every later one durable', async () => {
  await database.transaction((sql) => sql.run(set, 'a', '1'), { soonDurable: true })
  // Source: https://sqlite.org/pragma.html#pragma_synchronous (2 is FULL)
  expect(await database.one('PRAGMA synchronous')).toEqual({ synchronous: 2 })
})

test('a database of a newer version is refused by name, and nothing of it is changed', async () => {
  const newer = MIGRATIONS.length + 1
  const raw = new DatabaseSync(path())
  raw.exec(`PRAGMA user_version = ${newer}`)
  expect(() => openSqlite(path())).toThrow(
    expect.objectContaining({
      code: 'state_error',
      message: expect.stringContaining(`version ${newer}, this build knows ${MIGRATIONS.length}`),
    }),
  )
  expect(raw.prepare('PRAGMA user_version').get()).toEqual({ user_version: newer })
  raw.close()
})

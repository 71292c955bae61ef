// Migrations from every earlier version, with rows in every table it had: nothing of them is lost, and what is
// new has what it should for them. A database of a newer version is refused by name.
import { afterAll, describe, expect, test } from 'vitest'
import { type Engine, engines } from './engines.fixture.ts'
import { MIGRATIONS } from './schema.ts'
import type { Database, Row, SqlValue } from './sql.ts'
import { SqlStore } from './sql-store.ts'

/** Columns of each table as some migration made them, in order. */
const COLUMNS = /CREATE TABLE (\w+) \(([\s\S]*?)\);|ALTER TABLE (\w+) ADD COLUMN (\w+ \w+)/g

/** What a table of the first `count` migrations has: name and type of each column. */
function tablesOf(count: number): Map<string, [name: string, type: string][]> {
  const tables = new Map<string, [string, string][]>()
  for (const [, created, body = '', altered, added = ''] of MIGRATIONS.slice(0, count)
    .join('\n')
    .matchAll(COLUMNS)) {
    const table = created ?? altered ?? ''
    const texts = created === undefined ? [added] : body.split(/,(?![^(]*\))/)
    const columns = texts
      .map((text) => text.trim().split(/\s+/))
      .filter(([name]) => name !== 'PRIMARY')
      .map(([name = '', type = '']): [string, string] => [name, type])
    tables.set(table, [...(tables.get(table) ?? []), ...columns])
  }
  return tables
}

/** Times are past 2^31, as every time in milliseconds is; every text is JSON that each column can hold. */
function sampleOf(table: string, column: string, type: string): string | number | null {
  if (column === 'removed_at_ms') return null
  if (type === 'TEXT') return /^(kind|state)$/.test(column) ? 'pending' : `["${table} ${column}"]`
  return type === 'BIGINT' ? 1_795_000_000_000 : 7
}

async function fill(database: Database, count: number): Promise<Map<string, Row>> {
  const rows = new Map<string, Record<string, SqlValue>>()
  for (const [table, columns] of tablesOf(count)) {
    const row = Object.fromEntries(
      columns.map(([name, type]) => [name, sampleOf(table, name, type)]),
    )
    rows.set(table, row)
    await database.run(
      `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      ...Object.values(row),
    )
  }
  return rows
}

for (const engine of await engines()) {
  const words = engine.absent === null ? engine.name : `${engine.name} (skipped: ${engine.absent})`
  describe.skipIf(engine.absent !== null)(words, () => migrated(engine))
}

function migrated(engine: Engine): void {
  afterAll(() => engine.end())

  for (let count = 1; count < MIGRATIONS.length; count++) {
    test(`from version ${count}: every row is there, and readable as this build reads it`, async () => {
      const place = await engine.place()
      const older = await engine.openOlder(place, count)
      const rows = await fill(older, count)
      await older.close()
      const database = await engine.open(place)
      for (const [table, row] of rows) {
        expect(await database.all(`SELECT * FROM ${table}`), table).toMatchObject([row])
      }
      const store = new SqlStore(database)
      const { id = '' } = rows.get('requests') ?? {}
      expect(await store.request(String(id))).toMatchObject({ openedAtMs: 1_795_000_000_000 })
      expect(await store.activeEpoch()).toMatchObject({ number: 7 })
      expect(await store.people()).toMatchObject([{ addedAtMs: 1_795_000_000_000 }])
      await store.close()
      // Once more, as the next start does: nothing is left to make.
      const again = await engine.open(place)
      expect(await again.all('SELECT * FROM meta')).toHaveLength(1)
      await again.close()
    })
  }

  test('a database of a newer version is refused by name', async () => {
    const place = await engine.place()
    await (await engine.open(place)).close()
    await expect(engine.openOlder(place, MIGRATIONS.length - 1)).rejects.toMatchObject({
      code: 'state_error',
      message: expect.stringMatching(/newer|version/),
      help: 'start the newer Seconder that wrote it',
    })
  })
}

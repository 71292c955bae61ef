// Brings a PostgreSQL database to this build's tables: one statement of DDL at a time, each of which may
// run twice, so that gates that start at once, or die in between, need no lock of the server's.
import { GatewayError } from '../errors.ts'
import type { PostgresDatabase } from './postgres.ts'

/** A list of migrations, and the name that its progress is kept under. */
export interface Migrations {
  readonly name: string
  readonly texts: readonly string[]
}

/** Another gate made the same thing in the same moment. */
const MADE_MEANWHILE = /\b(23505|42P07|42701|42710|XX000)$/
const ATTEMPTS_MAX = 50

/**
 * Makes what is missing. Forward only: a statement that was released is never changed.
 * Errors: `state_error` where the database is of a newer Seconder, or does not answer.
 */
export async function migratePostgres(
  database: PostgresDatabase,
  lists: readonly Migrations[],
): Promise<void> {
  const collate = await collation(database)
  await made(database, progressTable(collate))
  for (const { name, texts } of lists) {
    await database.run(
      'INSERT INTO migrations (name, done) VALUES (?, 0) ON CONFLICT DO NOTHING',
      name,
    )
    const statements = texts.flatMap((text) => statementsOf(text, collate))
    for (;;) {
      const done = Number(
        (await database.one('SELECT done FROM migrations WHERE name = ?', name))?.['done'],
      )
      if (done > statements.length) throw newer(name)
      const next = statements[done]
      if (next === undefined) break
      await made(database, next)
      // Only one of those who made it goes on; who is late looks where things are now.
      await database.run(
        'UPDATE migrations SET done = ? WHERE name = ? AND done = ?',
        done + 1,
        name,
        done,
      )
    }
  }
}

function progressTable(collate: string): string {
  return `CREATE TABLE IF NOT EXISTS migrations (name TEXT${collate} PRIMARY KEY, done BIGINT NOT NULL)`
}

/**
 * Ids are compared by their bytes, as SQLite does. Asked by what it does, not by its name: that has many.
 */
async function collation(database: PostgresDatabase): Promise<string> {
  const probe = `SELECT ('B' < 'a' AND 'a~' > 'ab' AND 'a-c' < 'ab') AS bytes`
  return (await database.one(probe))?.['bytes'] === 1 ? '' : ' COLLATE "C"'
}

/** The statements of one migration, in PostgreSQL's words, each of which may run again. */
export function statementsOf(text: string, collate: string): string[] {
  return text
    .split(';')
    .map((statement) => statement.trim().replace(/\s+/g, ' '))
    .filter((statement) => statement !== '')
    .map((statement) =>
      statement
        .replace(/\bINTEGER\b/g, 'BIGINT')
        .replace(/\bTEXT\b/g, `TEXT${collate}`)
        .replace(/ WITHOUT ROWID$/, '')
        .replace(/^CREATE (TABLE|INDEX|UNIQUE INDEX) /, 'CREATE $1 IF NOT EXISTS ')
        .replace(/^(ALTER TABLE \w+ ADD COLUMN) /, '$1 IF NOT EXISTS '),
    )
}

async function made(database: PostgresDatabase, statement: string): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await database.define(statement)
    } catch (cause) {
      const isRace = cause instanceof GatewayError && MADE_MEANWHILE.test(cause.message)
      if (!isRace || attempts >= ATTEMPTS_MAX) throw cause
    }
  }
}

function newer(name: string): GatewayError {
  return new GatewayError(
    'state_error',
    `the state database was written by a newer Seconder (${name})`,
    'start the newer Seconder that wrote it',
  )
}

// The state on SQLite (node:sqlite): WAL, synchronous=FULL, one connection that one transaction has at a time.
// A statement runs whole in one turn; what falls into an open transaction waits for its end.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { MIGRATIONS, newerDatabase } from './schema.ts'
import type { Database, Durability, Row, Sql, SqlValue } from './sql.ts'

/**
 * Returns the database in the file at `path`, created (folder mode 0700, file 0600) and migrated as needed.
 * Errors: `state_error` when the file belongs to a newer version of Seconder.
 */
export function openSqlite(path: string, migrations = MIGRATIONS): Database {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Its write-ahead files get the mode of the database. Source: https://sqlite.org/wal.html, "Files".
    closeSync(openSync(path, 'a', 0o600))
  }
  const database = new DatabaseSync(path)
  try {
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;',
    )
    migrate(database, migrations)
  } catch (cause) {
    database.close()
    throw cause
  }
  return new SqliteDatabase(database)
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  const found = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (found.user_version > migrations.length) throw newerDatabase(found.user_version)
  for (let version = found.user_version; version < migrations.length; version++) {
    database.exec(
      `BEGIN IMMEDIATE; ${migrations[version]} PRAGMA user_version = ${version + 1}; COMMIT;`,
    )
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly isRead: boolean
}

class SqliteDatabase implements Database {
  readonly engine = 'sqlite'
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Prepared>()
  readonly #dataVersion: StatementSync
  /** Counts what was written over this connection, which `data_version` does not tell of. */
  #written = 0
  #isTaken = false
  /** Whoever waits for the connection; each transaction is over within a few turns of the promise queue. */
  readonly #waiting: (() => void)[] = []

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#dataVersion = database.prepare('PRAGMA data_version')
    this.#dataVersion.setReturnArrays(true)
  }

  async one(sql: string, ...values: SqlValue[]): Promise<Row | undefined> {
    if (this.#isTaken) return this.#alone(() => this.#one(sql, values))
    return this.#one(sql, values)
  }

  async all(sql: string, ...values: SqlValue[]): Promise<Row[]> {
    if (this.#isTaken) return this.#alone(() => this.#all(sql, values))
    return this.#all(sql, values)
  }

  async run(sql: string, ...values: SqlValue[]): Promise<number> {
    if (this.#isTaken) return this.#alone(() => this.#run(sql, values))
    return this.#run(sql, values)
  }

  /**
   * As the port says. A change that may be lost with a loss of power is one that is synced with the next other.
   * Source: https://sqlite.org/pragma.html#pragma_synchronous (NORMAL in WAL mode)
   */
  transaction<T>(
    work: (sql: Sql) => Promise<T | false>,
    { soonDurable = false }: Durability = {},
  ): Promise<T | false> {
    return this.#alone(async () => {
      if (soonDurable) this.#database.exec('PRAGMA synchronous = NORMAL')
      try {
        return await this.#whole(work)
      } finally {
        if (soonDurable) this.#database.exec('PRAGMA synchronous = FULL')
      }
    })
  }

  async #whole<T>(work: (sql: Sql) => Promise<T | false>): Promise<T | false> {
    this.#prepared('BEGIN IMMEDIATE').statement.run()
    try {
      const result = await work(this.#inside)
      this.#prepared(result === false ? 'ROLLBACK' : 'COMMIT').statement.run()
      return result
    } catch (cause) {
      // SQLite itself rolls back at some errors, as at a full disk.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw cause
    } finally {
      this.#written++
    }
  }

  readonly #inside: Sql = {
    one: async (sql, ...values) => this.#one(sql, values),
    all: async (sql, ...values) => this.#all(sql, values),
    run: async (sql, ...values) => this.#run(sql, values),
  }

  /** Runs `work` when everything that came before has ended, and nothing of anybody else's in between. */
  async #alone<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isTaken = true
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // Handed over as it is, so that nothing slips in between.
      if (next) next()
      else this.#isTaken = false
    }
  }

  #prepared(sql: string): Prepared {
    let known = this.#statements.get(sql)
    if (!known) {
      known = { statement: this.#database.prepare(sql), isRead: /^\s*SELECT\b/.test(sql) }
      this.#statements.set(sql, known)
    }
    return known
  }

  #one(sql: string, values: readonly SqlValue[]): Row | undefined {
    return this.#counted(sql).get(...values) as Row | undefined
  }

  #all(sql: string, values: readonly SqlValue[]): Row[] {
    return this.#counted(sql).all(...values) as Row[]
  }

  #run(sql: string, values: readonly SqlValue[]): number {
    return Number(this.#counted(sql).run(...values).changes)
  }

  #counted(sql: string): StatementSync {
    const { statement, isRead } = this.#prepared(sql)
    if (!isRead) this.#written++
    return statement
  }

  /** Source: https://sqlite.org/pragma.html#pragma_data_version (changes with the commits of others alone) */
  version(): string {
    const [others] = this.#dataVersion.get() as unknown as [number]
    return `${others} ${this.#written}`
  }

  async close(): Promise<void> {
    await this.#alone(() => {
      this.#statements.clear()
      this.#database.close()
    })
  }
}

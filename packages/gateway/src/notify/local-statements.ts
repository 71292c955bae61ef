// Prepared statements and transactions over a SQLite database of this host alone, which nothing else writes.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

type Row = Record<string, unknown>

export class LocalStatements {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  private prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  protected one(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.prepare(sql).get(...values) as Row | undefined
  }

  protected all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.prepare(sql).all(...values) as Row[]
  }

  /** Runs one change; returns how many rows it touched. */
  protected run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepare(sql).run(...values).changes)
  }

  /** One durable transaction; `false` from `work` rolls it back. */
  protected transaction<T>(work: () => T | false): T | false {
    this.prepare('BEGIN IMMEDIATE').run()
    try {
      const result = work()
      this.prepare(result === false ? 'ROLLBACK' : 'COMMIT').run()
      return result
    } catch (cause) {
      this.#database.exec('ROLLBACK')
      throw cause
    }
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}

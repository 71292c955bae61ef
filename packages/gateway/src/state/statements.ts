// Prepared statements and transactions over one SQLite database: what the Store is written in.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

type Row = Record<string, unknown>

export class Statements {
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

  /** One transaction; `false` from `work` rolls it back. */
  protected transaction<T>(work: () => T | false): T | false {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec(result === false ? 'ROLLBACK' : 'COMMIT')
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

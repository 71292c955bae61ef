// Prepared statements and transactions over one SQLite database: what the Store is written in. What
// every call asks for is remembered until anything is written, here or by another process.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

type Row = Record<string, unknown>

/** Rows remembered at once; past that, all are forgotten. */
export const REMEMBERED_MAX = 1_024

export class Statements {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #remembered = new Map<string, unknown>()
  readonly #dataVersion: StatementSync
  /** The version of the database that what is remembered was read at. */
  #rememberedAt: unknown

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#dataVersion = database.prepare('PRAGMA data_version')
    this.#dataVersion.setReturnArrays(true)
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

  /**
   * What `read` returns, remembered under `key` until this process writes anything or another one has
   * committed. Undefined is not remembered. Only for what is never changed once it was handed out.
   * Source: https://sqlite.org/pragma.html#pragma_data_version (changes with the commits of others alone)
   */
  protected remembered<T>(key: string, read: () => T | undefined): T | undefined {
    const [version] = this.#dataVersion.get() as unknown as [unknown]
    if (version !== this.#rememberedAt || this.#remembered.size >= REMEMBERED_MAX) this.#forget()
    this.#rememberedAt = version
    const known = this.#remembered.get(key) as T | undefined
    if (known !== undefined) return known
    const found = read()
    if (found !== undefined) this.#remembered.set(key, found)
    return found
  }

  #forget(): void {
    this.#remembered.clear()
  }

  /** Runs one change; returns how many rows it touched. */
  protected run(sql: string, ...values: SQLInputValue[]): number {
    this.#forget()
    return Number(this.prepare(sql).run(...values).changes)
  }

  /**
   * One transaction, whole at once for every reader and after the death of this process; a loss of power
   * may take it until the next durable one. Only for what the ledger has too: see `restoreEffect`.
   * Source: https://sqlite.org/pragma.html#pragma_synchronous (NORMAL in WAL mode)
   */
  protected transactionSoonDurable<T>(work: () => T | false): T | false {
    return this.#soonDurable(() => this.transaction(work))
  }

  /** The same for one change. */
  protected runSoonDurable(sql: string, ...values: SQLInputValue[]): number {
    return this.#soonDurable(() => this.run(sql, ...values))
  }

  #soonDurable<T>(work: () => T): T {
    this.#database.exec('PRAGMA synchronous = NORMAL')
    try {
      return work()
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL')
    }
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
    } finally {
      this.#forget()
    }
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}

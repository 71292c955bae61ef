// The port under the gate's state: one dialect of SQL that SQLite and PostgreSQL both run, and who runs it.
// `?` stands for each value. Nothing above this file knows which engine it is on.

export type SqlValue = string | number | null

/** A bigint of PostgreSQL may come as text or as a number: whoever reads a row says what it is. */
export type Row = Record<string, unknown>

export interface Sql {
  one(sql: string, ...values: SqlValue[]): Promise<Row | undefined>
  all(sql: string, ...values: SqlValue[]): Promise<Row[]>
  /** How many rows it touched. */
  run(sql: string, ...values: SqlValue[]): Promise<number>
}

export interface Durability {
  /**
   * Whole at once for every reader and after the death of this process, but a loss of power may take it until
   * the next durable change: only for what the ledger has too. An engine may make it durable all the same.
   */
  readonly soonDurable?: boolean
}

export interface Database extends Sql {
  readonly engine: 'sqlite' | 'postgres'
  /**
   * One durable transaction; `false` from `work` rolls it back, and so does an error, which is thrown on. `work`
   * may run again after a serialization failure, so it does nothing but SQL, all of it through its argument.
   */
  transaction<T>(
    work: (sql: Sql) => Promise<T | false>,
    durability?: Durability,
  ): Promise<T | false>
  /**
   * Equal to an earlier answer only while nothing was committed by anybody since then; null where an engine
   * cannot tell cheaply: then nothing that was read is remembered.
   */
  version(): string | null
  close(): Promise<void>
}

// The store of billing exports: one writer that replaces whole billing periods, and any number of
// readers that each see one moment of it. It answers no question itself; query.ts does.

import { rm } from 'node:fs/promises'
import type { DuckDBConnection, Json } from '@duckdb/node-api'
import { type DatabaseOptions, type OpenDatabase, openDatabase } from './database.ts'
import { CostStoreError, quoted } from './errors.ts'
import { ingest } from './ingest.ts'
import type { IngestReport } from './ingest-report.ts'
import { FILE_BYTES_MAX, stageFile } from './staging.ts'

export interface FocusCsv {
  /** The export's name: what a later delivery under the same name replaces. */
  readonly name: string
  /** CSV, plain or gzip: the bytes, or the path of a file. */
  readonly bytes: Uint8Array | string
  /** Most bytes of CSV after gunzip. */
  readonly bytesMax?: number
}

/** One row of an answer; decimals, dates and big integers are text. */
export type StoreRow = Readonly<Record<string, Json>>
export type Read = (sql: string, values?: readonly string[]) => Promise<readonly StoreRow[]>

export const READ_TIMEOUT_MS = 30_000

/** Opens a store, empty unless `path` names one. Error: `database_failed`. */
export async function openCostStore(options: DatabaseOptions = {}): Promise<CostStore> {
  const database = await openDatabase(options)
  return new CostStore(database, await database.instance.connect())
}

export class CostStore {
  readonly #database: OpenDatabase
  readonly #writer: DuckDBConnection
  #lastWrite: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(database: OpenDatabase, writer: DuckDBConnection) {
    this.#database = database
    this.#writer = writer
  }

  /**
   * Takes a FOCUS CSV of version 1.0 to 1.3 and replaces, all at once, every billing period it
   * holds under this name; other periods and names stay. The same file again costs one hash.
   * Errors: every CostStoreErrorCode but `too_slow`; nothing is changed then.
   */
  async ingestFocusCsv(csv: FocusCsv): Promise<IngestReport> {
    checkName(csv.name)
    this.#checkOpen()
    const file = await stageFile(
      csv.bytes,
      this.#database.stagingFolder,
      csv.bytesMax ?? FILE_BYTES_MAX,
    )
    try {
      return await this.#write(async () => {
        const report = await ingest(this.#writer, csv.name, file)
        if (!report.unchanged) await this.#advance()
        return report
      })
    } finally {
      await rm(file.path, { force: true })
    }
  }

  /** Removes every billing period of an export; how many there were. */
  async removeExport(name: string): Promise<number> {
    checkName(name)
    return this.#write(async () => {
      const mine = `SELECT delivery FROM delivery WHERE export = $1`
      await this.#writer.run(`DELETE FROM fact WHERE delivery IN (${mine})`, [name])
      await this.#writer.run(`DELETE FROM file WHERE export = $1`, [name])
      const removed = await this.#writer.run(`DELETE FROM delivery WHERE export = $1`, [name])
      await this.#advance()
      return removed.rowsChanged
    })
  }

  /**
   * What `work` makes of one moment of the store; `read` takes fixed SQL and text parameters.
   * Errors: `too_slow` past READ_TIMEOUT_MS, `database_failed`, `closed`; those of `work`.
   */
  async snapshot<T>(work: (read: Read) => Promise<T>, timeoutMs = READ_TIMEOUT_MS): Promise<T> {
    this.#checkOpen()
    const connection = await this.#database.instance.connect()
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      connection.interrupt()
    }, timeoutMs)
    const read: Read = async (sql, values = []) => {
      try {
        if (isLate) throw new Error('out of time before the statement')
        const reader = await connection.runAndReadAll(sql, [...values])
        return reader.getRowObjectsJson()
      } catch (error) {
        if (isLate) throw new CostStoreError('too_slow', `no answer in ${timeoutMs} ms`, error)
        throw new CostStoreError('database_failed', 'the costs could not be read', error)
      }
    }
    try {
      await connection.run('BEGIN TRANSACTION READ ONLY')
      return await work(read)
    } finally {
      clearTimeout(timer)
      // Closing ends the transaction, which has written nothing.
      connection.closeSync()
    }
  }

  /** Waits for a write that has begun, then frees everything; a store in memory is gone. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#lastWrite
    this.#writer.closeSync()
    await this.#database.close()
  }

  #checkOpen(): void {
    if (this.#closed) throw new CostStoreError('closed', 'the store is closed')
  }

  async #advance(): Promise<void> {
    await this.#writer.run('UPDATE revision SET revision = revision + 1')
  }

  /** One transaction after another. A crash inside one leaves what was before it. */
  #write<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastWrite.then(() => this.#transaction(work))
    this.#lastWrite = turn.catch(() => undefined)
    return turn
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    this.#checkOpen()
    await this.#writer.run('BEGIN TRANSACTION')
    try {
      const result = await work()
      await this.#writer.run('COMMIT')
      return result
    } catch (error) {
      await this.#rollBack(error)
      if (error instanceof CostStoreError) throw error
      throw new CostStoreError('database_failed', 'the export could not be stored', error)
    }
  }

  async #rollBack(reason: unknown): Promise<void> {
    try {
      await this.#writer.run('ROLLBACK')
    } catch (error) {
      const both = new AggregateError([reason, error])
      throw new CostStoreError('database_failed', 'the export could not be rolled back', both)
    }
  }
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9._/-]{1,128}$/.test(name)) return
  throw new CostStoreError('export_name_invalid', `${quoted(name)} is not a name of an export`)
}

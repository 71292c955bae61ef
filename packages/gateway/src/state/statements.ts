// What the Store is written in: one database behind its port, and what every call asks for remembered until
// anything is written, here or by another process.
import { Mutexes } from '../lib/mutexes.ts'
import type { Database, Durability, Sql } from './sql.ts'

/** Rows remembered at once; past that, all are forgotten. */
export const REMEMBERED_MAX = 1_024

export class Statements {
  protected readonly sql: Database
  /** Whose effects these are, where several gateways share the database; else ''. */
  protected readonly gateway: string
  readonly #mutexes: Mutexes
  readonly #remembered = new Map<string, unknown>()
  /** The version of the database that what is remembered was read at. */
  #rememberedAt: string | null = null

  /** `shared`: this gateway among those that share the database. */
  constructor(sql: Database, shared?: { readonly gateway: string; readonly mutexes: Mutexes }) {
    this.sql = sql
    this.gateway = shared?.gateway ?? ''
    this.#mutexes = shared?.mutexes ?? new Mutexes()
  }

  /**
   * What `read` returns, remembered under `key` while the database says that nothing was written. Undefined is
   * not remembered. Only for what is never changed once it was handed out.
   */
  protected async remembered<T>(
    key: string,
    read: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const version = this.sql.version()
    if (version === null) return read()
    if (version !== this.#rememberedAt || this.#remembered.size >= REMEMBERED_MAX) {
      this.#remembered.clear()
    }
    this.#rememberedAt = version
    const known = this.#remembered.get(key) as T | undefined
    if (known !== undefined) return known
    const found = await read()
    // What was written while it was read may be missing in it.
    if (found !== undefined && this.#rememberedAt === version && this.sql.version() === version) {
      this.#remembered.set(key, found)
    }
    return found
  }

  /**
   * One durable transaction; `false` from `work` rolls it back. All of its SQL goes through the argument, and it
   * does nothing else: it may run again.
   */
  protected transaction<T>(
    work: (sql: Sql) => Promise<T | false>,
    durability?: Durability,
  ): Promise<T | false> {
    return this.sql.transaction(work, durability)
  }

  alone<T>(
    name: string,
    work: () => Promise<T>,
    already?: () => Promise<T | undefined>,
  ): Promise<T> {
    return this.#mutexes.run(name, work, already)
  }

  async close(): Promise<void> {
    await this.sql.close()
  }
}

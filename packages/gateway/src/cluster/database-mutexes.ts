// One thing at a time for each key over all gateways: a row with an end by the database's clock, renewed
// while the work goes on. Who dies holding one keeps the others waiting for a few seconds, no longer.
import { randomUUID } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import { Mutexes } from '../lib/mutexes.ts'
import type { PostgresDatabase } from '../state/postgres.ts'
import { fence, type Lease, within, without } from './leases.ts'
import { DATABASE_NOW } from './schema.ts'

const HELD_MS = 5_000
const RENEW_MS = 1_500
/** How long somebody waits for one. */
const WAIT_MS_MAX = 30_000
const PAUSE_MS = { least: 2, most: 20 }

export class DatabaseMutexes extends Mutexes {
  readonly #database: PostgresDatabase
  readonly #first = new Map<string, () => Promise<void>>()

  constructor(database: PostgresDatabase) {
    super()
    this.#database = database
    database.fencedBy(fence)
  }

  /** Whoever gets this key does `work` first: what the one before it may have left undone. */
  first(key: string, work: () => Promise<void>): void {
    this.#first.set(key, work)
  }

  /** As Mutexes; those of one gateway stand in line by themselves first. Errors: `state_error` after 30 s. */
  override run<T>(
    key: string,
    work: () => Promise<T>,
    already?: () => Promise<T | undefined>,
  ): Promise<T> {
    return super.run(key, () => this.#alone(key, work), already)
  }

  /**
   * Does `work` only where nobody else has the key now; false where somebody does. `lost` ends where another
   * gateway has taken it over meanwhile.
   */
  async tryRun(key: string, work: (lost: Promise<void>) => Promise<unknown>): Promise<boolean> {
    const owner = randomUUID()
    if (!(await this.#taken(key, owner))) return false
    await this.#held(key, owner, work)
    return true
  }

  async #alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const owner = randomUUID()
    await this.#take(name, owner)
    return this.#held(name, owner, work)
  }

  async #held<T>(
    name: string,
    owner: string,
    work: (lost: Promise<void>) => Promise<T>,
  ): Promise<T> {
    const lease: Lease = { name, owner, isOver: false }
    const lost = Promise.withResolvers<void>()
    const timer = without(() => setInterval(() => this.#renew(lease, lost.resolve), RENEW_MS))
    try {
      return await within(lease, async () => {
        await this.#first.get(name)?.()
        return await work(lost.promise)
      })
    } finally {
      clearInterval(timer)
      // Where this fails, it runs out.
      const sql = 'DELETE FROM locks WHERE name = ? AND owner = ?'
      await this.#database.run(sql, name, owner).catch(() => undefined)
    }
  }

  /** Where it fails, the next one may do; where it finds another owner, it is lost. */
  #renew({ name, owner }: Lease, lost: () => void): void {
    const sql = `UPDATE locks SET expires_at_ms = ${DATABASE_NOW} + ${HELD_MS} WHERE name = ? AND owner = ?`
    this.#database.run(sql, name, owner).then(
      (renewed) => {
        if (renewed === 0) lost()
      },
      () => undefined,
    )
  }

  async #take(name: string, owner: string): Promise<void> {
    const startedMs = performance.now()
    while (!(await this.#taken(name, owner))) {
      if (performance.now() - startedMs > WAIT_MS_MAX) {
        const message = `another gateway is busy with \`${name}\``
        throw new GatewayError('state_error', message, 'nothing was done; try again')
      }
      const pauseMs = PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  async #taken(name: string, owner: string): Promise<boolean> {
    const sql = `INSERT INTO locks (name, owner, expires_at_ms) VALUES (?, ?, ${DATABASE_NOW} + ${HELD_MS})
       ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at_ms = excluded.expires_at_ms
       WHERE locks.expires_at_ms <= ${DATABASE_NOW}`
    return (await without(() => this.#database.run(sql, name, owner))) === 1
  }
}

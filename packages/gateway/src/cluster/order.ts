// Gives entries their place in the one order of all gateways: a row that says how many there are is advanced
// in the transaction that inserts them, so there is no gap, no fork, and an entry is durable when it has a
// place. A gateway that was declared dead is refused there, for good.
import { randomUUID } from 'node:crypto'
import { LedgerError } from '@seconder/ledger/errors'
import { GatewayError } from '../errors.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { PostgresDatabase } from '../state/postgres.ts'
import type { Sql } from '../state/sql.ts'
import { approvalEnded } from './approvals.ts'
import { type Lease, leaseLost, leasesHeld, lostOf, without } from './leases.ts'
import { DATABASE_NOW } from './schema.ts'

/** Entries and bytes of one transaction. */
export const BATCH_ENTRIES_MAX = 64
const BATCH_BYTES_MAX = 1024 * 1024
export const QUEUE_ENTRIES_MAX = 65_536
const QUEUE_BYTES_MAX = 64 * 1024 * 1024
/** How often it is looked whether a batch whose COMMIT nobody heard has its place. */
const LOOKS_MAX = 5
/** Of a tlog-tiles bundle: a uint16 says how long an entry is. */
const ENTRY_BYTES_MAX = 65_535

interface Pending extends Timed {
  readonly askedAtMs: number
  readonly bytes: number
  /** Without which it is not recorded: what it says was decided within them. */
  readonly leases: readonly Lease[]
  readonly resolve: (appended: { index: number }) => void
  readonly reject: (error: Error) => void
}

/** An entry, and the time that it says; not a number where it says none. */
export interface Timed {
  readonly text: string
  readonly atMs: number
}

/** How far behind the newest entry the time of another one may be: less than what the verifier finds. */
const BEHIND_MS_MAX = 4_000
/**
 * How long an entry may wait for its place. What is begun on its strength was decided before that wait, so past
 * it the answer is that nothing was recorded. An outcome has happened, and is recorded however late.
 */
const WAIT_MS_MAX = 8_000

/** What else is done in the transaction that gives entries their place. */
export type AlongWith = (sql: Sql, entries: readonly string[]) => Promise<void>

export class Order {
  readonly #database: PostgresDatabase
  readonly #gateway: string
  readonly #alongWith: AlongWith
  readonly #stopped: (cause: Error) => void
  #queue: Pending[] = []
  #queueBytes = 0
  #running: Promise<void> | null = null
  #end: Error | null = null

  constructor(
    database: PostgresDatabase,
    gateway: string,
    hooks: { alongWith: AlongWith; stopped: (cause: Error) => void },
  ) {
    this.#database = database
    this.#gateway = gateway
    this.#alongWith = hooks.alongWith
    this.#stopped = hooks.stopped
  }

  /**
   * The index of the entry, when it is durable. Rejects with `entry_too_large`, `queue_full`,
   * `ledger_closed`, `ledger_stopped`, `state_error` (it has no place), `state_unknown` (nobody knows).
   */
  append(entry: Uint8Array): Promise<{ index: number }> {
    return new Promise((resolve, reject) => {
      if (this.#end) throw this.#end
      const bytes = entry.length
      if (bytes > ENTRY_BYTES_MAX) {
        const message = `an entry has at most ${ENTRY_BYTES_MAX} bytes, this one ${bytes}`
        throw new LedgerError('entry_too_large', message)
      }
      const isFull = this.#queue.length >= QUEUE_ENTRIES_MAX
      if (isFull || this.#queueBytes + bytes > QUEUE_BYTES_MAX) {
        throw new LedgerError('queue_full', `${this.#queue.length} entries wait already`)
      }
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(entry)
      const asked = { text, atMs: timeOf(text), bytes, askedAtMs: performance.now() }
      const leases = isOutcome(text) ? [] : leasesHeld()
      this.#queue.push({ ...asked, leases, resolve, reject })
      this.#queueBytes += bytes
      this.#running ??= without(() => this.#run())
    })
  }

  /** Appends what every gateway would write first, where nothing has been written; true where it did. */
  async begin(entry: string): Promise<boolean> {
    const begun = await this.#database.within('locking', async (sql) => {
      const isFirst = await sql.run('UPDATE ledger_head SET size = 1 WHERE id = 1 AND size = 0')
      if (isFirst === 0) return false
      await sql.run('INSERT INTO ledger_entries (idx, entry) VALUES (0, ?)', entry)
      return true
    })
    return begun === true
  }

  async close(): Promise<void> {
    this.#end ??= new LedgerError('ledger_closed', 'the ledger is closed')
    await this.#running
  }

  async #run(): Promise<void> {
    // What comes in this turn of the loop goes along.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#take()
      try {
        let index = await this.#placed(batch)
        for (const { resolve } of batch) resolve({ index: index++ })
      } catch (cause) {
        if (cause instanceof Refused) {
          this.#refuse(batch, cause)
          continue
        }
        for (const { reject } of batch) reject(cause as Error)
        if (cause instanceof LedgerError && cause.code === 'ledger_stopped') this.#stop(cause)
      }
    }
    this.#running = null
  }

  #take(): Pending[] {
    let count = 0
    let bytes = 0
    for (const pending of this.#queue) {
      bytes += pending.bytes
      if (count === BATCH_ENTRIES_MAX || (count > 0 && bytes > BATCH_BYTES_MAX)) break
      count += 1
    }
    const batch = this.#queue.splice(0, count)
    for (const pending of batch) this.#queueBytes -= pending.bytes
    return batch
  }

  /** One name for all attempts: where an earlier one was committed after all, the next one finds it. */
  async #placed(batch: readonly Pending[]): Promise<number> {
    const id = randomUUID()
    let unknown: GatewayError | undefined
    for (let looks = 0; ; looks++) {
      try {
        const first = await this.#database.within('locking', async (sql) => {
          // After an attempt whose end is not known it may be there already, however late it is by now.
          if (looks === 0) requireInTime(batch)
          const placed = await this.#place(sql, id, batch)
          // Waiting for its place took too long: what was decided then may hold no more.
          if (placed !== false) requireInTime(batch)
          return placed
        })
        return first === false ? await this.#firstOf(id) : first
      } catch (cause) {
        const isUnknown = cause instanceof GatewayError && cause.code === 'state_unknown'
        if (isUnknown) unknown ??= cause
        // Nothing undoes an attempt whose end nobody heard: it may have its place yet.
        const isCertain = cause instanceof Refused || cause instanceof LedgerError
        if (!isUnknown || looks === LOOKS_MAX) throw isCertain ? cause : (unknown ?? cause)
      }
    }
  }

  /** The others of the batch go first in the next one. */
  #refuse(batch: readonly Pending[], { refused }: Refused): void {
    const others = batch.filter((pending) => !refused.has(pending))
    for (const pending of others) this.#queueBytes += pending.bytes
    this.#queue.unshift(...others)
    for (const [{ reject }, why] of refused) reject(why)
  }

  async #place(sql: Sql, id: string, batch: readonly Pending[]): Promise<number | false> {
    const { first, entries } = await grown(sql, batch)
    // Whoever declares a gateway dead holds that row too: here it is seen, or it comes after.
    const alive = await sql.one('SELECT 1 AS yes FROM gateways WHERE id = ?', this.#gateway)
    if (!alive) throw declaredDead()
    const named = await sql.run(
      `INSERT INTO ledger_batches (id, first_idx, at_ms) VALUES (?, ?, ${DATABASE_NOW}) ON CONFLICT DO NOTHING`,
      id,
      first,
    )
    if (named !== 1) return false
    await requireLeases(sql, batch)
    await requireApprovals(sql, batch)
    await insertEntries(sql, first, entries)
    await this.#alongWith(sql, entries)
    return first
  }

  async #firstOf(id: string): Promise<number> {
    const row = await this.#database.one('SELECT first_idx FROM ledger_batches WHERE id = ?', id)
    return Number(row?.['first_idx'])
  }

  #stop(cause: Error): void {
    this.#end = cause
    for (const { reject } of this.#queue.splice(0)) reject(cause)
    this.#queueBytes = 0
    this.#stopped(cause)
  }
}

/** Entries of a batch that get no place, each with why; nothing of the batch has one yet. */
class Refused extends Error {
  readonly refused: ReadonlyMap<Pending, GatewayError>

  constructor(refused: ReadonlyMap<Pending, GatewayError>) {
    super('entries of a batch are refused')
    this.refused = refused
  }
}

function requireInTime(batch: readonly Pending[]): void {
  const message = 'the state database took too long to record an entry'
  const late = batch.filter(isLate).map((pending): [Pending, GatewayError] => {
    return [pending, new GatewayError('state_error', message, 'nothing was done; try again')]
  })
  if (late.length > 0) throw new Refused(new Map(late))
}

/** What another gateway has taken over meanwhile is recorded by nobody but that one. */
async function requireLeases(sql: Sql, batch: readonly Pending[]): Promise<void> {
  const lost = await lostOf(
    sql,
    batch.flatMap(({ leases }) => leases),
  )
  if (lost.size === 0) return
  const refused = batch.flatMap((pending): [Pending, GatewayError][] => {
    const lease = pending.leases.find((one) => lost.has(one))
    return lease === undefined ? [] : [[pending, leaseLost(lease)]]
  })
  throw new Refused(new Map(refused))
}

/** What lets it pass has ended meanwhile. */
async function requireApprovals(sql: Sql, batch: readonly Pending[]): Promise<void> {
  const refused = new Map<Pending, GatewayError>()
  for (const pending of batch) {
    const why = await approvalEnded(sql, pending.text)
    if (why !== null) refused.set(pending, why)
  }
  if (refused.size > 0) throw new Refused(refused)
}

function timeOf(text: string): number {
  try {
    return Date.parse(String((JSON.parse(text) as { at?: unknown }).at))
  } catch {
    return Number.NaN
  }
}

function isLate({ text, askedAtMs }: Pending): boolean {
  return performance.now() - askedAtMs > WAIT_MS_MAX && !isOutcome(text)
}

/** It says what has happened, which is so however late it is said, and by whomever. */
function isOutcome(text: string): boolean {
  return text.includes('"type":"outcome"')
}

/** Values: how many more, the time of the newest, twice. */
const GROWN = `UPDATE ledger_head SET size = size + ?, at_ms = CASE WHEN at_ms < ? THEN ? ELSE at_ms END
  WHERE id = 1 RETURNING size, at_ms`

/** Within a transaction: advances the order by these entries; returns the first one's index, and all of them. */
export async function grown(
  sql: Sql,
  batch: readonly Timed[],
): Promise<{ first: number; entries: readonly string[] }> {
  const newestMs = Math.max(0, ...batch.map(({ atMs }) => (Number.isNaN(atMs) ? 0 : atMs)))
  const head = await sql.one(GROWN, batch.length, newestMs, newestMs)
  const leastMs = Number(head?.['at_ms']) - BEHIND_MS_MAX
  const entries = batch.map((timed) => notBefore(leastMs, timed))
  return { first: Number(head?.['size']) - batch.length, entries }
}

/** What waited for its place says a time at which it had none yet: the earliest that may still come here. */
function notBefore(leastMs: number, { text, atMs }: Timed): string {
  if (Number.isNaN(atMs) || atMs >= leastMs) return text
  return canonicalJson({ ...JSON.parse(text), at: new Date(leastMs).toISOString() })
}

const INSERTS = Array.from({ length: BATCH_ENTRIES_MAX + 1 }, (_, count) => {
  const rows = Array.from({ length: count }, () => '(?, ?)').join(', ')
  return `INSERT INTO ledger_entries (idx, entry) VALUES ${rows}`
})

/** Within a transaction that advanced the head; at most BATCH_ENTRIES_MAX. */
export async function insertEntries(
  sql: Sql,
  first: number,
  entries: readonly string[],
): Promise<void> {
  const values = entries.flatMap((entry, position) => [first + position, entry])
  await sql.run(INSERTS[entries.length] as string, ...values)
}

function declaredDead(): LedgerError {
  const message = 'the other gateways declared this one dead, and closed what it had begun'
  return new LedgerError('ledger_stopped', message)
}

// Makes the files of the ledger from its order. One gateway at a time does, by a lease that runs out by the
// database's clock; what it publishes is accepted by compare-and-set on its token and on what was published
// before. A deposed one is refused there, and the files it placed are those that its successor places too.
//
// The order is the design; what a crash leaves, and who repairs it:
//   1 place tiles and bundles     files beyond what is published; the next publisher places them again
//   2 compare-and-set the note    the same, and a note whose checkpoint is not in its place yet
//   3 replace the checkpoint      nothing to repair
//   4 forget the entries in SQL   entries that are in the files too; forgotten with the next
// The next publisher begins at the note of the state, whose files are all there, and places its checkpoint. Files
// know of no lease: one that stops in the middle of step 3 may still put an older checkpoint in place when it
// wakes. Whoever holds the lease looks at the file each time that it renews it, and mends that.
import type { Publisher, SharedLog } from '@seconder/ledger/shared-log'
import type { PostgresDatabase } from '../state/postgres.ts'
import { DATABASE_NOW } from './schema.ts'

/** How long a lease lasts, and how long before its end nothing is shown any more. */
export const LEASE_MS = 2_500
const MARGIN_MS = 500
/** How often it is renewed where nothing is published, and how often others try to get it. */
const RENEW_MS = 800
/** Entries of one round. */
const ROUND_ENTRIES_MAX = 4_096
/** Batches older than this are not looked for any more. */
const BATCHES_KEPT_MS = 60 * 60_000

interface Held {
  readonly token: number
  readonly publisher: Publisher
  /** By this process's own clock: when the lease was surely still held. */
  renewedAtMs: number
}

export class Publishing {
  readonly #database: PostgresDatabase
  readonly #log: SharedLog
  readonly #gateway: string
  #held: Held | null = null
  #triedAtMs = Number.NEGATIVE_INFINITY
  #prunedAtMs = performance.now()

  constructor(database: PostgresDatabase, log: SharedLog, gateway: string) {
    this.#database = database
    this.#log = log
    this.#gateway = gateway
  }

  get holds(): boolean {
    return this.#held !== null
  }

  /**
   * One round: gets the lease where it is free, publishes what there is to publish. After any failure the
   * lease is let run out, and whoever gets it begins at the note of the state.
   */
  async round(): Promise<void> {
    const held = this.#held ?? (await this.#taken())
    if (held === null) return
    this.#held = null
    if (await this.#published(held)) this.#held = held
  }

  async #taken(): Promise<Held | null> {
    const nowMs = performance.now()
    if (nowMs - this.#triedAtMs < RENEW_MS) return null
    this.#triedAtMs = nowMs
    const row = await this.#database.one(
      `UPDATE ledger_publication SET owner = ?, token = token + 1, expires_at_ms = ${DATABASE_NOW} + ${LEASE_MS}
       WHERE id = 1 AND expires_at_ms <= ${DATABASE_NOW} RETURNING token, note`,
      this.#gateway,
    )
    if (!row) return null
    const note = String(row['note'])
    const from = note === '' ? this.#log.empty() : await this.#log.opened(note)
    const publisher = await this.#log.publisher(from)
    const held = { token: Number(row['token']), publisher, renewedAtMs: nowMs }
    // Opening the files took its time. What the one before it did not show, it shows now.
    return (await this.#renewed(held)) ? held : null
  }

  /** False where the lease is lost. */
  async #published(held: Held): Promise<boolean> {
    const { publisher, token } = held
    const before = publisher.size
    const rows = await this.#database.all(
      `SELECT idx, entry FROM ledger_entries WHERE idx >= ? ORDER BY idx LIMIT ${ROUND_ENTRIES_MAX}`,
      before,
    )
    if (rows.length === 0) return !isDue(held) || this.#renewed(held)
    const encoder = new TextEncoder()
    const entries = rows.map((row, position) => {
      // INVARIANT: the order has no gap; a log with one must never be signed.
      if (Number(row['idx']) !== before + position) throw new Error('the order has a gap')
      return encoder.encode(String(row['entry']))
    })
    const checkpoint = await publisher.stage(entries)
    const askedAtMs = performance.now()
    const accepted = await this.#database.run(
      `UPDATE ledger_publication SET published = ?, note = ?, expires_at_ms = ${DATABASE_NOW} + ${LEASE_MS}
       WHERE id = 1 AND token = ? AND published = ?`,
      checkpoint.size,
      checkpoint.note,
      token,
      before,
    )
    if (accepted !== 1) return false
    held.renewedAtMs = askedAtMs
    if (!(await publisher.release(() => surelyHolds(held)))) return false
    // Those of this round are kept, for readers who know only what was published before it.
    await this.#database.run('DELETE FROM ledger_entries WHERE idx < ?', before)
    await this.#prune()
    return true
  }

  /** Renews the lease, and mends the checkpoint where it is not the newest. False where the lease is lost. */
  async #renewed(held: Held): Promise<boolean> {
    const nowMs = performance.now()
    const sql = `UPDATE ledger_publication SET expires_at_ms = ${DATABASE_NOW} + ${LEASE_MS}
      WHERE id = 1 AND token = ?`
    if ((await this.#database.run(sql, held.token)) !== 1) return false
    held.renewedAtMs = nowMs
    return held.publisher.release(() => surelyHolds(held))
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedAtMs < BATCHES_KEPT_MS / 10) return
    this.#prunedAtMs = performance.now()
    const sql = `DELETE FROM ledger_batches WHERE at_ms < ${DATABASE_NOW} - ${BATCHES_KEPT_MS}`
    await this.#database.run(sql)
  }

  /** Lets another one have the lease at once. */
  async yield(): Promise<void> {
    const held = this.#held
    this.#held = null
    if (held === null) return
    const sql = 'UPDATE ledger_publication SET expires_at_ms = 0 WHERE id = 1 AND token = ?'
    await this.#database.run(sql, held.token)
  }

  /** As soon as the lease is free, not only once in a while. */
  tryAtOnce(): void {
    this.#triedAtMs = Number.NEGATIVE_INFINITY
  }
}

function isDue({ renewedAtMs }: Held): boolean {
  return performance.now() - renewedAtMs >= RENEW_MS
}

/** Not once another one may have the lease, and a newer checkpoint in its place. */
function surelyHolds({ renewedAtMs }: Held): boolean {
  return performance.now() - renewedAtMs <= LEASE_MS - MARGIN_MS
}

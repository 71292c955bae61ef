// What this gateway knows of the ledger that all of them write: how far it is, how much is published, and
// each new entry, its own and those of others, once and in order.
import type { SignedCheckpoint } from '@seconder/ledger/checkpoint'
import type { SharedLog } from '@seconder/ledger/shared-log'
import type { PostgresDatabase } from '../state/postgres.ts'
import type { ClockLook } from './database-clock.ts'
import { DATABASE_NOW } from './schema.ts'

/** Entries told in one look. */
const LOOK_ENTRIES_MAX = 1_000
const READ_ATTEMPTS_MAX = 5

export interface Heard {
  readonly index: number
  readonly text: string
}

export class Tail {
  readonly #database: PostgresDatabase
  readonly #log: SharedLog
  readonly #heard: (entry: Heard) => void
  #checkpoint: SignedCheckpoint
  #size = 0
  /** The time of the newest entry. */
  #newestMs = 0
  #toldTo: number | null = null
  #looking: Promise<ClockLook> | null = null
  #telling: Promise<void> | null = null

  constructor(database: PostgresDatabase, log: SharedLog, heard: (entry: Heard) => void) {
    this.#database = database
    this.#log = log
    this.#heard = heard
    this.#checkpoint = log.empty()
  }

  /** Entries that are known to have their place. */
  get size(): number {
    return this.#size
  }

  get newestMs(): number {
    return this.#newestMs
  }

  /** The newest published checkpoint that is known. */
  get checkpoint(): SignedCheckpoint {
    return this.#checkpoint
  }

  /** An entry of this gateway got its place. */
  reached(size: number): void {
    this.#size = Math.max(this.#size, size)
  }

  /** Looks how things stand. One look at a time. */
  look(): Promise<ClockLook> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  /**
   * Tells what came since the first look; one who tells at a time. An entry that a listener could not take is
   * told again the next time, to all of them: rather twice than never.
   */
  tell(): Promise<void> {
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = null
    })
    return this.#telling
  }

  async #look(): Promise<ClockLook> {
    const askedAtMs = performance.now()
    const row = await this.#database.one(
      `SELECT ${DATABASE_NOW} AS now, size, at_ms, note FROM ledger_head, ledger_publication
       WHERE ledger_head.id = 1 AND ledger_publication.id = 1`,
    )
    const answeredAtMs = performance.now()
    const look = { databaseMs: Number(row?.['now']), askedAtMs, answeredAtMs }
    this.#newestMs = Math.max(this.#newestMs, Number(row?.['at_ms']))
    const note = String(row?.['note'] ?? '')
    if (note !== '' && note !== this.#checkpoint.note) {
      const opened = await this.#log.opened(note)
      if (opened.size > this.#checkpoint.size) this.#checkpoint = opened
    }
    this.reached(Number(row?.['size']))
    this.#toldTo ??= this.#size
    return look
  }

  async #tellAll(): Promise<void> {
    this.#toldTo ??= this.#size
    while (this.#toldTo < this.#size) if (!(await this.#tellFrom(this.#toldTo))) break
  }

  async #tellFrom(from: number): Promise<boolean> {
    const rows = await this.#database.all(
      `SELECT idx, entry FROM ledger_entries WHERE idx >= ? ORDER BY idx LIMIT ${LOOK_ENTRIES_MAX}`,
      from,
    )
    // What was published and forgotten meanwhile is in the files.
    const first = Number(rows[0]?.['idx'] ?? this.#size)
    for (let index = from; index < first; index++) {
      this.#tell({ index, text: new TextDecoder().decode(await this.read(index)) })
    }
    for (const row of rows) {
      const index = Number(row['idx'])
      if (index === this.#toldTo) this.#tell({ index, text: String(row['entry']) })
    }
    return rows.length > 0 || first > from
  }

  #tell(heard: Heard): void {
    this.reached(heard.index + 1)
    this.#heard(heard)
    this.#toldTo = heard.index + 1
  }

  /** The entry, from the files where it is published, else from the order. Undefined where there is none. */
  async read(index: number): Promise<Uint8Array | undefined> {
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const { size } = this.#checkpoint
      const published = index < size ? await this.#log.read(index, size) : undefined
      if (published) return published
      const row = await this.#database.one('SELECT entry FROM ledger_entries WHERE idx = ?', index)
      if (row) return new TextEncoder().encode(String(row['entry']))
      // A newer checkpoint has it: its bundle replaced the one that was known.
      await this.#refresh()
    }
    return undefined
  }

  async #refresh(): Promise<void> {
    const row = await this.#database.one('SELECT note FROM ledger_publication WHERE id = 1')
    const note = String(row?.['note'] ?? '')
    if (note === '') return
    const opened = await this.#log.opened(note)
    if (opened.size > this.#checkpoint.size) this.#checkpoint = opened
  }
}

// Who lives: each gateway renews a row once a second by the database's clock. One whose row ran out is
// declared dead by another, which ends what it had begun in the same transaction: an effect whose intent is
// in the ledger gets the outcome `unknown`, one without never began. Who was declared dead while it only
// slept can record nothing any more, so it begins nothing either.
import { randomBytes } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'
import { OWED_TYPES, owedText } from '../lib/owed-id.ts'
import type { PostgresDatabase } from '../state/postgres.ts'
import { suspended } from '../state/session-keys.ts'
import type { Sql } from '../state/sql.ts'
import { BATCH_ENTRIES_MAX, grown, insertEntries } from './order.ts'
import { DATABASE_NOW } from './schema.ts'

/** How often a gateway says that it lives, and after how long without a word it may be declared dead. */
export const RENEW_MS = 1_000
export const LIFE_MS = 10_000

export interface Ended {
  /** Effects whose outcome is `unknown` from here on. */
  readonly effects: readonly { readonly effect: string; readonly operation: string }[]
  /** Plans of which a step was under way. */
  readonly plans: readonly string[]
}

export class Membership {
  readonly id = `g-${randomBytes(8).toString('hex')}`
  readonly #database: PostgresDatabase
  readonly #place: string
  /** By this process's own clock: when the last renewal that was heard of was asked for. */
  #renewedAtMs = Number.NEGATIVE_INFINITY

  /** `place`: where it runs, for people: host and process. */
  constructor(database: PostgresDatabase, place: string) {
    this.#database = database
    this.#place = place
  }

  /** How long ago it surely lived: past LIFE_MS the others may have declared it dead. */
  get silentMs(): number {
    return performance.now() - this.#renewedAtMs
  }

  async join(): Promise<void> {
    this.#renewedAtMs = performance.now()
    await this.#database.run(
      `INSERT INTO gateways (id, place, started_at_ms, expires_at_ms)
       VALUES (?, ?, ${DATABASE_NOW}, ${DATABASE_NOW} + ${LIFE_MS})`,
      this.id,
      this.#place,
    )
  }

  /** False where it was declared dead. */
  async renew(): Promise<boolean> {
    const askedAtMs = performance.now()
    const sql = `UPDATE gateways SET expires_at_ms = ${DATABASE_NOW} + ${LIFE_MS} WHERE id = ?`
    if ((await this.#database.run(sql, this.id)) !== 1) return false
    this.#renewedAtMs = askedAtMs
    return true
  }

  /** After everything it began has ended. */
  async leave(): Promise<void> {
    await this.#end(this.id, false)
  }

  /** Declares dead whose rows ran out; returns what was under way, one for each gateway. */
  async bury(): Promise<Ended[]> {
    const dead = await this.#database.all(
      `SELECT id FROM gateways WHERE expires_at_ms <= ${DATABASE_NOW} AND id <> ?`,
      this.id,
    )
    const ended: Ended[] = []
    for (const { id } of dead) {
      const one = await this.#end(String(id), true)
      if (one) ended.push(one)
    }
    return ended
  }

  /**
   * Takes over what gateways followed and what they owe the ledger that are no more, in whichever way they ended;
   * false where nothing is left.
   */
  async inherit(): Promise<boolean> {
    const orphans = 'gateway NOT IN (SELECT id FROM gateways)'
    const row = await this.#database.one(
      `SELECT (SELECT count(*) FROM followed WHERE ${orphans}) +
       (SELECT count(*) FROM owed WHERE ${orphans}) AS left`,
    )
    if (Number(row?.['left']) === 0) return false
    await this.#database.run(`UPDATE owed SET gateway = ? WHERE ${orphans}`, this.id)
    const sql = `UPDATE followed SET gateway = ? WHERE ${orphans}`
    return (await this.#database.run(sql, this.id)) > 0
  }

  async #end(gateway: string, onlyWhereRunOut: boolean): Promise<Ended | false> {
    return this.#database.within('locking', async (sql) => {
      // Held by whoever records: it has its place before this, or is refused after it.
      await sql.run('UPDATE ledger_head SET size = size WHERE id = 1')
      const runOut = onlyWhereRunOut ? ` AND expires_at_ms <= ${DATABASE_NOW}` : ''
      if ((await sql.run(`DELETE FROM gateways WHERE id = ?${runOut}`, gateway)) !== 1) return false
      return endEffects(sql, gateway)
    })
  }
}

async function endEffects(sql: Sql, gateway: string): Promise<Ended> {
  const rows = await sql.all(
    `SELECT id, operation, state, plan, ${DATABASE_NOW} AS now FROM effects WHERE gateway = ? ORDER BY id`,
    gateway,
  )
  const followed = await sql.all('SELECT effect_id FROM followed WHERE gateway = ?', gateway)
  const isFollowed = new Set(followed.map((row) => row['effect_id']))
  const begun = rows.filter(({ state }) => state === 'begun')
  const unfollowed = rows.filter(({ state, id }) => state === 'accepted' && !isFollowed.has(id))
  const atMs = Number(rows[0]?.['now'] ?? 0)
  const texts = [
    ...begun.map((row) => outcomeOf(row, UNKNOWN)),
    ...unfollowed.map((row) => outcomeOf(row, UNCONFIRMED)),
  ]
  for (let from = 0; from < texts.length; from += BATCH_ENTRIES_MAX) {
    const some = texts.slice(from, from + BATCH_ENTRIES_MAX).map((text) => ({ text, atMs }))
    const { first, entries } = await grown(sql, some)
    await insertEntries(sql, first, entries)
  }
  await sql.run('DELETE FROM effects WHERE gateway = ?', gateway)
  return {
    effects: begun.map(({ id, operation }) => ({
      effect: String(id),
      operation: String(operation),
    })),
    plans: rows.map(({ plan }) => String(plan)).filter((plan) => plan !== ''),
  }
}

const UNKNOWN = { result: 'unknown', detail: 'the gate stopped before the answer came' } as const
const UNCONFIRMED = {
  result: 'confirmed',
  confirmed: 'unconfirmed',
  detail: 'the gate stopped before its end was looked for',
} as const

function outcomeOf(
  row: Readonly<Record<string, unknown>>,
  outcome: typeof UNKNOWN | typeof UNCONFIRMED,
): string {
  const at = new Date(Number(row['now'])).toISOString()
  return canonicalJson({ type: 'outcome', effect: String(row['id']), outcome, at })
}

interface Told {
  readonly type?: unknown
  readonly effect?: unknown
  readonly outcome?: { readonly result?: unknown }
}

/** The state key of the newest entry of an epoch: whoever recorded it may die before the state follows it. */
export const EPOCH_RECORDED = 'epoch recorded'
const KEPT =
  'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'
const OWED = new RegExp(`"type":"(${[...OWED_TYPES].join('|')})"`)

/** The old keys end with the entry: whoever recorded it may die before it gives the session its new ones. */
async function endReplaced(sql: Sql, text: string): Promise<void> {
  const { type, session, replaced, at } = JSON.parse(text) as Record<string, unknown>
  if (type !== 'session-resumed' || typeof session !== 'string') return
  if (typeof replaced === 'string') await suspended(sql, session, replaced, Date.parse(`${at}`))
}

/**
 * Keeps the open effects in step with the ledger, and what is owed to it: in the transaction that gives the entries
 * a place.
 */
export async function followEffects(sql: Sql, entries: readonly string[]): Promise<void> {
  for (const text of entries) {
    if (OWED.test(text)) {
      await sql.run('DELETE FROM owed WHERE id = ?', owedText(JSON.parse(text) as object).id)
      continue
    }
    if (text.includes('"type":"epoch-activated"')) {
      await sql.run(KEPT, EPOCH_RECORDED, text)
      continue
    }
    if (text.includes('"type":"session-resumed"')) {
      await endReplaced(sql, text)
      continue
    }
    // Only these two say anything of an effect; most entries are not read at all.
    if (!text.includes('"intent"') && !text.includes('"outcome"')) continue
    const { type, effect, outcome } = JSON.parse(text) as Told
    if (typeof effect !== 'string') continue
    if (type === 'intent') {
      await sql.run(`UPDATE effects SET state = 'begun' WHERE id = ?`, effect)
    } else if (type === 'outcome' && outcome?.result === 'accepted') {
      await sql.run(`UPDATE effects SET state = 'accepted' WHERE id = ?`, effect)
    } else if (type === 'outcome') {
      // The step of a plan is ended after its outcome is recorded: until then its effect is remembered.
      await sql.run(`DELETE FROM effects WHERE id = ? AND plan = ''`, effect)
      await sql.run(`UPDATE effects SET state = 'ended' WHERE id = ?`, effect)
      if (outcome?.result !== 'confirmed') continue
      await sql.run('DELETE FROM followed WHERE effect_id = ?', effect)
    }
  }
}

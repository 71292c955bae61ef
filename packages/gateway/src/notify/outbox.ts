// What is to be told and what was, kept over a restart in a database of its own: it is asked for nothing that
// decides, and its loss costs messages, never a request. Nothing secret is in it; addresses and keys are those
// of the configuration of the moment.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Absence, Absences } from './away.ts'
import type { Delivery } from './channel.ts'
import { LocalStatements } from './local-statements.ts'
import type { Notice, NoticeKind } from './notice.ts'

/** Deliveries of one channel that wait at once. */
export const WAITING_MAX = 1_000
/** Requests that are watched at once. */
export const WATCHED_MAX = 20_000
/** How long what is over is kept: longer than a request can be open. */
const KEPT_MS = 2 * 86_400_000

const TABLES = `
  CREATE TABLE IF NOT EXISTS watched (
    request TEXT PRIMARY KEY, session TEXT NOT NULL, state TEXT NOT NULL, since_ms INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS watched_by_state ON watched (state, session);
  CREATE TABLE IF NOT EXISTS told (
    request TEXT NOT NULL, channel TEXT NOT NULL, delivery TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (request, delivery)
  );
  CREATE INDEX IF NOT EXISTS told_by_delivery ON told (delivery);
  CREATE TABLE IF NOT EXISTS escalated (
    request TEXT NOT NULL, team TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (request, team)
  );
  CREATE TABLE IF NOT EXISTS absences (
    person TEXT PRIMARY KEY, stand_in TEXT NOT NULL, until_ms INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, session TEXT NOT NULL, kind TEXT NOT NULL,
    notice TEXT NOT NULL, follows TEXT, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    next_at_ms INTEGER NOT NULL, made_at_ms INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, channel, next_at_ms);
  CREATE INDEX IF NOT EXISTS deliveries_by_session ON deliveries (session, kind, made_at_ms);
`

/** Goes up with each change of TABLES. */
const VERSION = 1
const NAMES = ['watched', 'told', 'escalated', 'absences', 'deliveries']

/** What another build left is thrown away: it costs messages, and whoever is away is told again. */
function begin(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA user_version').get() as { user_version: number }
  const drops = NAMES.map((name) => `DROP TABLE IF EXISTS ${name};`).join(' ')
  const old = found.user_version === VERSION ? '' : drops
  database.exec(`BEGIN IMMEDIATE; ${old} ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT;`)
}

const READY = `state = 'waiting' AND channel = ? AND NOT EXISTS (SELECT 1 FROM deliveries AS first
  WHERE first.id = one.follows AND first.state = 'waiting')`

/** Keeps what was said apart from teams, whose names have no space. */
const SAID = 'said '

/** What a later message may void. */
const OPENS: ReadonlySet<NoticeKind> = new Set([
  'request.opened',
  'request.escalated',
  'break-glass.opened',
])

/** `new`: not told yet; `told`; `ending`: it ended, which is to be told. */
export type WatchState = 'new' | 'told' | 'ending'
/** `void`: over before anybody was told; `surpassed`: over, and somebody may have been. */
export type DeliveryState = 'waiting' | 'delivered' | 'dead' | 'void' | 'surpassed'

export interface WaitingDelivery extends Delivery {
  readonly attempts: number
}

/** A delivery with the channel that it goes to. */
export interface Going {
  readonly channel: string
  readonly delivery: Delivery
}

export type Turn = 'told' | 'forgotten'

export interface SessionDue {
  readonly session: string
  readonly sinceMs: number
}

export class Outbox extends LocalStatements implements Absences {
  /** How many are watched; null until it was counted once. */
  #watched: number | null = null

  /** Errors: what `node:sqlite` throws where the file cannot be used. */
  static open(path: string): Outbox {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    const database = new DatabaseSync(path)
    // A loss of power may take the last messages' rows: they are then made or sent once more.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
    begin(database)
    return new Outbox(database)
  }

  watchState(request: string): WatchState | undefined {
    const row = this.one('SELECT state FROM watched WHERE request = ?', request)
    return row?.['state'] as WatchState | undefined
  }

  /** False where too many are watched. */
  watch(request: string, session: string, atMs: number): boolean {
    this.#watched ??= Number(this.one('SELECT count(*) AS count FROM watched')?.['count'] ?? 0)
    if (this.#watched >= WATCHED_MAX) return false
    this.run(`INSERT INTO watched VALUES (?, ?, 'new', ?)`, request, session, atMs)
    this.#watched++
    return true
  }

  turn(request: string, state: WatchState, atMs: number): void {
    this.run('UPDATE watched SET state = ?, since_ms = ? WHERE request = ?', state, atMs, request)
  }

  forget(request: string): void {
    const gone = this.run('DELETE FROM watched WHERE request = ?', request)
    if (this.#watched !== null) this.#watched -= gone
  }

  /** Requests that somebody may have been told of and that have not ended as far as is known. */
  watched(): string[] {
    return this.all(`SELECT request FROM watched WHERE state <> 'ending'`).map(one('request'))
  }

  /** Sessions with requests in this state, each with the first moment. */
  sessionsWith(state: WatchState): SessionDue[] {
    const sql = `SELECT session, min(since_ms) AS since_ms FROM watched WHERE state = ? GROUP BY session`
    return this.all(sql, state).map((row) => ({
      session: String(row['session']),
      sinceMs: Number(row['since_ms']),
    }))
  }

  requestsOf(session: string, state: WatchState, limit: number): string[] {
    const sql = `SELECT request FROM watched WHERE session = ? AND state = ? ORDER BY since_ms, request LIMIT ?`
    return this.all(sql, session, state, limit).map(one('request'))
  }

  /** When people last heard of requests of this session that opened, or that closed; 0 where never. */
  lastToldAt(session: string, kind: 'request.opened' | 'request.closed'): number {
    const sql = 'SELECT max(made_at_ms) AS at FROM deliveries WHERE session = ? AND kind = ?'
    return Number(this.one(sql, session, kind)?.['at'] ?? 0)
  }

  waitingCount(channel: string): number {
    const sql = `SELECT count(*) AS count FROM deliveries WHERE state = 'waiting' AND channel = ?`
    return Number(this.one(sql, channel)?.['count'] ?? 0)
  }

  /**
   * Adds what is to go and turns these requests to `told`, or forgets them where they have ended. One
   * transaction: a crash tells nobody twice.
   */
  tell(going: readonly Going[], requests: readonly string[], turn: Turn, atMs: number): void {
    this.transaction(() => {
      for (const one of going) this.#add(one, atMs)
      for (const request of requests) {
        if (turn === 'told') this.turn(request, 'told', atMs)
        else this.forget(request)
      }
      return true
    })
  }

  #add({ channel, delivery: { id, notice, follows } }: Going, atMs: number): void {
    this.run(
      `INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, ?, ?)`,
      ...[id, channel, notice.session, notice.kind, JSON.stringify(notice), follows, atMs, atMs],
    )
    if (!OPENS.has(notice.kind)) return
    const about = [...notice.requests, ...(notice.breakGlass ? [notice.breakGlass] : [])]
    for (const one of about) {
      this.run('INSERT INTO told VALUES (?, ?, ?, ?)', one.id, channel, id, atMs)
    }
  }

  wasEscalated(request: string, team: string): boolean {
    const sql = 'SELECT 1 FROM escalated WHERE request = ? AND team = ?'
    return this.one(sql, request, team) !== undefined
  }

  /** The same for a team that is told because nobody answered. */
  tellTeam(going: readonly Going[], request: string, team: string, atMs: number): void {
    this.transaction(() => {
      for (const one of going) this.#add(one, atMs)
      this.run('INSERT OR IGNORE INTO escalated VALUES (?, ?, ?)', request, team, atMs)
      return true
    })
  }

  /** Whether this was said of a break-glass or of a request, in words of afterwards.ts. */
  wasSaid(about: string, what: string): boolean {
    return this.wasEscalated(about, SAID + what)
  }

  /** Says something once. One transaction: a crash says nothing twice. */
  say(going: readonly Going[], about: string, what: string, atMs: number): void {
    this.tellTeam(going, about, SAID + what, atMs)
  }

  /** Requests that somebody was told of lately, newest first. */
  toldLately(limit: number): string[] {
    const sql =
      'SELECT request, max(at_ms) AS at FROM told GROUP BY request ORDER BY at DESC LIMIT ?'
    return this.all(sql, limit).map(one('request'))
  }

  /** Where this request was told: each channel with the delivery that did. */
  toldOf(request: string): { channel: string; delivery: string }[] {
    const sql = 'SELECT channel, delivery FROM told WHERE request = ? ORDER BY channel'
    return this.all(sql, request).map((row) => ({
      channel: String(row['channel']),
      delivery: String(row['delivery']),
    }))
  }

  /** These by the delivery that told of them; each of those went to one channel. */
  byOpening<T extends { readonly id: string }>(
    requests: readonly T[],
  ): Map<string, { readonly channel: string; readonly rows: T[] }> {
    const groups = new Map<string, { readonly channel: string; readonly rows: T[] }>()
    for (const request of requests) {
      for (const { channel, delivery } of this.toldOf(request.id)) {
        const group = groups.get(delivery) ?? { channel, rows: [] }
        group.rows.push(request)
        groups.set(delivery, group)
      }
    }
    return groups
  }

  deliveryState(id: string): DeliveryState | undefined {
    const row = this.one('SELECT state FROM deliveries WHERE id = ?', id)
    return row?.['state'] as DeliveryState | undefined
  }

  /** The next one that is due on this channel; what voids another one waits until that one is done. */
  due(channel: string, nowMs: number): WaitingDelivery | undefined {
    const row = this.one(
      `SELECT * FROM deliveries AS one WHERE ${READY} AND next_at_ms <= ?
       ORDER BY made_at_ms, id LIMIT 1`,
      channel,
      nowMs,
    )
    if (row === undefined) return undefined
    return {
      id: String(row['id']),
      notice: JSON.parse(String(row['notice'])) as Notice,
      follows: row['follows'] === null ? null : String(row['follows']),
      attempts: Number(row['attempts']),
    }
  }

  /** When something is due next on this channel; null where nothing is. */
  nextAt(channel: string): number | null {
    const sql = `SELECT min(next_at_ms) AS at FROM deliveries AS one WHERE ${READY}`
    const at = this.one(sql, channel)?.['at']
    return at === null || at === undefined ? null : Number(at)
  }

  /** Gives up what waits for a channel that the configuration has no more; returns how many. */
  giveUpBeside(channels: readonly string[]): number {
    const places = channels.map(() => '?').join(', ')
    const sql = `UPDATE deliveries SET state = 'dead' WHERE state = 'waiting' AND channel NOT IN (${places})`
    return this.run(sql, ...channels)
  }

  /** Before each attempt: one that the gate does not survive is still counted. */
  begin(id: string, nextAtMs: number): void {
    const sql = 'UPDATE deliveries SET attempts = attempts + 1, next_at_ms = ? WHERE id = ?'
    this.run(sql, nextAtMs, id)
  }

  postpone(id: string, nextAtMs: number): void {
    this.run('UPDATE deliveries SET next_at_ms = ? WHERE id = ?', nextAtMs, id)
  }

  end(id: string, state: Exclude<DeliveryState, 'waiting'>): void {
    this.run('UPDATE deliveries SET state = ? WHERE id = ?', state, id)
  }

  keepAbsence({ person, to, untilMs }: Absence): void {
    this.run('INSERT OR REPLACE INTO absences VALUES (?, ?, ?)', person, to, untilMs)
  }

  endAbsence(person: string): void {
    this.run('DELETE FROM absences WHERE person = ?', person)
  }

  absences(nowMs: number): Absence[] {
    const sql = 'SELECT * FROM absences WHERE until_ms > ? ORDER BY person'
    return this.all(sql, nowMs).map((row) => ({
      person: String(row['person']),
      to: String(row['stand_in']),
      untilMs: Number(row['until_ms']),
    }))
  }

  prune(nowMs: number): void {
    const beforeMs = nowMs - KEPT_MS
    this.run(`DELETE FROM deliveries WHERE state <> 'waiting' AND made_at_ms < ?`, beforeMs)
    this.run('DELETE FROM told WHERE at_ms < ?', beforeMs)
    this.run('DELETE FROM escalated WHERE at_ms < ?', beforeMs)
  }
}

function one(column: string): (row: Record<string, unknown>) => string {
  return (row) => String(row[column])
}

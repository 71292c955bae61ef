// The Store on SQLite (node:sqlite): WAL, synchronous=FULL, one writer. Each method is one statement
// or one transaction; a crash leaves either all of it or nothing.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../errors.ts'
import { BreakGlassStatements } from './break-glass.ts'
import * as rows from './rows.ts'
import { MIGRATIONS } from './schema.ts'
import type {
  ClosedSessions,
  EpochRow,
  GrantRow,
  PageOf,
  RequestFilter,
  RequestRow,
  RequestState,
  ReviewRow,
  SessionRow,
  Store,
} from './store.ts'

const SESSION_COLUMNS = `(id, parent, access_key_id, secret_access_key, mask_key, agent, operator, role_name,
  role_arn, opened_at_ms, expires_at_ms, closed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`
/** Sessions listed where nobody says how many. */
const SESSIONS_MAX = 1_000
const OPEN_CHILD = 'parent = ? AND closed_at_ms IS NULL AND expires_at_ms > ?'

/**
 * Returns the Store in the file at `path`, created (folder mode 0700, file 0600) and migrated as needed.
 * Errors: `state_error` when the file belongs to a newer version of Seconder.
 */
export function openSqliteStore(path: string): Store {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Its write-ahead files get the mode of the database. Source: https://sqlite.org/wal.html, "Files".
    closeSync(openSync(path, 'a', 0o600))
  }
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;')
  migrate(database)
  return new SqliteStore(database)
}

function migrate(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (found.user_version > MIGRATIONS.length) {
    throw new GatewayError(
      'state_error',
      `the state database has version ${found.user_version}, this build knows ${MIGRATIONS.length}`,
      'start the newer Seconder that wrote it',
    )
  }
  for (let version = found.user_version; version < MIGRATIONS.length; version++) {
    database.exec(
      `BEGIN IMMEDIATE; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT;`,
    )
  }
}

function sessionValues(session: SessionRow): (string | number | null)[] {
  const { id, parent, accessKeyId, secretAccessKey, maskKey, agent, operator } = session
  const { roleName, roleArn, openedAtMs, expiresAtMs } = session
  const keys = [accessKeyId, secretAccessKey, maskKey]
  return [id, parent, ...keys, agent, operator, roleName, roleArn, openedAtMs, expiresAtMs]
}

const ADD_REVIEW = `INSERT INTO reviews (request_id, reviewer, verdict, strength, key_fingerprint, at_ms)
  VALUES (?, ?, ?, ?, ?, ?)`

function reviewValues(review: ReviewRow): (string | number)[] {
  const { requestId, reviewer, verdict, strength, key, atMs } = review
  return [requestId, reviewer, verdict, strength, key, atMs]
}

class SqliteStore extends BreakGlassStatements implements Store {
  meta(key: string): string | undefined {
    return this.one('SELECT value FROM meta WHERE key = ?', key)?.['value'] as string | undefined
  }

  setMeta(key: string, value: string): void {
    this.run(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      key,
      value,
    )
  }

  activeEpoch(): EpochRow | undefined {
    return this.remembered('epoch', () => {
      const row = this.one('SELECT * FROM epochs ORDER BY number DESC LIMIT 1')
      return row && rows.epoch(row)
    })
  }

  activateEpoch(epoch: EpochRow): { voidedRequests: string[] } {
    const voided = this.transaction(() => {
      this.run(
        'INSERT INTO epochs (number, version, content, activated_at_ms) VALUES (?, ?, ?, ?)',
        epoch.number,
        epoch.version,
        epoch.content,
        epoch.activatedAtMs,
      )
      this.run(`UPDATE grants SET state = 'revoked' WHERE state = 'ready'`)
      return this.all(
        `UPDATE requests SET state = 'cancelled', comment = 'a new policy epoch was activated'
         WHERE state = 'pending' RETURNING id`,
      )
    })
    return { voidedRequests: (voided || []).map((row) => String(row['id'])) }
  }

  useNonce(nonce: string, atMs: number): boolean {
    const sql = 'INSERT INTO nonces (nonce, used_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING'
    return this.run(sql, nonce, atMs) === 1
  }

  addSession(session: SessionRow): void {
    this.run(`INSERT INTO sessions ${SESSION_COLUMNS}`, ...sessionValues(session))
  }

  addChild(session: SessionRow, childrenMax: number, nowMs: number): boolean {
    const added = this.run(
      `INSERT INTO sessions ${SESSION_COLUMNS.replace('VALUES (', 'SELECT ').replace(/\)$/, '')}
       WHERE EXISTS (SELECT 1 FROM sessions WHERE id = ? AND parent IS NULL AND closed_at_ms IS NULL
         AND expires_at_ms > ?)
       AND (SELECT count(*) FROM sessions WHERE ${OPEN_CHILD}) < ?`,
      ...sessionValues(session),
      session.parent,
      nowMs,
      session.parent,
      nowMs,
      childrenMax,
    )
    return added === 1
  }

  openChildren(parentId: string, nowMs: number): number {
    const sql = `SELECT count(*) AS count FROM sessions WHERE ${OPEN_CHILD}`
    return Number(this.one(sql, parentId, nowMs)?.['count'] ?? 0)
  }

  sessionByAccessKey(accessKeyId: string): SessionRow | undefined {
    return this.remembered(`session ${accessKeyId}`, () => {
      const row = this.one('SELECT * FROM sessions WHERE access_key_id = ?', accessKeyId)
      return row && rows.session(row)
    })
  }

  sessions({ before, limit }: PageOf = { limit: SESSIONS_MAX }): SessionRow[] {
    const order = 'ORDER BY opened_at_ms DESC, id DESC LIMIT ?'
    if (before === undefined) {
      return this.all(`SELECT * FROM sessions ${order}`, limit).map(rows.session)
    }
    const older = '(opened_at_ms, id) < (SELECT opened_at_ms, id FROM sessions WHERE id = ?)'
    return this.all(`SELECT * FROM sessions WHERE ${older} ${order}`, before, limit).map(
      rows.session,
    )
  }

  sessionPeer(sessionId: string): string | undefined {
    return this.remembered(`peer ${sessionId}`, () => {
      const row = this.one('SELECT peer FROM session_peers WHERE session_id = ?', sessionId)
      return row && String(row['peer'])
    })
  }

  bindPeer(sessionId: string, peer: string): string {
    this.run(
      'INSERT INTO session_peers (session_id, peer) VALUES (?, ?) ON CONFLICT DO NOTHING',
      sessionId,
      peer,
    )
    return this.sessionPeer(sessionId) ?? peer
  }

  closeSession(id: string, atMs: number): ClosedSessions | undefined {
    const closed = this.transaction(() => {
      const rows = this.all(
        `UPDATE sessions SET closed_at_ms = ?, secret_access_key = '', mask_key = ''
         WHERE (id = ? OR parent = ?) AND closed_at_ms IS NULL RETURNING id`,
        atMs,
        id,
        id,
      )
      const ids = rows.map((row) => String(row['id']))
      if (!ids.includes(id)) return false
      const cancelledRequests = ids.flatMap((one) => this.endWorkOf(one))
      return { cancelledRequests, children: ids.filter((one) => one !== id) }
    })
    return closed === false ? undefined : closed
  }

  addRequest(request: RequestRow): void {
    this.run(
      `INSERT INTO requests (id, session_id, operator, operation, action_digest, digest, epoch, state,
       document_sha256, requirement, denied_before, opened_at_ms, expires_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      request.id,
      request.sessionId,
      request.operator,
      request.operation,
      request.actionDigest,
      request.digest,
      request.epoch,
      request.state,
      request.documentSha256,
      JSON.stringify(request.requirement),
      JSON.stringify(request.deniedBefore),
      request.openedAtMs,
      request.expiresAtMs,
    )
  }

  request(id: string): RequestRow | undefined {
    const row = this.one('SELECT * FROM requests WHERE id = ?', id)
    return row && rows.request(row)
  }

  requests({ state, before, begins, limit }: RequestFilter): RequestRow[] {
    const conditions: [string, ...string[]][] = []
    if (state !== undefined) conditions.push(['state = ?', state])
    if (before !== undefined) {
      const of = 'SELECT opened_at_ms, id FROM requests WHERE id = ?'
      conditions.push([`(opened_at_ms, id) < (${of})`, before])
    }
    // A character past every one of an id, so that this is a range of the primary key.
    if (begins !== undefined) conditions.push(['id >= ? AND id < ?', begins, `${begins}~`])
    const where = conditions.map(([condition]) => condition).join(' AND ')
    const values = conditions.flatMap(([, ...bound]) => bound)
    return this.all(
      `SELECT * FROM requests ${where && `WHERE ${where}`} ORDER BY opened_at_ms DESC, id DESC LIMIT ?`,
      ...values,
      limit,
    ).map(rows.request)
  }

  liveRequest(
    sessionId: string,
    actionDigest: string,
    epoch: number,
    nowMs: number,
  ): RequestRow | undefined {
    const row = this.one(
      `SELECT * FROM requests WHERE session_id = ? AND action_digest = ? AND epoch = ? AND (expires_at_ms > ? OR state = 'approved')
       AND state IN ('pending', 'approved', 'denied', 'changes_requested')
       ORDER BY opened_at_ms DESC, id DESC LIMIT 1`,
      sessionId,
      actionDigest,
      epoch,
      nowMs,
    )
    return row && rows.request(row)
  }

  openRequestCount(sessionId: string): number {
    const row = this.one(
      `SELECT count(*) AS count FROM requests WHERE session_id = ? AND state = 'pending'`,
      sessionId,
    )
    return Number(row?.['count'] ?? 0)
  }

  closeRequest(
    id: string,
    state: Exclude<RequestState, 'pending'>,
    by: string | null,
    comment: string | null,
  ): boolean {
    return (
      this.run(
        `UPDATE requests SET state = ?, closed_by = ?, comment = ? WHERE id = ? AND state = 'pending'`,
        state,
        by,
        comment,
        id,
      ) === 1
    )
  }

  dueRequests(nowMs: number): RequestRow[] {
    return this.all(
      `SELECT * FROM requests WHERE state = 'pending' AND expires_at_ms <= ? LIMIT 100`,
      nowMs,
    ).map(rows.request)
  }

  addReview(review: ReviewRow): void {
    this.runSoonDurable(ADD_REVIEW, ...reviewValues(review))
  }

  reviews(requestId: string): ReviewRow[] {
    return this.all('SELECT * FROM reviews WHERE request_id = ? ORDER BY at_ms', requestId).map(
      rows.review,
    )
  }

  addGrant(grant: GrantRow, review: ReviewRow, peopleVersion: number): boolean {
    const made = this.transaction(() => {
      if (this.peopleVersion() !== peopleVersion) return false
      if (!this.closeRequest(grant.requestId, 'approved', review.reviewer, null)) return false
      this.run(ADD_REVIEW, ...reviewValues(review))
      this.run(
        `INSERT INTO grants (id, request_id, session_id, digest, epoch, state, expires_at_ms)
         VALUES (?, ?, ?, ?, ?, 'ready', ?)`,
        grant.id,
        grant.requestId,
        grant.sessionId,
        grant.digest,
        grant.epoch,
        grant.expiresAtMs,
      )
      return true
    })
    return made === true
  }

  grantForRequest(requestId: string): GrantRow | undefined {
    const row = this.one('SELECT * FROM grants WHERE request_id = ?', requestId)
    return row && rows.grant(row)
  }
}

// The part of the Store about sessions: who has which keys, from where they are used, and what ends with them.
import { BreakGlassStatements } from './break-glass.ts'
import { owe } from './owed.ts'
import type { OwedEntry, OwedOf } from './owed-store.ts'
import { endWorkOf } from './people-changes.ts'
import * as rows from './rows.ts'
import { replacedKeysEnded, resumed, SUSPENDED, suspended, USABLE_KEYS } from './session-keys.ts'
import type { Sql, SqlValue } from './sql.ts'
import type { ClosedSessions, NewKeys, PageOf, SessionRow } from './store.ts'

const SESSION_COLUMNS = `(id, parent, access_key_id, secret_access_key, mask_key, agent, operator, task,
  instigators, role_name, role_arn, opened_at_ms, expires_at_ms, closed_at_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`
/** Sessions listed where nobody says how many. */
const SESSIONS_MAX = 1_000
const OPEN_CHILD = 'parent = ? AND closed_at_ms IS NULL AND expires_at_ms > ?'

function sessionValues(session: SessionRow): SqlValue[] {
  const { id, parent, accessKeyId, secretAccessKey, maskKey, agent, operator } = session
  const { task, instigators, roleName, roleArn, openedAtMs, expiresAtMs } = session
  const keys = [accessKeyId, secretAccessKey, maskKey]
  const who = [agent, operator, task, JSON.stringify(instigators)]
  return [id, parent, ...keys, ...who, roleName, roleArn, openedAtMs, expiresAtMs]
}

export abstract class SessionStatements extends BreakGlassStatements {
  async addSession(session: SessionRow): Promise<void> {
    await this.sql.run(`INSERT INTO sessions ${SESSION_COLUMNS}`, ...sessionValues(session))
  }

  async addChild(
    session: SessionRow,
    parentKey: string,
    childrenMax: number,
    nowMs: number,
  ): Promise<boolean> {
    // A transaction: in a statement alone, PostgreSQL would not count the child that another one is adding.
    return this.transaction(async (sql) => {
      const added = await sql.run(
        `INSERT INTO sessions ${SESSION_COLUMNS.replace('VALUES (', 'SELECT ').replace(/\)$/, '')}
         WHERE EXISTS (SELECT 1 FROM sessions WHERE id = ? AND access_key_id = ? AND parent IS NULL
           AND ${USABLE_KEYS} AND expires_at_ms > ?)
         AND (SELECT count(*) FROM sessions WHERE ${OPEN_CHILD}) < ?`,
        ...sessionValues(session),
        session.parent,
        parentKey,
        nowMs,
        session.parent,
        nowMs,
        childrenMax,
      )
      return added === 1
    })
  }

  async openChildren(parentId: string, nowMs: number): Promise<number> {
    const sql = `SELECT count(*) AS count FROM sessions WHERE ${OPEN_CHILD}`
    return Number((await this.sql.one(sql, parentId, nowMs))?.['count'] ?? 0)
  }

  async sessionByAccessKey(accessKeyId: string): Promise<SessionRow | undefined> {
    return this.remembered(`session ${accessKeyId}`, async () => {
      const sql = 'SELECT * FROM sessions WHERE access_key_id = ?'
      const row = await this.sql.one(sql, accessKeyId)
      return row && rows.session(row)
    })
  }

  async session(id: string): Promise<SessionRow | undefined> {
    const row = await this.sql.one('SELECT * FROM sessions WHERE id = ?', id)
    return row && rows.session(row)
  }

  async sessions({ before, limit }: PageOf = { limit: SESSIONS_MAX }): Promise<SessionRow[]> {
    const older = '(opened_at_ms, id) < (SELECT opened_at_ms, id FROM sessions WHERE id = ?)'
    const found = await this.sql.all(
      `SELECT * FROM sessions ${before === undefined ? '' : `WHERE ${older}`}
       ORDER BY opened_at_ms DESC, id DESC LIMIT ?`,
      ...(before === undefined ? [] : [before]),
      limit,
    )
    return found.map(rows.session)
  }

  async sessionPeer(sessionId: string): Promise<string | undefined> {
    return this.remembered(`peer ${sessionId}`, async () => {
      const sql = 'SELECT peer FROM session_peers WHERE session_id = ?'
      const row = await this.sql.one(sql, sessionId)
      return row && String(row['peer'])
    })
  }

  async bindPeer(
    sessionId: string,
    accessKeyId: string,
    peer: string,
  ): Promise<string | undefined> {
    await this.sql.run(
      `INSERT INTO session_peers (session_id, peer) SELECT ?, ? WHERE EXISTS
       (SELECT 1 FROM sessions WHERE access_key_id = ? AND ${USABLE_KEYS}) ON CONFLICT DO NOTHING`,
      sessionId,
      peer,
      accessKeyId,
    )
    return this.sessionPeer(sessionId)
  }

  suspendSession(
    id: string,
    accessKeyId: string,
    atMs: number,
    owed: readonly OwedEntry[] = [],
  ): Promise<boolean> {
    return this.transaction(async (sql) => {
      if (!(await suspended(sql, id, accessKeyId, atMs))) return false
      await owe(sql, this.gateway, owed)
      return true
    })
  }

  async suspendedSessions(limit: number, nowMs: number): Promise<SessionRow[]> {
    return (await this.sql.all(SUSPENDED, nowMs, limit)).map(rows.session)
  }

  async resumeSession(
    id: string,
    keys: NewKeys,
    atMs: number,
    owedOf: OwedOf<ClosedSessions> = () => [],
  ): Promise<ClosedSessions | undefined> {
    return this.#endedKeys((sql) => resumed(sql, id, keys, atMs), owedOf)
  }

  async endReplacedKeys(
    id: string,
    accessKeyId: string,
    atMs: number,
    owedOf: OwedOf<ClosedSessions>,
  ): Promise<void> {
    await this.#endedKeys((sql) => replacedKeysEnded(sql, id, accessKeyId, atMs), owedOf)
  }

  async #endedKeys(
    work: (sql: Sql) => Promise<ClosedSessions | false>,
    owedOf: OwedOf<ClosedSessions>,
  ): Promise<ClosedSessions | undefined> {
    const ended = await this.transaction(async (sql) => {
      const closed = await work(sql)
      if (closed) await owe(sql, this.gateway, owedOf(closed))
      return closed
    })
    return ended === false ? undefined : ended
  }

  async closeSession(
    id: string,
    atMs: number,
    owedOf: OwedOf<ClosedSessions> = () => [],
  ): Promise<ClosedSessions | undefined> {
    const closed = await this.transaction(async (sql) => {
      const ended = await sql.all(
        `UPDATE sessions SET closed_at_ms = ?, secret_access_key = '', mask_key = ''
         WHERE (id = ? OR parent = ?) AND closed_at_ms IS NULL RETURNING id`,
        atMs,
        id,
        id,
      )
      const ids = ended.map((row) => String(row['id']))
      if (!ids.includes(id)) return false
      const cancelledRequests = await endWorkOf(sql, ids)
      const closed = { cancelledRequests, children: ids.filter((one) => one !== id) }
      await owe(sql, this.gateway, owedOf(closed))
      return closed
    })
    return closed === false ? undefined : closed
  }
}

// The Store over a database that speaks the SQL of this folder: each method is one statement or one transaction; a
// crash leaves either all of it or nothing.
import { BreakGlassStatements } from './break-glass.ts'
import { type Figures, figuresOf } from './figures.ts'
import { owe } from './owed.ts'
import type { OwedEntry } from './owed-store.ts'
import { peopleVersion } from './people.ts'
import { endWorkOf } from './people-changes.ts'
import * as rows from './rows.ts'
import { resumed, SUSPENDED, suspended, USABLE_KEYS } from './session-keys.ts'
import type { Sql, SqlValue } from './sql.ts'
import { addReview, closeRequest } from './standing.ts'
import type { AlongWith } from './standing-store.ts'
import type {
  ClosedSessions,
  EndedEverything,
  EpochRow,
  GrantRow,
  NewKeys,
  NoncesBefore,
  PageOf,
  RequestFilter,
  RequestRow,
  RequestState,
  ReviewedRequest,
  ReviewRow,
  SessionRow,
  Store,
} from './store.ts'

const SESSION_COLUMNS = `(id, parent, access_key_id, secret_access_key, mask_key, agent, operator, role_name,
  role_arn, opened_at_ms, expires_at_ms, closed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`
/** Sessions listed where nobody says how many. */
const SESSIONS_MAX = 1_000
const OPEN_CHILD = 'parent = ? AND closed_at_ms IS NULL AND expires_at_ms > ?'

function sessionValues(session: SessionRow): SqlValue[] {
  const { id, parent, accessKeyId, secretAccessKey, maskKey, agent, operator } = session
  const { roleName, roleArn, openedAtMs, expiresAtMs } = session
  const keys = [accessKeyId, secretAccessKey, maskKey]
  return [id, parent, ...keys, agent, operator, roleName, roleArn, openedAtMs, expiresAtMs]
}

export class SqlStore extends BreakGlassStatements implements Store {
  #epoch: EpochRow | undefined

  async activeEpoch(): Promise<EpochRow | undefined> {
    return this.remembered('epoch', async () => {
      const newest = await this.sql.one('SELECT max(number) AS number FROM epochs')
      const number = newest?.['number'] ?? null
      if (number === null) return undefined
      // An epoch never changes, and its content is large.
      if (this.#epoch?.number !== number) {
        this.#epoch = await this.epoch(Number(number))
      }
      return this.#epoch
    })
  }

  async activateEpoch(epoch: EpochRow): Promise<{ voidedRequests: string[] }> {
    const voided = await this.transaction(async (sql) => {
      await sql.run(
        'INSERT INTO epochs (number, version, content, activated_at_ms) VALUES (?, ?, ?, ?)',
        epoch.number,
        epoch.version,
        epoch.content,
        epoch.activatedAtMs,
      )
      await sql.run(`UPDATE grants SET state = 'revoked' WHERE state = 'ready'`)
      return sql.all(
        `UPDATE requests SET state = 'cancelled', comment = 'a new policy epoch was activated'
         WHERE state = 'pending' RETURNING id`,
      )
    })
    return { voidedRequests: (voided || []).map((row) => String(row['id'])) }
  }

  async useNonce(nonce: string, atMs: number): Promise<boolean> {
    const sql = 'INSERT INTO nonces (nonce, used_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING'
    return (await this.sql.run(sql, nonce, atMs)) === 1
  }

  async hasNonce(nonce: string): Promise<boolean> {
    return (await this.sql.one('SELECT 1 FROM nonces WHERE nonce = ?', nonce)) !== undefined
  }

  async pruneNonces({ agentsMs, peopleMs }: NoncesBefore): Promise<void> {
    const forgets = `DELETE FROM nonces WHERE used_at_ms < ? OR (used_at_ms < ? AND nonce LIKE 'agent %')`
    await this.sql.run(forgets, peopleMs, agentsMs)
  }

  async addSession(session: SessionRow): Promise<void> {
    await this.sql.run(`INSERT INTO sessions ${SESSION_COLUMNS}`, ...sessionValues(session))
  }

  async addChild(session: SessionRow, childrenMax: number, nowMs: number): Promise<boolean> {
    // A transaction: in a statement alone, PostgreSQL would not count the child that another one is adding.
    return this.transaction(async (sql) => {
      const added = await sql.run(
        `INSERT INTO sessions ${SESSION_COLUMNS.replace('VALUES (', 'SELECT ').replace(/\)$/, '')}
         WHERE EXISTS (SELECT 1 FROM sessions WHERE id = ? AND parent IS NULL AND ${USABLE_KEYS}
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

  suspendSession(id: string, accessKeyId: string, atMs: number): Promise<boolean> {
    return this.transaction((sql) => suspended(sql, id, accessKeyId, atMs))
  }

  async suspendedSessions(limit: number): Promise<SessionRow[]> {
    return (await this.sql.all(SUSPENDED, limit)).map(rows.session)
  }

  async resumeSession(
    id: string,
    keys: NewKeys,
    atMs: number,
  ): Promise<ClosedSessions | undefined> {
    const ended = await this.transaction((sql) => resumed(sql, id, keys, atMs))
    return ended === false ? undefined : ended
  }

  async closeSession(
    id: string,
    atMs: number,
    owedOf: (closed: ClosedSessions) => readonly OwedEntry[] = () => [],
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

  async endEverything(atMs: number): Promise<EndedEverything> {
    const why = 'the state was restored from a back-up'
    const ended = await this.transaction(async (sql) => {
      const sessions = await sql.run(
        `UPDATE sessions SET closed_at_ms = ?, secret_access_key = '', mask_key = ''
         WHERE closed_at_ms IS NULL`,
        atMs,
      )
      const grants = await sql.run(
        `UPDATE grants SET state = 'revoked', ended_why = ? WHERE state = 'ready'`,
        why,
      )
      const requests = await sql.run(
        `UPDATE requests SET state = 'cancelled', comment = ? WHERE state = 'pending'`,
        why,
      )
      await sql.run(
        `UPDATE plans SET state = 'stopped', why = ? WHERE state IN ('recording', 'submitted')`,
        why,
      )
      await sql.run('DELETE FROM sign_ins')
      await sql.run('DELETE FROM people_changes')
      await sql.run(`DELETE FROM meta WHERE key = 'activation'`)
      return { sessions, grants, requests }
    })
    return ended || { sessions: 0, grants: 0, requests: 0 }
  }

  async addRequest(request: RequestRow): Promise<void> {
    await this.sql.run(
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

  async request(id: string): Promise<RequestRow | undefined> {
    return requestOf(this.sql, id)
  }

  async reviewed(id: string): Promise<ReviewedRequest | undefined> {
    const found = await this.transaction(async (sql) => {
      const request = await requestOf(sql, id)
      return request !== undefined && { request, reviews: await reviewsOf(sql, id) }
    })
    return found === false ? undefined : found
  }

  async requests({ state, before, begins, limit }: RequestFilter): Promise<RequestRow[]> {
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
    const found = await this.sql.all(
      `SELECT * FROM requests ${where && `WHERE ${where}`} ORDER BY opened_at_ms DESC, id DESC LIMIT ?`,
      ...values,
      limit,
    )
    return found.map(rows.request)
  }

  async liveRequest(
    sessionId: string,
    actionDigest: string,
    epoch: number,
    nowMs: number,
  ): Promise<RequestRow | undefined> {
    const row = await this.sql.one(
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

  async openRequestCount(sessionId: string): Promise<number> {
    const row = await this.sql.one(
      `SELECT count(*) AS count FROM requests WHERE session_id = ? AND state = 'pending'`,
      sessionId,
    )
    return Number(row?.['count'] ?? 0)
  }

  async closeRequest(
    id: string,
    state: Exclude<RequestState, 'pending'>,
    by: string | null,
    comment: string | null,
    along: AlongWith = {},
  ): Promise<boolean> {
    return this.transaction(async (sql) => {
      if (!(await closeRequest(sql, id, state, { by, comment }))) return false
      await this.keepAlong(sql, along)
      return true
    })
  }

  async dueRequests(nowMs: number): Promise<RequestRow[]> {
    const due = await this.sql.all(
      `SELECT * FROM requests WHERE state = 'pending' AND expires_at_ms <= ? LIMIT 100`,
      nowMs,
    )
    return due.map(rows.request)
  }

  async addReview(review: ReviewRow): Promise<void> {
    await this.transaction(
      async (sql) => {
        await addReview(sql, review)
        return true
      },
      { soonDurable: true },
    )
  }

  async reviews(requestId: string): Promise<ReviewRow[]> {
    return reviewsOf(this.sql, requestId)
  }

  async addGrant(grant: GrantRow, review: ReviewRow, peopleSeen: number): Promise<boolean> {
    return this.transaction(async (sql) => {
      if ((await peopleVersion(sql)) !== peopleSeen) return false
      const closed = { by: review.reviewer, comment: null }
      if (!(await closeRequest(sql, grant.requestId, 'approved', closed))) return false
      await addReview(sql, review)
      await sql.run(
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
  }

  async grantForRequest(requestId: string): Promise<GrantRow | undefined> {
    const row = await this.sql.one('SELECT * FROM grants WHERE request_id = ?', requestId)
    return row && rows.grant(row)
  }

  figures(nowMs: number): Promise<Figures> {
    return figuresOf(this.sql, nowMs)
  }
}

async function requestOf(sql: Sql, id: string): Promise<RequestRow | undefined> {
  const row = await sql.one('SELECT * FROM requests WHERE id = ?', id)
  return row && rows.request(row)
}

async function reviewsOf(sql: Sql, requestId: string): Promise<ReviewRow[]> {
  const found = await sql.all(
    'SELECT * FROM reviews WHERE request_id = ? ORDER BY at_ms, reviewer',
    requestId,
  )
  return found.map(rows.review)
}

// The Store over a database that speaks the SQL of this folder: each method is one statement or one transaction; a
// crash leaves either all of it or nothing.
import { type Figures, figuresOf } from './figures.ts'
import { peopleVersion } from './people.ts'
import * as rows from './rows.ts'
import { SessionStatements } from './sessions.ts'
import type { Sql } from './sql.ts'
import { addReview, closeRequest } from './standing.ts'
import type { AlongWith } from './standing-store.ts'
import type {
  EndedEverything,
  EpochRow,
  GrantRow,
  NoncesBefore,
  RequestFilter,
  RequestRow,
  RequestState,
  ReviewedRequest,
  ReviewRow,
  Store,
} from './store.ts'

export class SqlStore extends SessionStatements implements Store {
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

  async figures(nowMs: number): Promise<Figures> {
    // Those whose outcome is recorded wait to be forgotten with the next effect.
    await this.forgetEnded()
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

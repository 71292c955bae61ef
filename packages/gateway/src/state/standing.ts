// The part of the Store about what stands beside requests: see standing-store.ts.
import { owe } from './owed.ts'
import { PeopleStatements } from './people.ts'
import * as rows from './rows.ts'
import type { Sql } from './sql.ts'
import type {
  AlongWith,
  DenialRow,
  EndedGrant,
  EscalationRow,
  StandingStore,
  TouchRow,
} from './standing-store.ts'
import type { GrantRow, RequestRow, RequestState, ReviewRow } from './store.ts'

const DUE_AT_ONCE_MAX = 100

export abstract class StandingStatements extends PeopleStatements implements StandingStore {
  async denials(operator: string, nowMs: number): Promise<DenialRow[]> {
    const sql = 'SELECT * FROM denials WHERE operator = ? AND until_ms > ? ORDER BY at_ms'
    return (await this.sql.all(sql, operator, nowMs)).map(rows.denial)
  }

  async pruneStanding(nowMs: number): Promise<void> {
    await this.sql.run('DELETE FROM denials WHERE until_ms <= ?', nowMs)
    await this.sql.run('DELETE FROM touches WHERE until_ms <= ?', nowMs)
  }

  async addTouches(all: readonly TouchRow[]): Promise<void> {
    if (all.length === 0) return
    await this.transaction(
      async (sql) => {
        for (const row of all) {
          await sql.run(
            `INSERT INTO touches (request_id, session_id, operator, operation, does, resource, at_ms, until_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
            row.requestId,
            row.sessionId,
            row.operator,
            row.operation,
            row.does,
            row.resource,
            row.atMs,
            row.untilMs,
          )
        }
        return true
      },
      { soonDurable: true },
    )
  }

  async touched(
    operator: string,
    resource: string,
    does: TouchRow['does'],
    nowMs: number,
  ): Promise<TouchRow[]> {
    const sql = `SELECT * FROM touches WHERE operator = ? AND resource = ? AND does = ? AND until_ms > ?
       AND request_id IN (SELECT id FROM requests WHERE state IN ('pending', 'approved'))
       ORDER BY at_ms DESC LIMIT 10`
    return (await this.sql.all(sql, operator, resource, does, nowMs)).map(rows.touch)
  }

  async touchesOf(requestId: string): Promise<TouchRow[]> {
    const sql = 'SELECT * FROM touches WHERE request_id = ?'
    return (await this.sql.all(sql, requestId)).map(rows.touch)
  }

  async requestCounts(operator: string, sinceMs: number): Promise<{ open: number; since: number }> {
    const row = await this.sql.one(
      `SELECT (SELECT count(*) FROM requests WHERE operator = ? AND state = 'pending') AS open,
       (SELECT count(*) FROM requests WHERE operator = ? AND opened_at_ms > ?) AS since`,
      operator,
      operator,
      sinceMs,
    )
    return { open: Number(row?.['open'] ?? 0), since: Number(row?.['since'] ?? 0) }
  }

  async changesAsked(sessionId: string, sinceMs: number, limit: number): Promise<RequestRow[]> {
    return (
      await this.sql.all(
        `SELECT * FROM requests WHERE session_id = ? AND state = 'changes_requested' AND opened_at_ms > ?
       ORDER BY opened_at_ms DESC LIMIT ?`,
        sessionId,
        sinceMs,
        limit,
      )
    ).map(rows.request)
  }

  async addEscalations(all: readonly EscalationRow[]): Promise<void> {
    for (const { requestId, team, dueAtMs } of all) {
      await this.sql.run(
        'INSERT INTO escalations (request_id, team, due_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        requestId,
        team,
        dueAtMs,
      )
    }
  }

  async escalations(requestId: string): Promise<EscalationRow[]> {
    const sql = 'SELECT * FROM escalations WHERE request_id = ? ORDER BY due_at_ms, team'
    return (await this.sql.all(sql, requestId)).map(rows.escalation)
  }

  async dueEscalations(nowMs: number): Promise<EscalationRow[]> {
    return (
      await this.sql.all(
        `SELECT escalations.* FROM escalations JOIN requests ON requests.id = request_id
       WHERE at_ms IS NULL AND due_at_ms <= ? AND state = 'pending' AND expires_at_ms > ?
       ORDER BY due_at_ms LIMIT ${DUE_AT_ONCE_MAX}`,
        nowMs,
        nowMs,
      )
    ).map(rows.escalation)
  }

  async endEscalation({ requestId, team, atMs, alternative }: EscalationRow): Promise<void> {
    await this.sql.run(
      'UPDATE escalations SET at_ms = ?, alternative = ? WHERE request_id = ? AND team = ?',
      atMs,
      alternative && JSON.stringify(alternative),
      requestId,
      team,
    )
  }

  async dueGrants(nowMs: number): Promise<GrantRow[]> {
    return (
      await this.sql.all(
        `SELECT * FROM grants WHERE state = 'ready' AND expires_at_ms <= ? LIMIT ${DUE_AT_ONCE_MAX}`,
        nowMs,
      )
    ).map(rows.grant)
  }

  async endGrant(
    id: string,
    { state, by, why }: EndedGrant,
    along: AlongWith = {},
  ): Promise<boolean> {
    return this.transaction(async (sql) => {
      const ends = `UPDATE grants SET state = ?, ended_by = ?, ended_why = ? WHERE id = ? AND state = 'ready'`
      if ((await sql.run(ends, state, by, why, id)) !== 1) return false
      await this.keepAlong(sql, along)
      return true
    })
  }

  /** Within the transaction of what ends. */
  protected async keepAlong(sql: Sql, along: AlongWith): Promise<void> {
    const { owed = [], denials = [], review } = along
    if (review) await addReview(sql, review)
    for (const denial of denials) await addDenial(sql, denial)
    await owe(sql, this.gateway, owed)
  }
}

export async function addReview(sql: Sql, review: ReviewRow): Promise<void> {
  const { requestId, reviewer, verdict, strength, key, atMs } = review
  await sql.run(
    `INSERT INTO reviews (request_id, reviewer, verdict, strength, key_fingerprint, at_ms)
     VALUES (?, ?, ?, ?, ?, ?)`,
    requestId,
    reviewer,
    verdict,
    strength,
    key,
    atMs,
  )
}

async function addDenial(sql: Sql, denial: DenialRow): Promise<void> {
  await sql.run(
    `INSERT INTO denials (request_id, operator, service, effects, resources, denied_by, comment, at_ms, until_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    denial.requestId,
    denial.operator,
    denial.service,
    JSON.stringify(denial.effects),
    JSON.stringify(denial.resources),
    denial.deniedBy,
    denial.comment,
    denial.atMs,
    denial.untilMs,
  )
}

export async function closeRequest(
  sql: Sql,
  id: string,
  state: Exclude<RequestState, 'pending'>,
  { by, comment }: { by: string | null; comment: string | null },
): Promise<boolean> {
  const closes = `UPDATE requests SET state = ?, closed_by = ?, comment = ? WHERE id = ? AND state = 'pending'`
  return (await sql.run(closes, state, by, comment, id)) === 1
}

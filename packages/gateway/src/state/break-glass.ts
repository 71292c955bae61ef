// The part of the Store about break-glass: see break-glass-store.ts.
import type { BreakGlassReview, BreakGlassRow, BreakGlassStore } from './break-glass-store.ts'
import { PlanStatements } from './plans.ts'
import * as rows from './rows.ts'
import type { Sql } from './sql.ts'
import type { OpenEffect, PageOf } from './store.ts'

export abstract class BreakGlassStatements extends PlanStatements implements BreakGlassStore {
  async addBreakGlass(row: BreakGlassRow): Promise<boolean> {
    const added = await this.sql.run(
      `INSERT INTO break_glasses (id, session_id, operator, reason, effects, resources, strength, epoch,
       opened_at_ms, until_ms, effects_max, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING`,
      row.id,
      row.sessionId,
      row.operator,
      row.reason,
      JSON.stringify(row.effects),
      JSON.stringify(row.resources),
      row.strength,
      row.epoch,
      row.openedAtMs,
      row.untilMs,
      row.effectsMax,
    )
    return added === 1
  }

  async breakGlass(id: string): Promise<BreakGlassRow | undefined> {
    const row = await this.sql.one('SELECT * FROM break_glasses WHERE id = ?', id)
    return row && rows.breakGlass(row)
  }

  async breakGlasses({ before, limit }: PageOf): Promise<BreakGlassRow[]> {
    const older = '(opened_at_ms, id) < (SELECT opened_at_ms, id FROM break_glasses WHERE id = ?)'
    const found = await this.sql.all(
      `SELECT * FROM break_glasses ${before === undefined ? '' : `WHERE ${older}`}
       ORDER BY opened_at_ms DESC, id DESC LIMIT ?`,
      ...(before === undefined ? [] : [before]),
      limit,
    )
    return found.map(rows.breakGlass)
  }

  async unclosedBreakGlasses(): Promise<BreakGlassRow[]> {
    const sql = 'SELECT * FROM break_glasses WHERE closed_at_ms IS NULL'
    const found = (await this.sql.all(sql)).map(rows.breakGlass)
    return found.toSorted((left, right) => right.openedAtMs - left.openedAtMs)
  }

  async liveBreakGlass(
    sessionId: string,
    epoch: number,
    nowMs: number,
  ): Promise<BreakGlassRow | undefined> {
    const row = await this.sql.one(
      `SELECT * FROM break_glasses WHERE session_id = ? AND epoch = ? AND until_ms > ?
       AND used < effects_max AND closed_at_ms IS NULL`,
      sessionId,
      epoch,
      nowMs,
    )
    return row && rows.breakGlass(row)
  }

  async useBreakGlass(
    id: string,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): Promise<boolean> {
    return this.started(effect, signatureSha256, nowMs, async (sql) => {
      const changed = await sql.run(
        `UPDATE break_glasses SET used = used + 1 WHERE id = ? AND used < effects_max AND until_ms > ?
         AND closed_at_ms IS NULL AND epoch = (SELECT max(number) FROM epochs)
         AND session_id IN (SELECT id FROM sessions WHERE closed_at_ms IS NULL
           AND suspended_at_ms IS NULL AND expires_at_ms > ?)`,
        id,
        nowMs,
        nowMs,
      )
      return changed === 1
    })
  }

  async addBreakGlassReview(review: BreakGlassReview, reviewersNeeded: number): Promise<boolean> {
    const { breakGlass, reviewer, comment, atMs } = review
    const closed = await this.transaction(async (sql) => {
      await sql.run(
        `INSERT INTO break_glass_reviews (break_glass_id, reviewer, comment, at_ms) VALUES (?, ?, ?, ?)`,
        breakGlass,
        reviewer,
        comment,
        atMs,
      )
      const isClosed = (await reviewsOf(sql, breakGlass)).length >= reviewersNeeded
      const closes =
        'UPDATE break_glasses SET closed_at_ms = ? WHERE id = ? AND closed_at_ms IS NULL'
      if (isClosed) await sql.run(closes, atMs, breakGlass)
      return { isClosed }
    })
    return closed !== false && closed.isClosed
  }

  async breakGlassReviews(id: string): Promise<BreakGlassReview[]> {
    return reviewsOf(this.sql, id)
  }
}

async function reviewsOf(sql: Sql, id: string): Promise<BreakGlassReview[]> {
  const found = await sql.all(
    'SELECT * FROM break_glass_reviews WHERE break_glass_id = ? ORDER BY at_ms, reviewer',
    id,
  )
  return found.map((row) => ({
    breakGlass: id,
    reviewer: String(row['reviewer']),
    comment: String(row['comment']),
    atMs: Number(row['at_ms']),
  }))
}

// The part of the Store on SQLite about break-glass: see break-glass-store.ts.
import type { BreakGlassReview, BreakGlassRow, BreakGlassStore } from './break-glass-store.ts'
import { PlanStatements } from './plans.ts'
import * as rows from './rows.ts'
import type { OpenEffect } from './store.ts'

export abstract class BreakGlassStatements extends PlanStatements implements BreakGlassStore {
  addBreakGlass(row: BreakGlassRow): boolean {
    const added = this.run(
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

  breakGlass(id: string): BreakGlassRow | undefined {
    const row = this.one('SELECT * FROM break_glasses WHERE id = ?', id)
    return row && rows.breakGlass(row)
  }

  breakGlasses(limit: number): BreakGlassRow[] {
    const sql = 'SELECT * FROM break_glasses ORDER BY opened_at_ms DESC, id LIMIT ?'
    return this.all(sql, limit).map(rows.breakGlass)
  }

  liveBreakGlass(sessionId: string, epoch: number, nowMs: number): BreakGlassRow | undefined {
    const row = this.one(
      `SELECT * FROM break_glasses WHERE session_id = ? AND epoch = ? AND until_ms > ?
       AND used < effects_max AND closed_at_ms IS NULL`,
      sessionId,
      epoch,
      nowMs,
    )
    return row && rows.breakGlass(row)
  }

  useBreakGlass(id: string, effect: OpenEffect, signatureSha256: string, nowMs: number): boolean {
    const used = this.transactionSoonDurable(() => {
      const changed = this.run(
        `UPDATE break_glasses SET used = used + 1 WHERE id = ? AND used < effects_max AND until_ms > ?
         AND closed_at_ms IS NULL AND epoch = (SELECT max(number) FROM epochs)
         AND session_id IN (SELECT id FROM sessions WHERE closed_at_ms IS NULL AND expires_at_ms > ?)`,
        id,
        nowMs,
        nowMs,
      )
      return changed === 1 && this.startEffect(effect, signatureSha256, nowMs)
    })
    return used === true
  }

  addBreakGlassReview(review: BreakGlassReview, reviewersNeeded: number): boolean {
    const { breakGlass, reviewer, comment, atMs } = review
    const closed = this.transaction(() => {
      this.run(
        `INSERT INTO break_glass_reviews (break_glass_id, reviewer, comment, at_ms) VALUES (?, ?, ?, ?)`,
        breakGlass,
        reviewer,
        comment,
        atMs,
      )
      const isClosed = this.breakGlassReviews(breakGlass).length >= reviewersNeeded
      const sql = 'UPDATE break_glasses SET closed_at_ms = ? WHERE id = ? AND closed_at_ms IS NULL'
      if (isClosed) this.run(sql, atMs, breakGlass)
      return { isClosed }
    })
    return closed !== false && closed.isClosed
  }

  breakGlassReviews(id: string): BreakGlassReview[] {
    const sql = 'SELECT * FROM break_glass_reviews WHERE break_glass_id = ? ORDER BY at_ms'
    return this.all(sql, id).map((row) => ({
      breakGlass: id,
      reviewer: String(row['reviewer']),
      comment: String(row['comment']),
      atMs: Number(row['at_ms']),
    }))
  }
}

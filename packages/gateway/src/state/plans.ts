// The part of the Store about plans: see plan-store.ts. A step is consumed by one statement that
// asks for the approval, the epoch, the session and every earlier step at once.

import { isUsable } from './effects.ts'
import { owe } from './owed.ts'
import type { OwedEntry } from './owed-store.ts'
import type { PlanRow, PlanState, PlanStepRow, PlanStore, StepPlace } from './plan-store.ts'
import * as rows from './rows.ts'
import type { Sql } from './sql.ts'
import { StandingStatements } from './standing.ts'
import type { OpenEffect, PageOf } from './store.ts'

export abstract class PlanStatements extends StandingStatements implements PlanStore {
  async addPlan(plan: PlanRow): Promise<boolean> {
    // A transaction: in a statement alone, PostgreSQL would not see the plan that another one is adding.
    return this.transaction(async (sql) => {
      const added = await sql.run(
        `INSERT INTO plans (id, session_id, operator, state, reason, epoch, opened_at_ms)
       SELECT ?, ?, ?, 'recording', ?, ?, ? WHERE NOT EXISTS
         (SELECT 1 FROM plans WHERE session_id = ? AND state IN ('recording', 'submitted'))`,
        plan.id,
        plan.sessionId,
        plan.operator,
        plan.reason,
        plan.epoch,
        plan.openedAtMs,
        plan.sessionId,
      )
      return added === 1
    })
  }

  async plan(id: string): Promise<PlanRow | undefined> {
    const row = await this.sql.one('SELECT * FROM plans WHERE id = ?', id)
    return row && rows.plan(row)
  }

  async plans({ before, limit }: PageOf): Promise<PlanRow[]> {
    const older = '(opened_at_ms, id) < (SELECT opened_at_ms, id FROM plans WHERE id = ?)'
    const found = await this.sql.all(
      `SELECT * FROM plans ${before === undefined ? '' : `WHERE ${older}`}
       ORDER BY opened_at_ms DESC, id DESC LIMIT ?`,
      ...(before === undefined ? [] : [before]),
      limit,
    )
    return found.map(rows.plan)
  }

  async plansSince(operator: string, sinceMs: number): Promise<number> {
    const sql = 'SELECT count(*) AS count FROM plans WHERE operator = ? AND opened_at_ms >= ?'
    return Number((await this.sql.one(sql, operator, sinceMs))?.['count'])
  }

  async openPlan(sessionId: string): Promise<PlanRow | undefined> {
    const row = await this.sql.one(
      `SELECT * FROM plans WHERE session_id = ? AND state IN ('recording', 'submitted')`,
      sessionId,
    )
    return row && rows.plan(row)
  }

  async addStep(
    planId: string,
    step: Omit<PlanStepRow, 'number' | 'state'>,
    max: number,
  ): Promise<number | null> {
    const number = await this.transaction(async (sql) => {
      const [added] = await sql.all(
        `INSERT INTO plan_steps (plan_id, number, operation, action_digest, digest, follows, content, state)
       SELECT ?, count(*) + 1, ?, ?, ?, '[]', ?, 'recorded' FROM plan_steps WHERE plan_id = ?
       HAVING count(*) < ? AND EXISTS (SELECT 1 FROM plans WHERE id = ? AND state = 'recording')
       ON CONFLICT DO NOTHING RETURNING number`,
        planId,
        step.operation,
        step.actionDigest,
        step.digest,
        step.content,
        planId,
        max,
        planId,
      )
      return added !== undefined && Number(added['number'])
    })
    return number === false ? null : number
  }

  async steps(planId: string): Promise<PlanStepRow[]> {
    const sql = 'SELECT * FROM plan_steps WHERE plan_id = ? ORDER BY number'
    return (await this.sql.all(sql, planId)).map(rows.planStep)
  }

  async submitPlan(
    id: string,
    steps: readonly Pick<PlanStepRow, 'number' | 'digest' | 'follows'>[],
  ): Promise<boolean> {
    const submitted = await this.transaction(async (sql) => {
      const submits = `UPDATE plans SET state = 'submitted' WHERE id = ? AND state = 'recording'`
      if ((await sql.run(submits, id)) !== 1) return false
      // One that was added since would be part of what is approved and of no document.
      const all = await sql.one('SELECT count(*) AS count FROM plan_steps WHERE plan_id = ?', id)
      if (Number(all?.['count']) !== steps.length) return false
      for (const { number, digest, follows } of steps) {
        await sql.run(
          `UPDATE plan_steps SET digest = ?, follows = ?, content = '' WHERE plan_id = ? AND number = ?`,
          digest,
          JSON.stringify(follows),
          id,
          number,
        )
      }
      return true
    })
    return submitted === true
  }

  async endPlan(
    id: string,
    ended: { state: PlanState; step: number | null; why: string },
    owed: readonly OwedEntry[] = [],
  ): Promise<boolean> {
    const done = await this.transaction(async (sql) => {
      const changed = await sql.run(
        `UPDATE plans SET state = ?, stopped_at = ?, why = ? WHERE id = ? AND state IN ('recording', 'submitted')`,
        ended.state,
        ended.step,
        ended.why,
        id,
      )
      if (changed !== 1) return false
      await sql.run(`UPDATE plan_steps SET content = '' WHERE plan_id = ?`, id)
      await sql.run(
        `UPDATE grants SET state = 'revoked', ended_why = ? WHERE request_id = ? AND state = 'ready'`,
        ended.why,
        id,
      )
      await owe(sql, this.gateway, owed)
      return true
    })
    return done === true
  }

  async consumeStep(
    { plan, step }: StepPlace,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): Promise<boolean> {
    const passes = async (sql: Sql) => {
      if (!(await isUsable(sql, plan, nowMs))) return false
      const changed = await sql.run(
        `UPDATE plan_steps SET state = 'consumed' WHERE plan_id = ? AND number = ? AND state = 'recorded'
         AND NOT EXISTS (SELECT 1 FROM plan_steps AS earlier WHERE earlier.plan_id = plan_steps.plan_id
           AND earlier.number < plan_steps.number AND earlier.state != 'done')
         AND EXISTS (SELECT 1 FROM plans WHERE id = plan_id AND state = 'submitted')`,
        plan,
        step,
      )
      return changed === 1
    }
    return this.started(effect, signatureSha256, nowMs, passes, plan)
  }

  async endStep({ plan, step }: StepPlace): Promise<void> {
    await this.transaction(async (sql) => {
      await sql.run(
        `UPDATE plan_steps SET state = 'done' WHERE plan_id = ? AND number = ? AND state = 'consumed'`,
        plan,
        step,
      )
      const left = `SELECT 1 FROM plan_steps WHERE plan_id = ? AND state != 'done'`
      if ((await sql.one(left, plan)) !== undefined) return true
      await sql.run(`UPDATE plans SET state = 'done' WHERE id = ? AND state = 'submitted'`, plan)
      await sql.run(
        `UPDATE grants SET state = 'consumed' WHERE request_id = ? AND state = 'ready'`,
        plan,
      )
      return true
    })
  }

  async interruptedSteps(): Promise<StepPlace[]> {
    await this.forgetEnded()
    // Whoever buries a gateway ends its effects with it.
    const found = await this.sql.all(
      `SELECT plan_id, number FROM plans JOIN plan_steps ON plans.id = plan_id
       WHERE plans.state = 'submitted' AND plan_steps.state = 'consumed'
       AND NOT EXISTS (SELECT 1 FROM effects WHERE effects.plan = plans.id) ORDER BY plan_id`,
    )
    return found.map((row) => ({ plan: String(row['plan_id']), step: Number(row['number']) }))
  }
}

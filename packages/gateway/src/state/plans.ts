// The part of the Store on SQLite about plans: see plan-store.ts. A step is consumed by one statement that
// asks for the approval, the epoch, the session and every earlier step at once.
import type { PlanRow, PlanState, PlanStepRow, PlanStore, StepPlace } from './plan-store.ts'
import * as rows from './rows.ts'
import { StandingStatements } from './standing.ts'
import type { OpenEffect } from './store.ts'

export abstract class PlanStatements extends StandingStatements implements PlanStore {
  addPlan(plan: PlanRow): boolean {
    const added = this.run(
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
  }

  plan(id: string): PlanRow | undefined {
    const row = this.one('SELECT * FROM plans WHERE id = ?', id)
    return row && rows.plan(row)
  }

  plans(limit: number): PlanRow[] {
    const sql = 'SELECT * FROM plans ORDER BY opened_at_ms DESC, id LIMIT ?'
    return this.all(sql, limit).map(rows.plan)
  }

  openPlan(sessionId: string): PlanRow | undefined {
    const row = this.one(
      `SELECT * FROM plans WHERE session_id = ? AND state IN ('recording', 'submitted')`,
      sessionId,
    )
    return row && rows.plan(row)
  }

  addStep(planId: string, step: Omit<PlanStepRow, 'number' | 'state'>, max: number): number | null {
    const [added] = this.all(
      `INSERT INTO plan_steps (plan_id, number, operation, action_digest, digest, follows, content, state)
       SELECT ?, count(*) + 1, ?, ?, ?, '[]', ?, 'recorded' FROM plan_steps WHERE plan_id = ?
       HAVING count(*) < ? AND EXISTS (SELECT 1 FROM plans WHERE id = ? AND state = 'recording')
       RETURNING number`,
      planId,
      step.operation,
      step.actionDigest,
      step.digest,
      step.content,
      planId,
      max,
      planId,
    )
    return added === undefined ? null : Number(added['number'])
  }

  steps(planId: string): PlanStepRow[] {
    const sql = 'SELECT * FROM plan_steps WHERE plan_id = ? ORDER BY number'
    return this.all(sql, planId).map(rows.planStep)
  }

  submitPlan(
    id: string,
    steps: readonly Pick<PlanStepRow, 'number' | 'digest' | 'follows'>[],
  ): boolean {
    const submitted = this.transaction(() => {
      const sql = `UPDATE plans SET state = 'submitted' WHERE id = ? AND state = 'recording'`
      if (this.run(sql, id) !== 1) return false
      for (const { number, digest, follows } of steps) {
        this.run(
          'UPDATE plan_steps SET digest = ?, follows = ? WHERE plan_id = ? AND number = ?',
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

  endPlan(id: string, ended: { state: PlanState; step: number | null; why: string }): boolean {
    const done = this.transaction(() => {
      const changed = this.run(
        `UPDATE plans SET state = ?, stopped_at = ?, why = ? WHERE id = ? AND state IN ('recording', 'submitted')`,
        ended.state,
        ended.step,
        ended.why,
        id,
      )
      if (changed !== 1) return false
      this.run(
        `UPDATE grants SET state = 'revoked', ended_why = ? WHERE request_id = ? AND state = 'ready'`,
        ended.why,
        id,
      )
      return true
    })
    return done === true
  }

  consumeStep(
    { plan, step }: StepPlace,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): boolean {
    const consumed = this.transactionSoonDurable(() => {
      if (!this.isUsable(plan, nowMs)) return false
      const changed = this.run(
        `UPDATE plan_steps SET state = 'consumed' WHERE plan_id = ? AND number = ? AND state = 'recorded'
         AND NOT EXISTS (SELECT 1 FROM plan_steps AS earlier WHERE earlier.plan_id = plan_steps.plan_id
           AND earlier.number < plan_steps.number AND earlier.state != 'done')
         AND EXISTS (SELECT 1 FROM plans WHERE id = plan_id AND state = 'submitted')`,
        plan,
        step,
      )
      return changed === 1 && this.startEffect(effect, signatureSha256, nowMs)
    })
    return consumed === true
  }

  endStep({ plan, step }: StepPlace): void {
    this.transaction(() => {
      this.run(
        `UPDATE plan_steps SET state = 'done' WHERE plan_id = ? AND number = ? AND state = 'consumed'`,
        plan,
        step,
      )
      const left = `SELECT 1 FROM plan_steps WHERE plan_id = ? AND state != 'done'`
      if (this.one(left, plan) !== undefined) return true
      this.run(`UPDATE plans SET state = 'done' WHERE id = ? AND state = 'submitted'`, plan)
      this.run(
        `UPDATE grants SET state = 'consumed' WHERE request_id = ? AND state = 'ready'`,
        plan,
      )
      return true
    })
  }

  interruptedSteps(): StepPlace[] {
    return this.all(
      `SELECT plan_id, number FROM plan_steps JOIN plans ON plans.id = plan_id
       WHERE plan_steps.state = 'consumed' AND plans.state = 'submitted' ORDER BY plan_id`,
    ).map((row) => ({ plan: String(row['plan_id']), step: Number(row['number']) }))
  }
}

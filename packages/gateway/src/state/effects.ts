// The part of the Store that every effect passes: a grant or a signature is used once, and
// what was begun stays open until its outcome is in the ledger.
import { OwedStatements } from './owed.ts'
import * as rows from './rows.ts'
import type { Sql } from './sql.ts'
import type { EffectProgress, EpochRow, FollowedEffect, IntentFacts, OpenEffect } from './store.ts'

/** What an approval must be in the moment of its use. Values: now, now. */
const USABLE = `state = 'ready' AND expires_at_ms > ?
  AND epoch = (SELECT max(number) FROM epochs)
  AND session_id IN (SELECT id FROM sessions WHERE closed_at_ms IS NULL AND suspended_at_ms IS NULL
    AND expires_at_ms > ?)
  AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.request_id = grants.request_id
    AND verdict = 'approve' AND NOT EXISTS (SELECT 1 FROM person_keys JOIN people
      ON people.name = person_keys.person WHERE fingerprint = reviews.key_fingerprint
      AND people.name = reviews.reviewer AND person_keys.removed_at_ms IS NULL
      AND people.removed_at_ms IS NULL))`

/** Ended effects that wait to be forgotten. */
const ENDED_MAX = 256

export class EffectStatements extends OwedStatements {
  readonly #ended: string[] = []

  override async close(): Promise<void> {
    try {
      await this.forgetEnded()
    } finally {
      await super.close()
    }
  }

  async epoch(number: number): Promise<EpochRow | undefined> {
    const row = await this.sql.one('SELECT * FROM epochs WHERE number = ?', number)
    return row && rows.epoch(row)
  }

  async consumeGrant(
    grantId: string,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): Promise<boolean> {
    return this.started(effect, signatureSha256, nowMs, async (sql) => {
      const changed = await sql.run(
        `UPDATE grants SET state = 'consumed' WHERE id = ? AND ${USABLE}`,
        grantId,
        nowMs,
        nowMs,
      )
      return changed === 1
    })
  }

  async beginEffect(
    effect: OpenEffect,
    signatureSha256: string,
    epoch: number,
    nowMs: number,
  ): Promise<boolean> {
    return this.started(effect, signatureSha256, nowMs, async (sql) => {
      const mayAct = await sql.one(
        `SELECT 1 AS yes FROM sessions WHERE id = ? AND closed_at_ms IS NULL AND suspended_at_ms IS NULL
         AND expires_at_ms > ?
         AND (SELECT max(number) FROM epochs) = ?`,
        effect.sessionId,
        nowMs,
        epoch,
      )
      return mayAct !== undefined
    })
  }

  /**
   * Starts an effect in one transaction with `passes`, which uses up what it passes by; false where that, or its
   * signature, was used before.
   */
  protected async started(
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
    passes: (sql: Sql) => Promise<boolean>,
    plan = '',
  ): Promise<boolean> {
    // Of this transaction alone: two that forgot the same rows would be in each other's way.
    const ended = this.#ended.splice(0)
    try {
      const started = await this.transaction(
        async (sql) =>
          (await passes(sql)) &&
          (await addEffect(sql, effect, { gateway: this.gateway, plan }, signatureSha256, nowMs)) &&
          (await forget(sql, ended)),
        { soonDurable: true },
      )
      if (started) ended.length = 0
      return started
    } finally {
      this.#ended.push(...ended)
    }
  }

  async restoreEffect(
    effect: OpenEffect,
    { signature, grant, plan, breakGlass, atMs }: IntentFacts,
  ): Promise<void> {
    await this.transaction(async (sql) => {
      // Where the signature is known, so is all that was used up with it.
      const isLost = (await sql.run(ADD_SIGNATURE, signature, atMs)) === 1
      const more = 'UPDATE break_glasses SET used = used + 1 WHERE id = ? AND used < effects_max'
      if (isLost && breakGlass !== undefined) await sql.run(more, breakGlass)
      if (plan) {
        const step = `UPDATE plan_steps SET state = 'consumed' WHERE plan_id = ? AND number = ? AND state = 'recorded'`
        await sql.run(step, plan.plan, plan.step)
      } else if (grant !== null)
        await sql.run(`UPDATE grants SET state = 'consumed' WHERE id = ?`, grant)
      const { id, sessionId, operation } = effect
      await sql.run(
        `${ADD_EFFECT} ON CONFLICT DO NOTHING`,
        id,
        sessionId,
        operation,
        this.gateway,
        '',
      )
      return true
    })
  }

  async endEffect(effectId: string): Promise<void> {
    // Forgotten with the next effect's own commit: if a crash comes first, the outcome is in the ledger
    // and the next start reads it there.
    this.#ended.push(effectId)
    if (this.#ended.length >= ENDED_MAX) await this.forgetEnded()
  }

  protected async forgetEnded(): Promise<void> {
    const ended = this.#ended.splice(0)
    if (ended.length === 0) return
    try {
      await this.transaction((sql) => forget(sql, ended))
      ended.length = 0
    } finally {
      this.#ended.push(...ended)
    }
  }

  async progressOf(effectId: string): Promise<EffectProgress> {
    // Not a read: it waits for the transaction of whoever is at this row, also where nobody hears that one's end.
    const sql = 'UPDATE effects SET state = state WHERE id = ? AND gateway = ? RETURNING state'
    const row = await this.sql.one(sql, effectId, this.gateway)
    if (row === undefined) return 'gone'
    return ['accepted', 'ended'].includes(String(row['state'])) ? 'recorded' : 'begun'
  }

  async openEffects(): Promise<OpenEffect[]> {
    await this.forgetEnded()
    const sql = `SELECT * FROM effects WHERE state = 'open' AND gateway = ? ORDER BY id`
    const open = await this.sql.all(sql, this.gateway)
    return open.map(rows.effect)
  }

  async addFollowed({
    id,
    sessionId,
    operation,
    region,
    input,
    sinceMs,
  }: FollowedEffect): Promise<void> {
    await this.sql.run(
      `INSERT INTO followed (effect_id, session_id, operation, region, input, since_ms, gateway)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      id,
      sessionId,
      operation,
      region,
      input,
      sinceMs,
      this.gateway,
    )
  }

  async endFollowed(effectId: string): Promise<void> {
    await this.sql.run('DELETE FROM followed WHERE effect_id = ?', effectId)
  }

  async followed(): Promise<FollowedEffect[]> {
    const sql = 'SELECT * FROM followed WHERE gateway = ? ORDER BY since_ms, effect_id'
    return (await this.sql.all(sql, this.gateway)).map(rows.followed)
  }

  async pruneSignatures(beforeMs: number): Promise<void> {
    await this.sql.run('DELETE FROM signatures WHERE used_at_ms < ?', beforeMs)
  }
}

const ADD_SIGNATURE =
  'INSERT INTO signatures (sha256, used_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING'
const ADD_EFFECT = `INSERT INTO effects (id, session_id, operation, gateway, plan, state)
  VALUES (?, ?, ?, ?, ?, 'open')`

async function addEffect(
  sql: Sql,
  { id, sessionId, operation }: OpenEffect,
  { gateway, plan }: { readonly gateway: string; readonly plan: string },
  signatureSha256: string,
  nowMs: number,
): Promise<boolean> {
  if ((await sql.run(ADD_SIGNATURE, signatureSha256, nowMs)) !== 1) return false
  await sql.run(ADD_EFFECT, id, sessionId, operation, gateway, plan)
  return true
}

async function forget(sql: Sql, effects: readonly string[]): Promise<true> {
  for (const id of effects) await sql.run('DELETE FROM effects WHERE id = ?', id)
  return true
}

/** Whether the approval of this request may be used now; within the transaction that uses it. */
export async function isUsable(sql: Sql, requestId: string, nowMs: number): Promise<boolean> {
  const usable = `SELECT 1 AS yes FROM grants WHERE request_id = ? AND ${USABLE}`
  return (await sql.one(usable, requestId, nowMs, nowMs)) !== undefined
}

// The part of the Store on SQLite that every effect passes: a grant or a signature is used once, and
// what was begun stays open until its outcome is in the ledger.
import * as rows from './rows.ts'
import { Statements } from './statements.ts'
import type { FollowedEffect, IntentFacts, OpenEffect } from './store.ts'

/** What an approval must be in the moment of its use. Values: now, now. */
const USABLE = `state = 'ready' AND expires_at_ms > ?
  AND epoch = (SELECT max(number) FROM epochs)
  AND session_id IN (SELECT id FROM sessions WHERE closed_at_ms IS NULL AND expires_at_ms > ?)
  AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.request_id = grants.request_id
    AND verdict = 'approve' AND NOT EXISTS (SELECT 1 FROM person_keys JOIN people
      ON people.name = person_keys.person WHERE fingerprint = reviews.key_fingerprint
      AND people.name = reviews.reviewer AND person_keys.removed_at_ms IS NULL
      AND people.removed_at_ms IS NULL))`

/** Ended effects that wait to be forgotten. */
const ENDED_MAX = 256

export class EffectStatements extends Statements {
  readonly #ended: string[] = []

  override close(): void {
    this.transaction(() => this.#forgetEnded())
    super.close()
  }

  consumeGrant(
    grantId: string,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): boolean {
    const consumed = this.transactionSoonDurable(() => {
      const changed = this.run(
        `UPDATE grants SET state = 'consumed' WHERE id = ? AND ${USABLE}`,
        grantId,
        nowMs,
        nowMs,
      )
      return changed === 1 && this.startEffect(effect, signatureSha256, nowMs)
    })
    return consumed === true
  }

  beginEffect(effect: OpenEffect, signatureSha256: string, epoch: number, nowMs: number): boolean {
    const begun = this.transactionSoonDurable(() => {
      const mayAct = this.one(
        `SELECT 1 AS yes FROM sessions WHERE id = ? AND closed_at_ms IS NULL AND expires_at_ms > ?
         AND (SELECT max(number) FROM epochs) = ?`,
        effect.sessionId,
        nowMs,
        epoch,
      )
      return mayAct !== undefined && this.startEffect(effect, signatureSha256, nowMs)
    })
    return begun === true
  }

  /** Whether the approval of this request may be used now; within the transaction that uses it. */
  protected isUsable(requestId: string, nowMs: number): boolean {
    const sql = `SELECT 1 FROM grants WHERE request_id = ? AND ${USABLE}`
    return this.one(sql, requestId, nowMs, nowMs) !== undefined
  }

  protected startEffect(effect: OpenEffect, signatureSha256: string, nowMs: number): true | false {
    const fresh = this.run(
      'INSERT INTO signatures (sha256, used_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING',
      signatureSha256,
      nowMs,
    )
    if (fresh !== 1) return false
    this.#forgetEnded()
    this.run(
      `INSERT INTO effects (id, session_id, operation, state) VALUES (?, ?, ?, 'open')`,
      effect.id,
      effect.sessionId,
      effect.operation,
    )
    return true
  }

  restoreEffect(
    effect: OpenEffect,
    { signature, grant, plan, breakGlass, atMs }: IntentFacts,
  ): void {
    this.transaction(() => {
      const used =
        'INSERT INTO signatures (sha256, used_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING'
      // Where the signature is known, so is all that was used up with it.
      const isLost = this.run(used, signature, atMs) === 1
      const more = 'UPDATE break_glasses SET used = used + 1 WHERE id = ? AND used < effects_max'
      if (isLost && breakGlass !== undefined) this.run(more, breakGlass)
      if (plan) {
        const sql = `UPDATE plan_steps SET state = 'consumed' WHERE plan_id = ? AND number = ? AND state = 'recorded'`
        this.run(sql, plan.plan, plan.step)
      } else if (grant !== null)
        this.run(`UPDATE grants SET state = 'consumed' WHERE id = ?`, grant)
      this.run(
        `INSERT INTO effects (id, session_id, operation, state) VALUES (?, ?, ?, 'open') ON CONFLICT DO NOTHING`,
        effect.id,
        effect.sessionId,
        effect.operation,
      )
      return true
    })
  }

  endEffect(effectId: string): void {
    // Forgotten with the next effect's own commit: if a crash comes first, the outcome is in the ledger
    // and the next start reads it there.
    this.#ended.push(effectId)
    if (this.#ended.length >= ENDED_MAX) this.transaction(() => this.#forgetEnded())
  }

  #forgetEnded(): true {
    for (const id of this.#ended) this.run('DELETE FROM effects WHERE id = ?', id)
    this.#ended.length = 0
    return true
  }

  openEffects(): OpenEffect[] {
    this.transaction(() => this.#forgetEnded())
    return this.all(`SELECT * FROM effects WHERE state = 'open' ORDER BY id`).map(rows.effect)
  }

  addFollowed({ id, sessionId, operation, region, input, sinceMs }: FollowedEffect): void {
    this.run(
      `INSERT INTO followed (effect_id, session_id, operation, region, input, since_ms)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      id,
      sessionId,
      operation,
      region,
      input,
      sinceMs,
    )
  }

  endFollowed(effectId: string): void {
    this.run('DELETE FROM followed WHERE effect_id = ?', effectId)
  }

  followed(): FollowedEffect[] {
    return this.all('SELECT * FROM followed ORDER BY since_ms, effect_id').map(rows.followed)
  }

  pruneSignatures(beforeMs: number): void {
    this.run('DELETE FROM signatures WHERE used_at_ms < ?', beforeMs)
  }
}

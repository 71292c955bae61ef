// How much of everything the state holds now, as counts alone: what operators watch. Every part of it goes by an
// index, so that looking often costs little however long the past is.
import type { Sql } from './sql.ts'

export interface Figures {
  readonly pendingRequests: number
  /** When the oldest of them was opened; null where there is none. */
  readonly oldestPendingAtMs: number | null
  readonly readyGrants: number
  readonly openSessions: number
  /** Intents without an outcome: `begun` where several gateways share the state, since their intent was recorded. */
  readonly openEffects: number
  /** What AWS accepted and whose end is looked for. */
  readonly followedEffects: number
  /** That still let something pass. */
  readonly openBreakGlasses: number
  /** Break-glasses that nobody has closed by looking at them afterwards, the open ones included. */
  readonly openAfterReviews: number
}

const COUNTS = `SELECT
  (SELECT count(*) FROM requests WHERE state = 'pending' AND expires_at_ms > ?) AS pending,
  (SELECT min(opened_at_ms) FROM requests WHERE state = 'pending' AND expires_at_ms > ?) AS oldest,
  (SELECT count(*) FROM grants WHERE state = 'ready' AND expires_at_ms > ?) AS ready,
  (SELECT count(*) FROM sessions WHERE closed_at_ms IS NULL AND expires_at_ms > ?) AS sessions,
  (SELECT count(*) FROM effects WHERE state IN ('open', 'begun')) AS effects,
  (SELECT count(*) FROM followed) AS followed,
  (SELECT count(*) FROM break_glasses WHERE closed_at_ms IS NULL AND until_ms > ?
    AND used < effects_max) AS glasses,
  (SELECT count(*) FROM break_glasses WHERE closed_at_ms IS NULL) AS unclosed`

export async function figuresOf(sql: Sql, nowMs: number): Promise<Figures> {
  const row = await sql.one(COUNTS, nowMs, nowMs, nowMs, nowMs, nowMs)
  const count = (name: string) => Number(row?.[name] ?? 0)
  const oldest = row?.['oldest'] ?? null
  return {
    pendingRequests: count('pending'),
    oldestPendingAtMs: oldest === null ? null : Number(oldest),
    readyGrants: count('ready'),
    openSessions: count('sessions'),
    openEffects: count('effects'),
    followedEffects: count('followed'),
    openBreakGlasses: count('glasses'),
    openAfterReviews: count('unclosed'),
  }
}

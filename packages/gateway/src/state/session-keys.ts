// What becomes of a session's keys that were used from elsewhere (red team H17), each within one transaction.
import { endWorkOf } from './people-changes.ts'
import type { Sql } from './sql.ts'
import type { ClosedSessions, NewKeys } from './store.ts'

/** Of a session whose keys open something, while it has not expired. */
export const USABLE_KEYS = 'closed_at_ms IS NULL AND suspended_at_ms IS NULL'

/** Suspended, and neither closed nor expired, the newest first; children come with their parents. */
export const SUSPENDED = `SELECT * FROM sessions WHERE suspended_at_ms IS NOT NULL AND closed_at_ms IS NULL
  AND expires_at_ms > ? AND parent IS NULL ORDER BY suspended_at_ms DESC, id LIMIT ?`

/** The session with its children; false where the key is nobody's any more, or it is suspended already. */
export async function suspended(
  sql: Sql,
  id: string,
  accessKeyId: string,
  atMs: number,
): Promise<boolean> {
  const known = `SELECT 1 AS yes FROM sessions WHERE access_key_id = ? AND ${USABLE_KEYS}`
  if ((await sql.one(known, accessKeyId)) === undefined) return false
  const rows = await sql.all(
    `UPDATE sessions SET suspended_at_ms = ? WHERE (id = ? OR parent = ?) AND ${USABLE_KEYS} RETURNING id`,
    atMs,
    id,
    id,
  )
  return rows.some((row) => row['id'] === id)
}

/** The new keys belong to nobody until they are used; children end with the keys that opened them. */
export async function resumed(
  sql: Sql,
  id: string,
  { accessKeyId, secretAccessKey, expiresAtMs }: NewKeys,
  atMs: number,
): Promise<ClosedSessions | false> {
  const changed = await sql.run(
    `UPDATE sessions SET access_key_id = ?, secret_access_key = ?, expires_at_ms = ?, suspended_at_ms = NULL
     WHERE id = ? AND parent IS NULL AND closed_at_ms IS NULL`,
    accessKeyId,
    secretAccessKey,
    expiresAtMs,
    id,
  )
  if (changed !== 1) return false
  await sql.run('DELETE FROM session_peers WHERE session_id = ?', id)
  return childrenEnded(sql, id, atMs)
}

/** As `resumed`, where nobody has the new keys: the session waits for its operator to give it others. */
export async function replacedKeysEnded(
  sql: Sql,
  id: string,
  accessKeyId: string,
  atMs: number,
): Promise<ClosedSessions | false> {
  const changed = await sql.run(
    `UPDATE sessions SET suspended_at_ms = COALESCE(suspended_at_ms, ?)
     WHERE id = ? AND access_key_id = ? AND parent IS NULL AND closed_at_ms IS NULL`,
    atMs,
    id,
    accessKeyId,
  )
  return changed === 1 && childrenEnded(sql, id, atMs)
}

async function childrenEnded(sql: Sql, id: string, atMs: number): Promise<ClosedSessions> {
  const ended = await sql.all(
    `UPDATE sessions SET closed_at_ms = ?, secret_access_key = '', mask_key = ''
     WHERE parent = ? AND closed_at_ms IS NULL RETURNING id`,
    atMs,
    id,
  )
  const children = ended.map((row) => String(row['id']))
  return { children, cancelledRequests: await endWorkOf(sql, children) }
}

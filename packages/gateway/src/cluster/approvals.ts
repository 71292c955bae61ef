// Which intents get no place in the order: a step of a plan goes under an approval that stands until the plan ends, and
// another gateway may have ended it since this step was taken.
import { GatewayError } from '../errors.ts'
import type { Sql } from '../state/sql.ts'

interface Told {
  readonly type?: unknown
  readonly grant?: unknown
  readonly plan?: unknown
}

/**
 * Within the transaction that gives the entry its place, and holds the order: whoever ends an approval does so in the
 * state first and records it then, so that no such intent comes after that entry. Null where it may have its place.
 */
export async function approvalEnded(sql: Sql, text: string): Promise<GatewayError | null> {
  // Most entries are not read at all.
  if (!text.includes('"type":"intent"') || !text.includes('"plan":{')) return null
  const { type, grant, plan } = JSON.parse(text) as Told
  if (type !== 'intent' || plan === undefined || typeof grant !== 'string') return null
  const ready = `SELECT 1 AS yes FROM grants WHERE id = ? AND state = 'ready'`
  if ((await sql.one(ready, grant)) !== undefined) return null
  const message = 'the approval of this plan has ended; nothing was done'
  return new GatewayError('request_closed', message, 'begin a new plan, and submit it')
}

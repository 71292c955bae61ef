// The part of the Store about entries that the ledger is owed: see owed-store.ts.
import type { OwedEntry, OwedStore } from './owed-store.ts'
import type { Sql } from './sql.ts'
import { Statements } from './statements.ts'

/** Read at once; the rest comes with the next look. */
const OWED_AT_ONCE_MAX = 1_000

export abstract class OwedStatements extends Statements implements OwedStore {
  async owed(beforeMs: number): Promise<OwedEntry[]> {
    const found = await this.sql.all(
      `SELECT id, entry, since_ms FROM owed WHERE gateway = ? AND since_ms <= ?
       ORDER BY since_ms, position LIMIT ${OWED_AT_ONCE_MAX}`,
      this.gateway,
      beforeMs,
    )
    return found.map((row) => ({
      id: String(row['id']),
      text: String(row['entry']),
      sinceMs: Number(row['since_ms']),
    }))
  }

  async isOwed(id: string): Promise<boolean> {
    // Not a read: it waits for a transaction that records it, also where nobody hears that one's end.
    const sql = 'UPDATE owed SET id = id WHERE id = ? AND gateway = ?'
    return (await this.sql.run(sql, id, this.gateway)) === 1
  }

  async settleOwed(id: string): Promise<void> {
    await this.sql.run('DELETE FROM owed WHERE id = ?', id)
  }
}

/** Within the transaction of the change that they tell of. */
export async function owe(sql: Sql, gateway: string, entries: readonly OwedEntry[]): Promise<void> {
  for (const [position, { id, text, sinceMs }] of entries.entries()) {
    await sql.run(
      `INSERT INTO owed (id, entry, since_ms, position, gateway) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      id,
      text,
      sinceMs,
      position,
      gateway,
    )
  }
}

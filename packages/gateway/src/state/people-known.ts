// Who the people are now and whose a name, key or identity ever was, as the tables say within or without a
// transaction.
import type { KeyRecord, KnownKey, PersonRecord } from './people-store.ts'
import * as rows from './rows.ts'
import type { Row, Sql } from './sql.ts'

export async function memberOf(sql: Sql, name: string): Promise<PersonRecord | undefined> {
  const row = await sql.one('SELECT * FROM people WHERE name = ? AND removed_at_ms IS NULL', name)
  return row && rows.person(row)
}

export async function keysOf(sql: Sql, person: string): Promise<KeyRecord[]> {
  const found = await sql.all(
    'SELECT * FROM person_keys WHERE person = ? AND removed_at_ms IS NULL ORDER BY added_at_ms, fingerprint',
    person,
  )
  return found.map(rows.key)
}

/** Key and owner in one statement: both are of one moment. */
const KNOWN = `SELECT person_keys.*, people.name, people.teams, people.team_times,
  people.added_at_ms AS member_since_ms FROM person_keys JOIN people ON people.name = person_keys.person
  WHERE person_keys.removed_at_ms IS NULL AND people.removed_at_ms IS NULL`

export async function personByKey(sql: Sql, fingerprint: string): Promise<KnownKey | undefined> {
  return known(await sql.one(`${KNOWN} AND fingerprint = ?`, fingerprint))
}

export async function personByCredential(
  sql: Sql,
  credentialId: string,
): Promise<KnownKey | undefined> {
  return known(await sql.one(`${KNOWN} AND credential_id = ?`, credentialId))
}

function known(row: Row | undefined): KnownKey | undefined {
  if (row === undefined) return undefined
  const person = rows.person({ ...row, added_at_ms: row['member_since_ms'] })
  return { person, key: rows.key(row) }
}

export async function wasPerson(sql: Sql, name: string): Promise<boolean> {
  return (await sql.one('SELECT 1 AS yes FROM people WHERE name = ?', name)) !== undefined
}

export async function everOwnerOf(
  sql: Sql,
  { fingerprint, credentialId }: { fingerprint: string; credentialId: string | null },
): Promise<string | undefined> {
  const row = await sql.one(
    'SELECT person FROM person_keys WHERE fingerprint = ? OR credential_id = ?',
    fingerprint,
    credentialId,
  )
  return row && String(row['person'])
}

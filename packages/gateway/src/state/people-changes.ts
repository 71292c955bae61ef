// What a change of people does to the tables, within the one transaction that it is applied in. Nobody is
// deleted: who was removed stays, so that no name, key or identity can ever mean somebody else.
import type { Identity, PeopleChange } from '../lib/people-change.ts'
import { parseRegisteredKey } from '../lib/registered-key.ts'
import { everOwnerOf, keysOf, memberOf, personByKey, wasPerson } from './people-known.ts'
import type { AppliedChange, KeyRecord, PersonRecord } from './people-store.ts'
import type { Row, Sql } from './sql.ts'

const NOTHING_ENDED: AppliedChange = {
  revokedGrants: [],
  closedSessions: [],
  cancelledRequests: [],
}

/** Makes the change with all that ends by it; null where it changes nothing any more. */
export async function applied(
  sql: Sql,
  change: PeopleChange,
  atMs: number,
): Promise<AppliedChange | null> {
  const { person } = change
  if (change.kind === 'add-person') return personAdded(sql, change, atMs)
  const member = await memberOf(sql, person)
  if (member === undefined) return null
  switch (change.kind) {
    case 'remove-person':
      return personRemoved(sql, person, atMs)
    case 'add-key': {
      const key = parseRegisteredKey(change.key)
      if ((await everOwnerOf(sql, key)) !== undefined) return null
      return addKey(sql, { ...key, publicKey: key.line, person, addedAtMs: atMs })
    }
    case 'remove-key':
      return keyRemoved(sql, person, change.fingerprint, atMs)
    case 'add-team':
      if (member.teams.includes(change.team)) return null
      return setTeams(sql, member, [...member.teams, change.team], { [change.team]: atMs })
    case 'remove-team': {
      const left = member.teams.filter((team) => team !== change.team)
      if (left.length === member.teams.length) return null
      await setTeams(sql, member, left, {})
      return { ...NOTHING_ENDED, revokedGrants: await revokeGrantsOf(sql, person) }
    }
    case 'add-identity':
      return addIdentity(sql, change.identity, person, atMs)
    case 'remove-identity':
      return identityRemoved(sql, change.identity, person, atMs)
  }
}

async function personAdded(
  sql: Sql,
  change: Extract<PeopleChange, { kind: 'add-person' }>,
  atMs: number,
): Promise<AppliedChange | null> {
  const { person, teams, keys, identities } = change
  const parsed = keys.map(parseRegisteredKey)
  if (await wasPerson(sql, person)) return null
  for (const key of parsed) if ((await everOwnerOf(sql, key)) !== undefined) return null
  await addPerson(sql, person, teams, atMs)
  for (const key of parsed) {
    await addKey(sql, { ...key, publicKey: key.line, person, addedAtMs: atMs })
  }
  for (const identity of identities) {
    if ((await addIdentity(sql, identity, person, atMs)) === null) return null
  }
  return NOTHING_ENDED
}

async function personRemoved(sql: Sql, person: string, atMs: number): Promise<AppliedChange> {
  const revokedGrants = await revokeGrantsOf(sql, person)
  await sql.run('UPDATE people SET removed_at_ms = ? WHERE name = ?', atMs, person)
  for (const { fingerprint } of await keysOf(sql, person)) await endKey(sql, fingerprint, atMs)
  await sql.run(
    'UPDATE identities SET removed_at_ms = ? WHERE person = ? AND removed_at_ms IS NULL',
    atMs,
    person,
  )
  await sql.run('DELETE FROM sign_ins WHERE person = ?', person)
  return { revokedGrants, ...(await closeSessionsOf(sql, person, atMs)) }
}

/** Closes what somebody is the operator of, and ends what was asked and approved there. */
async function closeSessionsOf(
  sql: Sql,
  operator: string,
  atMs: number,
): Promise<Pick<AppliedChange, 'closedSessions' | 'cancelledRequests'>> {
  const sessions = await sql.all(
    `UPDATE sessions SET closed_at_ms = ?, secret_access_key = '', mask_key = ''
     WHERE operator = ? AND closed_at_ms IS NULL RETURNING id`,
    atMs,
    operator,
  )
  const closedSessions = sessions.map((row) => String(row['id']))
  return { closedSessions, cancelledRequests: await endWorkOf(sql, closedSessions) }
}

/** A key is taken away because somebody else may have it: no session that may be theirs goes on either. */
async function keyRemoved(
  sql: Sql,
  person: string,
  fingerprint: string,
  atMs: number,
): Promise<AppliedChange | null> {
  const known = await personByKey(sql, fingerprint)
  if (known?.person.name !== person) return null
  const revokedGrants = await revokeGrantsOf(sql, person)
  await endKey(sql, fingerprint, atMs)
  return { revokedGrants, ...(await closeSessionsOf(sql, person, atMs)) }
}

/** What it approved while that is still open counts no more; its owner may sign again with another key. */
async function endKey(sql: Sql, fingerprint: string, atMs: number): Promise<void> {
  await sql.run('UPDATE person_keys SET removed_at_ms = ? WHERE fingerprint = ?', atMs, fingerprint)
  await sql.run('DELETE FROM sign_ins WHERE key_fingerprint = ?', fingerprint)
  await sql.run(
    `DELETE FROM reviews WHERE key_fingerprint = ? AND verdict = 'approve'
     AND request_id IN (SELECT id FROM requests WHERE state = 'pending')`,
    fingerprint,
  )
}

async function revokeGrantsOf(
  sql: Sql,
  person: string,
): Promise<{ id: string; requestId: string }[]> {
  const revoked = await sql.all(
    `UPDATE grants SET state = 'revoked' WHERE state = 'ready' AND request_id IN
     (SELECT request_id FROM reviews WHERE reviewer = ? AND verdict = 'approve') RETURNING id, request_id`,
    person,
  )
  return revoked.map((row) => ({ id: String(row['id']), requestId: String(row['request_id']) }))
}

/** Revokes the ready grants of sessions that have ended and cancels their open requests. */
export async function endWorkOf(sql: Sql, sessions: readonly string[]): Promise<string[]> {
  const cancelled: Row[] = []
  for (const id of sessions) {
    await sql.run(
      `UPDATE grants SET state = 'revoked' WHERE session_id = ? AND state = 'ready'`,
      id,
    )
    const requests = await sql.all(
      `UPDATE requests SET state = 'cancelled', comment = 'the session was closed'
       WHERE session_id = ? AND state = 'pending' RETURNING id`,
      id,
    )
    cancelled.push(...requests)
  }
  return cancelled.map((row) => String(row['id']))
}

export async function addPerson(
  sql: Sql,
  name: string,
  teams: readonly string[],
  atMs: number,
): Promise<void> {
  await sql.run(
    'INSERT INTO people (name, teams, added_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    name,
    JSON.stringify(teams),
    atMs,
  )
}

export async function addKey(sql: Sql, key: Omit<KeyRecord, 'counter'>): Promise<AppliedChange> {
  await sql.run(
    `INSERT INTO person_keys (fingerprint, person, public_key, credential_id, added_at_ms)
     VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    key.fingerprint,
    key.person,
    key.publicKey,
    key.credentialId,
    key.addedAtMs,
  )
  return NOTHING_ENDED
}

async function setTeams(
  sql: Sql,
  { name, teamsSinceMs }: PersonRecord,
  teams: readonly string[],
  since: Readonly<Record<string, number>>,
): Promise<AppliedChange> {
  const all = { ...teamsSinceMs, ...since }
  const kept = Object.entries(all).filter(([team]) => teams.includes(team))
  const [list, times] = [JSON.stringify(teams), JSON.stringify(Object.fromEntries(kept))]
  await sql.run('UPDATE people SET teams = ?, team_times = ? WHERE name = ?', list, times, name)
  return NOTHING_ENDED
}

async function addIdentity(
  sql: Sql,
  identity: Identity,
  person: string,
  atMs: number,
): Promise<AppliedChange | null> {
  const { issuer, subject } = identity
  const added = await sql.run(
    `INSERT INTO identities (issuer, subject, person, added_at_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    issuer,
    subject,
    person,
    atMs,
  )
  return added === 1 ? NOTHING_ENDED : null
}

async function identityRemoved(
  sql: Sql,
  { issuer, subject }: Identity,
  person: string,
  atMs: number,
): Promise<AppliedChange | null> {
  const removed = await sql.run(
    `UPDATE identities SET removed_at_ms = ?
     WHERE issuer = ? AND subject = ? AND person = ? AND removed_at_ms IS NULL`,
    atMs,
    issuer,
    subject,
    person,
  )
  if (removed !== 1) return null
  await sql.run('DELETE FROM sign_ins WHERE person = ? AND key_fingerprint IS NULL', person)
  return NOTHING_ENDED
}

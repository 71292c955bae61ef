// The part of the Store on SQLite about people. Nobody is deleted: who was removed stays, so that no name, key
// or identity can ever mean somebody else.
import type { Identity, PeopleChange } from '../lib/people-change.ts'
import { parseRegisteredKey } from '../lib/registered-key.ts'
import type {
  AppliedChange,
  FoundingPerson,
  KeyRecord,
  KnownKey,
  OpenChange,
  PeopleStore,
  PersonRecord,
  SignInRow,
} from './people-store.ts'
import * as rows from './rows.ts'
import { UploadStatements } from './uploads.ts'

type Row = Record<string, unknown>

const NOTHING_ENDED: AppliedChange = {
  revokedGrants: [],
  closedSessions: [],
  cancelledRequests: [],
}

export abstract class PeopleStatements extends UploadStatements implements PeopleStore {
  abstract setMeta(key: string, value: string): void
  abstract meta(key: string): string | undefined

  foundGate(gateId: string, people: readonly FoundingPerson[]): void {
    this.transaction(() => {
      for (const { person, keys } of people) {
        this.#addPerson(person.name, person.teams, person.addedAtMs)
        for (const key of keys) this.#addKey(key)
      }
      this.setMeta('gate', gateId)
      return true
    })
  }

  people(): PersonRecord[] {
    return this.all('SELECT * FROM people WHERE removed_at_ms IS NULL ORDER BY name').map(
      rows.person,
    )
  }

  keysOf(person: string): KeyRecord[] {
    return this.all(
      'SELECT * FROM person_keys WHERE person = ? AND removed_at_ms IS NULL ORDER BY added_at_ms, fingerprint',
      person,
    ).map(rows.key)
  }

  identitiesOf(person: string): Identity[] {
    return this.all(
      'SELECT * FROM identities WHERE person = ? AND removed_at_ms IS NULL ORDER BY issuer, subject',
      person,
    ).map((row) => ({ issuer: String(row['issuer']), subject: String(row['subject']) }))
  }

  personByKey(fingerprint: string): KnownKey | undefined {
    const sql = 'SELECT * FROM person_keys WHERE fingerprint = ? AND removed_at_ms IS NULL'
    return this.#known(this.one(sql, fingerprint))
  }

  personByCredential(credentialId: string): KnownKey | undefined {
    const sql = 'SELECT * FROM person_keys WHERE credential_id = ? AND removed_at_ms IS NULL'
    return this.#known(this.one(sql, credentialId))
  }

  personByIdentity({ issuer, subject }: Identity): PersonRecord | undefined {
    const row = this.one(
      'SELECT * FROM identities WHERE issuer = ? AND subject = ? AND removed_at_ms IS NULL',
      issuer,
      subject,
    )
    return row && this.#member(String(row['person']))
  }

  #known(key: Row | undefined): KnownKey | undefined {
    const person = key && this.#member(String(key['person']))
    return person && { person, key: rows.key(key) }
  }

  #member(name: string): PersonRecord | undefined {
    const row = this.one('SELECT * FROM people WHERE name = ? AND removed_at_ms IS NULL', name)
    return row && rows.person(row)
  }

  advanceCounter(fingerprint: string, counter: number): boolean {
    const changed = this.run(
      `UPDATE person_keys SET counter = ? WHERE fingerprint = ? AND removed_at_ms IS NULL
       AND (counter < ? OR (counter = 0 AND ? = 0))`,
      counter,
      fingerprint,
      counter,
      counter,
    )
    return changed === 1
  }

  wasPerson(name: string): boolean {
    return this.one('SELECT 1 AS yes FROM people WHERE name = ?', name) !== undefined
  }

  everOwnerOf(known: { fingerprint: string; credentialId: string | null }): string | undefined {
    const row = this.one(
      'SELECT person FROM person_keys WHERE fingerprint = ? OR credential_id = ?',
      known.fingerprint,
      known.credentialId,
    )
    return row && String(row['person'])
  }

  everOwnerOfIdentity({ issuer, subject }: Identity): string | undefined {
    const sql = 'SELECT person FROM identities WHERE issuer = ? AND subject = ?'
    const row = this.one(sql, issuer, subject)
    return row && String(row['person'])
  }

  peopleVersion(): number {
    return Number(this.meta('people-version') ?? 0)
  }

  applyPeopleChange(change: PeopleChange, atMs: number): AppliedChange | undefined {
    const applied = this.transaction(() => {
      const ended = this.#applied(change, atMs)
      if (ended === null) return false
      this.setMeta('people-version', String(this.peopleVersion() + 1))
      return ended
    })
    return applied === false ? undefined : applied
  }

  #applied(change: PeopleChange, atMs: number): AppliedChange | null {
    const { person } = change
    if (change.kind === 'add-person') return this.#personAdded(change, atMs)
    const member = this.#member(person)
    if (member === undefined) return null
    switch (change.kind) {
      case 'remove-person':
        return this.#personRemoved(person, atMs)
      case 'add-key': {
        const key = parseRegisteredKey(change.key)
        if (this.everOwnerOf(key) !== undefined) return null
        return this.#addKey({ ...key, publicKey: key.line, person, addedAtMs: atMs })
      }
      case 'remove-key':
        return this.#keyRemoved(person, change.fingerprint, atMs)
      case 'add-team':
        if (member.teams.includes(change.team)) return null
        return this.#setTeams(member, [...member.teams, change.team], { [change.team]: atMs })
      case 'remove-team': {
        const left = member.teams.filter((team) => team !== change.team)
        if (left.length === member.teams.length) return null
        this.#setTeams(member, left, {})
        return { ...NOTHING_ENDED, revokedGrants: this.#revokeGrantsOf(person) }
      }
      case 'add-identity':
        return this.#addIdentity(change.identity, person, atMs)
      case 'remove-identity':
        return this.#identityRemoved(change.identity, person, atMs)
    }
  }

  #personAdded(
    change: Extract<PeopleChange, { kind: 'add-person' }>,
    atMs: number,
  ): AppliedChange | null {
    const { person, teams, keys, identities } = change
    const parsed = keys.map(parseRegisteredKey)
    if (this.wasPerson(person)) return null
    if (parsed.some((key) => this.everOwnerOf(key) !== undefined)) return null
    this.#addPerson(person, teams, atMs)
    for (const key of parsed) {
      this.#addKey({ ...key, publicKey: key.line, person, addedAtMs: atMs })
    }
    const linked = identities.map((identity) => this.#addIdentity(identity, person, atMs))
    return linked.includes(null) ? null : NOTHING_ENDED
  }

  #personRemoved(person: string, atMs: number): AppliedChange {
    const revokedGrants = this.#revokeGrantsOf(person)
    this.run('UPDATE people SET removed_at_ms = ? WHERE name = ?', atMs, person)
    for (const { fingerprint } of this.keysOf(person)) this.#endKey(fingerprint, atMs)
    this.run(
      'UPDATE identities SET removed_at_ms = ? WHERE person = ? AND removed_at_ms IS NULL',
      atMs,
      person,
    )
    this.run('DELETE FROM sign_ins WHERE person = ?', person)
    const closed = this.all(
      `UPDATE sessions SET closed_at_ms = ?, secret_access_key = '', mask_key = ''
       WHERE operator = ? AND closed_at_ms IS NULL RETURNING id`,
      atMs,
      person,
    ).map((row) => String(row['id']))
    const cancelledRequests = closed.flatMap((id) => this.endWorkOf(id))
    return { revokedGrants, closedSessions: closed, cancelledRequests }
  }

  #keyRemoved(person: string, fingerprint: string, atMs: number): AppliedChange | null {
    const known = this.personByKey(fingerprint)
    if (known?.person.name !== person) return null
    const revokedGrants = this.#revokeGrantsOf(person)
    this.#endKey(fingerprint, atMs)
    return { ...NOTHING_ENDED, revokedGrants }
  }

  /** What it approved while that is still open counts no more; its owner may sign again with another key. */
  #endKey(fingerprint: string, atMs: number): void {
    this.run('UPDATE person_keys SET removed_at_ms = ? WHERE fingerprint = ?', atMs, fingerprint)
    this.run('DELETE FROM sign_ins WHERE key_fingerprint = ?', fingerprint)
    this.run(
      `DELETE FROM reviews WHERE key_fingerprint = ? AND verdict = 'approve'
       AND request_id IN (SELECT id FROM requests WHERE state = 'pending')`,
      fingerprint,
    )
  }

  #revokeGrantsOf(person: string): { id: string; requestId: string }[] {
    return this.all(
      `UPDATE grants SET state = 'revoked' WHERE state = 'ready' AND request_id IN
       (SELECT request_id FROM reviews WHERE reviewer = ? AND verdict = 'approve') RETURNING id, request_id`,
      person,
    ).map((row) => ({ id: String(row['id']), requestId: String(row['request_id']) }))
  }

  /** Revokes the ready grants of a session that has ended and cancels its open requests. */
  protected endWorkOf(id: string): string[] {
    this.run(`UPDATE grants SET state = 'revoked' WHERE session_id = ? AND state = 'ready'`, id)
    return this.all(
      `UPDATE requests SET state = 'cancelled', comment = 'the session was closed'
       WHERE session_id = ? AND state = 'pending' RETURNING id`,
      id,
    ).map((row) => String(row['id']))
  }

  #addPerson(name: string, teams: readonly string[], atMs: number): void {
    this.run(
      'INSERT INTO people (name, teams, added_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      name,
      JSON.stringify(teams),
      atMs,
    )
  }

  #addKey(key: Omit<KeyRecord, 'counter'>): AppliedChange {
    this.run(
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

  #setTeams(
    { name, teamsSinceMs }: PersonRecord,
    teams: readonly string[],
    since: Readonly<Record<string, number>>,
  ): AppliedChange {
    const all = { ...teamsSinceMs, ...since }
    const kept = Object.entries(all).filter(([team]) => teams.includes(team))
    const [list, times] = [JSON.stringify(teams), JSON.stringify(Object.fromEntries(kept))]
    this.run('UPDATE people SET teams = ?, team_times = ? WHERE name = ?', list, times, name)
    return NOTHING_ENDED
  }

  #addIdentity(identity: Identity, person: string, atMs: number): AppliedChange | null {
    const { issuer, subject } = identity
    const added = this.run(
      `INSERT INTO identities (issuer, subject, person, added_at_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      issuer,
      subject,
      person,
      atMs,
    )
    return added === 1 ? NOTHING_ENDED : null
  }

  #identityRemoved(
    { issuer, subject }: Identity,
    person: string,
    atMs: number,
  ): AppliedChange | null {
    const removed = this.run(
      `UPDATE identities SET removed_at_ms = ?
       WHERE issuer = ? AND subject = ? AND person = ? AND removed_at_ms IS NULL`,
      atMs,
      issuer,
      subject,
      person,
    )
    if (removed !== 1) return null
    this.run('DELETE FROM sign_ins WHERE person = ? AND key_fingerprint IS NULL', person)
    return NOTHING_ENDED
  }

  openChange(id: string): OpenChange | undefined {
    const row = this.one('SELECT * FROM people_changes WHERE id = ?', id)
    return row && rows.openChange(row)
  }

  openChanges(): OpenChange[] {
    return this.all('SELECT * FROM people_changes ORDER BY opened_at_ms, id').map(rows.openChange)
  }

  keepChange({ id, change, acts, openedAtMs, expiresAtMs, dueAtMs }: OpenChange): void {
    this.run(
      `INSERT INTO people_changes (id, change, acts, opened_at_ms, expires_at_ms, due_at_ms)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET acts = excluded.acts, due_at_ms = excluded.due_at_ms`,
      id,
      JSON.stringify(change),
      JSON.stringify(acts),
      openedAtMs,
      expiresAtMs,
      dueAtMs,
    )
  }

  endChange(id: string): boolean {
    return this.run('DELETE FROM people_changes WHERE id = ?', id) === 1
  }

  addSignIn({ tokenSha256, kind, person, key, peer, expiresAtMs }: SignInRow): void {
    this.run(
      `INSERT INTO sign_ins (token_sha256, kind, person, key_fingerprint, peer, expires_at_ms)
       VALUES (?, ?, ?, ?, ?, ?)`,
      tokenSha256,
      kind,
      person,
      key,
      peer,
      expiresAtMs,
    )
  }

  signIn(tokenSha256: string): SignInRow | undefined {
    const row = this.one('SELECT * FROM sign_ins WHERE token_sha256 = ?', tokenSha256)
    return row && rows.signIn(row)
  }

  endSignIn(tokenSha256: string): boolean {
    return this.run('DELETE FROM sign_ins WHERE token_sha256 = ?', tokenSha256) === 1
  }

  signInCount(person: string, kind: SignInRow['kind'], nowMs: number): number {
    const row = this.one(
      `SELECT count(*) AS count FROM sign_ins WHERE person = ? AND kind = ? AND expires_at_ms > ?`,
      person,
      kind,
      nowMs,
    )
    return Number(row?.['count'] ?? 0)
  }

  pruneSignIns(nowMs: number): void {
    this.run('DELETE FROM sign_ins WHERE expires_at_ms <= ?', nowMs)
  }
}

// The part of the Store about people, and about what is kept by name alone: see people-store.ts.
import type { Identity, PeopleChange } from '../lib/people-change.ts'
import { owe } from './owed.ts'
import type { OwedOf } from './owed-store.ts'
import { addKey, addPerson, applied } from './people-changes.ts'
import { everOwnerOf, keysOf, personByCredential, personByKey, wasPerson } from './people-known.ts'
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
import type { Sql } from './sql.ts'
import { UploadStatements } from './uploads.ts'

export abstract class PeopleStatements extends UploadStatements implements PeopleStore {
  async meta(key: string): Promise<string | undefined> {
    return metaOf(this.sql, key)
  }

  async setMeta(key: string, value: string): Promise<void> {
    await setMeta(this.sql, key, value)
  }

  async foundGate(gateId: string, people: readonly FoundingPerson[]): Promise<void> {
    await this.transaction(async (sql) => {
      for (const { person, keys } of people) {
        await addPerson(sql, person.name, person.teams, person.addedAtMs)
        for (const key of keys) await addKey(sql, key)
      }
      await setMeta(sql, 'gate', gateId)
      return true
    })
  }

  async people(): Promise<PersonRecord[]> {
    const members = await this.sql.all(
      'SELECT * FROM people WHERE removed_at_ms IS NULL ORDER BY name',
    )
    return members.map(rows.person)
  }

  async keysOf(person: string): Promise<KeyRecord[]> {
    return keysOf(this.sql, person)
  }

  async identitiesOf(person: string): Promise<Identity[]> {
    const found = await this.sql.all(
      'SELECT * FROM identities WHERE person = ? AND removed_at_ms IS NULL ORDER BY issuer, subject',
      person,
    )
    return found.map((row) => ({ issuer: String(row['issuer']), subject: String(row['subject']) }))
  }

  async personByKey(fingerprint: string): Promise<KnownKey | undefined> {
    return personByKey(this.sql, fingerprint)
  }

  async personByCredential(credentialId: string): Promise<KnownKey | undefined> {
    return personByCredential(this.sql, credentialId)
  }

  async personByIdentity({ issuer, subject }: Identity): Promise<PersonRecord | undefined> {
    const row = await this.sql.one(
      `SELECT people.* FROM identities JOIN people ON people.name = identities.person
       WHERE issuer = ? AND subject = ? AND identities.removed_at_ms IS NULL AND people.removed_at_ms IS NULL`,
      issuer,
      subject,
    )
    return row && rows.person(row)
  }

  async advanceCounter(fingerprint: string, counter: number): Promise<boolean> {
    const later = counter === 0 ? 'counter = ?' : 'counter < ?'
    const changed = await this.sql.run(
      `UPDATE person_keys SET counter = ? WHERE fingerprint = ? AND removed_at_ms IS NULL AND ${later}`,
      counter,
      fingerprint,
      counter,
    )
    return changed === 1
  }

  async wasPerson(name: string): Promise<boolean> {
    return wasPerson(this.sql, name)
  }

  async everOwnerOf(known: {
    fingerprint: string
    credentialId: string | null
  }): Promise<string | undefined> {
    return everOwnerOf(this.sql, known)
  }

  async everOwnerOfIdentity({ issuer, subject }: Identity): Promise<string | undefined> {
    const sql = 'SELECT person FROM identities WHERE issuer = ? AND subject = ?'
    const row = await this.sql.one(sql, issuer, subject)
    return row && String(row['person'])
  }

  async peopleVersion(): Promise<number> {
    return peopleVersion(this.sql)
  }

  async applyPeopleChange(
    change: PeopleChange,
    atMs: number,
    index: number,
    owedOf: OwedOf<AppliedChange> = () => [],
  ): Promise<AppliedChange | undefined> {
    const applying = await this.transaction(async (sql) => {
      const followed = await followedOf(sql)
      if (index < followed.to || followed.beyond.includes(index)) return false
      await setFollowed(sql, { ...followed, beyond: [...followed.beyond, index] })
      const ended = await applied(sql, change, atMs)
      if (ended === null) return { ended: undefined }
      await setMeta(sql, 'people-version', String((await peopleVersion(sql)) + 1))
      await owe(sql, this.gateway, owedOf(ended))
      return { ended }
    })
    return applying === false ? undefined : applying.ended
  }

  async peopleFollowedTo(): Promise<number> {
    return (await followedOf(this.sql)).to
  }

  async setPeopleFollowedTo(size: number): Promise<void> {
    await this.transaction(async (sql) => {
      const { to, beyond } = await followedOf(sql)
      if (size <= to) return false
      await setFollowed(sql, { to: size, beyond: beyond.filter((index) => index >= size) })
      return true
    })
  }

  async openChange(id: string): Promise<OpenChange | undefined> {
    const row = await this.sql.one('SELECT * FROM people_changes WHERE id = ?', id)
    return row && rows.openChange(row)
  }

  async openChanges(): Promise<OpenChange[]> {
    return (await this.sql.all('SELECT * FROM people_changes ORDER BY opened_at_ms, id')).map(
      rows.openChange,
    )
  }

  async keepChange({
    id,
    change,
    acts,
    openedAtMs,
    expiresAtMs,
    dueAtMs,
  }: OpenChange): Promise<void> {
    await this.sql.run(
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

  async endChange(id: string): Promise<boolean> {
    return (await this.sql.run('DELETE FROM people_changes WHERE id = ?', id)) === 1
  }

  async addSignIn(row: SignInRow, max: number, nowMs: number): Promise<boolean> {
    const { tokenSha256, kind, person, key, peer, expiresAtMs } = row
    return this.transaction(async (sql) => {
      if ((await signInCount(sql, person, kind, nowMs)) >= max) return false
      await sql.run(
        `INSERT INTO sign_ins (token_sha256, kind, person, key_fingerprint, peer, expires_at_ms)
         VALUES (?, ?, ?, ?, ?, ?)`,
        tokenSha256,
        kind,
        person,
        key,
        peer,
        expiresAtMs,
      )
      return true
    })
  }

  async signIn(tokenSha256: string): Promise<SignInRow | undefined> {
    const row = await this.sql.one('SELECT * FROM sign_ins WHERE token_sha256 = ?', tokenSha256)
    return row && rows.signIn(row)
  }

  async endSignIn(tokenSha256: string): Promise<boolean> {
    return (await this.sql.run('DELETE FROM sign_ins WHERE token_sha256 = ?', tokenSha256)) === 1
  }

  async signInCount(person: string, kind: SignInRow['kind'], nowMs: number): Promise<number> {
    return signInCount(this.sql, person, kind, nowMs)
  }

  async pruneSignIns(nowMs: number): Promise<void> {
    await this.sql.run('DELETE FROM sign_ins WHERE expires_at_ms <= ?', nowMs)
  }
}

async function metaOf(sql: Sql, key: string): Promise<string | undefined> {
  const row = await sql.one('SELECT value FROM meta WHERE key = ?', key)
  return row && String(row['value'])
}

async function setMeta(sql: Sql, key: string, value: string): Promise<void> {
  await sql.run(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    key,
    value,
  )
}

/** Which changes of people in the ledger are applied: all before `to`, and those of the entries `beyond` it. */
interface Followed {
  readonly to: number
  readonly beyond: readonly number[]
}

const FOLLOWED_TO = 'people followed to'

async function followedOf(sql: Sql): Promise<Followed> {
  const [to = 0, ...beyond] = ((await metaOf(sql, FOLLOWED_TO)) ?? '0').split(' ').map(Number)
  return { to, beyond }
}

async function setFollowed(sql: Sql, { to, beyond }: Followed): Promise<void> {
  await setMeta(sql, FOLLOWED_TO, [to, ...beyond].join(' '))
}

/** Counts every change of people. */
export async function peopleVersion(sql: Sql): Promise<number> {
  return Number((await metaOf(sql, 'people-version')) ?? 0)
}

async function signInCount(
  sql: Sql,
  person: string,
  kind: SignInRow['kind'],
  nowMs: number,
): Promise<number> {
  const row = await sql.one(
    'SELECT count(*) AS count FROM sign_ins WHERE person = ? AND kind = ? AND expires_at_ms > ?',
    person,
    kind,
    nowMs,
  )
  return Number(row?.['count'] ?? 0)
}

// The part of the state port about people: who they are now, how they are known, what is about to change, and
// who has signed in. A name, a key and an identity belong to one person for ever (red team C10).
import type { Identity, PeopleChange } from '../lib/people-change.ts'
import type { SignedAct } from '../record/entry.ts'
import type { OwedOf } from './owed-store.ts'

export interface PersonRecord {
  readonly name: string
  readonly teams: readonly string[]
  readonly addedAtMs: number
  /** Since when each team is theirs, where that is later than they themselves. */
  readonly teamsSinceMs: Readonly<Record<string, number>>
}

export interface KeyRecord {
  readonly fingerprint: string
  readonly person: string
  /** One line of a `.pub` file, or of a passkey (lib/passkey.ts). */
  readonly publicKey: string
  /** How a browser names the passkey; null for an SSH key. */
  readonly credentialId: string | null
  readonly addedAtMs: number
  /** The last counter that this passkey signed with. */
  readonly counter: number
}

export interface KnownKey {
  readonly person: PersonRecord
  readonly key: KeyRecord
}

/** A change that somebody signed and that is not in force yet. */
export interface OpenChange {
  readonly id: string
  readonly change: PeopleChange
  /** By name of the signer. */
  readonly acts: Readonly<Record<string, SignedAct>>
  readonly openedAtMs: number
  readonly expiresAtMs: number
  /** When it takes effect by itself; null while signatures are missing. */
  readonly dueAtMs: number | null
}

/** What ended with a change: nothing that rested on what was taken away goes on. */
export interface AppliedChange {
  readonly revokedGrants: readonly { readonly id: string; readonly requestId: string }[]
  readonly closedSessions: readonly string[]
  readonly cancelledRequests: readonly string[]
}

/** Somebody who may read: a browser, or the CLI of a person. Never a right to change anything. */
export interface SignInRow {
  readonly tokenSha256: string
  readonly kind: 'browser' | 'cli' | 'link'
  readonly person: string
  /** Fingerprint of the key that signed for it; null where an identity provider vouched. */
  readonly key: string | null
  /** Where it was made and may be used from; null where that could not be measured. */
  readonly peer: string | null
  readonly expiresAtMs: number
}

/** The teams that were this person's when something began; later ones do not count for it. */
export function teamsAt({ teams, teamsSinceMs }: PersonRecord, atMs: number): string[] {
  return teams.filter((team) => (teamsSinceMs[team] ?? 0) <= atMs)
}

export interface PeopleStore {
  /** Writes the gate's id and its first people in one transaction; what is there already stays. */
  foundGate(gateId: string, people: readonly FoundingPerson[]): Promise<void>
  /** Members now, by name. */
  people(): Promise<readonly PersonRecord[]>
  keysOf(person: string): Promise<readonly KeyRecord[]>
  identitiesOf(person: string): Promise<readonly Identity[]>
  personByKey(fingerprint: string): Promise<KnownKey | undefined>
  personByCredential(credentialId: string): Promise<KnownKey | undefined>
  personByIdentity(identity: Identity): Promise<PersonRecord | undefined>
  /** False when the key has signed with this counter or a later one; 0 is what synced passkeys say. */
  advanceCounter(fingerprint: string, counter: number): Promise<boolean>
  /** Whether this name was ever anybody's, and whose this key, credential or identity ever was. */
  wasPerson(name: string): Promise<boolean>
  everOwnerOf(known: {
    fingerprint: string
    credentialId: string | null
  }): Promise<string | undefined>
  everOwnerOfIdentity(identity: Identity): Promise<string | undefined>
  /** Counts every change of people; grants are made only at the count that was decided at. */
  peopleVersion(): Promise<number>
  /**
   * Applies the change of this entry of the ledger in one transaction with all that ends by it and what `owedOf` says
   * is to be recorded of that, and remembers in the same one that it did: no entry is applied twice, whatever came after it. Undefined where it was
   * applied before, or changes nothing any more.
   */
  applyPeopleChange(
    change: PeopleChange,
    atMs: number,
    index: number,
    owedOf?: OwedOf<AppliedChange>,
  ): Promise<AppliedChange | undefined>
  /** Every change of people in an entry before this one is applied. */
  peopleFollowedTo(): Promise<number>
  /** Says so of every entry before `size`. */
  setPeopleFollowedTo(size: number): Promise<void>

  openChange(id: string): Promise<OpenChange | undefined>
  openChanges(): Promise<readonly OpenChange[]>
  keepChange(change: OpenChange): Promise<void>
  endChange(id: string): Promise<boolean>

  /** False where the person has `max` of that kind that have not expired. */
  addSignIn(row: SignInRow, max: number, nowMs: number): Promise<boolean>
  signIn(tokenSha256: string): Promise<SignInRow | undefined>
  /** Ends it; true for the one caller that ended it. */
  endSignIn(tokenSha256: string): Promise<boolean>
  signInCount(person: string, kind: SignInRow['kind'], nowMs: number): Promise<number>
  pruneSignIns(nowMs: number): Promise<void>
}

export interface FoundingPerson {
  readonly person: Pick<PersonRecord, 'name' | 'teams' | 'addedAtMs'>
  readonly keys: readonly Omit<KeyRecord, 'counter'>[]
}

// What may become of the people of a gate: whether a change makes sense now, and whose signatures it needs.
// Decides nothing by itself and records nothing.
import { satisfies } from '../decide/seats.ts'
import { GatewayError } from '../errors.ts'
import { addsPower, KEYS_PER_PERSON_MAX, type PeopleChange } from '../lib/people-change.ts'
import { parseRegisteredKey, type RegisteredKey } from '../lib/registered-key.ts'
import type { PersonRecord } from '../state/people-store.ts'
import type { Store } from '../state/store.ts'

/** Members at once. */
export const MEMBERS_MAX = 10_000
/** Two people, whatever a rule says. */
export const SIGNERS_MIN = 2
export const DEFAULT_SIGNED_BY: readonly string[] = ['any:2']
/** How long the second member waits, whom the only one there is has signed for. */
export const ALONE_MS = 24 * 60 * 60 * 1000

/** Errors: `change_refused`, in words of what stands in the way. */
export async function requirePossible(
  store: Store,
  change: PeopleChange,
  namesIdentities: boolean,
): Promise<void> {
  if (change.kind === 'add-person') {
    await requireNewPerson(store, change, namesIdentities)
    return
  }
  const { person } = change
  const member = (await store.people()).find(({ name }) => name === person)
  if (!member) throw changeRefused(`nobody here is called \`${person}\``)
  switch (change.kind) {
    case 'remove-person':
      if ((await store.people()).length <= SIGNERS_MIN) {
        throw changeRefused(
          'it would leave fewer than two members, and nobody could change anything',
        )
      }
      return
    case 'add-key':
      await requireNewKey(store, readKey(change.key))
      if ((await store.keysOf(person)).length >= KEYS_PER_PERSON_MAX)
        throw changeRefused('too many keys')
      return
    case 'remove-key': {
      const keys = await store.keysOf(person)
      if (!keys.some(({ fingerprint }) => fingerprint === change.fingerprint)) {
        throw changeRefused(`\`${person}\` has no such key`)
      }
      if (keys.length === 1) throw changeRefused('it is the last key: remove the person instead')
      return
    }
    case 'add-team':
      if (member.teams.includes(change.team)) throw changeRefused('already of this team')
      return
    case 'remove-team':
      if (!member.teams.includes(change.team)) throw changeRefused('not of this team')
      return
    case 'add-identity':
      if ((await store.everOwnerOfIdentity(change.identity)) !== undefined) {
        throw changeRefused('this identity is or was linked; it belongs to one person for ever')
      }
      return
    case 'remove-identity':
      if ((await store.personByIdentity(change.identity))?.name !== person) {
        throw changeRefused('this identity is not linked to this person')
      }
  }
}

async function requireNewPerson(
  store: Store,
  change: Extract<PeopleChange, { kind: 'add-person' }>,
  namesIdentities: boolean,
): Promise<void> {
  const { person, keys, identities, teams } = change
  if (await store.wasPerson(person)) {
    throw changeRefused(`\`${person}\` is or was somebody here; a name means one person for ever`)
  }
  if ((await store.people()).length >= MEMBERS_MAX)
    throw changeRefused('there are too many members')
  const parsed = keys.map(readKey)
  for (const key of parsed) await requireNewKey(store, key)
  const known = new Set(parsed.map(({ fingerprint }) => fingerprint))
  if (known.size !== keys.length || new Set(teams).size !== teams.length) {
    throw changeRefused('a key or team is named twice')
  }
  for (const identity of identities) {
    if ((await store.everOwnerOfIdentity(identity)) === undefined) continue
    throw changeRefused('this identity is or was linked; it belongs to one person for ever')
  }
  if (namesIdentities && identities.length === 0) {
    throw changeRefused(
      'people of this gate come from its identity provider: name issuer and subject',
    )
  }
}

async function requireNewKey(store: Store, key: RegisteredKey): Promise<void> {
  if ((await store.everOwnerOf(key)) === undefined) return
  throw changeRefused(
    `the key ${key.fingerprint} is or was registered; it belongs to one person for ever`,
  )
}

function readKey(line: string): RegisteredKey {
  try {
    return parseRegisteredKey(line)
  } catch (cause) {
    throw changeRefused(
      'a key in it cannot be read: give one line of a .pub file or of a passkey',
      cause,
    )
  }
}

export type Standing =
  /** In force with these signatures. */
  | { readonly state: 'enough' }
  /** The second member, by the first: it waits a day. */
  | { readonly state: 'alone' }
  | { readonly state: 'missing'; readonly words: string }

/** Where a change stands with these signers, each of whom counts for it (`counts`). */
export function standingOf(
  change: PeopleChange,
  signers: readonly PersonRecord[],
  members: readonly PersonRecord[],
  signedBy: readonly string[] = DEFAULT_SIGNED_BY,
): Standing {
  if (signers.length >= SIGNERS_MIN && satisfies(signedBy, signers)) return { state: 'enough' }
  const isSecond = change.kind === 'add-person' && members.length === 1
  if (isSecond && signers.length === 1) return { state: 'alone' }
  const missing = Math.max(SIGNERS_MIN - signers.length, 1)
  const rule = signedBy.join(' and ')
  const isLeftOut = addsPower(change) && !counts(change, change.person, members)
  const subject = isLeftOut ? `; ${change.person}'s own does not count` : ''
  return { state: 'missing', words: `${missing} more signature (rule: ${rule})${subject}` }
}

/**
 * Whether this member's signature counts for it: not that of the one who would gain by it, but where there are only
 * two. There both must sign, so that neither becomes the other by waiting (red team C10).
 */
export function counts(
  change: PeopleChange,
  name: string,
  members: readonly Pick<PersonRecord, 'name'>[],
): boolean {
  return !addsPower(change) || name !== change.person || members.length === SIGNERS_MIN
}

export function changeRefused(why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'change_refused',
    `this change of people is refused: ${why}`,
    'see `seconder people ls`',
    cause === undefined ? undefined : { cause },
  )
}

// One change of who belongs to the gate and how they are known: what is signed, recorded, and applied. Adding
// gives somebody power; taking away is the rest.
import { z } from 'zod'
import { KEY_LINE_CHARS_MAX } from './registered-key.ts'

/** Keys of one person at once. */
export const KEYS_PER_PERSON_MAX = 20
/** Teams of one person at once. */
export const TEAMS_PER_PERSON_MAX = 50

const NAME = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'use 1-64 of a-z 0-9 . _ -')
const KEY_LINE = z.string().min(20).max(KEY_LINE_CHARS_MAX)
const FINGERPRINT = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/)

/** A person is (issuer, subject), never an e-mail address (red team C10). */
export const IDENTITY = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }).max(512),
  subject: z.string().min(1).max(255),
})

export const PEOPLE_CHANGE = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('add-person'),
    person: NAME,
    teams: z.array(NAME).max(TEAMS_PER_PERSON_MAX),
    keys: z.array(KEY_LINE).min(1).max(KEYS_PER_PERSON_MAX),
    identities: z.array(IDENTITY).max(5),
  }),
  z.strictObject({ kind: z.literal('remove-person'), person: NAME }),
  z.strictObject({ kind: z.literal('add-key'), person: NAME, key: KEY_LINE }),
  z.strictObject({ kind: z.literal('remove-key'), person: NAME, fingerprint: FINGERPRINT }),
  z.strictObject({ kind: z.literal('add-team'), person: NAME, team: NAME }),
  z.strictObject({ kind: z.literal('remove-team'), person: NAME, team: NAME }),
  z.strictObject({ kind: z.literal('add-identity'), person: NAME, identity: IDENTITY }),
  z.strictObject({ kind: z.literal('remove-identity'), person: NAME, identity: IDENTITY }),
])

export type PeopleChange = z.infer<typeof PEOPLE_CHANGE>
export type Identity = z.infer<typeof IDENTITY>

/** Whether it gives its subject power; then the subject's own signature does not count. */
export function addsPower({ kind }: PeopleChange): boolean {
  return kind.startsWith('add-')
}

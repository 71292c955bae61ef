// What is signed about people: a change, the end of one that is open, and the first member's own entry.
// Canonical JSON; the namespace of an SSH signature is the statement's type.
import { z } from 'zod'
import { PEOPLE_CHANGE } from '../lib/people-change.ts'

export const PEOPLE_NAMESPACE = 'seconder-people@v1'
export const CANCEL_NAMESPACE = 'seconder-people-cancel@v1'
export const FIRST_MEMBER_NAMESPACE = 'seconder-first-member@v1'

/** How long a signed statement about people may be on its way, in milliseconds. */
export const PEOPLE_STATEMENT_MS_MAX = 60 * 60 * 1000

const GATE = z.string().regex(/^[0-9a-f]{64}$/)
const SIGNED = {
  gate: GATE,
  signer: z.string().max(64),
  nonce: z.string().min(22).max(64),
  expiresAt: z.iso.datetime(),
}

export const PEOPLE_STATEMENT = z.strictObject({
  type: z.literal(PEOPLE_NAMESPACE),
  change: PEOPLE_CHANGE,
  ...SIGNED,
})

export const CANCEL_STATEMENT = z.strictObject({
  type: z.literal(CANCEL_NAMESPACE),
  /** Id of the open change. */
  changeId: z.string().max(64),
  ...SIGNED,
})

export const FIRST_MEMBER_STATEMENT = z.strictObject({
  type: z.literal(FIRST_MEMBER_NAMESPACE),
  gate: GATE,
  /** SHA-256 (hex) of the one-time code: who knows it has read the gate's own file. */
  codeSha256: z.string().regex(/^[0-9a-f]{64}$/),
  change: PEOPLE_CHANGE,
  nonce: z.string().min(22).max(64),
})

// What each of two people signs so that a payload beside the ledger is dropped. Namespace `seconder-redaction@v1`.
import { z } from 'zod'
import { COMMENT_CHARS_MAX } from '../review/words.ts'

export const REDACTION_NAMESPACE = 'seconder-redaction@v1'

export const REDACTION_STATEMENT = z.strictObject({
  type: z.literal('seconder-redaction@v1'),
  gate: z.string(),
  /** SHA-256 of the payload: the digest that stays. */
  payload: z.string().regex(/^[0-9a-f]{64}$/),
  /** Stays in the ledger for good, in place of the content. */
  reason: z.string().min(10).max(COMMENT_CHARS_MAX),
  signer: z.string().max(64),
  nonce: z.string().min(22).max(64),
  signedAt: z.iso.datetime(),
})

export type RedactionStatement = z.infer<typeof REDACTION_STATEMENT>

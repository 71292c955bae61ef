// What a reviewer signs: one verdict on one digest, at one gate and epoch, having been shown one
// document. Canonical JSON, SSHSIG namespace `seconder-review@v1`.
import { z } from 'zod'
import { COMMENT_CHARS_MAX } from './words.ts'

export const REVIEW_NAMESPACE = 'seconder-review@v1'

/** How long a signed verdict may be on its way, in milliseconds. */
export const STATEMENT_LIFETIME_MS_MAX = 10 * 60 * 1000

const HEX_SHA256 = z.string().regex(/^[0-9a-f]{64}$/)

export const REVIEW_STATEMENT = z.strictObject({
  type: z.literal('seconder-review@v1'),
  verdict: z.enum(['approve', 'deny', 'request_changes']),
  /** Gate id: SHA-256 of its ledger's first entry. A signature for a test gate counts nowhere else. */
  gate: HEX_SHA256,
  epoch: z.number().int().positive(),
  request: z.string().max(64),
  /** Digest of the Action with its binding evidence. */
  digest: HEX_SHA256,
  /** SHA-256 of the review document that was shown. */
  shown: HEX_SHA256,
  reviewer: z.string().max(64),
  comment: z.string().max(COMMENT_CHARS_MAX),
  nonce: z.string().min(22).max(64),
  expiresAt: z.iso.datetime(),
  /** The ledger checkpoint last seen by this reviewer's client: each reviewer is a witness. */
  checkpoint: z.strictObject({ size: z.number().int().nonnegative(), root: z.string().max(64) }),
})

export type ReviewStatement = z.infer<typeof REVIEW_STATEMENT>

// What is signed to go ahead alone, and to have looked afterwards. Namespaces `seconder-break-glass@v1` and
// `seconder-break-glass-review@v1`.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { z } from 'zod'
import { COMMENT_CHARS_MAX } from '../review/words.ts'

export const BREAK_GLASS_NAMESPACE = 'seconder-break-glass@v1'
export const AFTER_REVIEW_NAMESPACE = 'seconder-break-glass-review@v1'

export const BREAK_GLASS_MINUTES_MAX = 15
export const BREAK_GLASS_EFFECTS_MAX = 10

/** What an operator asks to do alone, before it is signed; the gate takes what BREAK_GLASS_STATEMENT says. */
export interface GoingAhead {
  readonly session: string
  readonly reason: string
  readonly effects: readonly string[]
  readonly resources: readonly string[]
  readonly minutes: number
  readonly effectsMax: number
}

const SIGNED = {
  gate: z.string(),
  signer: z.string().max(64),
  nonce: z.string().min(22).max(64),
  signedAt: z.iso.datetime(),
}

export const BREAK_GLASS_STATEMENT = z.strictObject({
  type: z.literal('seconder-break-glass@v1'),
  ...SIGNED,
  epoch: z.number().int().positive(),
  session: z.string().max(64),
  reason: z.string().min(10).max(COMMENT_CHARS_MAX),
  effects: z.array(z.enum(EFFECTS_BY_STRICTNESS)).min(1).max(10),
  resources: z
    .array(
      z
        .string()
        .max(2_048)
        .regex(/^arn:[^\s*?]+$/, 'write whole ARNs, without * or ?'),
    )
    .min(1)
    .max(20),
  minutes: z.number().int().min(1).max(BREAK_GLASS_MINUTES_MAX),
  effectsMax: z.number().int().min(1).max(BREAK_GLASS_EFFECTS_MAX),
})

export const AFTER_REVIEW_STATEMENT = z.strictObject({
  type: z.literal('seconder-break-glass-review@v1'),
  ...SIGNED,
  breakGlass: z.string().max(64),
  /** How many effects the signer saw: what came after is not what they looked at. */
  used: z.number().int().min(0).max(BREAK_GLASS_EFFECTS_MAX),
  /** SHA-256 of the account that the signer's client made its page of: account.ts. */
  account: z.string().regex(/^[0-9a-f]{64}$/),
  /** The ledger as it was when they looked: the account is over its entries up to there. */
  checkpoint: z.strictObject({ size: z.number().int().nonnegative(), root: z.string().max(64) }),
  comment: z.string().min(1).max(COMMENT_CHARS_MAX),
})

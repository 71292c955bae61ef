// The part of seconder.yaml about reviews: how long things wait, and whom to tell when nobody answers.
import { z } from 'zod'
import { NAME } from '../people/people-config.ts'

/** Whom to tell of a request in this environment when nobody has answered for so long. */
export const ESCALATE = z.strictObject({
  to: NAME,
  afterMs: z.number().int().min(1_000).max(86_400_000),
})

export const REVIEW = z
  .strictObject({
    holdMs: z.number().int().min(0).max(20_000).default(20_000),
    expiresInMs: z.number().int().min(1_000).max(86_400_000).default(3_600_000),
    grantExpiresInMs: z.number().int().min(1_000).max(3_600_000).default(600_000),
    /** Whether an operator may go ahead alone where policies read `context.breakGlass`. */
    breakGlass: z.boolean().default(false),
    /** How long the calls of an approved plan may be made. */
    planWindowMs: z.number().int().min(10_000).max(14_400_000).default(1_800_000),
  })
  .prefault({})

export type Escalate = z.infer<typeof ESCALATE>

// The part of seconder.yaml about witnesses: who cosigns the ledger's checkpoints, how many must, and
// whether what was reviewed waits for them.
import { z } from 'zod'

const VKEY = z
  .string()
  .max(512)
  .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/, 'write the public key that the witness prints')

export const WITNESSES = z
  .strictObject({
    list: z
      .array(z.strictObject({ url: z.url({ protocol: /^https?$/ }).max(2_048), key: VKEY }))
      .min(1)
      .max(20),
    /** How many must have cosigned. */
    threshold: z.number().int().min(1).max(20),
    /** How long one is waited for. */
    timeoutMs: z.number().int().min(100).max(60_000).default(5_000),
    /** An effect that was reviewed waits until its intent is cosigned, or is not begun. */
    required: z.boolean().default(false),
  })
  .refine(({ list, threshold }) => threshold <= list.length, {
    message: 'the threshold is higher than the number of witnesses',
    path: ['threshold'],
  })

export type WitnessConfig = z.infer<typeof WITNESSES>

export interface WitnessPart {
  /** Absent = nobody outside this machine vouches for the end of the ledger. */
  readonly witnesses?: WitnessConfig | undefined
}

/** What an epoch demands: so many of these keys, within that time. */
export interface WitnessDemand {
  readonly threshold: number
  readonly timeoutMs: number
  readonly keys: readonly string[]
}

/** For the epoch's content; nothing where it is not demanded, so that its version stays what it was. */
export function witnessDemand({ witnesses }: WitnessPart): { witnessed?: WitnessDemand } {
  if (!witnesses?.required) return {}
  const { threshold, timeoutMs, list } = witnesses
  return { witnessed: { threshold, timeoutMs, keys: list.map(({ key }) => key) } }
}

// What witnesses say of a ledger: the checkpoint that they cosigned, kept beside it, with the time at which
// each of them did. Whether the log goes on from it is the verifier's to say.

import { cosignedPath } from '@seconder/gateway/record/witnessing'
import { parseCheckpoint } from '@seconder/ledger/checkpoint'
import { type Cosignature, cosignaturesOf, cosignatureVerifier } from '@seconder/ledger/cosignature'
import { LedgerError } from '@seconder/ledger/errors'
import { nodePrimitives } from '@seconder/ledger/node'
import { parseNote } from '@seconder/ledger/note'
import type { VerifyProblem } from '@seconder/ledger/verify'
import { CommandFailure, EXIT } from './failure.ts'
import { noteText, vkeyText } from './ledger-keys.ts'

export interface WitnessesAsked {
  /** Their public keys, or files with them. */
  readonly keys: readonly string[]
  /** How many of them must have cosigned. */
  readonly threshold: number
  /** The note with their cosignatures; default: the folder's name with `.cosigned`. */
  readonly note?: string | undefined
}

/** What witnesses say of the log: complete up to here, as each saw it at its time. */
export interface WitnessedEnd {
  readonly size: number
  readonly by: readonly Cosignature[]
}

export interface SeenByWitnesses {
  readonly note: string | undefined
  readonly witnessed: WitnessedEnd | null
  readonly problems: readonly VerifyProblem[]
}

/** Throws CommandFailure `key_invalid` for a key that is no witness's, `usage` where no note is there. */
export async function seenByWitnesses(
  folder: string,
  { keys, threshold, note: given }: WitnessesAsked,
): Promise<SeenByWitnesses> {
  const file = given ?? cosignedPath(folder)
  const note = noteText(file)
  try {
    const vkeys = [...new Set(keys.map(vkeyText))]
    const verifiers = vkeys.map((vkey) => cosignatureVerifier(vkey, nodePrimitives))
    const by = await cosignaturesOf(note, verifiers)
    const { size } = parseCheckpoint(parseNote(note).text)
    if (by.length >= threshold) return { note, witnessed: { size, by }, problems: [] }
    const message = `${by.length} of the ${threshold} witnesses asked for cosigned it`
    const problem = { file: 'checkpoint', code: 'not_witnessed', message } as const
    return { note, witnessed: null, problems: [problem] }
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause
    if (cause.code === 'key_invalid') {
      throw new CommandFailure(cause.code, cause.message, cause.help, EXIT.usage)
    }
    const problem = { file: 'checkpoint', code: 'not_witnessed', message: cause.message } as const
    return { note: undefined, witnessed: null, problems: [problem] }
  }
}

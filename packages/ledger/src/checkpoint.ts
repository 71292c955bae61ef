// C2SP checkpoints: the signed note that says how large the tree is and what its root is. Formats
// and parses them, and refuses a spelling other than the one it would write itself.
// Source: https://c2sp.org/tlog-checkpoint (text at C2SP commit 2793893).

import { fromBase64, toBase64 } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { type NoteSigner, type NoteVerifier, openNote, signNote } from './note.ts'
import { HASH_BYTES } from './tree.ts'

/** What a checkpoint says, and the note that says it. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly rootHash: Uint8Array
  /** Opaque lines after the root; our ledgers write none. */
  readonly extensions: readonly string[]
}

export interface SignedCheckpoint extends Checkpoint {
  /** The whole note, signatures included. */
  readonly note: string
}

const SIZE = /^(0|[1-9][0-9]{0,15})$/

function malformed(message: string): LedgerError {
  return new LedgerError('checkpoint_malformed', message)
}

/**
 * The text of a checkpoint:
 * ```
 * example.com/behind-the-sofa
 * 20852163
 * CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 * ```
 * Throws `checkpoint_malformed` for an origin or a size that the format cannot hold.
 */
export function formatCheckpoint(origin: string, size: number, rootHash: Uint8Array): string {
  const text = `${origin}\n${size}\n${toBase64(rootHash)}\n`
  parseCheckpoint(text)
  return text
}

/** What the text says. Throws `checkpoint_malformed`; numbers and base64 have one spelling only. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw malformed('the checkpoint does not end with a newline')
  const [origin = '', sizeText = '', root = '', ...extensions] = text.slice(0, -1).split('\n')
  if (origin === '') throw malformed('the checkpoint has no origin')
  const size = Number(sizeText)
  if (!SIZE.test(sizeText) || !Number.isSafeInteger(size)) {
    throw malformed('the size of the checkpoint is not a canonical decimal number')
  }
  const rootHash = fromBase64(root)
  if (rootHash === null || rootHash.length !== HASH_BYTES) {
    throw malformed('the root of the checkpoint is not 32 bytes in canonical base64')
  }
  if (extensions.includes('')) throw malformed('an extension line of the checkpoint is empty')
  return { origin, size, rootHash, extensions }
}

export function signCheckpoint(
  origin: string,
  size: number,
  rootHash: Uint8Array,
  signers: readonly NoteSigner[],
): SignedCheckpoint {
  const note = signNote(formatCheckpoint(origin, size, rootHash), signers)
  return { origin, size, rootHash, extensions: [], note }
}

/**
 * What a signed checkpoint says, after checking it. Throws `note_malformed`, `note_unverified`,
 * `checkpoint_malformed`; and `note_unverified` for another log's origin.
 */
export async function openCheckpoint(
  note: string,
  origin: string,
  known: readonly NoteVerifier[],
): Promise<SignedCheckpoint> {
  const { text } = await openNote(note, known)
  const checkpoint = parseCheckpoint(text)
  if (checkpoint.origin !== origin) {
    throw new LedgerError('note_unverified', 'the checkpoint is of another ledger')
  }
  return { ...checkpoint, note }
}

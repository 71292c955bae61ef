// The body of `add-checkpoint`, the one call that a witness answers: the size it saw last, a consistency
// proof from there, and the checkpoint. Makes and parses it. Runs in browsers.
// Source: https://c2sp.org/tlog-witness (text at C2SP commit 055270b).

import { fromBase64, toBase64 } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { NOTE_CHARACTERS_MAX } from './note.ts'
import { HASH_BYTES } from './tree.ts'

export const WITNESS_PROOF_LINES_MAX = 63
/** Longest body, in characters: the proof, and a note. */
export const ADD_CHECKPOINT_CHARACTERS_MAX = NOTE_CHARACTERS_MAX + 64 * 64
/** Content-Type of the size in an answer 409. */
export const SIZE_CONTENT_TYPE = 'text/x.tlog.size'

export interface AddCheckpoint {
  readonly oldSize: number
  readonly proof: readonly Uint8Array[]
  /** The whole note. */
  readonly checkpoint: string
}

const OLD = /^old (0|[1-9][0-9]{0,15})$/

function malformed(message: string): LedgerError {
  return new LedgerError('checkpoint_malformed', message)
}

export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  const hashes = proof.map((hash) => `${toBase64(hash)}\n`)
  return `old ${oldSize}\n${hashes.join('')}\n${checkpoint}`
}

/** Throws `checkpoint_malformed` for anything but the one form. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  if (body.length > ADD_CHECKPOINT_CHARACTERS_MAX) throw malformed('the body is too long')
  const blank = body.indexOf('\n\n')
  if (blank === -1) throw malformed('the body has no empty line before a checkpoint')
  const [old = '', ...lines] = body.slice(0, blank).split('\n')
  const oldSize = Number(OLD.exec(old)?.[1] ?? Number.NaN)
  if (!Number.isSafeInteger(oldSize)) throw malformed('the body does not begin with `old SIZE`')
  if (lines.length > WITNESS_PROOF_LINES_MAX) throw malformed('the proof has too many lines')
  const proof = lines.map((line) => {
    const hash = fromBase64(line)
    if (hash?.length !== HASH_BYTES) throw malformed('a line of the proof is not a hash in base64')
    return hash
  })
  return { oldSize, proof, checkpoint: body.slice(blank + 2) }
}

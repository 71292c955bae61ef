// Whether one checkpoint of a ledger goes on from another: the proof between them, made from the tiles of
// the newer one and checked as a stranger would check it. Reads tiles alone. Runs in browsers.

import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import { LedgerError } from './errors.ts'
import { ed25519Verifier } from './note.ts'
import type { Primitives } from './primitives.ts'
import { consistencyProof, verifyConsistency } from './proof.ts'
import { type ReadFile, tileNodeReader } from './tile-reader.ts'

export interface Consistency {
  readonly older: SignedCheckpoint
  readonly newer: SignedCheckpoint
  readonly proof: readonly Uint8Array[]
}

/**
 * The proof that the tree of `older` is the beginning of that of `newer`. The log may have grown since, or
 * even be another: the proof is checked against both signed roots.
 *
 * Throws `note_unverified`, `note_malformed`, `checkpoint_malformed` for a checkpoint that is not of this
 * key; `size_invalid` where `older` is the larger one; `ledger_corrupt` where tiles are missing;
 * `proof_invalid` where the one does not go on from the other.
 */
export async function proveConsistency(
  notes: { readonly older: string; readonly newer: string },
  verifierKey: string,
  readFile: ReadFile,
  primitives: Primitives,
): Promise<Consistency> {
  const { sha256 } = primitives
  const verifier = ed25519Verifier(verifierKey, primitives)
  const older = await openCheckpoint(notes.older, verifier.name, [verifier])
  const newer = await openCheckpoint(notes.newer, verifier.name, [verifier])
  if (older.size > newer.size) {
    const message = `the older checkpoint is of ${older.size} entries, the newer of ${newer.size}`
    throw new LedgerError('size_invalid', message)
  }
  const reader = tileNodeReader(sha256, widest(readFile), newer.size)
  const proof = await consistencyProof(sha256, reader, older.size, newer.size)
  verifyConsistency(sha256, older.size, newer.size, proof, older.rootHash, newer.rootHash)
  return { older, newer, proof }
}

/**
 * A partial tile goes when the log has grown; its hashes are then the first of the full one, or of a wider
 * partial one. A reader asks for the width of its checkpoint, so more than that is cut off.
 */
export function widest(readFile: ReadFile): ReadFile {
  return async (name) => {
    const [full = '', width] = name.split('.p/')
    if (width === undefined) return await readFile(name)
    for (let wider = Number(width); wider < 256; wider++) {
      const bytes = await readFile(`${full}.p/${wider}`)
      if (bytes !== null) return bytes.subarray(0, Number(width) * 32)
    }
    return (await readFile(full))?.subarray(0, Number(width) * 32) ?? null
  }
}

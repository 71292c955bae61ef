// A log in memory for tests of witnesses: entries by number, signed checkpoints of any size, and proofs
// between any two; `fork` makes another log of the same key that differs from some entry on.

import { signCheckpoint } from '../src/checkpoint.ts'
import { nodePrimitives, nodeSigner } from '../src/node.ts'
import { consistencyProof, type NodeReader } from '../src/proof.ts'
import { CompactRange, leafHash } from '../src/tree.ts'
import { formatAddCheckpoint } from '../src/witness-request.ts'
import { entryOf, ORIGIN, signer } from './temporary-ledger.ts'

const { sha256 } = nodePrimitives
const noteSigner = nodeSigner(ORIGIN, signer)

export class WitnessedLog {
  readonly #entry: (index: number) => Uint8Array

  constructor(differsFrom = Number.POSITIVE_INFINITY) {
    this.#entry = (index) => entryOf(index < differsFrom ? index : -1 - index)
  }

  #rootOf(first: number, count: number): Uint8Array {
    const range = new CompactRange(sha256)
    for (let index = first; index < first + count; index++) {
      range.append(leafHash(sha256, this.#entry(index)))
    }
    return range.root()
  }

  checkpoint(size: number): string {
    return signCheckpoint(ORIGIN, size, this.#rootOf(0, size), [noteSigner]).note
  }

  proof(older: number, newer: number): Promise<Uint8Array[]> {
    const read: NodeReader = async (height, index) => this.#rootOf(index * 2 ** height, 2 ** height)
    return consistencyProof(sha256, read, older, newer)
  }

  /** The body of `add-checkpoint` from one size to another. */
  async body(oldSize: number, size: number): Promise<string> {
    const proof = oldSize <= size ? await this.proof(oldSize, size) : []
    return formatAddCheckpoint({ oldSize, proof, checkpoint: this.checkpoint(size) })
  }
}

// Inclusion and consistency proofs of RFC 6962 section 2.1: making them from any source of perfect
// subtree hashes, and checking them. Checking throws or returns nothing; there is no half answer.

import { sameBytes } from './bytes.ts'
import { LedgerError } from './errors.ts'
import type { Sha256 } from './primitives.ts'
import { emptyRoot, HASH_BYTES, nodeHash } from './tree.ts'

/** The root of the perfect subtree of 2**height leaves that starts at leaf index * 2**height. */
export type NodeReader = (height: number, index: number) => Promise<Uint8Array>

/** A longer proof than any tree of a safe-integer size has. */
export const PROOF_HASHES_MAX = 64

function invalid(message: string): LedgerError {
  return new LedgerError('proof_invalid', message)
}

function checkSizes(smaller: number, larger: number): void {
  if (!Number.isSafeInteger(smaller) || !Number.isSafeInteger(larger) || smaller < 0) {
    throw new LedgerError('size_invalid', 'an index or a size is not a safe whole number')
  }
  if (smaller > larger) {
    throw new LedgerError('size_invalid', `${smaller} is beyond the tree of size ${larger}`)
  }
}

function checkIndex(index: number, size: number): void {
  checkSizes(index, size)
  if (index === size) throw new LedgerError('size_invalid', `there is no leaf ${index}`)
}

/** The largest power of two smaller than `count`, which is at least 2 (RFC 6962: k < n <= 2k). */
function split(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}

/** h when count is 2**h, else null. Not Math.log2, which rounds 2**49 + 1 down to 49. */
function perfectHeight(count: number): number | null {
  let height = 0
  let rest = count
  for (; rest % 2 === 0; rest /= 2) height += 1
  return rest === 1 ? height : null
}

/** MTH(D[start:end]) from perfect subtrees; `start` is a multiple of the range's power of two. */
async function rangeRoot(
  sha256: Sha256,
  read: NodeReader,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const count = end - start
  const height = perfectHeight(count)
  if (height !== null) return await read(height, start / count)
  const middle = start + split(count)
  const left = await rangeRoot(sha256, read, start, middle)
  return nodeHash(sha256, left, await rangeRoot(sha256, read, middle, end))
}

/** The root of the first `size` leaves. */
export async function rootAt(sha256: Sha256, read: NodeReader, size: number): Promise<Uint8Array> {
  checkSizes(size, size)
  return size === 0 ? emptyRoot(sha256) : await rangeRoot(sha256, read, 0, size)
}

/**
 * PATH(index, D[0:size]): the hashes that lead from a leaf to the root, from the leaf up. Throws
 * `size_invalid` for an index outside the tree. Source: RFC 6962 section 2.1.1.
 */
export async function inclusionProof(
  sha256: Sha256,
  read: NodeReader,
  index: number,
  size: number,
): Promise<Uint8Array[]> {
  checkIndex(index, size)
  const proof: Uint8Array[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + split(end - start)
    if (index < middle) {
      proof.push(await rangeRoot(sha256, read, middle, end))
      end = middle
    } else {
      proof.push(await rangeRoot(sha256, read, start, middle))
      start = middle
    }
  }
  return proof.reverse()
}

/**
 * PROOF(older, D[0:newer]): the hashes that show the tree of `older` leaves to be a prefix of the
 * tree of `newer`. Empty when older is 0 or newer. Source: RFC 6962 section 2.1.2.
 */
export async function consistencyProof(
  sha256: Sha256,
  read: NodeReader,
  older: number,
  newer: number,
): Promise<Uint8Array[]> {
  checkSizes(older, newer)
  if (older === 0 || older === newer) return []
  const proof: Uint8Array[] = []
  let start = 0
  let end = newer
  while (end !== older) {
    const middle = start + split(end - start)
    if (older <= middle) {
      proof.push(await rangeRoot(sha256, read, middle, end))
      end = middle
    } else {
      proof.push(await rangeRoot(sha256, read, start, middle))
      start = middle
    }
  }
  // The subtree that is left is a node of both trees; the verifier knows it when it starts at 0.
  if (start > 0) proof.push(await rangeRoot(sha256, read, start, end))
  return proof.reverse()
}

function checkHashes(hashes: readonly Uint8Array[]): void {
  if (hashes.length > PROOF_HASHES_MAX) throw invalid('the proof has too many hashes')
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) throw invalid('a hash is not 32 bytes')
}

/**
 * Returns when the leaf hash stands at `index` in the tree of `size` with this root. Throws
 * `proof_invalid` or `size_invalid`. Source: RFC 9162 section 2.1.3.2.
 */
export function verifyInclusion(
  sha256: Sha256,
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  checkIndex(index, size)
  checkHashes([leaf, root, ...proof])
  let node = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) throw invalid('the proof is longer than the tree is high')
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sha256, sibling, hash)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = Math.floor(last / 2)
      }
    } else {
      hash = nodeHash(sha256, hash, sibling)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) throw invalid('the proof is shorter than the tree is high')
  if (!sameBytes(hash, root)) throw invalid('the proof leads to another root')
}

/**
 * Returns when the tree of `older` leaves with `olderRoot` is a prefix of the tree of `newer` with
 * `newerRoot`. Throws `proof_invalid` or `size_invalid`. Source: RFC 9162 section 2.1.4.2.
 */
export function verifyConsistency(
  sha256: Sha256,
  older: number,
  newer: number,
  proof: readonly Uint8Array[],
  olderRoot: Uint8Array,
  newerRoot: Uint8Array,
): void {
  checkSizes(older, newer)
  checkHashes([olderRoot, newerRoot, ...proof])
  if (older === newer || older === 0) {
    if (proof.length > 0) throw invalid('the proof should be empty')
    const known = older === newer ? newerRoot : emptyRoot(sha256)
    if (!sameBytes(olderRoot, known)) throw invalid('the older root is another one')
    return
  }
  const [first, ...rest] = perfectHeight(older) !== null ? [olderRoot, ...proof] : proof
  if (first === undefined || proof.length === 0) throw invalid('the proof is empty')
  climb(sha256, older - 1, newer - 1, first, rest, olderRoot, newerRoot)
}

function climb(
  sha256: Sha256,
  olderLast: number,
  newerLast: number,
  first: Uint8Array,
  rest: readonly Uint8Array[],
  olderRoot: Uint8Array,
  newerRoot: Uint8Array,
): void {
  let node = olderLast
  let last = newerLast
  while (node % 2 === 1) {
    node = (node - 1) / 2
    last = Math.floor(last / 2)
  }
  let older = first
  let newer = first
  for (const hash of rest) {
    if (last === 0) throw invalid('the proof is longer than the tree is high')
    if (node % 2 === 1 || node === last) {
      older = nodeHash(sha256, hash, older)
      newer = nodeHash(sha256, hash, newer)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = Math.floor(last / 2)
      }
    } else {
      newer = nodeHash(sha256, newer, hash)
    }
    node = Math.floor(node / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) throw invalid('the proof is shorter than the tree is high')
  if (!sameBytes(older, olderRoot)) throw invalid('the proof leads to another older root')
  if (!sameBytes(newer, newerRoot)) throw invalid('the proof leads to another newer root')
}

// The Merkle tree of RFC 6962: leaf and node hashes, and a compact range that holds only the right
// edge of a growing tree. Pure; SHA-256 comes in as a port.

import type { Sha256, Sha256Many } from './primitives.ts'

export const HASH_BYTES = 32
/** tlog-tiles: the length prefix of an entry is a uint16. */
export const ENTRY_BYTES_MAX = 65_535

export const LEAF_PREFIX = 0x00
export const NODE_PREFIX = 0x01
/** The most leaves that are climbed at once, and the fewest by a way for many. */
const CLIMBED_MAX = 256
const CLIMBED_BY_MANY_MIN = 4
const HEIGHT_MAX = 53 // sizes are safe integers

// Scratch inputs, used and done with inside one synchronous call each.
const leafInput = new Uint8Array(1 + ENTRY_BYTES_MAX)
// The two hashes of a node begin at a whole word, so that they can be copied by words.
const nodeBytes = new ArrayBuffer(4 + 2 * HASH_BYTES)
const nodeInput = new Uint8Array(nodeBytes, 3)
const nodeWords = new Uint32Array(nodeBytes, 4)
const climbed = new Uint8Array(CLIMBED_MAX * HASH_BYTES)
const climbedWords = new Uint32Array(climbed.buffer)
leafInput[0] = LEAF_PREFIX
nodeInput[0] = NODE_PREFIX

/** Writes SHA-256(0x00 || entry) into `output`. Source: RFC 6962 section 2.1. */
export function leafHashInto(
  sha256: Sha256,
  entry: Uint8Array,
  output: Uint8Array,
  offset: number,
): void {
  leafInput.set(entry, 1)
  sha256(leafInput.subarray(0, 1 + entry.length), output, offset)
}

/** SHA-256(0x00 || entry), of at most ENTRY_BYTES_MAX. Source: RFC 6962 section 2.1. */
export function leafHash(sha256: Sha256, entry: Uint8Array): Uint8Array {
  const output = new Uint8Array(HASH_BYTES)
  leafHashInto(sha256, entry, output, 0)
  return output
}

/** SHA-256(0x01 || left || right). Source: RFC 6962 section 2.1. */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  const output = new Uint8Array(HASH_BYTES)
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_BYTES)
  sha256(nodeInput, output, 0)
  return output
}

/**
 * Climbs from `count` hashes, a power of two, to the root above them, in place: `words` is the same memory as
 * `hashes`, and the root is its first 32 bytes. Source: RFC 6962 section 2.1.
 */
export function climb(sha256: Sha256, hashes: Uint8Array, words: Uint32Array, count: number): void {
  for (let nodes = count / 2; nodes >= 1; nodes /= 2) {
    // Node `node` is read at 2 * node, and written at node.
    for (let node = 0; node < nodes; node++) {
      const from = node * nodeWords.length
      for (let word = 0; word < nodeWords.length; word++) nodeWords[word] = words[from + word] ?? 0
      sha256(nodeInput, hashes, node * HASH_BYTES)
    }
  }
}

/** The root of a tree without entries: SHA-256 of nothing. Source: RFC 6962 section 2.1. */
export function emptyRoot(sha256: Sha256): Uint8Array {
  const output = new Uint8Array(HASH_BYTES)
  sha256(new Uint8Array(0), output, 0)
  return output
}

/** Called for each perfect subtree when it is complete; the hash is valid during the call only. */
export type OnNode = (height: number, hash: Uint8Array) => void

/**
 * The roots of the perfect subtrees that make up a tree of `size` leaves, from left to right (one
 * per set bit of `size`): all that is needed to append and to compute the root.
 */
export class CompactRange {
  readonly #sha256: Sha256
  readonly #stack = new Uint8Array((HEIGHT_MAX + 2) * HASH_BYTES)
  readonly #words = new Uint32Array(this.#stack.buffer)
  #depth = 0
  #size = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  get size(): number {
    return this.#size
  }

  /** Appends a leaf hash. `onNode` hears of the leaf (height 0) and each subtree it completes. */
  append(hash: Uint8Array, onNode?: OnNode): void {
    this.appendPerfect(0, hash, onNode)
  }

  /**
   * Appends the root of 2**height leaves where the size is a multiple of that. `onNode` hears of it and of
   * each subtree it completes.
   */
  appendPerfect(ofHeight: number, hash: Uint8Array, onNode?: OnNode): void {
    const leaves = 2 ** ofHeight
    this.#push(hash)
    onNode?.(ofHeight, hash)
    let height = ofHeight
    for (let left = this.#size / leaves; left % 2 === 1; left = (left - 1) / 2) {
      const merged = this.#merge()
      height += 1
      onNode?.(height, merged)
    }
    this.#size += leaves
  }

  /**
   * Appends leaf hashes, 32 bytes each. Perfect subtrees of up to 2**heightMax leaves, at most 2**8, are climbed by
   * themselves, by `many` where it is given; `onNode` hears of nothing below that height.
   */
  appendAll(hashes: Uint8Array, heightMax: number, onNode: OnNode, many?: Sha256Many): void {
    const heard: OnNode = (height, hash) => {
      if (height >= heightMax) onNode(height, hash)
    }
    for (let left = hashes.length / HASH_BYTES; left > 0; ) {
      let height = 0
      while (
        height < heightMax &&
        this.#size % 2 ** (height + 1) === 0 &&
        2 ** (height + 1) <= left
      ) {
        height += 1
      }
      const count = 2 ** height
      const start = hashes.length - left * HASH_BYTES
      climbed.set(hashes.subarray(start, start + count * HASH_BYTES))
      if (many !== undefined && count >= CLIMBED_BY_MANY_MIN) many.climb(climbed, count)
      else climb(this.#sha256, climbed, climbedWords, count)
      this.appendPerfect(height, climbed.subarray(0, HASH_BYTES), heard)
      left -= count
    }
  }

  /**
   * Appends the root of a perfect subtree, when a range is restored from stored hashes. The caller
   * gives subtrees from left to right, each smaller than the one before.
   */
  appendSubtree(hash: Uint8Array, leafCount: number): void {
    this.#push(hash)
    this.#size += leafCount
  }

  /** A range that goes on from here by itself. */
  clone(): CompactRange {
    const copy = new CompactRange(this.#sha256)
    copy.#stack.set(this.#stack)
    copy.#depth = this.#depth
    copy.#size = this.#size
    return copy
  }

  /** The roots of the perfect subtrees, from left to right. */
  nodes(): Uint8Array[] {
    const nodes: Uint8Array[] = []
    for (let index = 0; index < this.#depth; index++) nodes.push(this.#at(index).slice())
    return nodes
  }

  /** The RFC 6962 root of the tree as it stands. */
  root(): Uint8Array {
    if (this.#depth === 0) return emptyRoot(this.#sha256)
    let root: Uint8Array = this.#at(this.#depth - 1).slice()
    for (let index = this.#depth - 2; index >= 0; index--) {
      root = nodeHash(this.#sha256, this.#at(index), root)
    }
    return root
  }

  #at(index: number): Uint8Array {
    return this.#stack.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
  }

  #push(hash: Uint8Array): void {
    this.#stack.set(hash, this.#depth * HASH_BYTES)
    this.#depth += 1
  }

  #merge(): Uint8Array {
    const left = (this.#depth - 2) * HASH_BYTES
    for (let word = 0; word < nodeWords.length; word++) {
      nodeWords[word] = this.#words[left / 4 + word] ?? 0
    }
    this.#sha256(nodeInput, this.#stack, left)
    this.#depth -= 1
    return this.#stack.subarray(left, left + HASH_BYTES)
  }
}

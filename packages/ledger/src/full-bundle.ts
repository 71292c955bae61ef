// The quick way through a full bundle: its 256 leaf hashes against the tile beside it, and the root above
// them, with next to nothing made on the way. It says only "all as it should be, under this root"; whatever
// else there is to say is found by the walk that names files and entries. Runs in browsers.

import { sameBytes } from './bytes.ts'
import type { BinaryText, Primitives, Sha256 } from './primitives.ts'
import { LENGTH_BYTES, TILE_WIDTH } from './tiles.ts'
import { HASH_BYTES, LEAF_PREFIX, NODE_PREFIX } from './tree.ts'

const HASH_WORDS = HASH_BYTES / 4
const TILE_BYTES = TILE_WIDTH * HASH_BYTES

export class FullBundle {
  readonly #sha256: Sha256
  readonly #text: BinaryText | undefined
  readonly #hashes = new Uint8Array(TILE_BYTES)
  readonly #hashWords = new Uint32Array(this.#hashes.buffer)
  // The two hashes of a node begin at a whole word, so they are copied by words: 0x01 stands before it.
  readonly #pair = new ArrayBuffer(4 + 2 * HASH_BYTES)
  readonly #node = new Uint8Array(this.#pair, 3)
  readonly #nodeWords = new Uint32Array(this.#pair, 4)

  constructor({ sha256, binaryText }: Primitives) {
    this.#sha256 = sha256
    this.#text = binaryText
    this.#node[0] = NODE_PREFIX
  }

  /**
   * The root of the 256 entries, valid until the next call; null where the bundle is not exactly 256
   * entries or the tile does not hold exactly their leaf hashes. `bundle` is changed and changed back.
   */
  rootOf(bundle: Uint8Array, tile: Uint8Array): Uint8Array | null {
    if (tile.length !== TILE_BYTES) return null
    const isTile = this.#text ? this.#isText(this.#text, bundle, tile) : this.#isTile(bundle, tile)
    if (!isTile) return null
    this.#hashes.set(tile)
    for (let count = TILE_WIDTH; count > 1; count /= 2) {
      if (this.#text) this.#climbText(this.#text, count / 2)
      else this.#climb(count / 2)
    }
    return this.#hashes.subarray(0, HASH_BYTES)
  }

  #isText(text: BinaryText, bundle: Uint8Array, tile: Uint8Array): boolean {
    let hashes = ''
    const isWhole = eachLeaf(bundle, (leaf) => {
      hashes += text.sha256(leaf)
    })
    return isWhole && hashes === text.of(tile)
  }

  #isTile(bundle: Uint8Array, tile: Uint8Array): boolean {
    const isWhole = eachLeaf(bundle, (leaf, position) => {
      this.#sha256(leaf, this.#hashes, position * HASH_BYTES)
    })
    return isWhole && sameBytes(this.#hashes, tile)
  }

  /** Hashes neighbours into one, in place: node `index` is read at 2 * index, and written at index. */
  #climb(count: number): void {
    for (let index = 0; index < count; index++) {
      this.#takePair(index)
      this.#sha256(this.#node, this.#hashes, index * HASH_BYTES)
    }
  }

  #climbText(text: BinaryText, count: number): void {
    const hashes = this.#hashes
    for (let index = 0; index < count; index++) {
      this.#takePair(index)
      const digest = text.sha256(this.#node)
      const at = index * HASH_BYTES
      for (let byte = 0; byte < HASH_BYTES; byte++) hashes[at + byte] = digest.charCodeAt(byte)
    }
  }

  #takePair(index: number): void {
    const [words, into] = [this.#hashWords, this.#nodeWords]
    const from = index * 2 * HASH_WORDS
    for (let word = 0; word < 2 * HASH_WORDS; word++) into[word] = words[from + word] ?? 0
  }
}

/**
 * Calls `take` with each leaf of a full bundle, 0x00 and the entry, valid during the call only; false where
 * it is no such bundle. The byte before an entry is of its length, and 0x00 for that moment.
 */
function eachLeaf(bundle: Uint8Array, take: (leaf: Uint8Array, position: number) => void): boolean {
  let at = 0
  for (let position = 0; position < TILE_WIDTH; position++) {
    const prefix = at + LENGTH_BYTES - 1
    const low = bundle[prefix]
    if (low === undefined) return false
    const end = prefix + 1 + (((bundle[at] ?? 0) << 8) | low)
    if (end > bundle.length) return false
    bundle[prefix] = LEAF_PREFIX
    take(bundle.subarray(prefix, end), position)
    bundle[prefix] = low
    at = end
  }
  return at === bundle.length
}

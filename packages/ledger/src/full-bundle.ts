// The quick way through a full bundle: its 256 leaf hashes against the tile beside it, and the root above
// them, with next to nothing made on the way. It says only "all as it should be, under this root"; whatever
// else there is to say is found by the walk that names files and entries. Runs in browsers.

import { sameBytes } from './bytes.ts'
import type { BinaryText, Primitives, Sha256, Sha256Many } from './primitives.ts'
import { LENGTH_BYTES, TILE_WIDTH } from './tiles.ts'
import { climb, HASH_BYTES, LEAF_PREFIX, NODE_PREFIX } from './tree.ts'

const NODE_BYTES = 2 * HASH_BYTES
const TILE_BYTES = TILE_WIDTH * HASH_BYTES

export class FullBundle {
  readonly #sha256: Sha256
  readonly #text: BinaryText | undefined
  readonly #many: Sha256Many | undefined
  readonly #starts = new Uint32Array(TILE_WIDTH)
  readonly #ends = new Uint32Array(TILE_WIDTH)
  /** A copy of the tile, to be compared by words. */
  readonly #tileWords = new Uint32Array(TILE_BYTES / 4)
  readonly #tile = new Uint8Array(this.#tileWords.buffer)
  readonly #hashes = new Uint8Array(TILE_BYTES)
  readonly #hashWords = new Uint32Array(this.#hashes.buffer)
  // Hashes of one level after a byte that is free: each pair is hashed where it lies, with 0x01 before it
  // in the place of the last byte of the pair before, which was hashed already.
  readonly #level = new Uint8Array(1 + TILE_BYTES)
  readonly #nodes = Array.from({ length: TILE_WIDTH / 2 }, (_, index) =>
    this.#level.subarray(index * NODE_BYTES, (index + 1) * NODE_BYTES + 1),
  )

  constructor({ sha256, binaryText, many }: Primitives) {
    this.#sha256 = sha256
    this.#many = many
    this.#text = binaryText
  }

  /**
   * The root of the 256 entries, valid until the next call; null where the bundle is not exactly 256
   * entries or the tile does not hold exactly their leaf hashes. `bundle` is changed and changed back.
   */
  rootOf(bundle: Uint8Array, tile: Uint8Array): Uint8Array | null {
    if (tile.length !== TILE_BYTES) return null
    if (this.#many !== undefined) return this.#rootByMany(this.#many, bundle, tile)
    if (this.#text !== undefined) {
      if (!this.#isText(this.#text, bundle, tile)) return null
      return this.#climbText(this.#text, tile)
    }
    if (!this.#isTile(bundle, tile)) return null
    climb(this.#sha256, this.#hashes, this.#hashWords, TILE_WIDTH)
    return this.#hashes.subarray(0, HASH_BYTES)
  }

  #rootByMany(many: Sha256Many, bundle: Uint8Array, tile: Uint8Array): Uint8Array | null {
    const [starts, ends] = [this.#starts, this.#ends]
    const isWhole = eachEntry(bundle, (start, end, position) => {
      starts[position] = start
      ends[position] = end
    })
    if (!isWhole) return null
    const leaves = { bytes: bundle, starts, ends, count: TILE_WIDTH, prefix: LEAF_PREFIX }
    many.hash(leaves, this.#hashes)
    this.#tile.set(tile)
    const [computed, given] = [this.#hashWords, this.#tileWords]
    for (let word = 0; word < given.length; word++) if (computed[word] !== given[word]) return null
    many.climb(this.#hashes, TILE_WIDTH)
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

  #climbText(text: BinaryText, tile: Uint8Array): Uint8Array {
    const [level, nodes] = [this.#level, this.#nodes]
    level.set(tile, 1)
    for (let count = TILE_WIDTH / 2; count >= 1; count /= 2) {
      let hashes = ''
      for (let index = 0; index < count; index++) {
        level[index * NODE_BYTES] = NODE_PREFIX
        hashes += text.sha256(nodes[index] ?? level)
      }
      text.put(hashes, level, 1)
    }
    return level.subarray(1, 1 + HASH_BYTES)
  }
}

/**
 * Calls `take` with each leaf of a full bundle, 0x00 and the entry, valid during the call only; false where
 * it is no such bundle. The byte before an entry is of its length, and 0x00 for that moment.
 */
function eachLeaf(bundle: Uint8Array, take: (leaf: Uint8Array, position: number) => void): boolean {
  return eachEntry(bundle, (start, end, position) => {
    const low = bundle[start - 1] ?? 0
    bundle[start - 1] = LEAF_PREFIX
    take(bundle.subarray(start - 1, end), position)
    bundle[start - 1] = low
  })
}

/** Calls `take` with where each entry of a full bundle is; false where it is no such bundle. */
function eachEntry(
  bundle: Uint8Array,
  take: (start: number, end: number, position: number) => void,
): boolean {
  let at = 0
  for (let position = 0; position < TILE_WIDTH; position++) {
    const start = at + LENGTH_BYTES
    const end = start + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0))
    if (end > bundle.length) return false
    take(start, end, position)
    at = end
  }
  return at === bundle.length
}

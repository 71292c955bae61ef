// Reads perfect subtree hashes out of tiles, for roots at older sizes and for proofs. It trusts the
// tiles it is given: whoever uses the result checks it against a signed root. Runs in browsers.

import { LedgerError, quoted } from './errors.ts'
import type { Sha256 } from './primitives.ts'
import type { NodeReader } from './proof.ts'
import { TILE_HEIGHT, TILE_WIDTH, tilePath, tileWidth } from './tiles.ts'
import { CompactRange, HASH_BYTES } from './tree.ts'

/** The bytes of a file of the log by its name, or null when there is none. */
export type ReadFile = (name: string) => Promise<Uint8Array | null>

const CACHED_TILES_MAX = 64

/**
 * A reader of the tree of `size` entries. It throws `ledger_corrupt` for a missing or short tile,
 * and `size_invalid` for a subtree that is not complete at that size.
 */
export function tileNodeReader(sha256: Sha256, readFile: ReadFile, size: number): NodeReader {
  const cache = new Map<string, Uint8Array>()

  async function tile(level: number, index: number): Promise<Uint8Array> {
    const width = tileWidth(level, index, size)
    if (width === 0) throw new LedgerError('size_invalid', 'the tree is not that large')
    const name = tilePath({ level, index, width })
    const cached = cache.get(name)
    if (cached !== undefined) return cached
    const bytes = await readFile(name)
    if (bytes?.length !== width * HASH_BYTES) {
      throw new LedgerError('ledger_corrupt', `${quoted(name)} is missing or has a wrong length`)
    }
    if (cache.size >= CACHED_TILES_MAX) cache.clear()
    cache.set(name, bytes)
    return bytes
  }

  return async (height, index) => {
    const level = Math.floor(height / TILE_HEIGHT)
    const count = 2 ** (height % TILE_HEIGHT)
    const first = index * count
    const bytes = await tile(level, Math.floor(first / TILE_WIDTH))
    const start = (first % TILE_WIDTH) * HASH_BYTES
    if (start + count * HASH_BYTES > bytes.length) {
      throw new LedgerError('size_invalid', 'the subtree is not complete at that size')
    }
    const range = new CompactRange(sha256)
    for (let position = 0; position < count; position++) {
      const offset = start + position * HASH_BYTES
      range.append(bytes.subarray(offset, offset + HASH_BYTES))
    }
    return range.root()
  }
}

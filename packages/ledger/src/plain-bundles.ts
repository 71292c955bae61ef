// Full bundles that are as they should be, one after another: the root of each, and its bytes where the
// entries are wanted. The walk asks for them in order; how they are read and hashed is behind the port,
// here in the same thread and for any source. Runs in browsers.

import { FullBundle } from './full-bundle.ts'
import type { Primitives } from './primitives.ts'
import type { LedgerSource } from './source.ts'
import { TILE_WIDTH, tilePath } from './tiles.ts'

export interface PlainBundle {
  /** The root of its 256 entries, which are those that the tile beside it names. */
  readonly root: Uint8Array
  /** The bytes that were hashed; null where nobody asked for entries. */
  readonly bytes: Uint8Array | null
}

export interface PlainBundles {
  /** Bundle `index`, or null where there is anything to say of it or its tile. Asked in rising order. */
  at(index: number): Promise<PlainBundle | null>
  /** Ends what was begun to read ahead. */
  close(): void
}

/** `bundles`: how many full ones there are at most; `wantsEntries`: whether bytes are asked for. */
export type OpenPlainBundles = (asked: {
  readonly bundles: number
  readonly wantsEntries: boolean
}) => PlainBundles

/** Reads from the source, one bundle at a time. */
export function plainBundles(source: LedgerSource, primitives: Primitives): PlainBundles {
  const full = new FullBundle(primitives)
  return {
    async at(index) {
      try {
        const [bundle, tile] = [
          await source.read(bundleName(index)),
          await source.read(tileName(index)),
        ]
        const root = full.rootOf(bundle, tile)
        return root && { root, bytes: bundle }
      } catch {
        // Why it cannot be read is said by the walk that names files, which reads it again.
        return null
      }
    },
    close: () => undefined,
  }
}

export function bundleName(index: number): string {
  return tilePath({ level: 'entries', index, width: TILE_WIDTH })
}

export function tileName(index: number): string {
  return tilePath({ level: 0, index, width: TILE_WIDTH })
}

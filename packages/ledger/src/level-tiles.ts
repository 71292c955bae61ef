// The tile files of every level, compared with the hashes that the entries lead to. A tile that the
// published checkpoint needs must be there; any other must be a prefix of one. Browser-safe.

import { firstDifference, sameBytes } from './bytes.ts'
import type { Findings } from './report.ts'
import type { Inventory } from './source.ts'
import {
  levelHashes,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TileName,
  tilePath,
  tileWidth,
} from './tiles.ts'
import { HASH_BYTES, type OnNode } from './tree.ts'

interface ComputedTile {
  index: number
  width: number
  readonly hashes: Uint8Array
}

export class LevelTiles {
  readonly #inventory: Inventory
  readonly #findings: Findings
  readonly #size: number
  readonly #levels: ComputedTile[] = []
  #full: { level: number; index: number; hashes: Uint8Array }[] = []
  /** A required level-0 tile that was read already; tiles come in order, so one is enough. */
  #lastRead: { name: string; bytes: Uint8Array | null } | null = null

  constructor(inventory: Inventory, findings: Findings, publishedSize: number) {
    this.#inventory = inventory
    this.#findings = findings
    this.#size = publishedSize
  }

  /** Takes the roots of complete subtrees as the tree grows. */
  readonly onNode: OnNode = (height, hash) => {
    if (height % TILE_HEIGHT !== 0) return
    const level = height / TILE_HEIGHT
    this.#levels[level] ??= { index: 0, width: 0, hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES) }
    const tile = this.#levels[level]
    tile.hashes.set(hash, tile.width * HASH_BYTES)
    tile.width += 1
    if (tile.width < TILE_WIDTH) return
    this.#full.push({ level, index: tile.index, hashes: tile.hashes.slice() })
    tile.index += 1
    tile.width = 0
  }

  /** Level-0 tile `index` was compared by whoever calls, and is there in its full width alone. */
  passFull(index: number): void {
    this.#inventory.takeWidths(0, index)
    this.#levels[0] ??= { index: 0, width: 0, hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES) }
    this.#levels[0].index = index + 1
  }

  /** A file that the published checkpoint needs: its bytes, or null after noting why not. */
  async required(
    name: string,
    level: TileName['level'],
    index: number,
    width: number,
  ): Promise<Uint8Array | null> {
    if (this.#lastRead?.name === name) return this.#lastRead.bytes
    let bytes: Uint8Array | null = null
    if (this.#inventory.hasTile(level, index, width)) {
      bytes = await this.#inventory.read(name)
    } else {
      this.#findings.add('missing_file', name, 'the checkpoint needs it', entryOf(level, index, 0))
    }
    if (level === 0) this.#lastRead = { name, bytes }
    return bytes
  }

  /** What the level-1 tile file says of level-0 tile `index`; null where that tile is not full. */
  async parentHash(inventory: Inventory, index: number): Promise<Uint8Array | null> {
    if (tileWidth(0, index, this.#size) < TILE_WIDTH) return null
    const parent = Math.floor(index / TILE_WIDTH)
    const width = tileWidth(1, parent, this.#size)
    if (!inventory.hasTile(1, parent, width)) return null
    const bytes = await inventory.read(tilePath({ level: 1, index: parent, width }))
    const start = (index % TILE_WIDTH) * HASH_BYTES
    return bytes?.length === width * HASH_BYTES ? bytes.subarray(start, start + HASH_BYTES) : null
  }

  /** Compares the tiles that became full since the last call. */
  async flushFull(): Promise<void> {
    const full = this.#full
    this.#full = []
    for (const { level, index, hashes } of full) await this.#compare(level, index, hashes)
  }

  async finish(): Promise<void> {
    for (const [level, tile] of this.#levels.entries()) {
      if (tile.width === 0) continue
      await this.#compare(level, tile.index, tile.hashes.subarray(0, tile.width * HASH_BYTES))
    }
  }

  /** `hashes` is all that the entries say of this tile, published or staged. */
  async #compare(level: number, index: number, hashes: Uint8Array): Promise<void> {
    const required = tileWidth(level, index, this.#size)
    if (required > 0) {
      const name = tilePath({ level, index, width: required })
      const bytes = await this.required(name, level, index, required)
      if (bytes !== null) this.#compareBytes(name, level, index, bytes, hashes, required)
    }
    for (const width of this.#inventory.takeWidths(level, index)) {
      if (width === required) continue
      const name = tilePath({ level, index, width })
      if (width * HASH_BYTES > hashes.length) {
        this.#findings.add('unknown_file', name, 'no signed checkpoint covers its hashes')
        continue
      }
      const bytes = await this.#inventory.read(name)
      if (bytes !== null) this.#compareBytes(name, level, index, bytes, hashes, width)
    }
  }

  #compareBytes(
    name: string,
    level: number,
    index: number,
    bytes: Uint8Array,
    hashes: Uint8Array,
    width: number,
  ): void {
    const known = hashes.subarray(0, width * HASH_BYTES)
    if (sameBytes(bytes, known)) return
    const byte = firstDifference(bytes, known)
    const position = Math.min(
      Math.floor((byte === -1 ? bytes.length : byte) / HASH_BYTES),
      width - 1,
    )
    const message = 'a hash is not what the entries lead to'
    this.#findings.add('wrong_content', name, message, entryOf(level, index, position))
  }
}

/** The index of the first entry under this hash of the tile. */
function entryOf(level: TileName['level'], index: number, position: number): number {
  const height = level === 'entries' ? 0 : level
  return (index * TILE_WIDTH + position) * TILE_WIDTH ** height
}

/** How many bundles a log of this size has. */
export function bundleCount(size: number): number {
  return Math.ceil(levelHashes(0, size) / TILE_WIDTH)
}

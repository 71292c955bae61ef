// The tiles and the bundle at the right edge of the published log: what publication adds to. Made
// from the published files, then kept up to date. Holds hashes and entries; touches no file.

import type { Segment } from './segment.ts'
import { encodeBundle, levelHashes, TILE_WIDTH, type TileName } from './tiles.ts'
import { HASH_BYTES } from './tree.ts'

/** A file of the log: its name, and all of its bytes. */
export interface TileFile {
  readonly tile: TileName
  readonly bytes: Uint8Array
}

interface EdgeTile {
  index: number
  width: number
  readonly hashes: Uint8Array
}

export class RightEdge {
  #size: number
  readonly #levels: EdgeTile[] = []
  #entries: Uint8Array[]

  /**
   * The edge of a tree of `size`: `tiles` holds the hashes of each level's partial tile (empty
   * where the last tile is full), `entries` those of the partial bundle.
   */
  constructor(size: number, tiles: readonly Uint8Array[], entries: readonly Uint8Array[]) {
    this.#size = size
    this.#entries = [...entries]
    for (const [level, hashes] of tiles.entries()) {
      const tile = this.#level(level)
      tile.hashes.set(hashes)
      tile.width = hashes.length / HASH_BYTES
    }
  }

  get size(): number {
    return this.#size
  }

  /** Every file that a log grown by this segment has and the log before it had not. */
  grow(segment: Segment): TileFile[] {
    const files: TileFile[] = []
    this.#growEntries(segment.entries, files)
    for (const [level, runs] of segment.levels.entries()) this.#growLevel(level, runs, files)
    this.#size += segment.entries.length
    return files
  }

  #level(level: number): EdgeTile {
    const known = this.#levels[level]
    if (known !== undefined) return known
    const index = Math.floor(levelHashes(level, this.#size) / TILE_WIDTH)
    const tile = { index, width: 0, hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES) }
    this.#levels[level] = tile
    return tile
  }

  #growLevel(level: number, runs: readonly Uint8Array[], files: TileFile[]): void {
    const tile = this.#level(level)
    for (const run of runs) {
      for (let offset = 0; offset < run.length; ) {
        const room = (TILE_WIDTH - tile.width) * HASH_BYTES
        const part = run.subarray(offset, offset + room)
        tile.hashes.set(part, tile.width * HASH_BYTES)
        tile.width += part.length / HASH_BYTES
        offset += part.length
        if (tile.width < TILE_WIDTH) continue
        files.push({
          tile: { level, index: tile.index, width: TILE_WIDTH },
          bytes: tile.hashes.slice(),
        })
        tile.index += 1
        tile.width = 0
      }
    }
    if (tile.width === 0 || runs.length === 0) return
    const bytes = tile.hashes.slice(0, tile.width * HASH_BYTES)
    files.push({ tile: { level, index: tile.index, width: tile.width }, bytes })
  }

  #growEntries(entries: readonly Uint8Array[], files: TileFile[]): void {
    let index = Math.floor(this.#size / TILE_WIDTH)
    const all = [...this.#entries, ...entries]
    let start = 0
    for (; start + TILE_WIDTH <= all.length; start += TILE_WIDTH) {
      const bytes = encodeBundle(all.slice(start, start + TILE_WIDTH))
      files.push({ tile: { level: 'entries', index, width: TILE_WIDTH }, bytes })
      index += 1
    }
    this.#entries = all.slice(start)
    if (this.#entries.length === 0) return
    const tile: TileName = { level: 'entries', index, width: this.#entries.length }
    files.push({ tile, bytes: encodeBundle(this.#entries) })
  }
}

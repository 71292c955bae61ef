// The tiles and the bundle at the right edge of the published log: what publication adds to. Made
// from the published files, then kept up to date. Holds hashes and entries; touches no file.

import type { Segment } from './segment.ts'
import { LENGTH_BYTES, levelHashes, TILE_WIDTH, type TileName } from './tiles.ts'
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
  readonly #bundle: EdgeBundle

  /**
   * The edge of a tree of `size`: `tiles` holds the hashes of each level's partial tile (empty
   * where the last tile is full), `entries` those of the partial bundle.
   */
  constructor(size: number, tiles: readonly Uint8Array[], entries: readonly Uint8Array[]) {
    this.#size = size
    this.#bundle = new EdgeBundle(Math.floor(size / TILE_WIDTH), entries)
    for (const [level, hashes] of tiles.entries()) {
      const tile = this.#level(level)
      tile.hashes.set(hashes)
      tile.width = hashes.length / HASH_BYTES
    }
  }

  get size(): number {
    return this.#size
  }

  /**
   * Every file that a log grown by this segment has and the log before it had not; the bytes of each
   * are valid until the next is asked for. The edge has grown when all were asked for.
   */
  *grow(segment: Segment): Generator<TileFile> {
    yield* this.#bundle.grow(segment.entries())
    for (const [level, runs] of segment.levels.entries()) yield* this.#growLevel(level, runs)
    this.#size += segment.length
  }

  #level(level: number): EdgeTile {
    const known = this.#levels[level]
    if (known !== undefined) return known
    const index = Math.floor(levelHashes(level, this.#size) / TILE_WIDTH)
    const tile = { index, width: 0, hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES) }
    this.#levels[level] = tile
    return tile
  }

  *#growLevel(level: number, runs: readonly Uint8Array[]): Generator<TileFile> {
    const tile = this.#level(level)
    for (const run of runs) {
      for (let offset = 0; offset < run.length; ) {
        const room = (TILE_WIDTH - tile.width) * HASH_BYTES
        const part = run.subarray(offset, offset + room)
        tile.hashes.set(part, tile.width * HASH_BYTES)
        tile.width += part.length / HASH_BYTES
        offset += part.length
        if (tile.width < TILE_WIDTH) continue
        yield { tile: { level, index: tile.index, width: TILE_WIDTH }, bytes: tile.hashes }
        tile.index += 1
        tile.width = 0
      }
    }
    if (tile.width === 0 || runs.length === 0) return
    const bytes = tile.hashes.subarray(0, tile.width * HASH_BYTES)
    yield { tile: { level, index: tile.index, width: tile.width }, bytes }
  }
}

const FIRST_BYTES = 64 * 1024

/** The bundle at the edge, as it is written: each entry after its length. */
class EdgeBundle {
  #index: number
  #width = 0
  #bytes = new Uint8Array(FIRST_BYTES)
  #end = 0

  constructor(index: number, entries: readonly Uint8Array[]) {
    this.#index = index
    for (const entry of entries) this.#add(entry)
  }

  /** Takes the entries; yields every bundle that becomes full, and the one that does not. */
  *grow(entries: Iterable<Uint8Array>): Generator<TileFile> {
    for (const entry of entries) {
      this.#add(entry)
      if (this.#width < TILE_WIDTH) continue
      yield this.#file()
      this.#index += 1
      this.#width = 0
      this.#end = 0
    }
    if (this.#width > 0) yield this.#file()
  }

  #file(): TileFile {
    const tile: TileName = { level: 'entries', index: this.#index, width: this.#width }
    return { tile, bytes: this.#bytes.subarray(0, this.#end) }
  }

  #add(entry: Uint8Array): void {
    const start = this.#end + LENGTH_BYTES
    const end = start + entry.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, end))
      grown.set(this.#bytes.subarray(0, this.#end))
      this.#bytes = grown
    }
    this.#bytes[start - 2] = entry.length >> 8
    this.#bytes[start - 1] = entry.length & 0xff
    this.#bytes.set(entry, start)
    this.#end = end
    this.#width += 1
  }
}

// What a writer goes on from, out of the files of a ledger, each checked as it is read: the right edge of the
// published log, and the records of a journal file. Changes nothing.

import { join } from 'node:path'
import { sameBytes } from './bytes.ts'
import type { SignedCheckpoint } from './checkpoint.ts'
import { LedgerError, quoted } from './errors.ts'
import type { Files } from './files.ts'
import { type JournalRecord, journalPath, parseJournal } from './journal.ts'
import { fileBytesMax } from './layout.ts'
import type { Hasher } from './primitives.ts'
import { RightEdge } from './right-edge.ts'
import { levelHashes, parseBundle, TILE_HEIGHT, TILE_WIDTH, tilePath } from './tiles.ts'
import { CompactRange, HASH_BYTES, leafHash } from './tree.ts'

export function corrupt(name: string, message: string, cause?: unknown): LedgerError {
  return new LedgerError('ledger_corrupt', `${quoted(name)}: ${message}`, { cause })
}

export class LogReader {
  readonly #files: Files
  readonly #directory: string
  readonly #hasher: Hasher

  constructor(files: Files, directory: string, hasher: Hasher) {
    this.#files = files
    this.#directory = directory
    this.#hasher = hasher
  }

  /** The whole file, or null where there is none. Throws `ledger_corrupt` where it is too large. */
  async file(name: string): Promise<Uint8Array | null> {
    try {
      return await this.#files.read(join(this.#directory, name), fileBytesMax(name))
    } catch (cause) {
      if (cause instanceof LedgerError) throw corrupt(name, 'it is too large', cause)
      throw cause
    }
  }

  /**
   * The tree and the right edge at this checkpoint, whose files are all in place. Throws `ledger_corrupt` where
   * they do not lead to its root.
   */
  async edge(checkpoint: SignedCheckpoint): Promise<{ tree: CompactRange; edge: RightEdge }> {
    const tiles = await this.#edgeTiles(checkpoint.size)
    const tree = this.#treeOf(checkpoint, tiles)
    const entries = await this.#edgeEntries(checkpoint.size, tiles[0])
    return { tree, edge: new RightEdge(checkpoint.size, tiles, entries) }
  }

  /** The partial tile of every level, empty where the last tile is full. */
  async #edgeTiles(size: number): Promise<Uint8Array[]> {
    const tiles: Uint8Array[] = []
    for (let level = 0; levelHashes(level, size) > 0; level++) {
      const width = levelHashes(level, size) % TILE_WIDTH
      const index = Math.floor(levelHashes(level, size) / TILE_WIDTH)
      if (width === 0) {
        tiles.push(new Uint8Array(0))
        continue
      }
      const name = tilePath({ level, index, width })
      const bytes = await this.file(name)
      if (bytes?.length !== width * HASH_BYTES) throw corrupt(name, 'it is missing or cut short')
      tiles.push(bytes)
    }
    return tiles
  }

  #treeOf(checkpoint: SignedCheckpoint, tiles: readonly Uint8Array[]): CompactRange {
    const tree = new CompactRange(this.#hasher.sha256)
    for (let level = tiles.length - 1; level >= 0; level--) {
      const hashes = tiles[level] ?? new Uint8Array(0)
      const range = new CompactRange(this.#hasher.sha256)
      for (let offset = 0; offset < hashes.length; offset += HASH_BYTES) {
        range.append(hashes.subarray(offset, offset + HASH_BYTES))
      }
      let rest = range.size
      for (const node of range.nodes()) {
        const count = 2 ** Math.floor(Math.log2(rest)) // at most 128: exact
        rest -= count
        tree.appendSubtree(node, count * 2 ** (TILE_HEIGHT * level))
      }
    }
    if (!sameBytes(tree.root(), checkpoint.rootHash)) {
      throw corrupt('tile', 'the tiles at the right edge do not lead to the signed root')
    }
    return tree
  }

  async #edgeEntries(size: number, leafHashes: Uint8Array | undefined): Promise<Uint8Array[]> {
    const width = size % TILE_WIDTH
    if (width === 0) return []
    const name = tilePath({ level: 'entries', index: Math.floor(size / TILE_WIDTH), width })
    const bytes = await this.file(name)
    if (bytes === null) throw corrupt(name, 'it is missing')
    const { entries, isWhole } = parseBundle(bytes, width)
    if (!isWhole) throw corrupt(name, `it does not hold exactly ${width} entries`)
    for (const [position, entry] of entries.entries()) {
      const start = position * HASH_BYTES
      const known = leafHashes?.subarray(start, start + HASH_BYTES)
      if (known === undefined || !sameBytes(leafHash(this.#hasher.sha256, entry), known)) {
        throw corrupt(name, `entry ${size - width + position} is not what the tile says`)
      }
    }
    return entries
  }

  /**
   * The records of the journal file that begins at this entry, and the bytes of one more that was cut short and
   * never acknowledged. Throws `ledger_corrupt`; the notes are not verified.
   */
  async journal(
    firstIndex: number,
  ): Promise<{ records: readonly JournalRecord[]; unfinishedBytes: number }> {
    const name = journalPath(firstIndex)
    const bytes = (await this.file(name)) ?? new Uint8Array(0)
    const journal = parseJournal(bytes, firstIndex, this.#hasher)
    if (journal.problem !== null) throw corrupt(name, journal.problem.message)
    return journal
  }
}

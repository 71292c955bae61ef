// The entries of one journal file while they are staged: durable, and not yet published in tiles.
// The normal path and recovery both build it record by record; publication takes it whole.

import type { SignedCheckpoint } from './checkpoint.ts'
import { LedgerError } from './errors.ts'
import { type JournalRecord, journalPath, recordedBytes } from './journal.ts'
import { SEGMENT_BYTES_MAX, SEGMENT_ENTRIES_MAX } from './layout.ts'
import { TILE_HEIGHT } from './tiles.ts'
import { type CompactRange, HASH_BYTES } from './tree.ts'

/** The hashes that a record adds to each tile level, in order, as runs of 32-byte hashes. */
export type LevelHashes = readonly (readonly Uint8Array[])[]

/** Appends the leaf hashes to `tree` and returns what they add to each tile level. */
export function growTree(tree: CompactRange, leafHashes: Uint8Array): LevelHashes {
  const levels: Uint8Array[][] = [[leafHashes]]
  for (let offset = 0; offset < leafHashes.length; offset += HASH_BYTES) {
    tree.append(leafHashes.subarray(offset, offset + HASH_BYTES), (height, hash) => {
      if (height === 0 || height % TILE_HEIGHT !== 0) return
      const level = height / TILE_HEIGHT
      levels[level] ??= []
      levels[level].push(hash.slice())
    })
  }
  return levels
}

export class Segment {
  readonly firstIndex: number
  readonly #entries: Uint8Array[] = []
  readonly #levels: Uint8Array[][] = []
  #bytes = 0
  #checkpoint: SignedCheckpoint | null = null

  constructor(firstIndex: number) {
    this.firstIndex = firstIndex
  }

  /** The journal file that holds these entries. */
  get path(): string {
    return journalPath(this.firstIndex)
  }

  get entries(): readonly Uint8Array[] {
    return this.#entries
  }

  get levels(): LevelHashes {
    return this.#levels
  }

  get isFull(): boolean {
    return this.#entries.length >= SEGMENT_ENTRIES_MAX || this.#bytes >= SEGMENT_BYTES_MAX
  }

  /** The checkpoint after the last entry. */
  get checkpoint(): SignedCheckpoint {
    if (this.#checkpoint === null) throw new LedgerError('entry_unknown', 'the segment is empty')
    return this.#checkpoint
  }

  /** The entry of this index in the whole log, when it is in this segment. */
  entryAt(index: number): Uint8Array | undefined {
    return index < this.firstIndex ? undefined : this.#entries[index - this.firstIndex]
  }

  add(record: JournalRecord, levels: LevelHashes, checkpoint: SignedCheckpoint): void {
    for (const entry of record.entries) {
      this.#entries.push(entry)
      this.#bytes += recordedBytes(entry)
    }
    for (const [level, hashes] of levels.entries()) {
      this.#levels[level] ??= []
      this.#levels[level].push(...(hashes ?? []))
    }
    this.#checkpoint = checkpoint
  }
}

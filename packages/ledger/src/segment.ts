// The entries of one journal file while they are staged: durable, and not yet published in tiles.
// The normal path and recovery both build it record by record; publication takes it whole.

import type { SignedCheckpoint } from './checkpoint.ts'
import type { EntryList } from './entry-list.ts'
import { LedgerError } from './errors.ts'
import { journalPath, recordedBytes } from './journal.ts'
import { SEGMENT_BYTES_MAX, SEGMENT_ENTRIES_MAX } from './layout.ts'
import type { Sha256Many } from './primitives.ts'
import { TILE_HEIGHT } from './tiles.ts'
import type { CompactRange, OnNode } from './tree.ts'

/** The hashes that a record adds to each tile level, in order, as runs of 32-byte hashes. */
export type LevelHashes = readonly (readonly Uint8Array[])[]

/** Appends the leaf hashes to `tree` and returns what they add to each tile level. */
export function growTree(
  tree: CompactRange,
  leafHashes: Uint8Array,
  many?: Sha256Many,
): LevelHashes {
  const levels: Uint8Array[][] = [[leafHashes]]
  const onNode: OnNode = (height, hash) => {
    if (height % TILE_HEIGHT !== 0) return
    const level = height / TILE_HEIGHT
    levels[level] ??= []
    levels[level].push(hash.slice())
  }
  tree.appendAll(leafHashes, TILE_HEIGHT, onNode, many)
  return levels
}

/** The entries of a record; `bytes` is their length as recorded, where it is known. */
export interface Added {
  readonly entries: EntryList
  readonly bytes?: number
}

function bytesOf(entries: EntryList): number {
  let bytes = 0
  for (let position = 0; position < entries.length; position++) {
    bytes += recordedBytes(entries.at(position) ?? new Uint8Array(0))
  }
  return bytes
}

export class Segment {
  readonly firstIndex: number
  /** The entries of each record, with the position of its first one here. */
  readonly #records: { readonly from: number; readonly entries: EntryList }[] = []
  #count = 0
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

  /** How many entries there are. */
  get length(): number {
    return this.#count
  }

  /** The entries in order; each is a view that is made when it is asked for. */
  *entries(): Generator<Uint8Array> {
    for (const { entries } of this.#records) {
      for (let position = 0; position < entries.length; position++) {
        const entry = entries.at(position)
        if (entry !== undefined) yield entry
      }
    }
  }

  get levels(): LevelHashes {
    return this.#levels
  }

  get isFull(): boolean {
    return this.#count >= SEGMENT_ENTRIES_MAX || this.#bytes >= SEGMENT_BYTES_MAX
  }

  /** The checkpoint after the last entry. */
  get checkpoint(): SignedCheckpoint {
    if (this.#checkpoint === null) throw new LedgerError('entry_unknown', 'the segment is empty')
    return this.#checkpoint
  }

  /** The entry of this index in the whole log, when it is in this segment. */
  entryAt(index: number): Uint8Array | undefined {
    const position = index - this.firstIndex
    if (position < 0 || position >= this.#count) return undefined
    let [low, high] = [0, this.#records.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#records[middle]?.from ?? 0) <= position) low = middle
      else high = middle - 1
    }
    const record = this.#records[low]
    return record?.entries.at(position - record.from)
  }

  add({ entries, bytes }: Added, levels: LevelHashes, checkpoint: SignedCheckpoint): void {
    this.#records.push({ from: this.#count, entries })
    this.#count += entries.length
    this.#bytes += bytes ?? bytesOf(entries)
    for (const [level, hashes] of levels.entries()) {
      this.#levels[level] ??= []
      this.#levels[level].push(...(hashes ?? []))
    }
    this.#checkpoint = checkpoint
  }
}

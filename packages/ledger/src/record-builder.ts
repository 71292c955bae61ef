// Builds a journal record entry by entry, in the form in which it is written: an entry is copied once, hashed
// with those beside it, and nothing is made for it that the garbage collector would have to look after.

import type { EntryList } from './entry-list.ts'
import {
  ENTRY_HEAD_BYTES,
  HEADER_BYTES,
  RECORD_BODY_BYTES_MAX,
  RECORD_ENTRIES_MAX,
  recordedBytes,
  recordTail,
  writeHeader,
} from './journal.ts'
import { HASHED_AT_ONCE_MIN } from './leaf-hashes.ts'
import type { Hasher } from './primitives.ts'
import { HASH_BYTES, LEAF_PREFIX } from './tree.ts'

const MARK_BYTES = 8
const FIRST_ENTRIES = 16
/** Entries that wait to be hashed: enough for every lane, and so few that they are hashed while the disk works. */
const UNHASHED_MAX = 64

export class RecordBuilder implements EntryList {
  #bytes: Uint8Array
  #end = HEADER_BYTES
  /** Where each entry begins, after its head, and ends. */
  #starts = new Uint32Array(FIRST_ENTRIES)
  #ends = new Uint32Array(FIRST_ENTRIES)
  #hashes = new Uint8Array(FIRST_ENTRIES * HASH_BYTES)
  #count = 0
  /** Of the first entries: how many are hashed, and have their marks. */
  #hashed = 0

  /** `likelyBytes`: as long as the last record was, so that most records never have to grow. */
  constructor(likelyBytes: number) {
    this.#bytes = newBytes(Math.max(likelyBytes, 4096))
  }

  get length(): number {
    return this.#count
  }

  /** Of the entries alone. */
  get entryBytes(): number {
    return this.#end - HEADER_BYTES - this.#count * ENTRY_HEAD_BYTES
  }

  /** 32 bytes an entry. */
  leafHashes(hasher: Hasher): Uint8Array {
    this.#hash(hasher)
    return this.#hashes.subarray(0, this.#count * HASH_BYTES)
  }

  at(position: number): Uint8Array | undefined {
    if (position < 0 || position >= this.#count) return undefined
    return this.#bytes.subarray(this.#starts[position], this.#ends[position])
  }

  hasRoomFor(entry: Uint8Array): boolean {
    if (this.#count === 0) return true
    const body = this.#end - HEADER_BYTES + recordedBytes(entry)
    return this.#count < RECORD_ENTRIES_MAX && body <= RECORD_BODY_BYTES_MAX
  }

  /** Takes a copy of the entry, and hashes it with some others. */
  add(entry: Uint8Array, hasher: Hasher): void {
    const start = this.#end + ENTRY_HEAD_BYTES
    const end = start + entry.length
    this.#reserve(end)
    const bytes = this.#bytes
    bytes[this.#end] = entry.length >> 8
    bytes[this.#end + 1] = entry.length & 0xff
    bytes.set(entry, start)
    this.#starts[this.#count] = start
    this.#ends[this.#count] = end
    this.#count += 1
    this.#end = end
    if (this.#count - this.#hashed >= UNHASHED_MAX) this.#hash(hasher)
  }

  /** Hashes the entries that are not hashed, and writes their marks. */
  #hash({ sha256, many }: Hasher): void {
    const [first, count] = [this.#hashed, this.#count]
    const hashes = this.#hashes.subarray(first * HASH_BYTES, count * HASH_BYTES)
    const [starts, ends] = [this.#starts.subarray(first, count), this.#ends.subarray(first, count)]
    const bytes = this.#bytes
    if (many !== undefined && starts.length >= HASHED_AT_ONCE_MIN) {
      many.hash({ bytes, starts, ends, count: starts.length, prefix: LEAF_PREFIX }, hashes)
    } else {
      for (const [index, start] of starts.entries()) {
        // A leaf is 0x00 and the entry; where that byte stands, the mark comes after it.
        bytes[start - 1] = LEAF_PREFIX
        sha256(bytes.subarray(start - 1, ends[index]), hashes, index * HASH_BYTES)
      }
    }
    for (const [index, start] of starts.entries()) {
      for (let byte = 0; byte < MARK_BYTES; byte++) {
        bytes[start - MARK_BYTES + byte] = hashes[index * HASH_BYTES + byte] ?? 0
      }
    }
    this.#hashed = count
  }

  /** The bytes of the record; nothing can be added after it. */
  seal(firstIndex: number, note: string, hasher: Hasher): Uint8Array {
    this.#hash(hasher)
    const tail = recordTail(this.#end - HEADER_BYTES, note)
    const end = this.#end + tail.length
    this.#reserve(end)
    this.#bytes.set(tail, this.#end)
    const record = this.#bytes.subarray(0, end)
    writeHeader(record, { count: this.#count, firstIndex }, hasher.sha256)
    return record
  }

  #reserve(end: number): void {
    if (end > this.#bytes.length) {
      const grown = newBytes(Math.max(2 * this.#bytes.length, end))
      grown.set(this.#bytes.subarray(0, this.#end))
      this.#bytes = grown
    }
    if (this.#count < this.#ends.length) return
    const [starts, ends] = [new Uint32Array(2 * this.#count), new Uint32Array(2 * this.#count)]
    starts.set(this.#starts)
    ends.set(this.#ends)
    this.#starts = starts
    this.#ends = ends
    const hashes = new Uint8Array(2 * this.#hashes.length)
    hashes.set(this.#hashes)
    this.#hashes = hashes
  }
}

/** Not zeroed, for all of it is written. A plain array: a view of it is made for less than one of a Buffer. */
function newBytes(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
}

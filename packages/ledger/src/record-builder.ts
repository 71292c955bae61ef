// Builds a journal record entry by entry, in the form in which it is written: an entry is copied once,
// hashed where it lies, and nothing is made for it that the garbage collector would have to look after.

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
import type { Sha256 } from './primitives.ts'
import { HASH_BYTES, LEAF_PREFIX } from './tree.ts'

const MARK_BYTES = 8
const FIRST_ENTRIES = 16

export class RecordBuilder implements EntryList {
  #bytes: Uint8Array
  #end = HEADER_BYTES
  /** Where each entry ends; it begins where the one before ends, after its head. */
  #ends = new Uint32Array(FIRST_ENTRIES)
  #hashes = new Uint8Array(FIRST_ENTRIES * HASH_BYTES)
  #count = 0

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
  get leafHashes(): Uint8Array {
    return this.#hashes.subarray(0, this.#count * HASH_BYTES)
  }

  at(position: number): Uint8Array | undefined {
    if (position < 0 || position >= this.#count) return undefined
    const before = position === 0 ? HEADER_BYTES : this.#ends[position - 1]
    return this.#bytes.subarray((before ?? 0) + ENTRY_HEAD_BYTES, this.#ends[position])
  }

  hasRoomFor(entry: Uint8Array): boolean {
    if (this.#count === 0) return true
    const body = this.#end - HEADER_BYTES + recordedBytes(entry)
    return this.#count < RECORD_ENTRIES_MAX && body <= RECORD_BODY_BYTES_MAX
  }

  /** Takes a copy of the entry. */
  add(entry: Uint8Array, sha256: Sha256): void {
    const start = this.#end + ENTRY_HEAD_BYTES
    const end = start + entry.length
    this.#reserve(end)
    const bytes = this.#bytes
    bytes[this.#end] = entry.length >> 8
    bytes[this.#end + 1] = entry.length & 0xff
    bytes.set(entry, start)
    // A leaf is 0x00 and the entry; where that byte stands, the first bytes of the hash come after it.
    bytes[start - 1] = LEAF_PREFIX
    const hashStart = this.#count * HASH_BYTES
    sha256(bytes.subarray(start - 1, end), this.#hashes, hashStart)
    for (let index = 0; index < MARK_BYTES; index++) {
      bytes[start - MARK_BYTES + index] = this.#hashes[hashStart + index] ?? 0
    }
    this.#ends[this.#count] = end
    this.#count += 1
    this.#end = end
  }

  /** The bytes of the record; nothing can be added after it. */
  seal(firstIndex: number, note: string, sha256: Sha256): Uint8Array {
    const tail = recordTail(this.#end - HEADER_BYTES, note)
    const end = this.#end + tail.length
    this.#reserve(end)
    this.#bytes.set(tail, this.#end)
    const record = this.#bytes.subarray(0, end)
    writeHeader(record, { count: this.#count, firstIndex }, sha256)
    return record
  }

  #reserve(end: number): void {
    if (end > this.#bytes.length) {
      const grown = newBytes(Math.max(2 * this.#bytes.length, end))
      grown.set(this.#bytes.subarray(0, this.#end))
      this.#bytes = grown
    }
    if (this.#count < this.#ends.length) return
    const ends = new Uint32Array(2 * this.#count)
    ends.set(this.#ends)
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

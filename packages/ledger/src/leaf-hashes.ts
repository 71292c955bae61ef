// The leaf hashes of a list of entries, as many at once as the platform can. Runs in browsers.

import type { Hasher, Sha256Many } from './primitives.ts'
import { ENTRY_BYTES_MAX, HASH_BYTES, LEAF_PREFIX, leafHashInto } from './tree.ts'

/** Fewer messages than this leave half of what hashes many at once without work. */
export const HASHED_AT_ONCE_MIN = 3

// Entries that are hashed at once, with a byte before each, used and done with inside one synchronous call.
const RUN_ENTRIES_MAX = 256
const runBytes = new Uint8Array(2 * (1 + ENTRY_BYTES_MAX))
const starts = new Uint32Array(RUN_ENTRIES_MAX)
const ends = new Uint32Array(RUN_ENTRIES_MAX)

/** SHA-256(0x00 || entry) of each, 32 bytes an entry. Source: RFC 6962 section 2.1. */
export function leafHashes({ sha256, many }: Hasher, entries: readonly Uint8Array[]): Uint8Array {
  const hashes = new Uint8Array(entries.length * HASH_BYTES)
  if (many !== undefined && entries.length >= HASHED_AT_ONCE_MIN) {
    for (let done = 0; done < entries.length; ) {
      done += hashRun(many, entries, done, hashes)
    }
    return hashes
  }
  for (const [position, entry] of entries.entries()) {
    leafHashInto(sha256, entry, hashes, position * HASH_BYTES)
  }
  return hashes
}

/** Hashes as many entries from `first` on as there is room for, at least one; how many. */
function hashRun(
  many: Sha256Many,
  entries: readonly Uint8Array[],
  first: number,
  hashes: Uint8Array,
): number {
  let [count, end] = [0, 0]
  for (; count < RUN_ENTRIES_MAX; count++) {
    const entry = entries[first + count]
    if (entry === undefined) break
    if (count > 0 && end + 1 + entry.length > runBytes.length) break
    starts[count] = end + 1
    runBytes.set(entry, end + 1)
    end += 1 + entry.length
    ends[count] = end
  }
  const output = hashes.subarray(first * HASH_BYTES, (first + count) * HASH_BYTES)
  many.hash({ bytes: runBytes, starts, ends, count, prefix: LEAF_PREFIX }, output)
  return count
}

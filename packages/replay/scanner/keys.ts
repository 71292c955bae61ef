// AssemblyScript (https://www.assemblyscript.org), part of event-scanner.wasm: see event-scanner.ts.
// Keys made of bytes, and what they were found to mean: as src/store/byte-table.ts. A table is eight words: count, bytes
// kept, slots - 1, entries at most, bytes at most, and where its slots, its entries (hash, from, length, value,
// more) and its bytes stand.
import { calls, from, keyA, seed, to } from './places'

const KEY_BYTES_MAX: u32 = 65536
const PROBES_MAX: i32 = 256

let keyAt: u32 = 0
let keyLength: u32 = 0
let keyTable: u32 = 0
let callLength: u32 = 0
/** What `find` found beside the value. */
export let foundMore: u32 = 0

export function addPiece(first: u32, last: u32): void {
  const length = last - first
  if (keyLength + length + 4 > KEY_BYTES_MAX) {
    keyLength = KEY_BYTES_MAX + 1
    return
  }
  store<u32>(keyAt + keyLength, length)
  let target = keyAt + keyLength + 4
  // Up to fifteen bytes too many, over which the next piece is written.
  for (let source = first; source < last; source += 16, target += 16) v128.store(target, v128.load(source))
  keyLength += length + 4
}

export function addField(field: i32): void {
  addPiece(from(field), to(field))
}

export function beginKey(place: u32, table: u32): void {
  keyAt = place
  keyTable = table
  keyLength = 0
}

/** Of the whole key, two words of eight bytes at a time; zeros behind it make the last ones whole. */
function hashKey(): u32 {
  v128.store(keyAt + keyLength, v128.splat<u64>(0))
  let one: u64 = seed ^ keyLength
  let two: u64 = seed + 0x9e3779b97f4a7c15
  for (let offset: u32 = 0; offset < keyLength; offset += 16) {
    one = (one ^ load<u64>(keyAt + offset)) * 0xff51afd7ed558ccd
    one ^= one >>> 32
    two = (two ^ load<u64>(keyAt + offset, 8)) * 0xc4ceb9fe1a85ec53
    two ^= two >>> 29
  }
  one = (one ^ (two * 0x9e3779b97f4a7c15)) * 0xbf58476d1ce4e5b9
  return <u32>(one ^ (one >>> 32))
}

function sameKey(kept: u32): bool {
  for (let offset: u32 = 0; offset < keyLength; offset += 16) {
    const differ = v128.xor(v128.load(kept + offset), v128.load(keyAt + offset))
    if (v128.any_true(differ)) return false
  }
  return true
}

/** What the key means, and `foundMore`; -1 where that is not known. */
export function find(): i32 {
  if (keyLength > KEY_BYTES_MAX) return -1
  const hash = hashKey()
  const mask = load<u32>(keyTable, 8)
  const slots = load<u32>(keyTable, 20)
  const entries = load<u32>(keyTable, 24)
  let slot = hash & mask
  for (let probes: i32 = 0; probes < PROBES_MAX; probes++) {
    const number = load<u32>(slots + (slot << 2))
    if (number == 0) return -1
    const entry = entries + (number - 1) * 20
    if (load<u32>(entry) == hash && load<u32>(entry, 8) == keyLength && sameKey(load<u32>(entry, 4))) {
      foundMore = load<u32>(entry, 16)
      return load<i32>(entry, 12)
    }
    slot = (slot + 1) & mask
  }
  return -1
}

/** The meaning of the key that was just not found; one that is too long, or of a crowded hash, is not kept. */
export function keep(value: i32, more: u32): void {
  if (keyLength > KEY_BYTES_MAX) return
  const padded = (keyLength + 15) & ~15
  const slots = load<u32>(keyTable, 20)
  const mask = load<u32>(keyTable, 8)
  if (load<u32>(keyTable) >= load<u32>(keyTable, 12) || load<u32>(keyTable, 4) + padded > load<u32>(keyTable, 16)) {
    memory.fill(slots, 0, (mask + 1) << 2)
    store<u32>(keyTable, 0)
    store<u32>(keyTable, 0, 4)
  }
  const hash = hashKey()
  let slot = hash & mask
  for (let probes: i32 = 0; load<u32>(slots + (slot << 2)) != 0; probes++) {
    if (probes == PROBES_MAX) return
    slot = (slot + 1) & mask
  }
  const kept = load<u32>(keyTable, 28) + load<u32>(keyTable, 4)
  memory.copy(kept, keyAt, padded)
  const number = load<u32>(keyTable)
  const entry = load<u32>(keyTable, 24) + number * 20
  store<u32>(entry, hash)
  store<u32>(entry, kept, 4)
  store<u32>(entry, keyLength, 8)
  store<i32>(entry, value, 12)
  store<u32>(entry, more, 16)
  store<u32>(keyTable, number + 1)
  store<u32>(keyTable, load<u32>(keyTable, 4) + padded, 4)
  store<u32>(slots + (slot << 2), number + 1)
}

/** A number as a piece of the key. */
export function addNumber(value: u32): void {
  if (keyLength > KEY_BYTES_MAX - 4) {
    keyLength = KEY_BYTES_MAX + 1
    return
  }
  store<u32>(keyAt + keyLength, value)
  keyLength += 4
}

/** Remembers that the key under the pen is the call's whole one. */
export function setAside(): void {
  callLength = keyLength
}

/** The call's whole key again, for it to be kept. */
export function takeUp(): void {
  keyAt = keyA
  keyTable = calls
  keyLength = callLength
}

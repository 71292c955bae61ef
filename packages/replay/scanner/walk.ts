// AssemblyScript (https://www.assemblyscript.org), part of event-scanner.wasm: see event-scanner.ts.
// Walks JSON without making anything of it: as src/trail/json-scan.ts, sixteen and sixty-four bytes at a time. Behind the
// window there must be 128 bytes that may be read. Syntax: RFC 8259.

export const CUT: i32 = -1
export const BROKEN: i32 = -2

export const QUOTE: i32 = 0x22
export const BACKSLASH: i32 = 0x5c
export const COMMA: i32 = 0x2c
export const COLON: i32 = 0x3a
export const OPEN: i32 = 0x7b
export const CLOSE: i32 = 0x7d
export const OPEN_LIST: i32 = 0x5b
export const CLOSE_LIST: i32 = 0x5d

const DEPTH_MAX: i32 = 200

/** Behind the last byte of the window. */
export let end: u32 = 0

export function setEnd(value: u32): void {
  end = value
}

export function skipSpace(from: u32): u32 {
  let index = from
  while (index < end) {
    const byte = load<u8>(index)
    if (byte > 0x20 || (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09)) break
    index++
  }
  return index
}

/** The index behind the string whose opening quote is at `from`; CUT. */
export function endOfString(from: u32): i32 {
  const quote = i8x16.splat(<i8>QUOTE)
  const backslash = i8x16.splat(<i8>BACKSLASH)
  let index = from + 1
  while (index < end) {
    const bytes = v128.load(index)
    const mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)))
    if (mask == 0) {
      index += 16
      continue
    }
    index += ctz(mask)
    if (index >= end) return CUT
    if (load<u8>(index) == QUOTE) return index + 1
    index += 2
  }
  return CUT
}

function mask64(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = <u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16)
  const high = <u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16)
  return <u64>low | (<u64>high << 32)
}

/** For each bit whether an odd number of bits is set up to it. */
function parity(bits: u64): u64 {
  let found = bits
  found ^= found << 1
  found ^= found << 2
  found ^= found << 4
  found ^= found << 8
  found ^= found << 16
  found ^= found << 32
  return found
}

/** The index behind the object or list at `from`; CUT or BROKEN. */
function endOfNest(from: u32): i32 {
  const quote = i8x16.splat(<i8>QUOTE)
  const backslash = i8x16.splat(<i8>BACKSLASH)
  const open = i8x16.splat(<i8>OPEN)
  const close = i8x16.splat(<i8>CLOSE)
  const bit = i8x16.splat(0x20)
  let depth: i32 = 0
  let within: u64 = 0
  let index = from
  while (index < end) {
    const a = v128.load(index)
    const b = v128.load(index, 16)
    const c = v128.load(index, 32)
    const d = v128.load(index, 48)
    const escapes = v128.or(
      v128.or(i8x16.eq(a, backslash), i8x16.eq(b, backslash)),
      v128.or(i8x16.eq(c, backslash), i8x16.eq(d, backslash)),
    )
    if (v128.any_true(escapes)) {
      // One byte after the other to the end of these; an escape may reach one further.
      const stop = index + 64
      let isText = within != 0
      while (index < stop) {
        if (index >= end) return CUT
        const byte: i32 = load<u8>(index)
        if (isText) {
          if (byte == BACKSLASH) index++
          else if (byte == QUOTE) isText = false
        } else if (byte == QUOTE) isText = true
        else if (byte == OPEN || byte == OPEN_LIST) {
          if (++depth > DEPTH_MAX) return BROKEN
        } else if (byte == CLOSE || byte == CLOSE_LIST) {
          if (--depth == 0) return index + 1
        }
        index++
      }
      within = isText ? ~(<u64>0) : 0
      continue
    }
    const quotes = mask64(i8x16.eq(a, quote), i8x16.eq(b, quote), i8x16.eq(c, quote), i8x16.eq(d, quote))
    const texts = parity(quotes) ^ within
    within = <u64>(<i64>texts >> 63)
    // Both brackets differ from both braces in one bit.
    const a2 = v128.or(a, bit)
    const b2 = v128.or(b, bit)
    const c2 = v128.or(c, bit)
    const d2 = v128.or(d, bit)
    let braces =
      ~texts &
      mask64(
        v128.or(i8x16.eq(a2, open), i8x16.eq(a2, close)),
        v128.or(i8x16.eq(b2, open), i8x16.eq(b2, close)),
        v128.or(i8x16.eq(c2, open), i8x16.eq(c2, close)),
        v128.or(i8x16.eq(d2, open), i8x16.eq(d2, close)),
      )
    for (; braces != 0; braces &= braces - 1) {
      const place = index + <u32>ctz(braces)
      if (place >= end) return CUT
      if ((load<u8>(place) | 0x20) == OPEN) {
        if (++depth > DEPTH_MAX) return BROKEN
      } else if (--depth == 0) return place + 1
    }
    index += 64
  }
  return CUT
}

function endOfScalar(from: u32): i32 {
  let index = from
  while (index < end) {
    const byte: i32 = load<u8>(index)
    if (byte == COMMA || byte == CLOSE || byte == CLOSE_LIST || byte <= 0x20) {
      return index == from ? BROKEN : <i32>index
    }
    index++
  }
  return CUT
}

export function endOfValue(from: u32): i32 {
  const first: i32 = load<u8>(from)
  if (first == QUOTE) return endOfString(from)
  if (first == OPEN || first == OPEN_LIST) return endOfNest(from)
  return endOfScalar(from)
}

/** The number of a name in a table of names by length, each in 32 bytes; -1. */
export function nameAt(table: u32, from: u32, length: u32): i32 {
  if (length == 0 || length > 24) return -1
  let slot = table + 64 + (<u32>load<u8>(table + (length << 1)) << 5)
  const stop = slot + (<u32>load<u8>(table + (length << 1), 1) << 5)
  if (slot == stop) return -1
  // Of the last word only the bytes that are the name's.
  const last = (length - 1) >>> 3
  const mask = ~(<u64>0) >>> ((8 - (((length - 1) & 7) + 1)) << 3)
  const tail = load<u64>(from + (last << 3)) & mask
  for (; slot < stop; slot += 32) {
    if (load<u64>(slot + (last << 3)) != tail) continue
    if (last > 0 && load<u64>(slot) != load<u64>(from)) continue
    if (last > 1 && load<u64>(slot, 8) != load<u64>(from, 8)) continue
    return load<u32>(slot, 24)
  }
  return -1
}

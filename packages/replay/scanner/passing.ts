// AssemblyScript (https://www.assemblyscript.org), part of event-scanner.wasm: see event-scanner.ts.
// Members of parameters that say nothing of a call: as src/store/passing-members.ts, byte for byte.
import { passingNames, plainLetters, staying } from './places'
import {
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  endOfString,
  nameAt,
  OPEN,
  OPEN_LIST,
  QUOTE,
  skipSpace,
} from './walk'

/** Members beyond which an event is odd. */
export const MEMBERS_MAX: i32 = 256

export let stayingCount: i32 = 0
let leftCount: i32 = 0

/** Whether any was left out; the places of the others are then `staying`. */
export function splitParameters(from: u32, to: u32): bool {
  stayingCount = 0
  leftCount = 0
  if (to == 0 || load<u8>(from) != OPEN) return false
  let index = from + 1
  while (index < to) {
    const key = skipSpace(index)
    if (load<u8>(key) != QUOTE) return false
    const keyEnd = endOfString(key)
    if (keyEnd < 0 || <u32>keyEnd > to) return false
    const colon = skipSpace(keyEnd)
    const value = skipSpace(colon + 1)
    if (value >= to || load<u8>(colon) != COLON) return false
    const valueEnd = endOfMember(value, to)
    if (valueEnd >= to) return false
    const length = <u32>keyEnd - key - 2
    if (length <= 20 && nameAt(passingNames, key + 1, length) >= 0 && isPlain(value, valueEnd)) leftCount++
    else {
      if (stayingCount < MEMBERS_MAX) {
        store<u32>(staying + (<u32>stayingCount << 3), key)
        store<u32>(staying + (<u32>stayingCount << 3), valueEnd, 4)
      }
      stayingCount++
    }
    index = skipSpace(valueEnd)
    const byte: i32 = load<u8>(index)
    if (byte == CLOSE) return index + 1 == to && leftCount > 0
    if (byte != COMMA) return false
    index++
  }
  return false
}

function endOfMember(from: u32, to: u32): u32 {
  let depth: i32 = 0
  let index = from
  while (index < to) {
    const byte: i32 = load<u8>(index)
    if (byte == QUOTE) {
      const behind = endOfString(index)
      if (behind < 0 || <u32>behind > to) return to
      index = behind
      continue
    }
    if (byte == OPEN || byte == OPEN_LIST) depth++
    else if (byte == CLOSE || byte == CLOSE_LIST) {
      if (depth == 0) return index
      depth--
    } else if (depth == 0 && (byte == COMMA || byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09)) {
      return index
    }
    index++
  }
  return to
}

function isPlain(from: u32, to: u32): bool {
  if (to - from > 4096) return false
  const isText = load<u8>(from) == QUOTE
  const stop = isText ? to - 1 : to
  for (let index = isText ? from + 1 : from; index < stop; index++) {
    const byte: i32 = load<u8>(index)
    if (load<u8>(plainLetters + byte) == 0 || (byte == 0x5f && load<u8>(index, 1) == 0x5f)) return false
  }
  return true
}

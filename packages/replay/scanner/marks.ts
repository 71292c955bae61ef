// AssemblyScript (https://www.assemblyscript.org), part of event-scanner.wasm: see event-scanner.ts.
// The time and the ID of an event, where they are written as CloudTrail does: as src/event/event-time.ts.
import { from, hexDigits as hex, ID, TIME, to } from './places'

/** -1 for what is no digit. */
function two(from: u32): i32 {
  const tens: i32 = <i32>load<u8>(from) - 0x30
  const ones: i32 = <i32>load<u8>(from, 1) - 0x30
  return <u32>tens > 9 || <u32>ones > 9 ? -1 : tens * 10 + ones
}

/** Writes the seconds of `"2025-12-14T09:30:00Z"`; false for any other form. */
export function putTime(row: u32): bool {
  const at = from(TIME)
  if (to(TIME) - at != 22) return false
  if (load<u8>(at, 11) != 0x54 || load<u8>(at, 20) != 0x5a) return false
  const century = two(at + 1)
  const years = two(at + 3)
  const month = two(at + 6)
  const day = two(at + 9)
  const hour = two(at + 12)
  const minute = two(at + 15)
  const second = two(at + 18)
  const year = century * 100 + years
  if (century < 0 || years < 0 || year < 1970 || year > 2105 || month < 1 || month > 12) return false
  if (day < 1 || day > 31 || <u32>hour > 23 || <u32>minute > 59 || <u32>second > 60) return false
  const y = month <= 2 ? year - 1 : year
  const era = y / 400
  const ofEra = y - era * 400
  const ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  const days = era * 146097 + ofEra * 365 + (ofEra >> 2) - ofEra / 100 + ofYear - 719468
  store<u32>(row, <u32>days * 86400 + hour * 3600 + minute * 60 + second)
  return true
}

/** Writes the four words of an ID with its hyphens; false for any other form. */
export function putId(row: u32): bool {
  const at = from(ID)
  if (to(ID) - at != 38) return false
  const hyphens = load<u8>(at, 9) == 0x2d && load<u8>(at, 14) == 0x2d
  if (!hyphens || load<u8>(at, 19) != 0x2d || load<u8>(at, 24) != 0x2d) return false
  noDigits = 0
  const first = word(at + 1)
  const second = (half(at + 10) << 16) | half(at + 15)
  const third = (half(at + 20) << 16) | half(at + 25)
  const fourth = word(at + 29)
  if (noDigits > 15) return false
  store<u32>(row, first, 4)
  store<u32>(row, second, 8)
  store<u32>(row, third, 12)
  store<u32>(row, fourth, 16)
  return true
}

/** Past 15 where one of the digits of `half` was none. */
let noDigits: u32 = 0

function half(from: u32): u32 {
  let value: u32 = 0
  for (let index: u32 = 0; index < 4; index++) {
    const digit: u32 = load<u8>(hex + load<u8>(from + index))
    noDigits |= digit
    value = (value << 4) | (digit & 15)
  }
  return value
}

function word(from: u32): u32 {
  return (half(from) << 16) | half(from + 4)
}

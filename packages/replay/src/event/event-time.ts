// Reads `eventTime` and `eventID` where they stand in the bytes. A time that is none is 0, and an ID that
// is none is a hash or nothing: such events are counted, never taken for another's copy.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

import { hash } from 'node:crypto'

/** Seconds since 1970 of `"2025-12-14T09:30:00Z"` with its quotes; 0 for what is no time. */
export function secondsAt(bytes: Uint8Array, from: number, to: number): number {
  if (to - from !== 22 || bytes[from + 11] !== 0x54 || bytes[from + 20] !== 0x5a) {
    return secondsOfText(bytes, from, to)
  }
  const year = two(bytes, from + 1) * 100 + two(bytes, from + 3)
  const month = two(bytes, from + 6)
  const day = two(bytes, from + 9)
  const hour = two(bytes, from + 12)
  const minute = two(bytes, from + 15)
  const second = two(bytes, from + 18)
  const isTime = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59
  if (!isTime || !(second <= 60) || !(year >= 1970 && year <= 2105)) return 0
  return daysBefore(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
}

/** Other forms, such as fractions of a second. */
function secondsOfText(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 12 || to - from > 40) return 0
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from + 1, to - from - 2).toString()
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return 0
  const seconds = Math.floor(Date.parse(text) / 1000)
  return seconds > 0 && seconds < 2 ** 32 ? seconds : 0
}

/** NaN where a digit is missing, and NaN is in no range. */
function two(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 0x30
  const ones = (bytes[at + 1] ?? 0) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** Days from 1970-01-01. Source: the civil calendar, Howard Hinnant, chrono-compatible date algorithms. */
function daysBefore(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const ofEra = y - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + ofEra * 365 + (ofEra >> 2) - Math.floor(ofEra / 100) + ofYear - 719_468
}

/** Writes the ID as four words at `at`; all zero where the event has none. */
export function writeId(
  bytes: Uint8Array,
  from: number,
  to: number,
  words: Uint32Array,
  at: number,
): void {
  if (to - from === 38) {
    let word = 0
    let digits = 0
    for (let index = from + 1; index < to - 1; index++) {
      const digit = HEX[bytes[index] as number] as number
      if (digit === SEPARATOR) continue
      if (digit === NO_DIGIT) break
      word = (word << 4) | digit
      if ((++digits & 7) === 0) {
        words[at + (digits >> 3) - 1] = word
        word = 0
      }
    }
    if (digits === 32) return
  }
  words.fill(0, at, at + 4)
  if (to - from <= 2 || bytes[from] !== 0x22) return
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
  const digest = hash('sha256', text, 'buffer')
  for (let word = 0; word < 4; word++) words[at + word] = digest.readUInt32BE(word * 4) | 1
}

const NO_DIGIT = 0xff
const SEPARATOR = 0xfe
const HEX = new Uint8Array(256).fill(NO_DIGIT)
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16)
  HEX[text.charCodeAt(0)] = digit
  HEX[text.toUpperCase().charCodeAt(0)] = digit
}
HEX[0x2d] = SEPARATOR

/** The ID of four words as CloudTrail writes it. */
export function idText(words: Uint32Array, at: number): string {
  const hex = Array.from(words.subarray(at, at + 4), (word) => word.toString(16).padStart(8, '0'))
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

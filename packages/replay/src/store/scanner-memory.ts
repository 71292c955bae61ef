// The memory of the event scanner: where each thing stands, and the tables that it is given. It never grows, so
// that views of it stay good; what is not touched of it takes no room.

import { randomBytes } from 'node:crypto'
import { FIELDS } from '../trail/raw-event.ts'
import { EVENT_BYTES_MAX } from '../trail/records.ts'
import { KEPT_BYTES_MAX, KEY_BYTES_MAX } from './byte-table.ts'
import { PASSING, PLAIN_LETTERS } from './passing-members.ts'
import { CHUNK_ROWS, ROW_WORDS } from './row.ts'
import { type WasmMemory, wasm } from './web-assembly.ts'

/** Bytes put into the window at once: they stay in a core's own cache from the one walk to the other. */
export const PIECE_BYTES = 256 * 1024
/** Bytes behind a place that the scanner may read or write too many. */
const SLACK = 128
const PAGE = 64 * 1024
const NAME_LENGTHS = 32
const NAME_BYTES = 32

/** Of tables: callers, calls and looks have many keys; operations, programs and errors few. */
const MANY = { slots: 1 << 18, entries: 1 << 17, bytes: KEPT_BYTES_MAX }
const FEW = { slots: 1 << 14, entries: 1 << 13, bytes: 4 * 1024 * 1024 }
const ENTRY_BYTES = 20
const HEAD_BYTES = 32

export interface ScannerMemory {
  readonly memory: WasmMemory
  /** Addresses for `setUp`, as a list at this place. */
  readonly list: number
  readonly places: Int32Array<ArrayBuffer>
  readonly rows: Uint32Array<ArrayBuffer>
  /** Where the window begins, and its bytes. */
  readonly windowAt: number
  readonly windowBytes: number
}

export function scannerMemory(): ScannerMemory {
  let next = 1024
  const room = (bytes: number): number => {
    const at = next
    next = Math.ceil((at + bytes + SLACK) / 64) * 64
    return at
  }
  const names = (list: readonly string[]) => room(2 * NAME_LENGTHS + list.length * NAME_BYTES)
  const table = (size: typeof MANY) => {
    const head = room(HEAD_BYTES)
    const slots = room(size.slots * 4)
    const entries = room(size.entries * ENTRY_BYTES)
    const bytes = room(size.bytes)
    return { head, words: [0, 0, size.slots - 1, size.entries, size.bytes, slots, entries, bytes] }
  }
  const list = room(16 * 4)
  const places = room(FIELDS.length * 8)
  const passing = [...PASSING]
  const [fieldNames, passingNames] = [names(FIELDS), names(passing)]
  const [letters, digits, staying] = [room(256), room(256), room(256 * 8)]
  const [keyA, keyB] = [room(KEY_BYTES_MAX), room(KEY_BYTES_MAX)]
  const rows = room(CHUNK_ROWS * ROW_WORDS * 4)
  const tables = [MANY, MANY, MANY, FEW, FEW, FEW].map(table)
  const windowBytes = EVENT_BYTES_MAX + 2 * PIECE_BYTES
  const windowAt = room(windowBytes)
  const pages = Math.ceil(next / PAGE)
  const memory = new wasm.Memory({ initial: pages, maximum: pages })
  const { buffer } = memory
  const view = new DataView(buffer)
  const writeWords = (at: number, words: readonly number[]) => {
    for (const [index, word] of words.entries()) view.setUint32(at + index * 4, word, true)
  }
  const heads = tables.map(({ head }) => head)
  const first = [places, fieldNames, passingNames, letters, digits, staying, keyA, keyB]
  // Room for one event and its link is left to the gatherer.
  writeWords(list, [...first, rows, CHUNK_ROWS - 1, ...heads])
  for (const { head, words } of tables) writeWords(head, words)
  writeNames(new Uint8Array(buffer), fieldNames, FIELDS)
  writeNames(new Uint8Array(buffer), passingNames, passing)
  new Uint8Array(buffer).set(PLAIN_LETTERS, letters)
  new Uint8Array(buffer).set(HEX_DIGITS, digits)
  return {
    memory,
    list,
    places: new Int32Array(buffer, places, FIELDS.length * 2),
    rows: new Uint32Array(buffer, rows, CHUNK_ROWS * ROW_WORDS),
    windowAt,
    windowBytes,
  }
}

/** Chance, so that nobody who writes parameters can choose keys of one hash. */
export function scannerSeed(): bigint {
  return randomBytes(8).readBigInt64LE()
}

/** For each length where its names begin and end; then the names, and behind each its place in the list. */
function writeNames(bytes: Uint8Array, at: number, names: readonly string[]): void {
  const view = new DataView(bytes.buffer)
  let slot = 0
  for (let length = 0; length < NAME_LENGTHS; length++) {
    bytes[at + length * 2] = slot
    for (const [index, name] of names.entries()) {
      if (name.length !== length) continue
      const place = at + 2 * NAME_LENGTHS + slot++ * NAME_BYTES
      bytes.set(Buffer.from(name), place)
      view.setUint32(place + 24, index, true)
    }
    bytes[at + length * 2 + 1] = slot
  }
}

/** What digit a byte is; more than 15 for none. */
const HEX_DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase())
  return digit < 0 ? 0xff : digit
})

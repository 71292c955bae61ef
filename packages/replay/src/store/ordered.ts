// Puts the rows of a slice in the order of time and drops the copies of one event: trails of an
// organisation and of an account deliver the same event twice, and files come in no order of time.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html (eventID)

import { AGENT, CALL, FLAGS, ID, LINK, ROW_WORDS, TIME, WHO } from './row.ts'
import type { Columns } from './trail-store.ts'

export interface Ordered {
  readonly columns: Columns
  readonly withoutTime: number
  readonly withoutId: number
  /** Events that were dropped because the same call was delivered to another account too. */
  readonly sharedCopies: number
}

export function ordered(rows: Uint32Array): Ordered {
  const total = rows.length / ROW_WORDS
  const { kept, sharedCopies } = firstOfEach(rows, total)
  const order = byTime(rows, kept)
  const count = order.length
  const times = new Uint32Array(count)
  const calls = new Uint32Array(count)
  const whos = new Uint32Array(count)
  const agents = new Uint16Array(count)
  const flags = new Uint8Array(count)
  const ids = new Uint32Array(count * 4)
  let withoutTime = 0
  let withoutId = 0
  for (let index = 0; index < count; index++) {
    const at = (order[index] as number) * ROW_WORDS
    times[index] = rows[at + TIME] as number
    calls[index] = rows[at + CALL] as number
    whos[index] = rows[at + WHO] as number
    agents[index] = rows[at + AGENT] as number
    flags[index] = rows[at + FLAGS] as number
    for (let word = 0; word < 4; word++) ids[index * 4 + word] = rows[at + ID + word] as number
    if (times[index] === 0) withoutTime++
    if (isNone(rows, at)) withoutId++
  }
  const columns = { count, times, calls, whos, agents, flags, ids: () => ids }
  return { columns, withoutTime, withoutId, sharedCopies }
}

function isNone(rows: Uint32Array, at: number): boolean {
  return (
    ((rows[at + ID] as number) |
      (rows[at + ID + 1] as number) |
      (rows[at + ID + 2] as number) |
      (rows[at + ID + 3] as number)) ===
    0
  )
}

/** Rows that are the first of their ID; what has no ID is nobody's copy. */
function firstOfEach(
  rows: Uint32Array,
  total: number,
): { readonly kept: Uint32Array; readonly sharedCopies: number } {
  const ids = new Ids(rows, total)
  const kept = new Uint32Array(total)
  /** For each link that is the first of its ID the place in `kept` of its event. */
  const places = new Map<number, number>()
  let count = 0
  let sharedCopies = 0
  for (let row = 0; row < total; row++) {
    const flags = rows[row * ROW_WORDS + FLAGS] as number
    // A link without its event is one of a copy.
    if ((flags & LINK.is) !== 0 && kept[count - 1] !== row - 1) continue
    const known = isNone(rows, row * ROW_WORDS) ? row : ids.first(row)
    if ((flags & LINK.is) === 0) {
      if (known === row) kept[count++] = row
      continue
    }
    if (known === row) {
      places.set(row, count - 1)
      continue
    }
    // The same call, as another account has it: that of the caller stays.
    sharedCopies++
    count--
    const isBetter = (flags & ~(rows[known * ROW_WORDS + FLAGS] as number) & LINK.toCaller) !== 0
    const place = places.get(known)
    if (!isBetter || place === undefined) continue
    kept[place] = row - 1
    rows[known * ROW_WORDS + FLAGS] = flags
  }
  return { kept: kept.subarray(0, count), sharedCopies }
}

/** Finds the first row of an ID. */
class Ids {
  readonly #rows: Uint32Array
  readonly #slots: Uint32Array

  constructor(rows: Uint32Array, total: number) {
    let size = 1024
    while (size < total * 2) size *= 2
    this.#rows = rows
    this.#slots = new Uint32Array(size)
  }

  first(row: number): number {
    const rows = this.#rows
    const slots = this.#slots
    const mask = slots.length - 1
    const at = row * ROW_WORDS + ID
    // Chosen IDs could share a slot; they can only make a trail of one's own slow.
    let slot = Math.imul((rows[at] as number) ^ (rows[at + 3] as number), 0x9e3779b1) >>> 0
    slot = (slot ^ (slot >>> 15)) & mask
    for (let other = slots[slot] as number; other !== 0; other = slots[slot] as number) {
      if (sameId(rows, at, (other - 1) * ROW_WORDS + ID)) return other - 1
      slot = (slot + 1) & mask
    }
    slots[slot] = row + 1
    return row
  }
}

function sameId(rows: Uint32Array, a: number, b: number): boolean {
  return (
    rows[a] === rows[b] &&
    rows[a + 1] === rows[b + 1] &&
    rows[a + 2] === rows[b + 2] &&
    rows[a + 3] === rows[b + 3]
  )
}

/** Radix sort by time, sixteen bits at a time; equal times keep the order they came in. */
function byTime(rows: Uint32Array, kept: Uint32Array): Uint32Array {
  // The times beside one another: they lie far apart in the rows.
  let times = new Uint32Array(kept.length)
  for (let index = 0; index < kept.length; index++) {
    times[index] = rows[(kept[index] as number) * ROW_WORDS + TIME] as number
  }
  let from = kept
  for (const shift of [0, 16]) {
    const starts = startsOf(times, shift)
    const to = new Uint32Array(from.length)
    const timesTo = new Uint32Array(from.length)
    for (let index = 0; index < from.length; index++) {
      const time = times[index] as number
      const digit = (time >>> shift) & 0xffff
      const place = starts[digit] as number
      starts[digit] = place + 1
      to[place] = from[index] as number
      timesTo[place] = time
    }
    from = to
    times = timesTo
  }
  return from
}

/** Where the times of each digit begin. */
function startsOf(times: Uint32Array, shift: number): Uint32Array {
  const starts = new Uint32Array(65_537)
  for (let index = 0; index < times.length; index++) {
    const digit = ((times[index] as number) >>> shift) & 0xffff
    starts[digit + 1] = (starts[digit + 1] as number) + 1
  }
  for (let digit = 1; digit <= 65_536; digit++) {
    starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number)
  }
  return starts
}

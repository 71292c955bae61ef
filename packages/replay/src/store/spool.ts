// Holds the rows of a scan until all are there: in memory while they are few, in a file beyond, so that a
// trail of any length is sorted in bounded memory.

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROW_WORDS, TIME } from './row.ts'

/** Rows kept in memory: about 290 MB. */
export const MEMORY_ROWS_MAX = 8_000_000
/** Rows sorted at once; a single day with more is sorted whole. */
export const SLICE_ROWS_MAX = 6_000_000
const DAY = 86_400

interface Held {
  readonly count: number
  readonly fromDay: number
  readonly toDay: number
  readonly at: Uint32Array | number
}

/** Days from and to, both within, and how many rows they have. */
export interface Slice {
  readonly from: number
  readonly to: number
  readonly rows: number
}

export class Spool {
  readonly #held: Held[] = []
  readonly #byDay = new Map<number, number>()
  readonly #memoryRowsMax: number
  #rowsInMemory = 0
  #folder: string | null = null
  #file: number | null = null
  #written = 0

  constructor(memoryRowsMax = MEMORY_ROWS_MAX) {
    this.#memoryRowsMax = memoryRowsMax
  }

  add(rows: Uint32Array, count: number): void {
    let fromDay = Number.POSITIVE_INFINITY
    let toDay = 0
    for (let row = 0; row < count; row++) {
      const day = Math.floor((rows[row * ROW_WORDS + TIME] as number) / DAY)
      this.#byDay.set(day, (this.#byDay.get(day) ?? 0) + 1)
      if (day < fromDay) fromDay = day
      if (day > toDay) toDay = day
    }
    if (count === 0) return
    const isFull = this.#rowsInMemory + count > this.#memoryRowsMax
    const at = isFull ? this.#write(rows, count) : rows
    if (!isFull) this.#rowsInMemory += count
    this.#held.push({ count, fromDay, toDay, at })
  }

  /** Consecutive days that are sorted at once. */
  slices(rowsMax = SLICE_ROWS_MAX): Slice[] {
    const slices: Slice[] = []
    let open: Slice | null = null
    for (const [day, rows] of [...this.#byDay].sort(([a], [b]) => a - b)) {
      if (open !== null && open.rows + rows <= rowsMax) {
        open = { from: open.from, to: day, rows: open.rows + rows }
      } else {
        if (open !== null) slices.push(open)
        open = { from: day, to: day, rows }
      }
    }
    if (open !== null) slices.push(open)
    return slices
  }

  /** The rows of a slice, in the order they came. */
  rowsOf({ from, to, rows }: Slice): Uint32Array {
    const found = new Uint32Array(rows * ROW_WORDS)
    let count = 0
    for (const held of this.#held) {
      if (held.toDay < from || held.fromDay > to) continue
      const all = typeof held.at === 'number' ? this.#read(held.at, held.count) : held.at
      for (let row = 0; row < held.count; row++) {
        const at = row * ROW_WORDS
        const day = Math.floor((all[at + TIME] as number) / DAY)
        if (day < from || day > to) continue
        for (let word = 0; word < ROW_WORDS; word++) {
          found[count * ROW_WORDS + word] = all[at + word] as number
        }
        count++
      }
    }
    return found
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
    this.#file = null
    this.#folder = null
  }

  #write(rows: Uint32Array, count: number): number {
    if (this.#file === null) {
      this.#folder = mkdtempSync(join(tmpdir(), 'seconder-replay-'))
      this.#file = openSync(join(this.#folder, 'rows'), 'wx+', 0o600)
    }
    const at = this.#written
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, count * ROW_WORDS * 4)
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, at + done)
    }
    this.#written += bytes.length
    return at
  }

  #read(at: number, count: number): Uint32Array {
    const rows = new Uint32Array(count * ROW_WORDS)
    const bytes = new Uint8Array(rows.buffer)
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.#file as number, bytes, done, bytes.length - done, at + done)
      if (read === 0) throw new Error('the rows that were put aside have gone')
      done += read
    }
    return rows
  }
}

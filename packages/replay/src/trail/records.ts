// Finds the events in bytes that come in pieces: `{"Records": [...]}` as CloudTrail delivers it, a
// bare list, one event a line, or one event alone. What cannot be read is counted by name.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html

import type { EventWalker } from './event-walker.ts'
import { ENDED } from './event-walker.ts'
import { BROKEN, CUT, endOfString, endOfValue, skipSpace } from './json-scan.ts'

/** Bytes of one event; CloudTrail cuts its own at 256 KB. */
export const EVENT_BYTES_MAX = 8 * 1024 * 1024
/** Bytes of a first line that is not JSON, behind which lines of events may follow. */
const TITLE_BYTES_MAX = 64 * 1024

/**
 * - `cut`: the file ends inside an event
 * - `broken`: not JSON, or nested too deep
 * - `event_too_large`: past EVENT_BYTES_MAX
 * - `no_events`: a document of another kind, such as a digest file
 * - `broken_lines`: of a file of one event a line, some are none; the others were read
 */
export type RecordFault = 'cut' | 'broken' | 'event_too_large' | 'no_events' | 'broken_lines'

/** `stream` is of events one after the other, over lines as they like; a break in it ends the file. */
type State = 'start' | 'list' | 'stream' | 'lines' | 'after' | 'failed'

const NONE = new Uint8Array()
const RECORDS = Buffer.from('"Records"')

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const COMMA = 0x2c
const NEWLINE = 0x0a

/** One reader for one file. Its events come in the order of the file. */
export class RecordReader {
  readonly #walker: EventWalker
  #state: State = 'start'
  /** Bytes that are not read yet; those of a window stand at its front. */
  #rest: Uint8Array = NONE
  #fault: RecordFault | null = null
  #brokenLines = 0
  /** Inside a line that is too long: what is left of it is stepped over. */
  #isSkipping = false

  constructor(walker: EventWalker) {
    this.#walker = walker
    walker.beginFile()
  }

  get events(): number {
    return this.#walker.events
  }

  /** Records that are no events of calls: insights have no name of a call, for one. */
  get others(): number {
    return this.#walker.others
  }

  /** Lines of one event each that are none, and were stepped over. */
  get brokenLines(): number {
    return this.#brokenLines
  }

  /** The piece is read at once and may be used again afterwards. */
  push(piece: Uint8Array): void {
    const { pieceBytes } = this.#walker
    if (piece.length <= pieceBytes) this.#push(piece)
    else {
      for (let from = 0; from < piece.length; from += pieceBytes) {
        this.#push(piece.subarray(from, from + pieceBytes))
      }
    }
  }

  #push(piece: Uint8Array): void {
    if (this.#state === 'failed') return
    const bytes = this.#joined(piece)
    const at = this.#read(bytes, this.#isSkipping ? this.#behindLine(bytes, 0) : 0, false)
    this.#keep(bytes, at)
    if (this.#rest.length <= EVENT_BYTES_MAX) return
    if (this.#state !== 'lines') {
      this.#fail('event_too_large')
      return
    }
    this.#brokenLines++
    this.#isSkipping = true
    this.#rest = NONE
  }

  /** What is left and the piece, in one. */
  #joined(piece: Uint8Array): Uint8Array {
    const { window } = this.#walker
    if (window === null) {
      return this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    }
    const held = this.#rest.length
    window.set(piece, held)
    return window.subarray(0, held + piece.length)
  }

  #keep(bytes: Uint8Array, at: number): void {
    const { window } = this.#walker
    if (at >= bytes.length || this.#state === 'failed') this.#rest = NONE
    else if (window === null) this.#rest = bytes.slice(at)
    else {
      window.copyWithin(0, at, bytes.length)
      this.#rest = window.subarray(0, bytes.length - at)
    }
  }

  /** What was wrong with the file, after its last piece; null = nothing. */
  end(): RecordFault | null {
    if (this.#state === 'start' || this.#state === 'lines') {
      this.#keep(this.#rest, this.#read(this.#rest, 0, true))
    }
    if (this.#fault !== null) return this.#fault
    if (skipSpace(this.#rest, 0) < this.#rest.length) return 'cut'
    if (this.#state === 'list') return 'cut'
    if (this.#brokenLines > 0) return this.events === 0 ? 'broken' : 'broken_lines'
    const isOther = this.#state !== 'after'
    const isNone = this.#state === 'start' || (isOther && this.others > 0)
    return this.events === 0 && isNone ? 'no_events' : null
  }

  #fail(fault: RecordFault): void {
    this.#state = 'failed'
    this.#fault ??= fault
    this.#rest = NONE
  }

  /** Reads what is whole; the index of the first byte that must come again with more. */
  #read(bytes: Uint8Array, from: number, isEnd: boolean): number {
    let at = from
    if (this.#state === 'start') {
      at = this.#begin(bytes, from, isEnd)
      if (at === CUT) return from
      if (at === BROKEN) return this.#broken(bytes)
    }
    switch (this.#state) {
      case 'lines':
        return this.#lines(bytes, at, isEnd)
      case 'list':
      case 'stream':
        return this.#walk(bytes, at)
      default:
        return bytes.length
    }
  }

  #broken(bytes: Uint8Array): number {
    this.#fail('broken')
    return bytes.length
  }

  #walk(bytes: Uint8Array, from: number): number {
    const walker = this.#walker
    const stopped = walker.walk(bytes, from, bytes.length, this.#state === 'list')
    if (stopped === BROKEN) return this.#broken(bytes)
    if (stopped !== ENDED) return walker.at
    this.#state = 'after'
    return bytes.length
  }

  /** Each line for itself: one that is no event, or not whole, takes no other with it. */
  #lines(bytes: Uint8Array, from: number, isEnd: boolean): number {
    const walker = this.#walker
    let at = from
    while (at < bytes.length) {
      const found = bytes.indexOf(NEWLINE, at)
      if (found < 0 && !isEnd) return at
      const to = found < 0 ? bytes.length : found
      if (to - at > EVENT_BYTES_MAX) {
        this.#brokenLines++
        at = to + 1
        continue
      }
      const stopped = walker.walk(bytes, at, to, false)
      const isCut = stopped === CUT && walker.at < to
      if (isCut && found < 0) return walker.at // the file ends inside its last event
      if (isCut || stopped === BROKEN) this.#brokenLines++
      at = to + 1
    }
    return bytes.length
  }

  #behindLine(bytes: Uint8Array, from: number): number {
    const found = bytes.indexOf(NEWLINE, from)
    this.#isSkipping = found < 0
    return found < 0 ? bytes.length : found + 1
  }

  /** Which of the forms it is; `{"Records": [` and `[` open a list, another brace a line or a stream. */
  #begin(bytes: Uint8Array, from: number, isEnd: boolean): number {
    if (bytes[from] === 0xef && bytes.length < from + 3) return CUT
    const at = skipSpace(bytes, isMark(bytes, from) ? from + 3 : from)
    if (at >= bytes.length) return CUT
    const first = bytes[at]
    if (first === OPEN_BRACKET) {
      this.#state = 'list'
      return at + 1
    }
    if (first === OPEN_BRACE) return this.#wrapped(bytes, at, isEnd)
    // A first line that is nothing, before lines that are.
    const isLines = this.#isBeforeLine(bytes, at)
    if (isLines === true) this.#state = 'lines'
    else if (isLines === null && !isEnd && bytes.length - at <= TITLE_BYTES_MAX) return CUT
    else return BROKEN
    return at
  }

  /** Members before `Records` are stepped over; an object without it is an event itself. */
  #wrapped(bytes: Uint8Array, brace: number, isEnd: boolean): number {
    let at = skipSpace(bytes, brace + 1)
    for (;;) {
      if (at >= bytes.length) return this.#undecided(bytes, brace, isEnd)
      if (bytes[at] !== 0x22) break
      const keyEnd = endOfString(bytes, at)
      if (keyEnd < 0) return this.#undecided(bytes, brace, isEnd)
      const from = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
      if (from >= bytes.length) return this.#undecided(bytes, brace, isEnd)
      if (RECORDS.equals(bytes.subarray(at, keyEnd)) && bytes[from] === OPEN_BRACKET) {
        this.#state = 'list'
        return from + 1
      }
      const to = endOfValue(bytes, from)
      if (to === CUT) return this.#undecided(bytes, brace, isEnd)
      if (to < 0) break
      at = skipSpace(bytes, to)
      if (at >= bytes.length) return this.#undecided(bytes, brace, isEnd)
      if (bytes[at] !== COMMA) break
      at = skipSpace(bytes, at + 1)
    }
    return this.#undecided(bytes, brace, isEnd)
  }

  /**
   * Whether each line is an event of its own: the first one is, or the second begins with a brace at once, as no
   * second line of an event that is laid out over lines does.
   */
  #undecided(bytes: Uint8Array, brace: number, isEnd: boolean): number {
    const to = endOfValue(bytes, brace)
    const newline = bytes.indexOf(NEWLINE, brace)
    const isOne = to > 0 && (newline < 0 ? isEnd : to <= newline)
    const isLines = isOne || this.#isBeforeLine(bytes, brace)
    if (isLines === null && !isEnd) return CUT
    if (isLines === false && to === CUT && !isEnd) return CUT
    this.#state = isLines === true ? 'lines' : 'stream'
    return brace
  }

  /** Whether the next line begins with a brace; null where that is not there yet. */
  #isBeforeLine(bytes: Uint8Array, at: number): boolean | null {
    const newline = bytes.indexOf(NEWLINE, at)
    if (newline < 0 || newline + 1 >= bytes.length) return null
    return bytes[newline + 1] === OPEN_BRACE
  }
}

/** A byte order mark, which some exports begin with. */
function isMark(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf
}

// Finds the events in bytes that come in pieces: `{"Records": [...]}` as CloudTrail delivers it, a
// bare list, one event a line, or one event alone. What cannot be read is counted by name.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html

import { BROKEN, CUT, endOfString, endOfValue, skipSpace } from './json-scan.ts'
import { RawEvent } from './raw-event.ts'

/** Bytes of one event; CloudTrail cuts its own at 256 KB. */
export const EVENT_BYTES_MAX = 8 * 1024 * 1024

/**
 * - `cut`: the file ends inside an event
 * - `broken`: not JSON, or nested too deep
 * - `event_too_large`: past EVENT_BYTES_MAX
 * - `no_events`: a document of another kind, such as a digest file
 */
export type RecordFault = 'cut' | 'broken' | 'event_too_large' | 'no_events'

type State = 'start' | 'list' | 'lines' | 'after' | 'failed'

const NONE = new Uint8Array()
const RECORDS = Buffer.from('"Records"')

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

/** Told for each event; the same object each time, so what shall be kept must be copied. */
export type OnEvent = (event: RawEvent) => void

/** One reader for one file. Its events come in the order of the file. */
export class RecordReader {
  readonly #onEvent: OnEvent
  readonly #event = new RawEvent()
  #state: State = 'start'
  #rest: Uint8Array = NONE
  #fault: RecordFault | null = null
  #events = 0
  #others = 0

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  get events(): number {
    return this.#events
  }

  /** Records that are no events of calls: insights have no name of a call, for one. */
  get others(): number {
    return this.#others
  }

  /** The piece is read at once and may be used again afterwards. */
  push(piece: Uint8Array): void {
    if (this.#state === 'failed') return
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    const at = this.#read(bytes, 0)
    this.#rest = at < bytes.length ? bytes.slice(at) : NONE
    if (this.#rest.length > EVENT_BYTES_MAX) this.#fail('event_too_large')
  }

  /** What was wrong with the file, after its last piece; null = nothing. */
  end(): RecordFault | null {
    if (this.#fault !== null) return this.#fault
    if (skipSpace(this.#rest, 0) < this.#rest.length) return 'cut'
    if (this.#state === 'list') return 'cut'
    const isOther = this.#state === 'start' || (this.#state === 'lines' && this.#others > 0)
    return this.#events === 0 && isOther ? 'no_events' : null
  }

  #fail(fault: RecordFault): void {
    this.#state = 'failed'
    this.#fault ??= fault
    this.#rest = NONE
  }

  /** Reads what is whole; the index of the first character that must come again with more. */
  #read(bytes: Uint8Array, from: number): number {
    let at = from
    for (;;) {
      const state = this.#state
      const next = state === 'start' ? this.#begin(bytes, at) : this.#step(bytes, at)
      if (next === CUT) return at
      if (next === BROKEN) {
        this.#fail('broken')
        return bytes.length
      }
      if (next === at && state === this.#state) return at
      at = next
    }
  }

  /** Which of the forms it is; `{"Records": [` and `[` open a list, another brace a line. */
  #begin(bytes: Uint8Array, from: number): number {
    if (bytes[from] === 0xef && bytes.length < from + 3) return CUT
    const at = skipSpace(bytes, isMark(bytes, from) ? from + 3 : from)
    if (at >= bytes.length) return CUT
    const first = bytes[at]
    if (first === OPEN_BRACKET) {
      this.#state = 'list'
      return at + 1
    }
    if (first !== OPEN_BRACE) return BROKEN
    return this.#wrapped(bytes, at)
  }

  /** Members before `Records` are stepped over; an object without it is an event itself. */
  #wrapped(bytes: Uint8Array, brace: number): number {
    let at = skipSpace(bytes, brace + 1)
    for (;;) {
      if (at >= bytes.length) return CUT
      if (bytes[at] !== 0x22) break
      const keyEnd = endOfString(bytes, at)
      if (keyEnd < 0) return CUT
      const from = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
      if (from >= bytes.length) return CUT
      if (RECORDS.equals(bytes.subarray(at, keyEnd)) && bytes[from] === OPEN_BRACKET) {
        this.#state = 'list'
        return from + 1
      }
      const to = endOfValue(bytes, from)
      if (to < 0) return to
      at = skipSpace(bytes, to)
      if (at >= bytes.length) return CUT
      if (bytes[at] !== COMMA) break
      at = skipSpace(bytes, at + 1)
    }
    this.#state = 'lines'
    return brace
  }

  #step(bytes: Uint8Array, from: number): number {
    let at = skipSpace(bytes, from)
    if (at >= bytes.length) return this.#state === 'lines' ? at : CUT
    if (this.#state === 'after') return bytes.length
    const code = bytes[at]
    if (code === COMMA) at = skipSpace(bytes, at + 1)
    else if (code === CLOSE_BRACKET && this.#state === 'list') {
      this.#state = 'after'
      return at + 1
    }
    if (at >= bytes.length) return CUT
    if (bytes[at] !== OPEN_BRACE) return BROKEN
    const end = this.#event.read(bytes, at)
    if (end < 0) return end
    if (this.#event.has('eventName')) {
      this.#events++
      this.#onEvent(this.#event)
    } else this.#others++
    return end
  }
}

/** A byte order mark, which some exports begin with. */
function isMark(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf
}

// What reads the events of a file out of bytes, one after the other: here the plain one, byte by byte in
// JavaScript. The fast one is store/event-scanner.ts; the two tell the same.

import { BROKEN, CUT, skipSpace } from './json-scan.ts'
import { RawEvent } from './raw-event.ts'

/** The list of events was closed. */
export const ENDED = 1

/** Told for each event; the same object each time, so what shall be kept must be copied. */
export type OnEvent = (event: RawEvent) => void

export interface EventWalker {
  /** Where bytes must stand to be walked; null = they may stand anywhere. */
  readonly window: Uint8Array | null
  /** Bytes of a window that are put in at once. */
  readonly pieceBytes: number
  /** Events, and records of another kind, since `beginFile`. */
  readonly events: number
  readonly others: number
  /** Where `walk` stopped: behind the last event, or at the one that is not whole or broken. */
  readonly at: number
  beginFile(): void
  /**
   * Walks events from `from` to `to`, in a list or one after the other.
   *
   * - `CUT` (-1): no event is whole from `at` on
   * - `BROKEN` (-2): what stands at `at` is no event
   * - `ENDED` (1): the list was closed before `at`
   */
  walk(bytes: Uint8Array, from: number, to: number, isList: boolean): number
}

const OPEN_BRACE = 0x7b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

export class PlainWalker implements EventWalker {
  readonly window = null
  readonly pieceBytes = Number.POSITIVE_INFINITY
  events = 0
  others = 0
  at = 0
  readonly #onEvent: OnEvent
  readonly #event = new RawEvent()

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  beginFile(): void {
    this.events = 0
    this.others = 0
  }

  walk(bytes: Uint8Array, from: number, to: number, isList: boolean): number {
    const within = to === bytes.length ? bytes : bytes.subarray(0, to)
    this.at = from
    for (;;) {
      let at = skipSpace(within, this.at)
      if (at >= to) {
        if (!isList) this.at = at
        return CUT
      }
      const code = within[at]
      if (code === COMMA) at = skipSpace(within, at + 1)
      else if (code === CLOSE_BRACKET && isList) {
        this.at = at + 1
        return ENDED
      }
      if (at >= to) {
        if (!isList) this.at = at
        return CUT
      }
      if (within[at] !== OPEN_BRACE) {
        this.at = at
        return BROKEN
      }
      const end = this.#event.read(within, at)
      if (end < 0) return end
      this.at = end
      if (this.#event.has('eventName')) {
        this.events++
        this.#onEvent(this.#event)
      } else this.others++
    }
  }
}

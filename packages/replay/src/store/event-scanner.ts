// The fast way from bytes to rows: the scanner of packages/replay/scanner, built for WebAssembly, knows again what
// it met before, and asks the gatherer about what is new or odd. What both make of an event is the same.

import { readFileSync } from 'node:fs'
import { ENDED, type EventWalker } from '../trail/event-walker.ts'
import { BROKEN, CUT } from '../trail/json-scan.ts'
import { RawEvent } from '../trail/raw-event.ts'
import type { Gatherer } from './gatherer.ts'
import { ROW_WORDS, WHO } from './row.ts'
import { PIECE_BYTES, type ScannerMemory, scannerMemory, scannerSeed } from './scanner-memory.ts'
import { type WasmGlobal, wasm } from './web-assembly.ts'

const WASM = new URL('../../data/event-scanner.wasm', import.meta.url)

/** What the scanner met. Source: packages/replay/scanner/event-scanner.ts. */
const MET = {
  full: 1,
  ended: 2,
  odd: 3,
  who: 4,
  call: 5,
  look: 6,
  agent: 7,
  error: 8,
} as const

interface Scanner {
  readonly at: WasmGlobal
  readonly eventAt: WasmGlobal
  readonly count: WasmGlobal
  readonly events: WasmGlobal
  readonly others: WasmGlobal
  readonly isSplit: WasmGlobal
  setUp(list: number, seed: bigint): void
  beginFile(): void
  open(from: number, to: number, isList: number, isSplitting: number): void
  next(): number
  skim(): number
  answer(value: number, more: number): void
  step(events: number, others: number): void
  setCount(count: number): void
}

let compiled: object | undefined

export class EventScanner implements EventWalker {
  readonly window: Uint8Array
  readonly pieceBytes = PIECE_BYTES
  readonly #gatherer: Gatherer
  readonly #memory: ScannerMemory
  readonly #scanner: Scanner
  readonly #bytes: Uint8Array
  /** The event that the scanner speaks of. */
  readonly #event: RawEvent
  readonly #accounts = new Map<string, number>()

  constructor(gatherer: Gatherer) {
    this.#gatherer = gatherer
    this.#memory = scannerMemory()
    const { memory, list, places, rows, windowAt, windowBytes } = this.#memory
    compiled ??= new wasm.Module(readFileSync(WASM))
    const { exports } = new wasm.Instance(compiled, { env: { memory } })
    this.#scanner = exports as Scanner
    this.#scanner.setUp(list, scannerSeed())
    this.#bytes = new Uint8Array(memory.buffer)
    this.window = this.#bytes.subarray(windowAt, windowAt + windowBytes)
    this.#event = new RawEvent(places)
    this.#event.bytes = this.#bytes
    gatherer.share(rows)
  }

  get events(): number {
    return this.#scanner.events.value
  }

  get others(): number {
    return this.#scanner.others.value
  }

  get at(): number {
    return this.#scanner.at.value - this.#memory.windowAt
  }

  beginFile(): void {
    this.#scanner.beginFile()
  }

  /** As `walk`, but nothing is made of the events: what the rest is measured against. */
  skim(_: Uint8Array, from: number, to: number, isList: boolean): number {
    this.#open(from, to, isList)
    const met = this.#scanner.skim()
    return met === MET.ended ? ENDED : met
  }

  #open(from: number, to: number, isList: boolean): void {
    const { windowAt } = this.#memory
    const isSplitting = this.#gatherer.isSplitting ? 1 : 0
    this.#scanner.open(windowAt + from, windowAt + to, isList ? 1 : 0, isSplitting)
  }

  walk(_: Uint8Array, from: number, to: number, isList: boolean): number {
    const { windowAt } = this.#memory
    const scanner = this.#scanner
    this.#open(from, to, isList)
    for (;;) {
      const met = scanner.next()
      if (met === CUT || met === BROKEN) return met
      if (met === MET.ended) return ENDED
      if (met === MET.full) this.flush()
      else if (met === MET.odd) this.#odd(windowAt + to)
      else this.#answer(met)
    }
  }

  /** Hands on the rows that are there. */
  flush(): void {
    this.#gatherer.count = this.#scanner.count.value
    this.#gatherer.flush()
    this.#scanner.setCount(0)
  }

  #answer(met: number): void {
    const event = this.#event
    const gatherer = this.#gatherer
    const scanner = this.#scanner
    switch (met) {
      case MET.who: {
        const id = gatherer.newWho(event)
        const { account, service } = gatherer.who(id)
        scanner.answer(id, this.#accountNumber(account) * 2 + (service === '' ? 0 : 1))
        return
      }
      case MET.call: {
        const row = scanner.count.value * ROW_WORDS
        const { account } = gatherer.who(this.#memory.rows[row + WHO] as number)
        scanner.answer(gatherer.newCall(event, account, scanner.isSplit.value === 1), 0)
        return
      }
      case MET.look:
        scanner.answer(gatherer.isLook(event) ? 1 : 0, 0)
        return
      case MET.agent:
        scanner.answer(gatherer.newAgent(event), 0)
        return
      case MET.error:
        scanner.answer(gatherer.errorFlags(event), 0)
        return
      default:
        throw new Error('the scanner met what nobody knows')
    }
  }

  /** An event that is read in the plain way: it is no other for that. */
  #odd(end: number): void {
    const event = new RawEvent()
    event.read(this.#bytes.subarray(0, end), this.#scanner.eventAt.value)
    if (!event.has('eventName')) {
      this.#scanner.step(0, 1)
      return
    }
    this.#gatherer.count = this.#scanner.count.value
    this.#gatherer.take(event)
    this.#scanner.setCount(this.#gatherer.count)
    this.#scanner.step(1, 0)
  }

  #accountNumber(account: string): number {
    const known = this.#accounts.get(account)
    if (known !== undefined) return known
    this.#accounts.set(account, this.#accounts.size)
    return this.#accounts.size - 1
  }
}

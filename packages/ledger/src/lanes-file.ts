// The module of data/sha256-lanes.wasm for Node, beside node:crypto's SHA-256: many messages go the way that was the
// faster one here for messages of their length. A processor that has instructions for SHA-256 is faster with long ones.

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Messages, Sha256Many } from './primitives.ts'
import { sha256Lanes } from './sha256-lanes.ts'

const WASM = new URL('../data/sha256-lanes.wasm', import.meta.url)
const HASH_BYTES = 32

/** Until then V8 may still be making the module's code fast. */
const WARM_MS = 200
/** So few messages leave lanes empty. */
const COUNT_MIN = 3
/** Fewer than this tell nothing of time. */
const TRIED_COUNT_MIN = 16
const TRIALS = 9

let lanes: Sha256Many | null | undefined

/** One for each thread; undefined where the module cannot be used. */
export function laneHashing(): Sha256Many | undefined {
  lanes ??= loaded()
  return lanes ?? undefined
}

function loaded(): Sha256Many | null {
  try {
    const found = sha256Lanes(readFileSync(WASM))
    return found === undefined ? null : new FasterWay(found, oneByOne)
  } catch {
    return null // node:crypto hashes one by one
  }
}

type Way = (messages: Messages, output: Uint8Array) => void

/** Whether lanes are the faster way for messages of about one length: the way that won more trials. */
interface Trials {
  count: number
  won: number
}

/** Goes the one way or the other. Where both were gone and differ, it throws: one of them is broken. */
export class FasterWay implements Sha256Many {
  readonly #lanes: Sha256Many
  readonly #single: Way
  readonly #now: () => number
  /** By the length of messages, halved until nothing is left. */
  readonly #trials: Trials[] = Array.from({ length: 32 }, () => ({ count: 0, won: 0 }))
  #beganMs: number | null = null

  constructor(lanes: Sha256Many, single: Way, now = () => performance.now()) {
    this.#lanes = lanes
    this.#single = single
    this.#now = now
  }

  hash(messages: Messages, output: Uint8Array): void {
    const { count, starts, ends } = messages
    const bytes = (ends[count - 1] ?? 0) - (starts[0] ?? 0)
    const trials = this.#trials[32 - Math.clz32(bytes / count)]
    const isKnown = trials === undefined || trials.count === TRIALS
    if (count < COUNT_MIN) this.#single(messages, output)
    else if (!isKnown && count >= TRIED_COUNT_MIN && this.#isWarm()) {
      this.#try(messages, output, trials)
    } else if (isKnown && trials && 2 * trials.won < TRIALS) this.#single(messages, output)
    else this.#lanes.hash(messages, output)
  }

  #isWarm(): boolean {
    const nowMs = this.#now()
    this.#beganMs ??= nowMs
    return nowMs - this.#beganMs >= WARM_MS
  }

  #try(messages: Messages, output: Uint8Array, trials: Trials): void {
    const other = new Uint8Array(HASH_BYTES * messages.count)
    const begun = this.#now()
    this.#lanes.hash(messages, output)
    const between = this.#now()
    this.#single(messages, other)
    const ended = this.#now()
    if (Buffer.compare(output.subarray(0, other.length), other) !== 0) {
      throw new Error('two ways to compute SHA-256 differ')
    }
    trials.count += 1
    if (between - begun <= ended - between) trials.won += 1
  }

  /** Nodes have 65 bytes: a call for each costs more than to hash it. */
  climb(hashes: Uint8Array, count: number): void {
    this.#lanes.climb(hashes, count)
  }
}

/** Each by a call of node:crypto. */
export const oneByOne: Way = ({ bytes, starts, ends, count, prefix }, output) => {
  const target = Buffer.from(output.buffer, output.byteOffset, output.length)
  for (let index = 0; index < count; index++) {
    const start = starts[index] ?? 0
    const digest = digestOf(bytes, start, ends[index] ?? 0, prefix)
    target.write(digest, HASH_BYTES * index, 'latin1')
  }
}

function digestOf(bytes: Uint8Array, start: number, end: number, prefix: number | null): string {
  if (prefix === null) return hash('sha256', bytes.subarray(start, end), 'binary')
  const before = bytes[start - 1] ?? 0
  bytes[start - 1] = prefix
  const digest = hash('sha256', bytes.subarray(start - 1, end), 'binary')
  bytes[start - 1] = before
  return digest
}

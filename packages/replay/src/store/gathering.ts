// Puts together what the readers of a trail's files hand on, and makes the store of it. It knows no threads and
// opens no file: under Node they are workers (scan.ts), in a browser one worker reads alone.

import type { TrailFile } from '../trail/trail-files.ts'
import { CallBook } from './call-book.ts'
import { likesOf } from './likes.ts'
import { type Ordered, ordered } from './ordered.ts'
import { AGENT, CALL, type Chunk, FLAGS, LINK, ROW_WORDS, WHO } from './row.ts'
import { Spool } from './spool.ts'
import { Texts } from './texts.ts'
import type { FileFaultFound, ScanFacts, TrailStore } from './trail-store.ts'

/** Faults of files that are listed; the rest is counted. */
export const FAULTS_LISTED_MAX = 200

export interface Progress {
  readonly files: number
  readonly filesDone: number
  readonly bytes: number
  readonly bytesDone: number
  readonly events: number
}

export interface GatherOptions {
  readonly onProgress?: (progress: Progress) => void
  /** Rows kept in memory before they go to a file. */
  readonly memoryRowsMax?: number
  /** Distinct calls kept apart. */
  readonly callsMax?: number
}

/** What came of one file, by its place in the input. */
export interface FileRead {
  readonly index: number
  readonly events: number
  readonly others: number
  readonly fault: string | null
  readonly brokenLines: number
}

export interface TrailInput {
  readonly files: readonly TrailFile[]
  /** Digest and insight files that were left out by name. */
  readonly leftOut: number
}

/** What the files of a trail give, put together. */
export class Gathering {
  readonly spool: Spool
  readonly #files: readonly TrailFile[]
  readonly #leftOut: number
  readonly #onProgress: ((progress: Progress) => void) | undefined
  readonly #calls: CallBook
  readonly #whos = new Texts()
  readonly #agents = new Texts()
  readonly #tags = new Map<string, string>()
  readonly #faults: FileFaultFound[] = []
  readonly #bytes: number
  #filesDone = 0
  #bytesDone = 0
  #events = 0
  #others = 0
  #moreFaults = 0
  #brokenLines = 0
  #widened = 0

  constructor({ files, leftOut }: TrailInput, options: GatherOptions = {}) {
    this.#calls = new CallBook(options.callsMax)
    // The largest first would be even; in the order of time the rows of a slice lie together.
    this.#files = files
    this.#leftOut = leftOut
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#onProgress = options.onProgress
    this.spool = new Spool(options.memoryRowsMax)
  }

  /** Operations that must be read whole after all. */
  get mistaken(): string[] {
    return [...this.#calls.mistaken]
  }

  /** A file was read to its end. */
  read({ index, events, others, fault, brokenLines }: FileRead): void {
    const file = this.#files[index] as TrailFile
    this.#filesDone++
    this.#bytesDone += file.bytes
    this.#events += events
    this.#others += others
    this.#brokenLines += brokenLines
    if (fault !== null) {
      const found = { path: file.path, fault, events, brokenLines }
      if (this.#faults.length < FAULTS_LISTED_MAX) this.#faults.push(found)
      else this.#moreFaults++
    }
    this.#onProgress?.({
      files: this.#files.length,
      filesDone: this.#filesDone,
      bytes: this.#bytes,
      bytesDone: this.#bytesDone,
      events: this.#events,
    })
  }

  /** Awaited before `take` where it is a promise: what describes the calls of the chunk is loaded. */
  ready(chunk: Chunk): Promise<void> | undefined {
    return this.#calls.readyFor(chunk.calls)
  }

  /** Rows of one reader; `own` is that reader's and nobody else's. */
  take(chunk: Chunk, own: Numbers): void {
    for (const call of chunk.calls) own.calls.push(this.#calls.idOf(call))
    for (const text of chunk.whos) own.whos.push(this.#whos.idOf(text))
    for (const text of chunk.agents) own.agents.push(this.#agents.idOf(text))
    for (const [session, agent] of chunk.tags) this.#tags.set(session, agent)
    const { rows, count } = chunk
    for (let at = 0; at < count * ROW_WORDS; at += ROW_WORDS) {
      const call = own.calls[rows[at + CALL] as number] as number
      const isLink = ((rows[at + FLAGS] as number) & LINK.is) !== 0
      if (!isLink && this.#calls.isWide(call)) this.#widened++
      rows[at + CALL] = call
      rows[at + WHO] = own.whos[rows[at + WHO] as number] as number
      rows[at + AGENT] = own.agents[rows[at + AGENT] as number] as number
    }
    this.spool.add(rows, count)
  }

  store(sliceRowsMax?: number): TrailStore {
    const slices = this.spool.slices(sliceRowsMax)
    let unique = 0
    let withoutTime = 0
    let withoutId = 0
    let sharedCopies = 0
    const kept = slices.length === 1
    const found = slices.map((slice) => {
      const one = ordered(this.spool.rowsOf(slice))
      unique += one.columns.count
      withoutTime += one.withoutTime
      withoutId += one.withoutId
      sharedCopies += one.sharedCopies
      return kept ? one : null
    })
    const facts: ScanFacts = {
      files: this.#files.length,
      bytes: this.#bytes,
      events: this.#events,
      unique,
      otherRecords: this.#others,
      leftOut: this.#leftOut,
      faults: this.#faults.sort((a, b) => (a.path < b.path ? -1 : 1)),
      moreFaults: this.#moreFaults,
      brokenLines: this.#brokenLines,
      sharedCopies,
      withoutTime,
      withoutId,
      widened: this.#widened,
    }
    const calls = this.#calls.texts
    return {
      facts,
      calls,
      likes: likesOf(calls),
      whos: this.#whos.all(),
      agents: this.#agents.all(),
      tags: this.#tags,
      slices: slices.map((slice, index) => () => {
        const one: Ordered | null = found[index] ?? null
        return (one ?? ordered(this.spool.rowsOf(slice))).columns
      }),
    }
  }
}

/** A reader's numbers of texts to those of all. */
export class Numbers {
  readonly calls: number[] = []
  readonly whos: number[] = []
  readonly agents: number[] = []
}

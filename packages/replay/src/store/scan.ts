// Scans the files of a trail with a worker for each core and makes the store that policies are tried on.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { TrailFile } from '../trail/trail-files.ts'
import { CallBook } from './call-book.ts'
import { likesOf } from './likes.ts'
import { type Ordered, ordered } from './ordered.ts'
import { AGENT, CALL, type Chunk, ROW_WORDS, WHO } from './row.ts'
import type { FromScan, ToScan } from './scan-worker.ts'
import { Spool } from './spool.ts'
import { Texts } from './texts.ts'
import type { FileFaultFound, ScanFacts, TrailStore } from './trail-store.ts'

/** Faults of files that are listed; the rest is counted. */
export const FAULTS_LISTED_MAX = 200
export const WORKERS_MAX = 64
/** Files that a worker has been told of: it does not wait for the next one. */
const AHEAD = 3

export interface Progress {
  readonly files: number
  readonly filesDone: number
  readonly bytes: number
  readonly bytesDone: number
  readonly events: number
}

export interface ScanOptions {
  /** Left out: one for each core. */
  readonly workers?: number
  readonly onProgress?: (progress: Progress) => void
  /** Rows kept in memory before they go to a file. */
  readonly memoryRowsMax?: number
  readonly sliceRowsMax?: number
  /** Distinct calls kept apart. */
  readonly callsMax?: number
}

export interface TrailInput {
  readonly files: readonly TrailFile[]
  /** Digest and insight files that were left out by name. */
  readonly leftOut: number
}

/** Errors: what a worker died of. Files that cannot be read are among the facts instead. */
export async function scanTrail(
  input: TrailInput,
  options: ScanOptions = {},
): Promise<{ store: TrailStore; close: () => void }> {
  return scanWith(input, options, [])
}

/** `whole` are operations whose every parameter is looked at. */
async function scanWith(
  input: TrailInput,
  options: ScanOptions,
  whole: readonly string[],
): ReturnType<typeof scanTrail> {
  const gathering = new Gathering(input, options, whole)
  const wanted = options.workers ?? availableParallelism()
  const workers = Math.max(1, Math.min(wanted, input.files.length, WORKERS_MAX))
  try {
    await Promise.all(Array.from({ length: workers }, () => gathering.work()))
    const { mistaken } = gathering
    if (mistaken.length > 0) {
      gathering.spool.close()
      return await scanWith(input, options, [...whole, ...mistaken])
    }
    return { store: gathering.store(options.sliceRowsMax), close: () => gathering.spool.close() }
  } catch (cause) {
    gathering.spool.close()
    throw cause
  }
}

class Gathering {
  readonly spool: Spool
  readonly #files: readonly TrailFile[]
  readonly #leftOut: number
  readonly #onProgress: ((progress: Progress) => void) | undefined
  readonly #calls: CallBook
  readonly #whole: readonly string[]
  readonly #whos = new Texts()
  readonly #agents = new Texts()
  readonly #tags = new Map<string, string>()
  readonly #faults: FileFaultFound[] = []
  readonly #bytes: number
  #next = 0
  #filesDone = 0
  #bytesDone = 0
  #events = 0
  #others = 0
  #moreFaults = 0
  #widened = 0

  constructor({ files, leftOut }: TrailInput, options: ScanOptions, whole: readonly string[]) {
    this.#calls = new CallBook(options.callsMax)
    this.#whole = whole
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

  /** One worker until no file is left. */
  work(): Promise<void> {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./scan-worker.${extension}`, import.meta.url), {
      workerData: this.#whole,
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    })
    const own = new Numbers()
    let isEnded = false
    const ask = () => {
      if (isEnded) return
      const index = this.#next++
      const file = this.#files[index]
      isEnded = file === undefined
      worker.postMessage((file === undefined ? 'end' : { file, index }) satisfies ToScan)
    }
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('a worker of the scan ended before its work')))
      worker.on('message', (message: FromScan) => {
        if (message.is === 'chunk') this.#take(message.chunk, own)
        else if (message.is === 'done') resolve()
        else {
          this.#read(message)
          ask()
        }
      })
      for (let ahead = 0; ahead < AHEAD; ahead++) ask()
    }).finally(() => worker.terminate())
  }

  #read({ index, events, others, fault }: Extract<FromScan, { is: 'read' }>): void {
    const file = this.#files[index] as TrailFile
    this.#filesDone++
    this.#bytesDone += file.bytes
    this.#events += events
    this.#others += others
    if (fault !== null) {
      const found = { path: file.path, fault, events }
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

  #take(chunk: Chunk, own: Numbers): void {
    for (const call of chunk.calls) own.calls.push(this.#calls.idOf(call))
    for (const text of chunk.whos) own.whos.push(this.#whos.idOf(text))
    for (const text of chunk.agents) own.agents.push(this.#agents.idOf(text))
    for (const [session, agent] of chunk.tags) this.#tags.set(session, agent)
    const { rows, count } = chunk
    for (let at = 0; at < count * ROW_WORDS; at += ROW_WORDS) {
      const call = own.calls[rows[at + CALL] as number] as number
      if (this.#calls.isWide(call)) this.#widened++
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
    const kept = slices.length === 1
    const found = slices.map((slice) => {
      const one = ordered(this.spool.rowsOf(slice))
      unique += one.columns.count
      withoutTime += one.withoutTime
      withoutId += one.withoutId
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

/** A worker's numbers of texts to those of all. */
class Numbers {
  readonly calls: number[] = []
  readonly whos: number[] = []
  readonly agents: number[] = []
}

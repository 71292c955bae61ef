// Scans the files of a trail with a worker for each core and makes the store that policies are tried on.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import {
  Gathering,
  type GatherOptions,
  Numbers,
  type Progress,
  type TrailInput,
} from './gathering.ts'
import type { FromScan, ToScan } from './scan-worker.ts'
import type { TrailStore } from './trail-store.ts'

export type { Progress, TrailInput }

export const WORKERS_MAX = 64
/** Files that a worker has been told of: it does not wait for the next one. */
const AHEAD = 3

export interface ScanOptions extends GatherOptions {
  /** Left out: one for each core. */
  readonly workers?: number
  readonly sliceRowsMax?: number
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
  const gathering = new Gathering(input, options)
  const wanted = options.workers ?? availableParallelism()
  const workers = Math.max(1, Math.min(wanted, input.files.length, WORKERS_MAX))
  const asking = { files: input.files, next: 0 }
  try {
    await Promise.all(Array.from({ length: workers }, () => work(gathering, asking, whole)))
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

/** Which file is the next, for all workers. */
interface Asking {
  readonly files: TrailInput['files']
  next: number
}

/** One worker until no file is left. */
function work(gathering: Gathering, asking: Asking, whole: readonly string[]): Promise<void> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./scan-worker.${extension}`, import.meta.url), {
    workerData: whole,
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
  })
  const own = new Numbers()
  let isEnded = false
  const ask = () => {
    if (isEnded) return
    const index = asking.next++
    const file = asking.files[index]
    isEnded = file === undefined
    worker.postMessage((file === undefined ? 'end' : { file, index }) satisfies ToScan)
  }
  return new Promise<void>((resolve, reject) => {
    worker.once('error', reject)
    let isDone = false
    worker.once('exit', () => {
      if (!isDone) reject(new Error('a worker of the scan ended before its work'))
    })
    const handle = (message: FromScan) => {
      if (message.is === 'chunk') gathering.take(message.chunk, own)
      else if (message.is === 'done') resolve()
      else {
        gathering.read(message)
        ask()
      }
    }
    /** What is waited for, once anything was: messages keep their order. */
    let last: Promise<void> | undefined
    worker.on('message', (message: FromScan) => {
      // Nothing comes after it, and the worker ends by itself while others of its messages may wait.
      if (message.is === 'done') isDone = true
      const waits = message.is === 'chunk' ? gathering.ready(message.chunk) : undefined
      if (last === undefined && waits === undefined) handle(message)
      else {
        last = Promise.all([last, waits])
          .then(() => handle(message))
          .catch(reject)
      }
    })
    for (let ahead = 0; ahead < AHEAD; ahead++) ask()
  }).finally(() => worker.terminate())
}

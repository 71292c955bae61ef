// One worker over the files of a trail: asks for a file, reads it, hands on rows, asks for the next.

import { parentPort, workerData } from 'node:worker_threads'
import { type ReadFile, readTrailFile } from '../trail/read-trail-file.ts'
import { isS3, withObject } from '../trail/s3-trail.ts'
import type { TrailFile } from '../trail/trail-files.ts'
import { EventScanner } from './event-scanner.ts'
import { Gatherer } from './gatherer.ts'
import type { Chunk } from './row.ts'

/** To the worker: the next file with its number, or the end. */
export type ToScan = { readonly file: TrailFile; readonly index: number } | 'end'

export type FromScan =
  | { readonly is: 'chunk'; readonly chunk: Chunk }
  | {
      readonly is: 'read'
      readonly index: number
      readonly events: number
      readonly others: number
      readonly fault: string | null
      readonly brokenLines: number
    }
  | { readonly is: 'done' }

const port = parentPort
if (port !== null) {
  const readAny = async (file: TrailFile): Promise<ReadFile> => {
    if (!isS3(file.path)) return readTrailFile(file, scanner)
    try {
      const { bytes } = file
      return await withObject(file.path, (path) => readTrailFile({ path, bytes }, scanner))
    } catch {
      return { events: 0, others: 0, fault: 'unreadable', brokenLines: 0 } // the report names the object
    }
  }
  const gatherer = new Gatherer((chunk) => {
    const message: FromScan = { is: 'chunk', chunk }
    port.postMessage(message, [chunk.rows.buffer])
  }, workerData as string[])
  const scanner = new EventScanner(gatherer)
  const handle = async (asked: ToScan): Promise<void> => {
    if (asked === 'end') {
      scanner.flush()
      port.postMessage({ is: 'done' } satisfies FromScan)
      port.close()
      return
    }
    const read = await readAny(asked.file)
    port.postMessage({ is: 'read', index: asked.index, ...read } satisfies FromScan)
  }
  // One after the other, however many were sent ahead. What throws ends the worker, and so the scan.
  let last = Promise.resolve()
  port.on('message', (asked: ToScan) => {
    last = last.then(() => handle(asked))
  })
}

// One worker over the files of a trail: asks for a file, reads it, hands on rows, asks for the next.

import { parentPort } from 'node:worker_threads'
import { readTrailFile } from '../trail/read-trail-file.ts'
import type { TrailFile } from '../trail/trail-files.ts'
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
    }
  | { readonly is: 'done' }

const port = parentPort
if (port !== null) {
  const gatherer = new Gatherer((chunk) => {
    const message: FromScan = { is: 'chunk', chunk }
    port.postMessage(message, [chunk.rows.buffer])
  })
  port.on('message', async (asked: ToScan) => {
    if (asked === 'end') {
      gatherer.flush()
      port.postMessage({ is: 'done' } satisfies FromScan)
      port.close()
      return
    }
    const read = await readTrailFile(asked.file, gatherer.take)
    port.postMessage({ is: 'read', index: asked.index, ...read } satisfies FromScan)
  })
}

// What replay is measured against, in a worker of the same kind: files inflated alone, inflated and parsed, or
// inflated and walked by replay's own scanner with nothing made of what it finds.
import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { PlainWalker } from '@seconder/replay/trail/event-walker'
import { readTrailFile } from '@seconder/replay/trail/read-trail-file'
import type { TrailFile } from '@seconder/replay/trail/trail-files'

export type Reading = 'gunzip' | 'parse' | 'scan'

export interface ReadingWork {
  readonly reading: Reading
  readonly files: readonly TrailFile[]
}

const { reading, files } = workerData as ReadingWork

const walker = new PlainWalker(() => undefined)

async function eventsOf(file: TrailFile): Promise<number> {
  if (reading === 'scan') return (await readTrailFile(file, walker)).events
  const plain = gunzipSync(readFileSync(file.path))
  if (reading === 'gunzip') return 0
  // The trails are ASCII: latin1 is the fastest way to a text.
  return (JSON.parse(plain.toString('latin1')) as { Records: unknown[] }).Records.length
}

let events = 0
for (const file of files) events += await eventsOf(file)
parentPort?.postMessage(events)

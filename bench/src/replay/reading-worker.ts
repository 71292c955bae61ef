// What replay is measured against, in a worker of the same kind: files inflated alone, inflated and parsed, or
// inflated and walked with nothing made of what is found, by replay's own scanner or in JavaScript.
import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { EventScanner } from '@seconder/replay/store/event-scanner'
import { Gatherer } from '@seconder/replay/store/gatherer'
import { type EventWalker, PlainWalker } from '@seconder/replay/trail/event-walker'
import { readTrailFile } from '@seconder/replay/trail/read-trail-file'
import type { TrailFile } from '@seconder/replay/trail/trail-files'

export type Reading = 'gunzip' | 'parse' | 'scan' | 'plain'

export interface ReadingWork {
  readonly reading: Reading
  readonly files: readonly TrailFile[]
}

const { reading, files } = workerData as ReadingWork

class Skimmer extends EventScanner {
  override walk(bytes: Uint8Array, from: number, to: number, isList: boolean): number {
    return this.skim(bytes, from, to, isList)
  }
}

const walker: EventWalker =
  reading === 'scan' ? new Skimmer(new Gatherer(() => undefined)) : new PlainWalker(() => undefined)

async function eventsOf(file: TrailFile): Promise<number> {
  if (reading === 'scan' || reading === 'plain') return (await readTrailFile(file, walker)).events
  const plain = gunzipSync(readFileSync(file.path))
  if (reading === 'gunzip') return 0
  // The trails are ASCII: latin1 is the fastest way to a text.
  return (JSON.parse(plain.toString('latin1')) as { Records: unknown[] }).Records.length
}

let events = 0
for (const file of files) events += await eventsOf(file)
parentPort?.postMessage(events)

// Publishes the segments of a ledger in a thread of its own: making, syncing and naming some hundred files for each
// would take more of the writer's thread than all else that it does. No entry is sent there: the thread reads the
// journal file, as recovery does.
//
// INVARIANT: one right edge. From its start until the ledger is closed the thread publishes everything. When it fails
// or ends, nothing else goes on in its place: the ledger stops, and its next opening repairs what a crash leaves
// (publication.ts).

import { Worker } from 'node:worker_threads'
import type { Publication } from './publication.ts'
import type { HandedSegment, PublisherStart, PublishFailure } from './publisher-worker.ts'
import type { Segment } from './segment.ts'
import type { SegmentPublisher } from './segment-publisher.ts'

/** Goes on from what was published by `publication`, which is of no use from then on. */
export class PublisherThread implements SegmentPublisher {
  readonly segmentsMax = 2
  readonly #worker: Worker
  readonly #size = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT))
  /** For each segment that was handed over, oldest first. */
  readonly #waiting: PromiseWithResolvers<void>[] = []
  #ended: Error | null = null

  constructor(directory: string, { checkpoint, olderSize }: Publication) {
    Atomics.store(this.#size, 0, BigInt(checkpoint.size))
    const workerData: PublisherStart = { directory, checkpoint, olderSize, size: this.#size }
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./publisher-worker.${extension}`, import.meta.url), {
      workerData,
    })
    // While it has nothing to do, the process may end.
    this.#worker.unref()
    this.#worker.on('message', (failure: PublishFailure | null) => this.#answered(failure))
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('the thread that publishes ended')))
  }

  /** Written by the thread before it removes anything that only an older size needs. */
  get size(): number {
    return Number(Atomics.load(this.#size, 0))
  }

  async publish({ firstIndex, checkpoint }: Segment): Promise<void> {
    if (this.#ended !== null) throw this.#ended
    const answer = Promise.withResolvers<void>()
    this.#waiting.push(answer)
    this.#worker.ref()
    const handed: HandedSegment = { firstIndex, checkpoint }
    this.#worker.postMessage(handed)
    await answer.promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #answered(failure: PublishFailure | null): void {
    if (failure !== null) {
      this.#end(Object.assign(new Error(failure.message), failure))
      this.close().catch(() => undefined)
      return
    }
    this.#waiting.shift()?.resolve()
    if (this.#waiting.length === 0) this.#worker.unref()
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
  }
}

/**
 * Publishes in this thread until a segment is full, which is what load makes, and from then on in another. A ledger
 * whose segments are published because time passed has no thread.
 */
export function publisherUnderLoad(directory: string, publication: Publication): SegmentPublisher {
  let current: SegmentPublisher = publication
  return {
    get size() {
      return current.size
    },
    get segmentsMax() {
      return current.segmentsMax
    },
    publish(segment) {
      // As long as it is the publication, it has published all that it was given.
      if (current === publication && segment.isFull) {
        current = new PublisherThread(directory, publication)
      }
      return current.publish(segment)
    },
    close: () => current.close(),
  }
}

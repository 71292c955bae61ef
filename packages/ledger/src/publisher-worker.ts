// The thread that publishes for a writer (publisher-thread.ts). It is told which journal file, and the checkpoint at
// its end; it reads the entries from that file and hashes them again, so that it places nothing but what leads to
// the root that was signed when they were acknowledged. It holds no key, and takes no lock: the writer has it.

import { parentPort, workerData } from 'node:worker_threads'
import { sameBytes } from './bytes.ts'
import type { SignedCheckpoint } from './checkpoint.ts'
import { nodeFiles } from './files.ts'
import { corrupt, LogReader } from './log-reader.ts'
import { nodePrimitives } from './node.ts'
import { Placement, Publication } from './publication.ts'
import { growTree, Segment } from './segment.ts'
import type { CompactRange } from './tree.ts'

export interface PublisherStart {
  readonly directory: string
  /** The published checkpoint, and the size that was published before it. */
  readonly checkpoint: SignedCheckpoint
  readonly olderSize: number
  /** Shared with the writer: the size that is published. */
  readonly size: BigInt64Array
}

/** A segment whose journal file is to be published. */
export interface HandedSegment {
  readonly firstIndex: number
  /** The checkpoint after its last entry, as it was signed and acknowledged. */
  readonly checkpoint: SignedCheckpoint
}

/** Why a segment was not published; the answer is null where it was. */
export interface PublishFailure {
  readonly message: string
  readonly code?: string
}

const { directory, checkpoint, olderSize, size } = workerData as PublisherStart
const files = nodeFiles()
const reader = new LogReader(files, directory, nodePrimitives)
let begun: Promise<{ tree: CompactRange; publication: Publication }> | null = null
let shown: Promise<unknown> = Promise.resolve()
let forgotten: Promise<unknown> = Promise.resolve()

async function begin() {
  const { tree, edge } = await reader.edge(checkpoint)
  // The writer places payloads at the same time.
  const placement = new Placement(files, directory, 'thread-')
  const published = { checkpoint, edge, olderSize }
  return { tree, publication: new Publication(files, directory, placement, published) }
}

/** One after another. While the journal file of one is removed, which is waiting, the next is placed. */
async function publish(handed: HandedSegment): Promise<void> {
  begun ??= begin()
  const { tree, publication } = await begun
  const showing = shown.then(async () => {
    const segment = await acknowledged(handed, tree)
    await publication.show(segment, () => Atomics.store(size, 0, BigInt(publication.size)))
    return segment
  })
  shown = showing
  const forgetting = Promise.all([showing, forgotten]).then(([segment]) =>
    publication.forget(segment),
  )
  forgotten = forgetting
  await forgetting
}

async function acknowledged(handed: HandedSegment, tree: CompactRange): Promise<Segment> {
  const segment = new Segment(handed.firstIndex)
  const { records, unfinishedBytes } = await reader.journal(handed.firstIndex)
  for (const record of records) {
    segment.add(record, growTree(tree, record.leafHashes, nodePrimitives.many), handed.checkpoint)
  }
  const isWhole = unfinishedBytes === 0 && tree.size === handed.checkpoint.size
  if (!isWhole || !sameBytes(tree.root(), handed.checkpoint.rootHash)) {
    throw corrupt(segment.path, 'its entries are not those that were acknowledged')
  }
  return segment
}

function failureOf(error: unknown): PublishFailure {
  if (!(error instanceof Error)) return { message: 'publishing failed' }
  const { message } = error
  return 'code' in error ? { message, code: String(error.code) } : { message }
}

parentPort?.on('message', (handed: HandedSegment) => {
  publish(handed).then(
    () => parentPort?.postMessage(null),
    (error: unknown) => parentPort?.postMessage(failureOf(error)),
  )
})

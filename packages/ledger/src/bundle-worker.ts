// A thread that reads and hashes runs of full bundles for the verifier of a directory. It answers with the
// roots of those that are as they should be, and says of no other why.

import { parentPort, workerData } from 'node:worker_threads'
import { BundleReader } from './bundle-reader.ts'
import { HASH_BYTES } from './tree.ts'

export interface BundleRun {
  readonly first: number
  readonly count: number
}

export interface RunAnswer {
  readonly first: number
  /** 32 bytes a bundle. */
  readonly roots: Uint8Array
  /** 1 where the bundle is plain. */
  readonly plain: Uint8Array
  /** The bytes of the plain bundles, where entries are wanted. */
  readonly bytes: readonly (Uint8Array | null)[]
}

const { directory, wantsEntries } = workerData as { directory: string; wantsEntries: boolean }
const reader = new BundleReader(directory, wantsEntries)

function answer({ first, count }: BundleRun): RunAnswer {
  const roots = new Uint8Array(count * HASH_BYTES)
  const plain = new Uint8Array(count)
  const bytes: (Uint8Array | null)[] = []
  for (let position = 0; position < count; position++) {
    const found = reader.at(first + position)
    bytes.push(found?.bytes ?? null)
    if (found === null) continue
    roots.set(found.root, position * HASH_BYTES)
    plain[position] = 1
  }
  return { first, roots, plain, bytes }
}

parentPort?.on('message', (run: BundleRun) => {
  const answered = answer(run)
  const moved = answered.bytes.flatMap((bytes) => (bytes ? [bytes.buffer as ArrayBuffer] : []))
  parentPort?.postMessage(answered, moved)
})

// Plain bundles of a directory, read and hashed ahead by threads: runs of bundles are handed out in order,
// so many at a time that no thread waits and memory stays what a few runs take.

import { Worker } from 'node:worker_threads'
import type { BundleRun, RunAnswer } from './bundle-worker.ts'
import type { PlainBundle, PlainBundles } from './plain-bundles.ts'
import { HASH_BYTES } from './tree.ts'

/** Bundles of one run: of entries of a kilobyte they are 8 MiB. */
const RUN_BUNDLES = 32
/** Runs under way for each thread. */
const RUNS_AHEAD = 2
/** Fewer bundles than this are hashed before a thread has started. */
export const THREADED_BUNDLES_MIN = 1_024

/** Threads that read `directory`. A thread that dies leaves its bundles to the caller's other way. */
export function bundleThreads(
  directory: string,
  { bundles, wantsEntries }: { bundles: number; wantsEntries: boolean },
  threads: number,
): PlainBundles {
  const started = Array.from({ length: threads }, () => new Thread({ directory, wantsEntries }))
  const waiting = new Map<number, Promise<RunAnswer | null>>()
  let handedOut = 0
  let current: RunAnswer | null = null

  function handOut(): void {
    while (handedOut * RUN_BUNDLES < bundles && waiting.size < threads * RUNS_AHEAD) {
      const first = handedOut * RUN_BUNDLES
      const run = { first, count: Math.min(RUN_BUNDLES, bundles - first) }
      const thread = started[handedOut % threads]
      waiting.set(first, thread?.answer(run) ?? Promise.resolve(null))
      handedOut += 1
    }
  }

  return {
    async at(index) {
      const first = index - (index % RUN_BUNDLES)
      if (current?.first !== first) {
        handOut()
        current = (await waiting.get(first)) ?? null
        waiting.delete(first)
        handOut()
      }
      return current?.first === first ? bundleOf(current, index - first) : null
    },
    close() {
      for (const thread of started) thread.end()
    },
  }
}

class Thread {
  readonly #worker: Worker
  readonly #asked = new Map<number, (answer: RunAnswer | null) => void>()
  #isEnded = false

  constructor(workerData: { directory: string; wantsEntries: boolean }) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./bundle-worker.${extension}`, import.meta.url), {
      workerData,
    })
    this.#worker.on('message', (answer: RunAnswer) => {
      this.#asked.get(answer.first)?.(answer)
      this.#asked.delete(answer.first)
    })
    this.#worker.on('error', () => this.#die())
    this.#worker.on('exit', () => this.#die())
  }

  answer(run: BundleRun): Promise<RunAnswer | null> {
    if (this.#isEnded) return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#asked.set(run.first, resolve)
      this.#worker.postMessage(run)
    })
  }

  /** What nobody will answer any more is not plain: the walk reads it itself. */
  #die(): void {
    this.#isEnded = true
    for (const resolve of this.#asked.values()) resolve(null)
    this.#asked.clear()
  }

  end(): void {
    this.#worker.terminate().catch(() => undefined)
  }
}

function bundleOf({ roots, plain, bytes }: RunAnswer, position: number): PlainBundle | null {
  if (plain[position] !== 1) return null
  const root = roots.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES)
  return { root, bytes: bytes[position] ?? null }
}

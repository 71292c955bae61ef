// Publishes the ledger's checkpoint to places that the gate's host does not rule: a file on another disk, a
// git repository. A place is never overwritten by what does not go on from what is there: then older or other
// files were put in the ledger's place, and the anchor is what shows it.
import { execFile } from 'node:child_process'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { proveConsistency } from '@seconder/ledger/consistency'
import { LedgerError } from '@seconder/ledger/errors'
import { CHECKPOINT_FILE } from '@seconder/ledger/layout'
import { nodePrimitives } from '@seconder/ledger/node'
import { NOTE_CHARACTERS_MAX } from '@seconder/ledger/note'
import type { AnchorRow } from './record-config.ts'
import type { Recorder } from './recorder.ts'

/** A checkpoint is published this long after an entry, in milliseconds. */
const EVERY_MS = 60_000
const GIT_MS_MAX = 30_000
/** The file in a git repository. */
const GIT_FILE = 'checkpoint'

/** A place that keeps one note. */
export interface Anchor {
  /** How people know it. */
  readonly name: string
  /** What is there; null where nothing is. */
  read(): Promise<string | null>
  /** Replaces `before`, which is what was read. */
  write(note: string, before: string | null): Promise<void>
  /** Ends what an earlier `write` left half done, where nothing new is to be written; rejects where it cannot. */
  settled?(): Promise<void>
}

export interface AnchorsOptions {
  readonly directory: string
  readonly verifierKey: string
  readonly anchors: readonly Anchor[]
  readonly publish: () => Promise<void>
}

export class Anchors {
  readonly #options: AnchorsOptions
  /** What is wrong with each place, in words. */
  readonly #troubles = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: AnchorsOptions) {
    this.#options = options
  }

  notices(): string[] {
    return [...this.#troubles.values()]
  }

  /** Publishes soon after what is recorded; returns what ends that. */
  follow(recorder: Pick<Recorder, 'onRecorded'>): () => void {
    const end = recorder.onRecorded(() => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.publish().catch(() => undefined) // `notices` says what is wrong with a place
      }, EVERY_MS).unref()
    })
    return () => {
      end()
      clearTimeout(this.#timer)
    }
  }

  /** Publishes the checkpoint to every place; rejects only where the ledger itself cannot be read. */
  async publish(): Promise<void> {
    const { directory, anchors, publish } = this.#options
    await publish()
    const note = await readFile(join(directory, CHECKPOINT_FILE), 'utf8')
    for (const anchor of anchors) {
      try {
        await this.#publishTo(anchor, note)
        this.#troubles.delete(anchor.name)
      } catch (cause) {
        this.#troubles.set(anchor.name, troubleWords(anchor, cause))
      }
    }
  }

  async #publishTo(anchor: Anchor, note: string): Promise<void> {
    const before = await anchor.read()
    if (before === note) return anchor.settled?.()
    const { directory, verifierKey } = this.#options
    const read = (name: string) => contentOf(join(directory, name))
    if (before !== null) {
      await proveConsistency({ older: before, newer: note }, verifierKey, read, nodePrimitives)
    }
    await anchor.write(note, before)
  }
}

function troubleWords({ name }: Anchor, cause: unknown): string {
  if (!(cause instanceof LedgerError)) return `the checkpoint could not be published to ${name}`
  const { code, message } = cause
  if (code === 'size_invalid' || code === 'proof_invalid') {
    return `the ledger does not go on from the checkpoint in ${name}: older or other files were put in its place`
  }
  return `what is in ${name} is no checkpoint of this ledger (${message}), so nothing was published there`
}

export function anchorOf(row: AnchorRow): Anchor {
  return 'file' in row ? fileAnchor(row.file) : gitAnchor(row.git, row.push)
}

/** A file; it is replaced whole. */
export function fileAnchor(path: string): Anchor {
  return {
    name: path,
    async read() {
      const bytes = await contentOf(path)
      return bytes && noteOf(bytes)
    },
    async write(note) {
      const staged = `${path}.${process.pid}.new`
      await writeFile(staged, note, { mode: 0o644, flush: true })
      await rename(staged, path)
    },
  }
}

/** A git repository: a commit for each checkpoint, so that the history of them is there too. */
export function gitAnchor(folder: string, push: string | undefined): Anchor {
  const git = async (...args: string[]) => {
    const own = ['-C', folder, '-c', 'user.name=seconder', '-c', 'user.email=seconder@localhost']
    const options = { timeout: GIT_MS_MAX, maxBuffer: 4 * NOTE_CHARACTERS_MAX }
    return await promisify(execFile)('git', [...own, ...args], options)
  }
  let isPushed = true
  const pushed = async () => {
    if (push === undefined) return
    isPushed = false
    await git('push', '--quiet', push, 'HEAD')
    isPushed = true
  }
  return {
    name: folder,
    // A commit that could not be pushed is tried again, and told of until it is.
    settled: async () => (isPushed ? undefined : await pushed()),
    async read() {
      // No commit, or none with the file: nothing is there.
      const listed = await git('ls-tree', '--name-only', 'HEAD', '--', GIT_FILE).catch(async () => {
        await git('rev-parse', '--git-dir')
        return { stdout: '' }
      })
      if (listed.stdout === '') return null
      return (await git('show', `HEAD:${GIT_FILE}`)).stdout
    },
    async write(note) {
      await writeFile(join(folder, GIT_FILE), note)
      await git('add', '--', GIT_FILE)
      const [, size] = note.split('\n')
      await git('commit', '--quiet', '--no-verify', '-m', `checkpoint ${size}`, '--', GIT_FILE)
      await pushed()
    },
  }
}

function noteOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 4 * NOTE_CHARACTERS_MAX)).toString('utf8')
}

async function contentOf(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

// Publishes the ledger's checkpoint to places that the gate's host does not rule: a file on another disk, a
// git repository, a bucket. A place is never overwritten by what does not go on from what is there: then older or other
// files were put in the ledger's place, and the anchor is what shows it.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { proveConsistency } from '@seconder/ledger/consistency'
import { LedgerError } from '@seconder/ledger/errors'
import { CHECKPOINT_FILE } from '@seconder/ledger/layout'
import { nodePrimitives } from '@seconder/ledger/node'
import { NOTE_CHARACTERS_MAX } from '@seconder/ledger/note'
import type { PublishedFiles } from '../lib/published-files.ts'
import type { AnchorRow } from './record-config.ts'
import type { Recorder } from './recorder.ts'
import { noteOf, replacedFile } from './replaced-file.ts'
import { s3Anchor } from './s3-anchor.ts'

/** A checkpoint is published this long after an entry, in milliseconds. */
const EVERY_MS = 60_000
const GIT_MS_MAX = 30_000
/** The file in a git repository. */
const GIT_FILE = 'checkpoint'
/** How often it is begun anew where somebody else wrote to the place meanwhile: another gateway of the ledger. */
const TRIES = 3

/** A place that keeps one note. */
export interface Anchor {
  /** How people know it. */
  readonly name: string
  /** What is there; null where nothing is. */
  read(): Promise<string | null>
  /** Replaces `before`, which is what was read; rejects, with nothing done, where that is not there any more. */
  write(note: string, before: string | null): Promise<void>
  /** Ends what an earlier `write` left half done, where nothing new is to be written; rejects where it cannot. */
  settled?(): Promise<void>
}

export interface AnchorsOptions {
  readonly directory: string
  /** Where the ledger's files are instead of there. */
  readonly bucket?: PublishedFiles | null
  readonly verifierKey: string
  readonly anchors: readonly Anchor[]
  readonly publish: () => Promise<void>
}

export class Anchors {
  readonly #options: AnchorsOptions
  /** What is wrong with each place, in words. */
  readonly #troubles = new Map<string, string>()
  /** One after another: what read the checkpoint first may not write it last. */
  #publishing: Promise<void> = Promise.resolve()
  /** The next one, which everybody who asks meanwhile gets: it reads what they ask it to publish. */
  #next: Promise<void> | null = null
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
  publish(): Promise<void> {
    this.#next ??= this.#publishing.then(() => {
      this.#next = null
      const publishing = this.#publishAll()
      this.#publishing = publishing.catch(() => undefined) // told to whoever asked for it
      return publishing
    })
    return this.#next
  }

  async #publishAll(): Promise<void> {
    await this.#options.publish()
    // Where there is none to read, no place is to blame.
    await this.#checkpoint()
    for (const anchor of this.#options.anchors) {
      try {
        await this.#publishTo(anchor, 1)
        this.#troubles.delete(anchor.name)
      } catch (cause) {
        this.#troubles.set(anchor.name, troubleWords(anchor, cause))
      }
    }
  }

  #checkpoint(): Promise<string> {
    const { directory, bucket } = this.#options
    return bucket ? bucket.checkpoint() : readFile(join(directory, CHECKPOINT_FILE), 'utf8')
  }

  async #publishTo(anchor: Anchor, attempt: number): Promise<void> {
    // In this order: whatever another gateway published there, the files had it before.
    const before = await anchor.read()
    const note = await this.#checkpoint()
    if (before === note) return anchor.settled?.()
    const { directory, bucket, verifierKey } = this.#options
    const read = (name: string) => bucket?.read(name) ?? contentOf(join(directory, name))
    if (before !== null) {
      await proveConsistency({ older: before, newer: note }, verifierKey, read, nodePrimitives)
    }
    try {
      await anchor.write(note, before)
    } catch (cause) {
      const isOvertaken = attempt < TRIES && (await anchor.read()) !== before
      if (!isOvertaken) throw cause
      await this.#publishTo(anchor, attempt + 1)
    }
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
  if ('s3' in row) return s3Anchor({ ...row, address: row.s3 })
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
    async write(note, before) {
      if (!(await replacedFile(path, note, { before, mode: 0o644 }))) throw overtaken(path)
    },
  }
}

function overtaken(place: string): Error {
  return new Error(`something else was written to ${place} meanwhile`)
}

/** A git repository: a commit for each checkpoint, so that the history of them is there too. */
export function gitAnchor(folder: string, push: string | undefined): Anchor {
  const gitOf = (input: string, ...args: string[]) => {
    const own = ['-C', folder, '-c', 'user.name=seconder', '-c', 'user.email=seconder@localhost']
    const options = { timeout: GIT_MS_MAX, maxBuffer: 4 * NOTE_CHARACTERS_MAX }
    const running = promisify(execFile)('git', [...own, ...args], options)
    // Where git ends before it has read all, its own end says why.
    running.child.stdin?.on('error', () => undefined).end(input)
    return running
  }
  const git = (...args: string[]) => gitOf('', ...args)
  const idOf = async (input: string, ...args: string[]) =>
    (await gitOf(input, ...args)).stdout.trim()
  /** The file in this commit; null where there is none. */
  const contentAt = async (commit: string) => {
    const listed = await git('ls-tree', '--name-only', commit, '--', GIT_FILE)
    return listed.stdout === '' ? null : (await git('show', `${commit}:${GIT_FILE}`)).stdout
  }
  /** The commit that the branch is at; empty where it has none. */
  const head = async () => {
    await git('rev-parse', '--git-dir')
    return await idOf('', 'rev-parse', '--quiet', '--verify', 'HEAD').catch(() => '')
  }
  /** The tree of the commit with this file in it. */
  const treeWith = async (note: string, commit: string) => {
    const blob = await idOf(note, 'hash-object', '-w', '--stdin')
    const listed = commit === '' ? '' : (await git('ls-tree', '-z', commit)).stdout
    const others = listed.split('\0').filter((row) => row !== '' && !row.endsWith(`\t${GIT_FILE}`))
    const rows = [...others, `100644 blob ${blob}\t${GIT_FILE}`].map((row) => `${row}\0`).join('')
    return { blob, tree: await idOf(rows, 'mktree', '-z') }
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
      const commit = await head()
      return commit === '' ? null : await contentAt(commit)
    },
    async write(note, before) {
      const parent = await head()
      if ((parent === '' ? null : await contentAt(parent)) !== before) throw overtaken(folder)
      const { blob, tree } = await treeWith(note, parent)
      const [, size] = note.split('\n')
      const after = parent === '' ? [] : ['-p', parent]
      const commit = await idOf('', 'commit-tree', tree, ...after, '-m', `checkpoint ${size}`)
      isPushed = push === undefined
      // Git itself compares: the branch is only moved from the commit that was looked at.
      await git('update-ref', 'HEAD', commit, parent)
      // What people see in the folder; the commit is what counts.
      await git('update-index', '--add', '--cacheinfo', `100644,${blob},${GIT_FILE}`)
      await git('checkout-index', '--force', '--', GIT_FILE)
      await pushed()
    },
  }
}

async function contentOf(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

// The files of a ledger in a bucket of S3, behind the port that the local disk is behind. What is once written there
// stays what it is: a tile, a bundle or a payload is put where nothing is, and other bytes under its name are another
// past. The checkpoint alone is replaced, while it is what was looked at, and never by an older one: a publisher that
// was deposed loses there too. What is staged is in memory: an acknowledged entry is durable in the database.
import { basename, dirname } from 'node:path'
import { parseCheckpoint } from '@seconder/ledger/checkpoint'
import { LedgerError, quoted } from '@seconder/ledger/errors'
import type { Files, OpenFile } from '@seconder/ledger/files'
import { CHECKPOINT_FILE, ledgerFile } from '@seconder/ledger/layout'
import { parseNote } from '@seconder/ledger/note'
import { S3Error, type S3Objects } from '../lib/s3-objects.ts'

/** The directory of a ledger that is a bucket: names of the port are paths below it. */
export const S3_DIRECTORY = '/'

/** Files that cannot change, kept in memory, in bytes: entries are read one by one, and lie 256 to a file. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024
/** How often a write is begun anew where somebody else wrote or removed meanwhile. */
const TRIES = 4

export function s3Files(objects: S3Objects): Files {
  const staged = new Map<string, Uint8Array>()
  const kept = new KeptFiles(KEPT_BYTES_MAX)
  const nameOf = (path: string) => path.slice(S3_DIRECTORY.length)

  async function read(path: string, bytesMax: number): Promise<Uint8Array | null> {
    const name = nameOf(path)
    const known = kept.get(name)
    if (known !== undefined) return known
    const found = await objects.get(name, bytesMax).catch((cause: unknown) => {
      if (!(cause instanceof S3Error) || cause.code !== 'InvalidObject') throw cause
      throw new LedgerError('file_too_large', `${quoted(name)} has more than ${bytesMax} bytes`)
    })
    if (found !== null && ledgerFile(name).kind === 'tile') kept.set(name, found.bytes)
    return found === null ? null : found.bytes
  }

  return {
    lock() {
      throw new LedgerError('ledger_locked', 'a bucket cannot be locked: one database orders it')
    },
    makeDirectory: async () => undefined,
    syncDirectory: async () => undefined,
    removeEmptyDirectory: async () => undefined,
    read,
    async list(path) {
      const prefix = `${nameOf(path)}/`
      const names: string[] = []
      for await (const name of objects.names(prefix)) {
        if (dirname(name) === nameOf(path)) names.push(basename(name))
      }
      return names
    },
    create: async (path) => stagedFile(staged, path),
    async rename(from, to) {
      const bytes = staged.get(from)
      if (bytes === undefined) throw new LedgerError('ledger_corrupt', 'nothing was staged')
      // Whoever fails here begins anew, and stages it again.
      staged.delete(from)
      const name = nameOf(to)
      if (name === CHECKPOINT_FILE) await putCheckpoint(objects, bytes)
      else await putOnce(objects, name, bytes)
    },
    async remove(path) {
      if (staged.delete(path)) return
      kept.delete(nameOf(path))
      await objects.remove(nameOf(path))
    },
  }
}

function stagedFile(staged: Map<string, Uint8Array>, path: string): OpenFile {
  let bytes = new Uint8Array(0)
  return {
    async write(more, position) {
      const grown = new Uint8Array(Math.max(bytes.length, position + more.length))
      grown.set(bytes)
      grown.set(more, position)
      bytes = grown
    },
    begin: () => undefined,
    async sync() {
      staged.set(path, bytes)
    },
    async close() {
      // What was not synced was not staged.
    },
  }
}

/** Errors: `ledger_corrupt` where other bytes have the name: whoever put them there publishes another past. */
async function putOnce(objects: S3Objects, name: string, bytes: Uint8Array): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    if (await objects.putNew(name, bytes)) return
    const there = await objects.get(name, bytes.length).catch((cause: unknown) => {
      if (cause instanceof S3Error && cause.code === 'InvalidObject') throw fork(objects, name)
      throw cause
    })
    if (there === null) continue // removed in between, or a race that nobody won
    if (Buffer.compare(there.bytes, bytes) === 0) return
    throw fork(objects, name)
  }
  throw new S3Error(`writing ${objects.address}${name}`, 'OvertakenByAnotherWriter')
}

/** Errors: `ledger_stopped` where a newer one is there, `ledger_corrupt` where another of the same size is. */
async function putCheckpoint(objects: S3Objects, bytes: Uint8Array): Promise<void> {
  const { size } = opened(bytes)
  for (let tries = 0; tries < TRIES; tries++) {
    const there = await objects.get(CHECKPOINT_FILE, Number.MAX_SAFE_INTEGER)
    if (there === null) {
      if (await objects.putNew(CHECKPOINT_FILE, bytes)) return
      continue
    }
    if (Buffer.compare(there.bytes, bytes) === 0) return
    const known = opened(there.bytes)
    if (known.size > size) {
      const message = `a checkpoint of ${known.size} entries is published, and this one has ${size}`
      throw new LedgerError('ledger_stopped', message)
    }
    if (known.size === size) throw fork(objects, CHECKPOINT_FILE)
    if (await objects.replace(CHECKPOINT_FILE, bytes, there.etag)) return
  }
  throw new S3Error(`writing ${objects.address}${CHECKPOINT_FILE}`, 'OvertakenByAnotherWriter')
}

function opened(bytes: Uint8Array) {
  return parseCheckpoint(parseNote(Buffer.from(bytes).toString('utf8')).text)
}

function fork(objects: S3Objects, name: string): LedgerError {
  const message = `${quoted(`${objects.address}${name}`)} holds other bytes: another past was published there`
  return new LedgerError('ledger_corrupt', message)
}

/** The longest not asked for goes first. */
class KeptFiles {
  readonly #bytesMax: number
  readonly #files = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(name: string): Uint8Array | undefined {
    const bytes = this.#files.get(name)
    if (bytes === undefined) return undefined
    this.#files.delete(name)
    this.#files.set(name, bytes)
    return bytes
  }

  set(name: string, bytes: Uint8Array): void {
    this.delete(name)
    this.#files.set(name, bytes)
    this.#bytes += bytes.length
    for (const [oldest] of this.#files) {
      if (this.#bytes <= this.#bytesMax) return
      this.delete(oldest)
    }
  }

  delete(name: string): void {
    this.#bytes -= this.#files.get(name)?.length ?? 0
    this.#files.delete(name)
  }
}

// The file operations of the writer, as a port: every one is a step at which a crash may come, so
// tests can stop the world at each of them. `nodeFiles` binds node:fs; what it says is durable is.

import {
  closeSync,
  constants,
  fdatasync,
  ftruncateSync,
  openSync,
  renameSync,
  write,
  writeSync,
} from 'node:fs'
import * as fs from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { LedgerError, quoted } from './errors.ts'

/** A file being written. */
export interface OpenFile {
  /** Writes all of `bytes` at `position`; not durable yet. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Lets the disk begin on what was written, where the system can; waits for nothing, promises nothing. */
  begin(): void
  /** Returns when everything written is durable (fdatasync). */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Files {
  /** Holds `path` against every other process and ledger until released; ends with the process. */
  lock(path: string): { release(): void }
  /** Makes the directory and its parents; the topmost one that did not exist before, if any. */
  makeDirectory(path: string): Promise<string | undefined>
  /** The names in one directory, sorted; none when it does not exist. */
  list(path: string): Promise<string[]>
  /** The whole file, or null when there is none. Throws `file_too_large`. */
  read(path: string, bytesMax: number): Promise<Uint8Array | null>
  /** A new file; it must not exist. */
  create(path: string): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Removes the directory when it is empty; otherwise does nothing. */
  removeEmptyDirectory(path: string): Promise<void>
  /** Returns when the names in the directory are durable. */
  syncDirectory(path: string): Promise<void>
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/**
 * A lock of the kernel, taken through SQLite on an empty file: it ends with the process however
 * that ends, needs no guess whether another process is alive (a process id means nothing in another
 * container), and the file never gets a byte. Source: https://sqlite.org/lockingv3.html
 */
function lock(path: string): { release(): void } {
  const database = new DatabaseSync(path)
  try {
    // In memory: a journal file beside the lock would be a file that no ledger has.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new LedgerError('ledger_locked', 'the ledger is open elsewhere', { cause })
  }
  return {
    release: () => database.close(),
  }
}

async function list(path: string): Promise<string[]> {
  try {
    return (await fs.readdir(path)).sort()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

async function read(path: string, bytesMax: number): Promise<Uint8Array | null> {
  let handle: fs.FileHandle
  try {
    handle = await fs.open(path, constants.O_RDONLY)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  try {
    const { size } = await handle.stat()
    if (size > bytesMax) {
      throw new LedgerError('file_too_large', `${quoted(path)} has more than ${bytesMax} bytes`)
    }
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

const SMALL_WRITE_BYTES = 1024 * 1024

/**
 * One turn of a callback of node:fs through the thread pool. On the path of every batch: a FileHandle
 * does the same for a fifth more of the processor.
 */
function turn<T>(start: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)))
  })
}

/**
 * On ext4 a file that was truncated to nothing begins to be written when one who opened it closes it
 * (`auto_da_alloc`). Files that began together share one commit of the file system's journal, and the
 * `sync` of each finds little left to do: measured, a quarter of the time or less. Elsewhere it costs two calls.
 * Source: https://docs.kernel.org/admin-guide/ext4.html
 */
function beginWriting(path: string): void {
  closeSync(openSync(path, 'r'))
}

/**
 * Opens, renames and small writes are calls of microseconds in the page cache, so they are made here: a
 * turn through the thread pool costs more, and its answer waits until this thread has nothing else to
 * do. None of them waits for the disk; `sync` does, in the pool.
 */
async function create(path: string): Promise<OpenFile> {
  const opened = openSync(path, 'wx', 0o600)
  ftruncateSync(opened, 0) // for `begin`
  let isOpen = true
  // The number of a closed file may be another file's by now.
  const held = (): number => {
    if (isOpen) return opened
    throw new LedgerError('ledger_closed', 'the file is closed')
  }
  return {
    async write(bytes, position) {
      const descriptor = held()
      if (bytes.length <= SMALL_WRITE_BYTES) {
        if (writeSync(descriptor, bytes, 0, bytes.length, position) === bytes.length) return
      }
      for (let offset = 0; offset < bytes.length; ) {
        const rest = bytes.length - offset
        offset += await turn<number>((done) =>
          write(held(), bytes, offset, rest, position + offset, done),
        )
      }
    },
    begin: () => beginWriting(path),
    sync: () => turn<void>((done) => fdatasync(held(), (error) => done(error, undefined))),
    async close() {
      // What was written is durable by now, or nobody will ask for it: nothing is left to wait for.
      const descriptor = held()
      isOpen = false
      closeSync(descriptor)
    },
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function nodeFiles(): Files {
  return {
    lock,
    list,
    read,
    create,
    syncDirectory,
    rename: async (from, to) => renameSync(from, to),
    remove: (path) => fs.rm(path, { force: true }),
    makeDirectory: (path) => fs.mkdir(path, { recursive: true, mode: 0o700 }),
    async removeEmptyDirectory(path) {
      try {
        await fs.rmdir(path)
      } catch (error) {
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
      }
    },
  }
}

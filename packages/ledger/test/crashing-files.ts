// The writer's file operations with a crash at the N-th of them: nothing after it happens, and a
// write that it falls on is torn in the middle. `onCrash` can kill the process for real.

import { type Files, nodeFiles, type OpenFile } from '../src/files.ts'

export class Crash extends Error {}

export interface CrashingFiles extends Files {
  /** Operations so far. */
  readonly steps: number
  readonly isCrashed: boolean
  /** What the kernel does when a process ends. */
  releaseLocks(): void
}

/** Crashes at operation `crashAt`, counted from 1; never for Infinity. */
export function crashingFiles(
  crashAt: number,
  onCrash: () => void = () => {},
  files: Files = nodeFiles(),
): CrashingFiles {
  let steps = 0
  let isCrashed = false
  const locks: { release(): void }[] = []

  function crash(): never {
    isCrashed = true
    onCrash()
    throw new Crash(`crash at step ${steps}`)
  }

  async function step<T>(operation: () => Promise<T>, torn?: () => Promise<unknown>): Promise<T> {
    steps += 1
    if (isCrashed) throw new Crash('after the crash')
    if (steps === crashAt) {
      await torn?.()
      crash()
    }
    return await operation()
  }

  function crashingFile(file: OpenFile): OpenFile {
    return {
      // A write goes to the page cache page by page, so it is torn at a multiple of eight bytes.
      write: (bytes, position) =>
        step(
          () => file.write(bytes, position),
          () => file.write(bytes.subarray(0, Math.floor(bytes.length / 16) * 8), position),
        ),
      begin: () => file.begin(),
      sync: () => step(() => file.sync()),
      // The kernel closes the files of a process that ends, and no crash hinders it.
      close: () => file.close(),
    }
  }

  return {
    get steps() {
      return steps
    },
    get isCrashed() {
      return isCrashed
    },
    releaseLocks() {
      for (const lock of locks.splice(0)) lock.release()
    },
    lock(path) {
      const lock = files.lock(path)
      locks.push(lock)
      return { release: () => {} }
    },
    makeDirectory: (path) => step(() => files.makeDirectory(path)),
    list: (path) => step(() => files.list(path)),
    read: (path, bytesMax) => step(() => files.read(path, bytesMax)),
    create: async (path) => crashingFile(await step(() => files.create(path))),
    rename: (from, to) => step(() => files.rename(from, to)),
    remove: (path) => step(() => files.remove(path)),
    removeEmptyDirectory: (path) => step(() => files.removeEmptyDirectory(path)),
    syncDirectory: (path) => step(() => files.syncDirectory(path)),
  }
}

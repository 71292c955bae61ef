// Publishes a staged segment: its tiles, its bundles, then the checkpoint over them, then forgets
// the journal file. The normal path, in the writer's thread or in one of its own, and recovery call `publish`.
//
// INVARIANT: the checkpoint is replaced only when all it needs is durable, and a journal file
// is removed only when the checkpoint that covers it is durable. What a crash leaves:
//   while placing files       files beyond the published checkpoint, each whole, equal to what the
//                             journal says; recovery places them again, byte for byte the same
//   before the checkpoint     the same
//   after the checkpoint      a journal file that says what the tiles say; recovery removes it
//   while removing partials   older partial tiles, prefixes of newer ones; harmless, and verified
// A file is written under `staging/`, synced, and renamed into place, so no torn file has a name of
// the log. A file left in `staging/` was never acknowledged; recovery removes it.

import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { toUtf8 } from './bytes.ts'
import type { SignedCheckpoint } from './checkpoint.ts'
import type { Files, OpenFile } from './files.ts'
import { CHECKPOINT_FILE, payloadPath, STAGING_DIRECTORY } from './layout.ts'
import type { RightEdge, TileFile } from './right-edge.ts'
import type { Segment } from './segment.ts'
import type { SegmentPublisher } from './segment-publisher.ts'
import { levelHashes, TILE_WIDTH, tilePath } from './tiles.ts'

/** Files that are written before the first of them is synced: so many are open at once. */
const WRITTEN_AT_ONCE = 64
/** Files written in one go before other work of this thread has its turn. */
const WRITTEN_IN_A_TURN = 8
/** Files synced at once; the thread pool of Node has four threads, and a batch of appends needs one. */
const SYNCED_AT_ONCE = 3

/** A file on its way to its place. */
interface WrittenFile {
  readonly name: string
  readonly staged: string
  readonly file: OpenFile
}

/** Puts whole files in their place below a ledger's directory. */
export class Placement {
  readonly #files: Files
  readonly #directory: string
  readonly #known = new Set<string>()
  readonly #stagedName: string
  #staged = 0

  /** `stagedName`: what its files in `staging/` begin with, where others place files there too. */
  constructor(files: Files, directory: string, stagedName = '') {
    this.#files = files
    this.#directory = directory
    this.#stagedName = stagedName
  }

  /** Writes the file, durable in content; its name is durable after its directories are synced. */
  async place(name: string, bytes: Uint8Array, unsynced: Set<string>): Promise<void> {
    const staged = await this.stage(bytes)
    await this.#makeDirectory(dirname(name))
    await this.show(staged, name, unsynced)
  }

  /**
   * `place` for many. All of some are written before the first is synced: what the disk began on
   * together is durable together, in less time than one file after another.
   */
  async placeAll(files: Iterable<TileFile>, unsynced: Set<string>): Promise<void> {
    const written: WrittenFile[] = []
    try {
      for (const { tile, bytes } of files) {
        const next = await this.#write(bytes, tilePath(tile))
        written.push(next)
        next.file.begin()
        if (written.length % WRITTEN_IN_A_TURN === 0) await setImmediate()
        if (written.length === WRITTEN_AT_ONCE) await this.#settleAll(written, unsynced)
      }
      await this.#settleAll(written, unsynced)
    } finally {
      // After a failure: those that nobody settled.
      for (const { file } of written.splice(0)) await file.close()
    }
  }

  /** Syncs the files, each taken from the list, and gives them their names. */
  async #settleAll(written: WrittenFile[], unsynced: Set<string>): Promise<void> {
    const settleNext = async () => {
      for (let next = written.shift(); next !== undefined; next = written.shift()) {
        await this.#settle(next)
        await this.#makeDirectory(dirname(next.name))
        await this.show(next.staged, next.name, unsynced)
      }
    }
    await Promise.all(Array.from({ length: SYNCED_AT_ONCE }, settleNext))
  }

  /** Writes bytes that nobody looks at yet, durable; returns the path to `show`, or to `discard`. */
  async stage(bytes: Uint8Array): Promise<string> {
    const written = await this.#write(bytes, '')
    await this.#settle(written)
    return written.staged
  }

  async #write(bytes: Uint8Array, name: string): Promise<WrittenFile> {
    this.#staged += 1
    const staged = join(this.#directory, STAGING_DIRECTORY, `${this.#stagedName}${this.#staged}`)
    const file = await this.#files.create(staged)
    try {
      await file.write(bytes, 0)
    } catch (cause) {
      await file.close()
      throw cause
    }
    return { name, staged, file }
  }

  async #settle({ file }: WrittenFile): Promise<void> {
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Gives what was staged its name, in a directory that is there. */
  async show(staged: string, name: string, unsynced: Set<string>): Promise<void> {
    await this.#files.rename(staged, join(this.#directory, name))
    // The directories may be new, and a new directory's name is durable when its parent is synced.
    for (let parent = dirname(name); parent !== '.'; parent = dirname(parent)) unsynced.add(parent)
    unsynced.add('.')
  }

  async discard(staged: string): Promise<void> {
    await this.#files.remove(staged)
  }

  async sync(unsynced: Set<string>): Promise<void> {
    for (const name of unsynced) await this.#files.syncDirectory(join(this.#directory, name))
    unsynced.clear()
  }

  async #makeDirectory(name: string): Promise<void> {
    if (this.#known.has(name)) return
    await this.#files.makeDirectory(join(this.#directory, name))
    this.#known.add(name)
  }
}

/** The published log that publication goes on from. */
export interface PublishedLog {
  readonly checkpoint: SignedCheckpoint
  readonly edge: RightEdge
  /** The size before that of the checkpoint, whose partial tiles are still there. */
  readonly olderSize?: number
}

export class Publication implements SegmentPublisher {
  readonly #files: Files
  readonly #directory: string
  readonly #placement: Placement
  readonly #edge: RightEdge
  readonly segmentsMax = 1
  #checkpoint: SignedCheckpoint
  #olderSize: number

  constructor(files: Files, directory: string, placement: Placement, published: PublishedLog) {
    this.#files = files
    this.#directory = directory
    this.#placement = placement
    this.#edge = published.edge
    this.#checkpoint = published.checkpoint
    this.#olderSize = published.olderSize ?? published.checkpoint.size
  }

  get size(): number {
    return this.#checkpoint.size
  }

  /** The published checkpoint. */
  get checkpoint(): SignedCheckpoint {
    return this.#checkpoint
  }

  /** The size that was published before: what is only of an older one is removed. */
  get olderSize(): number {
    return this.#olderSize
  }

  async publish(segment: Segment): Promise<void> {
    await this.show(segment)
    await this.forget(segment)
  }

  /** Places the segment and the checkpoint over it. `onShown`: when `size` is the new one, and nothing is removed. */
  async show(segment: Segment, onShown?: () => void): Promise<void> {
    await this.place(segment)
    await placeCheckpoint(this.#placement, segment.checkpoint)
    await this.announced(segment.checkpoint, onShown)
  }

  /** Removes the journal file of a segment that was shown, and those before it are gone. */
  async forget(segment: Segment): Promise<void> {
    const journal = join(this.#directory, segment.path)
    await this.#files.remove(journal)
    // So that after a power loss no older journal file is there without a newer one.
    await this.#files.syncDirectory(dirname(journal))
  }

  /** Places the tiles and bundles of the segment, durable; no reader looks at them yet. */
  async place(segment: Segment): Promise<void> {
    const unsynced = new Set<string>()
    await this.#placement.placeAll(this.#edge.grow(segment), unsynced)
    await this.#placement.sync(unsynced)
  }

  /** Removes what the checkpoint supersedes, which is in its place. */
  async announced(checkpoint: SignedCheckpoint, onShown?: () => void): Promise<void> {
    const before = this.size
    if (before === checkpoint.size) return
    this.#checkpoint = checkpoint
    onShown?.()
    await this.#removeSuperseded(before, this.size)
    this.#olderSize = before
  }

  /** It holds nothing open. */
  async close(): Promise<void> {}

  /**
   * Removes the partial tiles of sizes before the last two. The last but one stays, for readers of
   * the checkpoint before this one; tlog-tiles lets partials go once the full tile is there.
   */
  async #removeSuperseded(before: number, after: number): Promise<void> {
    for (const size of new Set([this.#olderSize, before])) {
      for (let level = 0; levelHashes(level, size) > 0; level++) {
        const hashes = levelHashes(level, size)
        const tile = { index: Math.floor(hashes / TILE_WIDTH), width: hashes % TILE_WIDTH }
        const isFull = levelHashes(level, after) >= (tile.index + 1) * TILE_WIDTH
        const isKept = size === before || hashes === levelHashes(level, before)
        if (tile.width === 0 || (isKept && !isFull)) continue
        await this.#removePartial(tilePath({ level, ...tile }))
        if (level === 0) await this.#removePartial(tilePath({ level: 'entries', ...tile }))
      }
    }
  }

  async #removePartial(name: string): Promise<void> {
    const path = join(this.#directory, name)
    await this.#files.remove(path)
    await this.#files.removeEmptyDirectory(dirname(path))
  }
}

/** Removes a payload for good; returns when its name is durably gone. */
export async function dropPayload(files: Files, directory: string, digest: string): Promise<void> {
  const path = join(directory, payloadPath(digest))
  const isThere = (await files.list(dirname(path))).includes(digest)
  if (!isThere) return
  await files.remove(path)
  await files.syncDirectory(dirname(path))
}

/** Replaces the published checkpoint: whole or not at all. */
export async function placeCheckpoint(
  placement: Placement,
  checkpoint: SignedCheckpoint,
): Promise<void> {
  const unsynced = new Set<string>()
  await placement.place(CHECKPOINT_FILE, toUtf8(checkpoint.note), unsynced)
  await placement.sync(unsynced)
}

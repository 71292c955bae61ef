// The one writer of a ledger: takes entries, makes batches of those that came while the last batch
// was syncing, and acknowledges a batch when it is durable in the journal.
//
// The order is the design; at each step, what a crash leaves and who repairs it:
//   1 hash, grow the tree, sign      nothing on the disk; the entries were not acknowledged
//   2 append the record to the journal   a torn or whole record; recovery drops or keeps it
//   3 fdatasync                      a whole record; recovery keeps it
//   4 acknowledge                    the same
//   5 publish (publication.ts)       see there; by a SegmentPublisher, which may do it in another thread
// Any failure of 2-5 leaves a disk that is not known, so it stops the ledger until it is reopened.

import { hash } from 'node:crypto'
import { join } from 'node:path'
import { type SignedCheckpoint, signCheckpoint } from './checkpoint.ts'
import { LedgerError, quoted } from './errors.ts'
import type { Files, OpenFile } from './files.ts'
import { checkEntry, JOURNAL_DIRECTORY } from './journal.ts'
import { BUNDLE_BYTES_MAX, JOURNAL_AHEAD_BYTES, PAYLOAD_BYTES_MAX, payloadPath } from './layout.ts'
import { RecordBuilder } from './record-builder.ts'
import type { Identity, Recovered } from './recovery.ts'
import { growTree, Segment } from './segment.ts'
import type { SegmentPublisher } from './segment-publisher.ts'
import { parseBundle, TILE_WIDTH, tilePath, tileWidth } from './tiles.ts'
import { HASH_BYTES } from './tree.ts'

export const QUEUE_ENTRIES_MAX = 65_536
export const QUEUE_BYTES_MAX = 64 * 1024 * 1024
/** Published this long after the last append, and at the latest this long after the first. */
const IDLE_MS = 200
const STAGED_MS_MAX = 2000
/** A partial bundle can be replaced while it is read; the newer one then has the entry. */
const READ_ATTEMPTS_MAX = 3

/** Who waits for the entry at `position` of a record to be durable. */
interface Waiting {
  readonly position: number
  readonly resolve: (appended: { index: number }) => void
  readonly reject: (error: Error) => void
}

/** Entries that will be one record. */
interface Batch {
  readonly record: RecordBuilder
  readonly waiting: Waiting[]
}

interface OpenSegment {
  readonly segment: Segment
  readonly file: OpenFile
  /** Where the next record goes, and how long the file is. */
  position: number
  length: number
  /** When its first record came. */
  beganMs: number
}

export interface WriterOptions {
  readonly directory: string
  readonly files: Files
  readonly identity: Identity
  readonly publisher: SegmentPublisher
  readonly onFatal: (error: Error) => void
}

export class Writer {
  readonly #directory: string
  readonly #files: Files
  readonly #identity: Identity
  readonly #publisher: SegmentPublisher
  readonly #onFatal: (error: Error) => void
  readonly #state: Recovered
  #durable: SignedCheckpoint
  #firstLeafHash: Uint8Array | null
  /** Oldest first; only the last one is added to. */
  #queue: Batch[] = []
  #queueEntries = 0
  #queueBytes = 0
  #likelyBytes = 0
  #running: Promise<void> | null = null
  #isPublishWanted = false
  #active: OpenSegment | null = null
  /** Oldest first; each is done when those before it are. `done` never rejects. */
  readonly #publishing: { segment: Segment; done: Promise<void> }[] = []
  /** The last bundle that was read; a bundle of one name never changes. */
  #lastRead: { name: string; entries: readonly Uint8Array[] } = { name: '', entries: [] }
  #idle: NodeJS.Timeout | undefined
  #stopped: Error | null = null
  #isClosed = false

  constructor(options: WriterOptions, state: Recovered, firstLeafHash: Uint8Array | null) {
    this.#directory = options.directory
    this.#files = options.files
    this.#identity = options.identity
    this.#publisher = options.publisher
    this.#onFatal = options.onFatal
    this.#state = state
    this.#durable = state.checkpoint
    this.#firstLeafHash = firstLeafHash
  }

  get durable(): SignedCheckpoint {
    return this.#durable
  }

  /** The leaf hash of entry 0, once that is durable. */
  get firstLeafHash(): Uint8Array | null {
    return this.#firstLeafHash
  }

  /** Not async: a promise more for each of thousands that wait at once costs more than what it does. */
  append(entry: Uint8Array): Promise<{ index: number }> {
    try {
      return this.#appendAll([entry])
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async appendAll(entries: readonly Uint8Array[]): Promise<{ first: number }> {
    if (entries.length === 0) throw new LedgerError('size_invalid', 'there is no entry to append')
    const { index } = await this.#appendAll(entries)
    return { first: index - entries.length + 1 }
  }

  /** All of them or none enter the queue, one after another; the index is that of the last. */
  #appendAll(entries: readonly Uint8Array[]): Promise<{ index: number }> {
    this.#refuseUnlessOpen()
    let bytes = this.#queueBytes
    for (const entry of entries) {
      checkEntry(entry)
      bytes += entry.length
    }
    if (this.#queueEntries + entries.length > QUEUE_ENTRIES_MAX || bytes > QUEUE_BYTES_MAX) {
      throw new LedgerError('queue_full', `${this.#queueEntries} entries wait already`)
    }
    let batch: Batch | undefined
    try {
      for (const entry of entries) {
        batch = this.#batchFor(entry)
        batch.record.add(entry, this.#identity)
      }
    } catch (cause) {
      throw this.#stop(cause) // some of them may be in a record already
    }
    this.#queueEntries += entries.length
    this.#queueBytes = bytes
    this.#wake()
    return new Promise((resolve, reject) => {
      const position = (batch?.record.length ?? 0) - 1
      batch?.waiting.push({ position, resolve, reject })
    })
  }

  #batchFor(entry: Uint8Array): Batch {
    const last = this.#queue.at(-1)
    if (last?.record.hasRoomFor(entry)) return last
    const batch = { record: new RecordBuilder(this.#likelyBytes), waiting: [] }
    this.#queue.push(batch)
    return batch
  }

  async read(index: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.#durable.size) {
      throw new LedgerError('entry_unknown', `there is no entry ${index}`)
    }
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const entry = this.#stagedEntry(index) ?? (await this.#publishedEntry(index))
      if (entry !== undefined) return new Uint8Array(entry)
    }
    throw new LedgerError('ledger_corrupt', `the bundle of entry ${index} is missing or damaged`)
  }

  async putPayload(bytes: Uint8Array): Promise<string> {
    this.#refuseUnlessOpen()
    if (bytes.length > PAYLOAD_BYTES_MAX) {
      throw new LedgerError('payload_too_large', `a payload has at most ${PAYLOAD_BYTES_MAX} bytes`)
    }
    const digest = hash('sha256', bytes, 'hex')
    try {
      const unsynced = new Set<string>()
      await this.#state.placement.place(payloadPath(digest), bytes, unsynced)
      await this.#state.placement.sync(unsynced)
    } catch (cause) {
      throw this.#stop(cause)
    }
    return digest
  }

  async readPayload(sha256Hex: string): Promise<Uint8Array> {
    const isDigest = /^[0-9a-f]{64}$/.test(sha256Hex)
    const path = join(this.#directory, payloadPath(sha256Hex))
    const bytes = isDigest ? await this.#files.read(path, PAYLOAD_BYTES_MAX) : null
    if (bytes === null) {
      throw new LedgerError('payload_unknown', `there is no payload ${quoted(sha256Hex)}`)
    }
    if (hash('sha256', bytes, 'hex') !== sha256Hex) {
      throw new LedgerError('ledger_corrupt', `the payload ${quoted(sha256Hex)} was changed`)
    }
    return bytes
  }

  /** Resolves when all that is durable now is published. Rejects with `ledger_stopped`, `ledger_closed`. */
  async publish(): Promise<void> {
    const { size } = this.#durable
    while (this.#publisher.size < size) {
      this.#refuseUnlessOpen()
      this.#isPublishWanted = true
      this.#wake()
      await this.#running
      await this.#publishing.at(-1)?.done
    }
  }

  /** Waits for what was appended, publishes it, and lets go of the files. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      this.#isPublishWanted = true
      this.#wake()
    }
    clearTimeout(this.#idle)
    await this.#running
    await this.#publishing.at(-1)?.done
    try {
      await this.#closeActive()
    } finally {
      await this.#publisher.close()
    }
  }

  /** After a clean close there is no journal; after a failure it stays for recovery. */
  async #closeActive(): Promise<void> {
    if (this.#active === null) return
    const { file, segment, position } = this.#active
    this.#active = null
    await file.close()
    if (this.#stopped === null && position === 0) {
      await this.#files.remove(join(this.#directory, segment.path))
    }
  }

  #refuseUnlessOpen(): void {
    if (this.#stopped !== null) {
      const cause = this.#stopped
      throw new LedgerError('ledger_stopped', 'the ledger stopped after a failed write', { cause })
    }
    if (this.#isClosed) throw new LedgerError('ledger_closed', 'the ledger is closed')
  }

  /** Starts the loop unless it runs. Only it touches the tree, the journal and the segments. */
  #wake(): void {
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  async #run(): Promise<void> {
    clearTimeout(this.#idle)
    try {
      while (this.#stopped === null && (this.#queue.length > 0 || this.#isPublishWanted)) {
        if (this.#queue.length > 0) await this.#appendBatch()
        if (this.#isSegmentDue()) await this.#publishActive()
      }
    } catch (cause) {
      this.#stop(cause)
    }
    this.#running = null
    if (this.#stopped === null && this.#active !== null && this.#active.position > 0) {
      this.#idle = setTimeout(() => {
        this.#isPublishWanted = true
        this.#wake()
      }, IDLE_MS)
      this.#idle.unref()
    }
  }

  async #appendBatch(): Promise<void> {
    const batch = this.#queue.shift()
    if (batch === undefined) return
    this.#queueEntries -= batch.record.length
    this.#queueBytes -= batch.record.entryBytes
    try {
      await this.#makeDurable(batch.record)
    } catch (cause) {
      const error = this.#stop(cause)
      for (const { reject } of batch.waiting) reject(error)
      return
    }
    const first = this.#durable.size - batch.record.length
    for (const { resolve, position } of batch.waiting) resolve({ index: first + position })
  }

  async #makeDurable(record: RecordBuilder): Promise<void> {
    const { origin, signer, many } = this.#identity
    const { tree } = this.#state
    const firstIndex = tree.size
    const leafHashes = record.leafHashes(this.#identity)
    const levels = growTree(tree, leafHashes, many)
    const checkpoint = signCheckpoint(origin, tree.size, tree.root(), [signer])
    const bytes = record.seal(firstIndex, checkpoint.note, this.#identity)
    this.#likelyBytes = bytes.length
    this.#active ??= await this.#openSegment(firstIndex)
    await this.#write(this.#active, bytes)
    this.#active.segment.add({ entries: record, bytes: bytes.length }, levels, checkpoint)
    this.#durable = checkpoint
    this.#firstLeafHash ??= leafHashes.slice(0, HASH_BYTES)
  }

  async #write(active: OpenSegment, record: Uint8Array): Promise<void> {
    if (active.position === 0) active.beganMs = performance.now()
    const end = active.position + record.length
    const isSmall = record.length < JOURNAL_AHEAD_BYTES / 8
    if (end > active.length && isSmall) await this.#writeAhead(active)
    await active.file.write(record, active.position)
    await active.file.sync()
    active.position = end
    active.length = Math.max(active.length, end)
  }

  /** Grows the file by zeros, so that the next records do not have to (see journal.ts). */
  async #writeAhead(active: OpenSegment): Promise<void> {
    await active.file.write(new Uint8Array(JOURNAL_AHEAD_BYTES), active.length)
    active.length += JOURNAL_AHEAD_BYTES
  }

  async #openSegment(firstIndex: number): Promise<OpenSegment> {
    const segment = new Segment(firstIndex)
    const file = await this.#files.create(join(this.#directory, segment.path))
    const active = { segment, file, position: 0, length: 0, beganMs: 0 }
    try {
      await this.#writeAhead(active)
      await file.sync()
      // Without this a record could be durable in a file whose name is not.
      await this.#files.syncDirectory(join(this.#directory, JOURNAL_DIRECTORY))
    } catch (error) {
      await file.close()
      throw error
    }
    return active
  }

  #isSegmentDue(): boolean {
    if (this.#active === null || this.#active.position === 0) {
      this.#isPublishWanted = false
      return false
    }
    const ageMs = performance.now() - this.#active.beganMs
    return this.#isPublishWanted || this.#active.segment.isFull || ageMs > STAGED_MS_MAX
  }

  /** Hands the journal file to publication, when that has room; appends go on in a new file. */
  async #publishActive(): Promise<void> {
    this.#isPublishWanted = false
    const { segmentsMax } = this.#publisher
    if (this.#publishing.length >= segmentsMax) await this.#publishing.at(-segmentsMax)?.done
    if (this.#active === null || this.#stopped !== null) return
    const { segment, file } = this.#active
    await file.close()
    this.#active = null
    const done = this.#publisher.publish(segment).then(
      () => void this.#publishing.shift(),
      (cause: unknown) => void this.#stop(cause),
    )
    this.#publishing.push({ segment, done })
    // The next journal file is made now, so that the next append need not wait for it.
    if (!this.#isClosed) this.#active = await this.#openSegment(this.#state.tree.size)
  }

  #stagedEntry(index: number): Uint8Array | undefined {
    const active = this.#active?.segment.entryAt(index)
    if (active !== undefined) return active
    return this.#publishing.find(({ segment }) => segment.entryAt(index))?.segment.entryAt(index)
  }

  async #publishedEntry(index: number): Promise<Uint8Array | undefined> {
    const bundle = Math.floor(index / TILE_WIDTH)
    const width = tileWidth(0, bundle, this.#publisher.size)
    if (width === 0) return undefined
    const name = tilePath({ level: 'entries', index: bundle, width })
    if (this.#lastRead.name === name) return this.#lastRead.entries[index % TILE_WIDTH]
    const bytes = await this.#files.read(join(this.#directory, name), BUNDLE_BYTES_MAX)
    if (bytes === null) return undefined
    const { entries, isWhole } = parseBundle(bytes, width)
    if (!isWhole) return undefined
    this.#lastRead = { name, entries }
    return entries[index % TILE_WIDTH]
  }

  /** Stops the ledger for good: everything that waits, and every later append, is refused. */
  #stop(cause: unknown): Error {
    if (this.#stopped !== null) return this.#stopped
    const error = new LedgerError('ledger_stopped', 'a write of the ledger failed', { cause })
    this.#stopped = error
    for (const { waiting } of this.#queue) for (const { reject } of waiting) reject(error)
    this.#queue = []
    this.#queueEntries = 0
    this.#queueBytes = 0
    this.#onFatal(error)
    return error
  }
}

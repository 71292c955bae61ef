// A ledger whose order of entries is decided elsewhere, and whose files several processes may write: the
// files of a size are a pure function of the entries before it, so whoever writes them writes the same.
// The one file that is not, the checkpoint, is replaced only by who was let to (see `Publisher`).

import { hash, type KeyObject } from 'node:crypto'
import { join, resolve } from 'node:path'
import { fromUtf8, sameBytes, toUtf8 } from './bytes.ts'
import { openCheckpoint, type SignedCheckpoint, signCheckpoint } from './checkpoint.ts'
import { LedgerError, quoted } from './errors.ts'
import { type Files, nodeFiles } from './files.ts'
import { checkEntry } from './journal.ts'
import {
  BUNDLE_BYTES_MAX,
  CHECKPOINT_FILE,
  fileBytesMax,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_DIRECTORY,
  payloadPath,
  STAGING_DIRECTORY,
} from './layout.ts'
import { leafHashes } from './leaf-hashes.ts'
import { nodePrimitives, nodeSigner } from './node.ts'
import { ed25519Verifier } from './note.ts'
import { dropPayload, Placement } from './publication.ts'
import { type Identity, type Recovered, Recovery } from './recovery.ts'
import { growTree, Segment } from './segment.ts'
import { parseBundle, TILE_WIDTH, tilePath, tileWidth } from './tiles.ts'
import { emptyRoot, leafHash } from './tree.ts'

export interface SharedLogOptions {
  readonly directory: string
  readonly origin: string
  /** An Ed25519 private key, the same for every writer. */
  readonly signer: KeyObject
  /** Names this writer among those of the directory: lower-case letters, digits and `-`. */
  readonly writer: string
}

export class SharedLog {
  readonly #directory: string
  readonly #files: Files
  readonly #identity: Identity
  readonly #placement: Placement
  readonly #writer: string
  #publishers = 0
  readonly verifierKey: string

  private constructor(options: SharedLogOptions, files: Files) {
    const signer = nodeSigner(options.origin, options.signer)
    this.verifierKey = signer.verifierKey
    const verifier = ed25519Verifier(signer.verifierKey, nodePrimitives)
    const { sha256, many } = nodePrimitives
    this.#identity = { origin: options.origin, signer, verifier, sha256, many }
    this.#directory = resolve(options.directory)
    this.#files = files
    this.#writer = options.writer
    // Payloads and tiles are placed side by side.
    this.#placement = new Placement(files, this.#directory, `${options.writer}-p-`)
  }

  static async open(options: SharedLogOptions, files: Files = nodeFiles()): Promise<SharedLog> {
    const log = new SharedLog(options, files)
    for (const name of [STAGING_DIRECTORY, PAYLOAD_DIRECTORY]) {
      await files.makeDirectory(join(log.#directory, name))
    }
    await files.syncDirectory(log.#directory)
    return log
  }

  /** The signed checkpoint of the empty log. */
  empty(): SignedCheckpoint {
    const { origin, signer, sha256 } = this.#identity
    return signCheckpoint(origin, 0, emptyRoot(sha256), [signer])
  }

  /** What the note says. Throws `note_unverified` for one of another log or key. */
  opened(note: string): Promise<SignedCheckpoint> {
    const { origin, verifier } = this.#identity
    return openCheckpoint(note, origin, [verifier])
  }

  /** The checkpoint in the directory; null where there is none. Throws as `opened`. */
  async published(): Promise<SignedCheckpoint | null> {
    const path = join(this.#directory, CHECKPOINT_FILE)
    const bytes = await this.#files.read(path, fileBytesMax(CHECKPOINT_FILE))
    if (bytes === null) return null
    const note = fromUtf8(bytes)
    if (note === null) throw new LedgerError('ledger_corrupt', 'the checkpoint is not text')
    return await this.opened(note)
  }

  /** The leaf hash of an entry, which names a ledger where the entry is its first. */
  leafHash(entry: Uint8Array): Uint8Array {
    return leafHash(this.#identity.sha256, entry)
  }

  /**
   * An entry of the log of `size`, all of which is published; undefined where its bundle has been replaced
   * by that of a larger size.
   */
  async read(index: number, size: number): Promise<Uint8Array | undefined> {
    const bundle = Math.floor(index / TILE_WIDTH)
    const width = tileWidth(0, bundle, size)
    if (width === 0) throw new LedgerError('entry_unknown', `there is no entry ${index}`)
    const name = tilePath({ level: 'entries', index: bundle, width })
    const bytes = await this.#files.read(join(this.#directory, name), BUNDLE_BYTES_MAX)
    if (bytes === null) return undefined
    const { entries, isWhole } = parseBundle(bytes, width)
    if (!isWhole) throw new LedgerError('ledger_corrupt', `${quoted(name)} is cut short`)
    const entry = entries[index % TILE_WIDTH]
    return entry && new Uint8Array(entry)
  }

  /** As `Ledger.putPayload`; the same bytes from two writers are one file. */
  async putPayload(bytes: Uint8Array): Promise<string> {
    if (bytes.length > PAYLOAD_BYTES_MAX) {
      throw new LedgerError('payload_too_large', `a payload has at most ${PAYLOAD_BYTES_MAX} bytes`)
    }
    const digest = hash('sha256', bytes, 'hex')
    const unsynced = new Set<string>()
    await this.#placement.place(payloadPath(digest), bytes, unsynced)
    await this.#placement.sync(unsynced)
    return digest
  }

  /** As `Ledger.readPayload`. */
  async readPayload(digest: string): Promise<Uint8Array> {
    const isDigest = /^[0-9a-f]{64}$/.test(digest)
    const path = join(this.#directory, payloadPath(digest))
    const bytes = isDigest ? await this.#files.read(path, PAYLOAD_BYTES_MAX) : null
    if (bytes === null) {
      throw new LedgerError('payload_unknown', `there is no payload ${quoted(digest)}`)
    }
    if (hash('sha256', bytes, 'hex') === digest) return bytes
    throw new LedgerError('ledger_corrupt', `the payload ${quoted(digest)} was changed`)
  }

  /** As `Ledger.dropPayload`. */
  dropPayload(digest: string): Promise<void> {
    return dropPayload(this.#files, this.#directory, digest)
  }

  /**
   * A publisher that goes on from this checkpoint. Where another one is in the directory, who made this one died
   * before it showed it: `release` does. Throws `ledger_corrupt` where the files do not lead to it, among them
   * those of another directory or history; `ledger_older_than_acknowledged` where the directory is ahead of it.
   */
  async publisher(from: SignedCheckpoint): Promise<Publisher> {
    requireNotAhead(await this.published(), from)
    const recovery = new Recovery(
      this.#files,
      this.#directory,
      this.#identity,
      // A name for each: what a failed publisher left in `staging/` is in nobody's way.
      `${this.#writer}-t${++this.#publishers}-`,
    )
    const recovered = await recovery.recoverAt(from)
    return new Publisher(this.#identity, recovered, () => this.published())
  }
}

function requireNotAhead(there: SignedCheckpoint | null, known: SignedCheckpoint): void {
  if (there === null || there.size < known.size) return
  if (there.size === known.size) {
    if (sameBytes(there.rootHash, known.rootHash)) return
    const message = `the files and the state have two histories of ${known.size} entries`
    throw new LedgerError('ledger_corrupt', message)
  }
  const message = `the files have ${there.size} entries, and the state knows ${known.size} of them`
  throw new LedgerError('ledger_older_than_acknowledged', message)
}

/**
 * Grows the published log. Its use: `stage` the entries, have the checkpoint accepted by whoever decides
 * who publishes, `release` it. After any failure the publisher is of no more use.
 */
export class Publisher {
  readonly #identity: Identity
  readonly #state: Recovered
  readonly #published: () => Promise<SignedCheckpoint | null>
  #staged: SignedCheckpoint

  constructor(
    identity: Identity,
    state: Recovered,
    published: () => Promise<SignedCheckpoint | null>,
  ) {
    this.#identity = identity
    this.#state = state
    this.#published = published
    this.#staged = state.checkpoint
  }

  get size(): number {
    return this.#staged.size
  }

  /** Places the files of the log with these entries after `size`, durable; returns its checkpoint. */
  async stage(entries: readonly Uint8Array[]): Promise<SignedCheckpoint> {
    const { origin, signer, many } = this.#identity
    const { tree, publication } = this.#state
    const firstIndex = tree.size
    for (const entry of entries) checkEntry(entry)
    const levels = growTree(tree, leafHashes(this.#identity, entries), many)
    const checkpoint = signCheckpoint(origin, tree.size, tree.root(), [signer])
    const segment = new Segment(firstIndex)
    segment.add({ entries }, levels, checkpoint)
    await publication.place(segment)
    this.#staged = checkpoint
    return checkpoint
  }

  /**
   * Shows readers what was staged last, where it is not what they see already; false where it `may` no more.
   * That is asked with nothing left to do but the one rename. Throws `ledger_older_than_acknowledged` where the
   * directory is ahead of it: a smaller tree is never put over a larger one; `ledger_corrupt` where it has another
   * history.
   */
  async release(may: () => boolean): Promise<boolean> {
    const { placement, publication } = this.#state
    if (!may()) return false
    const there = await this.#published()
    if (there?.note !== this.#staged.note) {
      const staged = await placement.stage(toUtf8(this.#staged.note))
      // Looked at again: staging waits for the disk.
      const now = may() ? await this.#published() : null
      if (!may()) {
        await placement.discard(staged)
        return false
      }
      requireNotAhead(now, this.#staged)
      const unsynced = new Set<string>()
      await placement.show(staged, CHECKPOINT_FILE, unsynced)
      await placement.sync(unsynced)
    }
    await publication.announced(this.#staged)
    return true
  }
}

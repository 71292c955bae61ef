// Opens what is on the disk, after a clean close or a crash alike: reads the published right edge,
// reads the journal, and publishes what the journal has beyond it, by the same code as the normal
// path. It changes nothing that the signed checkpoints do not vouch for.
//
// A crash during recovery leaves what a crash during publication leaves, and is repaired by the
// next recovery. A torn last record was never acknowledged; it goes when its journal file goes.

import { join } from 'node:path'
import { fromUtf8, sameBytes } from './bytes.ts'
import { openCheckpoint, type SignedCheckpoint, signCheckpoint } from './checkpoint.ts'
import type { Files } from './files.ts'
import { JOURNAL_DIRECTORY, type JournalRecord, parseJournalPath } from './journal.ts'
import { CHECKPOINT_FILE, PAYLOAD_DIRECTORY, STAGING_DIRECTORY } from './layout.ts'
import { corrupt, LogReader } from './log-reader.ts'
import type { NoteSigner, NoteVerifier } from './note.ts'
import type { Hasher } from './primitives.ts'
import { Placement, Publication, placeCheckpoint } from './publication.ts'
import { growTree, Segment } from './segment.ts'
import { type CompactRange, emptyRoot } from './tree.ts'

export interface Identity extends Hasher {
  readonly origin: string
  readonly signer: NoteSigner
  readonly verifier: NoteVerifier
}

export interface Recovered {
  readonly tree: CompactRange
  readonly checkpoint: SignedCheckpoint
  readonly publication: Publication
  readonly placement: Placement
}

export class Recovery {
  readonly #files: Files
  readonly #directory: string
  readonly #identity: Identity
  readonly #reader: LogReader
  readonly #placement: Placement

  constructor(files: Files, directory: string, identity: Identity, stagedName = '') {
    this.#files = files
    this.#directory = directory
    this.#identity = identity
    this.#reader = new LogReader(files, directory, identity)
    this.#placement = new Placement(files, directory, stagedName)
  }

  /** The state to go on from, all of it published. Throws `ledger_corrupt`. */
  async recover(): Promise<Recovered> {
    await this.#prepareDirectories()
    const recovered = await this.recoverAt(await this.#publishedCheckpoint())
    const { tree, checkpoint, publication } = recovered
    return { ...recovered, checkpoint: await this.#replayJournal(tree, checkpoint, publication) }
  }

  /** The state to go on from at this checkpoint, whose files are all in place. Throws `ledger_corrupt`. */
  async recoverAt(checkpoint: SignedCheckpoint): Promise<Recovered> {
    const { tree, edge } = await this.#reader.edge(checkpoint)
    const publication = new Publication(this.#files, this.#directory, this.#placement, {
      checkpoint,
      edge,
    })
    return { tree, checkpoint, publication, placement: this.#placement }
  }

  async #prepareDirectories(): Promise<void> {
    for (const name of [STAGING_DIRECTORY, JOURNAL_DIRECTORY, PAYLOAD_DIRECTORY]) {
      await this.#files.makeDirectory(join(this.#directory, name))
    }
    const staged = await this.#files.list(join(this.#directory, STAGING_DIRECTORY))
    for (const name of staged) {
      await this.#files.remove(join(this.#directory, STAGING_DIRECTORY, name))
    }
    await this.#files.syncDirectory(this.#directory)
  }

  async #publishedCheckpoint(): Promise<SignedCheckpoint> {
    const bytes = await this.#reader.file(CHECKPOINT_FILE)
    if (bytes === null) return await this.#create()
    const note = fromUtf8(bytes)
    if (note === null) throw corrupt(CHECKPOINT_FILE, 'it is not text')
    return await this.#open(CHECKPOINT_FILE, note)
  }

  /** A new ledger begins with the signed checkpoint of the empty tree. */
  async #create(): Promise<SignedCheckpoint> {
    for (const name of ['tile', JOURNAL_DIRECTORY]) {
      if ((await this.#files.list(join(this.#directory, name))).length > 0) {
        throw corrupt(CHECKPOINT_FILE, 'it is missing, and the ledger has entries')
      }
    }
    const { origin, signer, sha256 } = this.#identity
    const checkpoint = signCheckpoint(origin, 0, emptyRoot(sha256), [signer])
    await placeCheckpoint(this.#placement, checkpoint)
    return checkpoint
  }

  async #open(name: string, note: string): Promise<SignedCheckpoint> {
    const { origin, verifier } = this.#identity
    try {
      return await openCheckpoint(note, origin, [verifier])
    } catch (cause) {
      throw corrupt(name, cause instanceof Error ? cause.message : 'it does not open', cause)
    }
  }

  async #replayJournal(
    tree: CompactRange,
    published: SignedCheckpoint,
    publication: Publication,
  ): Promise<SignedCheckpoint> {
    const directory = join(this.#directory, JOURNAL_DIRECTORY)
    const names = (await this.#files.list(directory)).map((name) => `${JOURNAL_DIRECTORY}/${name}`)
    let last = published
    let end: number | null = null
    for (const [position, name] of names.entries()) {
      const firstIndex = parseJournalPath(name)
      if (firstIndex === null) throw corrupt(name, 'no file of a ledger has that name')
      if (firstIndex > tree.size || (end !== null && firstIndex !== end)) {
        throw corrupt(name, `entries before ${firstIndex} are missing`)
      }
      const { records, unfinishedBytes } = await this.#reader.journal(firstIndex)
      if (unfinishedBytes > 0 && position < names.length - 1) {
        throw corrupt(name, 'a record is cut short, and the next journal goes on after it')
      }
      const count = records.reduce((sum, record) => sum + record.entries.length, 0)
      end = firstIndex + count
      const segment = new Segment(firstIndex)
      for (const record of records) last = await this.#replay(record, tree, segment, last)
      if (segment.length > 0) await publication.publish(segment)
      else await this.#files.remove(join(this.#directory, name))
    }
    return last
  }

  async #replay(
    record: JournalRecord,
    tree: CompactRange,
    segment: Segment,
    last: SignedCheckpoint,
  ): Promise<SignedCheckpoint> {
    const checkpoint = await this.#open(segment.path, record.note)
    const end = record.firstIndex + record.entries.length
    if (checkpoint.size !== end) throw corrupt(segment.path, 'a checkpoint has another size')
    const isPublished = end <= tree.size
    if (!isPublished) {
      if (record.firstIndex !== tree.size) throw corrupt(segment.path, 'a record is half published')
      const levels = growTree(tree, record.leafHashes, this.#identity.many)
      segment.add(record, levels, checkpoint)
    }
    if (end === tree.size && !sameBytes(tree.root(), checkpoint.rootHash)) {
      throw corrupt(segment.path, `the entries before ${end} do not lead to the signed root`)
    }
    return isPublished ? last : checkpoint
  }
}

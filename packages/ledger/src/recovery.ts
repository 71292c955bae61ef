// Opens what is on the disk, after a clean close or a crash alike: reads the published right edge,
// reads the journal, and publishes what the journal has beyond it, by the same code as the normal
// path. It changes nothing that the signed checkpoints do not vouch for.
//
// A crash during recovery leaves what a crash during publication leaves, and is repaired by the
// next recovery. A torn last record was never acknowledged; it goes when its journal file goes.

import { join } from 'node:path'
import { fromUtf8, sameBytes } from './bytes.ts'
import { openCheckpoint, type SignedCheckpoint, signCheckpoint } from './checkpoint.ts'
import { LedgerError, quoted } from './errors.ts'
import type { Files } from './files.ts'
import { JOURNAL_DIRECTORY, type JournalRecord, parseJournal, parseJournalPath } from './journal.ts'
import { CHECKPOINT_FILE, fileBytesMax, PAYLOAD_DIRECTORY, STAGING_DIRECTORY } from './layout.ts'
import type { NoteSigner, NoteVerifier } from './note.ts'
import type { Sha256, Sha256Many } from './primitives.ts'
import { Placement, Publication, placeCheckpoint } from './publication.ts'
import { RightEdge } from './right-edge.ts'
import { growTree, Segment } from './segment.ts'
import { levelHashes, parseBundle, TILE_HEIGHT, TILE_WIDTH, tilePath } from './tiles.ts'
import { CompactRange, emptyRoot, HASH_BYTES, leafHash } from './tree.ts'

export interface Identity {
  readonly origin: string
  readonly signer: NoteSigner
  readonly verifier: NoteVerifier
  readonly sha256: Sha256
  readonly many: Sha256Many | undefined
}

export interface Recovered {
  readonly tree: CompactRange
  readonly checkpoint: SignedCheckpoint
  readonly publication: Publication
  readonly placement: Placement
}

function corrupt(name: string, message: string, cause?: unknown): LedgerError {
  return new LedgerError('ledger_corrupt', `${quoted(name)}: ${message}`, { cause })
}

export class Recovery {
  readonly #files: Files
  readonly #directory: string
  readonly #identity: Identity
  readonly #placement: Placement

  constructor(files: Files, directory: string, identity: Identity, stagedName = '') {
    this.#files = files
    this.#directory = directory
    this.#identity = identity
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
    const tiles = await this.#edgeTiles(checkpoint.size)
    const tree = this.#treeOf(checkpoint, tiles)
    const entries = await this.#edgeEntries(checkpoint.size, tiles[0])
    const edge = new RightEdge(checkpoint.size, tiles, entries)
    const publication = new Publication(this.#files, this.#directory, this.#placement, edge)
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

  async #read(name: string): Promise<Uint8Array | null> {
    try {
      return await this.#files.read(join(this.#directory, name), fileBytesMax(name))
    } catch (cause) {
      if (cause instanceof LedgerError) throw corrupt(name, 'it is too large', cause)
      throw cause
    }
  }

  async #publishedCheckpoint(): Promise<SignedCheckpoint> {
    const bytes = await this.#read(CHECKPOINT_FILE)
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

  /** The partial tile of every level, empty where the last tile is full. */
  async #edgeTiles(size: number): Promise<Uint8Array[]> {
    const tiles: Uint8Array[] = []
    for (let level = 0; levelHashes(level, size) > 0; level++) {
      const width = levelHashes(level, size) % TILE_WIDTH
      const index = Math.floor(levelHashes(level, size) / TILE_WIDTH)
      if (width === 0) {
        tiles.push(new Uint8Array(0))
        continue
      }
      const name = tilePath({ level, index, width })
      const bytes = await this.#read(name)
      if (bytes?.length !== width * HASH_BYTES) throw corrupt(name, 'it is missing or cut short')
      tiles.push(bytes)
    }
    return tiles
  }

  #treeOf(checkpoint: SignedCheckpoint, tiles: readonly Uint8Array[]): CompactRange {
    const tree = new CompactRange(this.#identity.sha256)
    for (let level = tiles.length - 1; level >= 0; level--) {
      const hashes = tiles[level] ?? new Uint8Array(0)
      const range = new CompactRange(this.#identity.sha256)
      for (let offset = 0; offset < hashes.length; offset += HASH_BYTES) {
        range.append(hashes.subarray(offset, offset + HASH_BYTES))
      }
      let rest = range.size
      for (const node of range.nodes()) {
        const count = 2 ** Math.floor(Math.log2(rest)) // at most 128: exact
        rest -= count
        tree.appendSubtree(node, count * 2 ** (TILE_HEIGHT * level))
      }
    }
    if (!sameBytes(tree.root(), checkpoint.rootHash)) {
      throw corrupt('tile', 'the tiles at the right edge do not lead to the signed root')
    }
    return tree
  }

  async #edgeEntries(size: number, leafHashes: Uint8Array | undefined): Promise<Uint8Array[]> {
    const width = size % TILE_WIDTH
    if (width === 0) return []
    const name = tilePath({ level: 'entries', index: Math.floor(size / TILE_WIDTH), width })
    const bytes = await this.#read(name)
    if (bytes === null) throw corrupt(name, 'it is missing')
    const { entries, isWhole } = parseBundle(bytes, width)
    if (!isWhole) throw corrupt(name, `it does not hold exactly ${width} entries`)
    for (const [position, entry] of entries.entries()) {
      const start = position * HASH_BYTES
      const known = leafHashes?.subarray(start, start + HASH_BYTES)
      if (known === undefined || !sameBytes(leafHash(this.#identity.sha256, entry), known)) {
        throw corrupt(name, `entry ${size - width + position} is not what the tile says`)
      }
    }
    return entries
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
      const records = await this.#records(name, firstIndex, position === names.length - 1)
      const count = records.reduce((sum, record) => sum + record.entries.length, 0)
      end = firstIndex + count
      const segment = new Segment(firstIndex)
      for (const record of records) last = await this.#replay(record, tree, segment, last)
      if (segment.length > 0) await publication.publish(segment)
      else await this.#files.remove(join(this.#directory, name))
    }
    return last
  }

  async #records(
    name: string,
    firstIndex: number,
    isLast: boolean,
  ): Promise<readonly JournalRecord[]> {
    const bytes = (await this.#read(name)) ?? new Uint8Array(0)
    const journal = parseJournal(bytes, firstIndex, this.#identity.sha256)
    if (journal.problem !== null) throw corrupt(name, journal.problem.message)
    if (journal.unfinishedBytes > 0 && !isLast) {
      throw corrupt(name, 'a record is cut short, and the next journal goes on after it')
    }
    return journal.records
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

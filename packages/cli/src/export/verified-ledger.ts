// The entries of a ledger in order, each only once it is vouched for: by a signed checkpoint whose root they lead
// to, and by the rules between entries. What follows is taken on from there, never trusted for lying in the folder.
import { createHash, type Hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { sameBytes } from '@seconder/ledger/bytes'
import { openCheckpoint, type SignedCheckpoint } from '@seconder/ledger/checkpoint'
import { directorySource } from '@seconder/ledger/directory'
import { LedgerError } from '@seconder/ledger/errors'
import { CHECKPOINT_FILE, fileBytesMax } from '@seconder/ledger/layout'
import { nodePrimitives } from '@seconder/ledger/node'
import { ed25519Verifier, type NoteVerifier } from '@seconder/ledger/note'
import { parseBundle, TILE_WIDTH, tilePath, tileWidth } from '@seconder/ledger/tiles'
import { CompactRange } from '@seconder/ledger/tree'
import { entries } from '@seconder/ledger/verify'
import { CommandFailure } from '../failure.ts'
import { FolderRules } from '../folder-rules.ts'
import { leafHash, parseEntry, verifyLedgerFolder } from '../ledger-folder.ts'
import { verifierKey } from '../ledger-keys.ts'
import { besideDirectory, isRemote, notRemote } from '../ledger-place.ts'

export interface VerifiedEntry {
  readonly index: number
  /** As it stands in the log. */
  readonly text: string
  /** Its leaf hash, in hex. */
  readonly hash: string
}

export interface VerifiedOptions {
  readonly key?: string | undefined
  /** It is gone on with: then the rules between entries are remembered. */
  readonly follow?: boolean | undefined
  /** Each entry while it is verified, before anything is known to be: only for what is looked at again later. */
  readonly onEntry?: (text: string) => void
  readonly onProgress?: (done: number, of: number) => void
}

/** A gate that is running moves files while they are read. */
const READ_TRIES = 6
const READ_PAUSE_MS = 500

/** The digests of each 256 leaf hashes: what was verified is known again when it is read a second time. */
class Digests {
  readonly #whole: string[] = []
  #open: Hash = createHash('sha256')
  #count = 0

  add(hash: string): void {
    this.#open.update(hash)
    this.#count++
    if (this.#count % TILE_WIDTH === 0) this.#end()
  }

  /** After the last one. */
  end(): void {
    if (this.#count % TILE_WIDTH !== 0) this.#end()
  }

  #end(): void {
    this.#whole.push(this.#open.digest('base64'))
    this.#open = createHash('sha256')
  }

  fits(place: number, hashes: readonly string[]): boolean {
    const hash = createHash('sha256')
    for (const one of hashes) hash.update(one)
    return hash.digest('base64') === this.#whole[place]
  }
}

export class VerifiedLedger {
  readonly #folder: string
  readonly #key: string
  readonly #verifier: NoteVerifier
  #range: CompactRange
  #digests: Digests
  readonly #follows: boolean
  #from = 0
  /** The largest published checkpoint that was seen. */
  #publishedSize = 0
  #rules: FolderRules | null = null

  private constructor(
    folder: string,
    { key, follow = false }: VerifiedOptions & { readonly key: string },
    range: CompactRange,
    digests: Digests,
  ) {
    this.#folder = folder
    this.#key = key
    this.#follows = follow
    this.#verifier = ed25519Verifier(key, nodePrimitives)
    this.#range = range
    this.#digests = digests
  }

  /** Verifies all of it. Errors: CommandFailure `ledger_unverified`, which names what is wrong. */
  static async open(folder: string, options: VerifiedOptions = {}): Promise<VerifiedLedger> {
    if (isRemote(folder)) throw notRemote('an export')
    const key = verifierKey(folder, options.key)
    let range = new CompactRange(nodePrimitives.sha256)
    let digests = new Digests()
    const { report } = await verifyLedgerFolder(folder, {
      key,
      keep: 0,
      ...(options.onProgress && { onProgress: options.onProgress }),
      onEntry: (index, text, hash) => {
        options.onEntry?.(text)
        if (index === 0) {
          range = new CompactRange(nodePrimitives.sha256)
          digests = new Digests()
        }
        range.append(Buffer.from(hash, 'hex'))
        digests.add(hash)
      },
    })
    digests.end()
    const [problem] = report.problems
    if (problem !== undefined || !report.ok) throw unverified(problem?.message ?? 'it does not')
    if (range.size !== report.size) throw unverified('not all of it could be read')
    return new VerifiedLedger(folder, { ...options, key }, range, digests)
  }

  /** Entries that are verified. */
  get size(): number {
    return this.#range.size
  }

  /** Those that were verified and not given yet. Errors: as `open`. */
  async *entries(): AsyncGenerator<VerifiedEntry> {
    const from = this.#from
    let place = 0
    let held: VerifiedEntry[] = []
    for await (const { index, entry } of this.#read(from, this.size)) {
      held.push({ index, text: Buffer.from(entry).toString('utf8'), hash: leafHash(entry) })
      const isLast = index + 1 === this.size
      if (held.length < TILE_WIDTH && !isLast) continue
      const hashes = held.map(({ hash }) => hash)
      if (!this.#digests.fits(place, hashes)) throw unverified('it was changed while it was read')
      for (const one of held) {
        if (this.#follows) await this.#mind(one)
        yield one
      }
      place++
      held = []
    }
    this.#rules?.explainMissing()
    this.#requireRules()
    this.#from = this.size
  }

  /**
   * Verifies what was published since and makes it what `entries` gives next; false where nothing was.
   * Errors: as `open`, also where the log does not go on from what was verified.
   */
  async goOn(): Promise<boolean> {
    const checkpoint = await this.#checkpoint()
    // What was verified may lie in the journal still, beyond what is published.
    if (checkpoint.size < this.#publishedSize) throw unverified('it is shorter than it was')
    this.#publishedSize = checkpoint.size
    if (checkpoint.size <= this.size) return false
    const range = this.#range.clone()
    const digests = new Digests()
    for await (const { entry } of this.#published(this.size, checkpoint.size)) {
      const hash = leafHash(entry)
      range.append(Buffer.from(hash, 'hex'))
      digests.add(hash)
    }
    if (!sameBytes(range.root(), checkpoint.rootHash)) {
      throw unverified('it does not go on from what was exported before')
    }
    digests.end()
    this.#range = range
    this.#digests = digests
    return true
  }

  /** What must hold between entries, over all of them: a log that is followed is held to it as well. */
  async #mind({ index, text, hash }: VerifiedEntry): Promise<void> {
    this.#rules ??= new FolderRules(besideDirectory(this.#folder), hash)
    await this.#rules.take(index, parseEntry(text))
    this.#requireRules()
  }

  #requireRules(): void {
    const [problem] = this.#rules?.problems ?? []
    if (problem !== undefined) throw unverified(`entry ${problem.entry}: ${problem.message}`)
  }

  async *#read(from: number, to: number): AsyncGenerator<{ index: number; entry: Uint8Array }> {
    if (from > 0) {
      yield* this.#published(from, to)
      return
    }
    let next = 0
    for (let tries = 1; next < to; tries++) {
      try {
        const all = entries(directorySource(this.#folder), {
          verifierKey: this.#key,
          primitives: nodePrimitives,
        })
        for await (const one of all) {
          if (one.index < next || one.index >= to) continue
          next = one.index + 1
          yield one
        }
      } catch (cause) {
        if (!(cause instanceof LedgerError) || tries >= READ_TRIES) throw cause
      }
      if (next < to && tries >= READ_TRIES) throw unverified('not all of it could be read')
      if (next < to) await setTimeout(READ_PAUSE_MS)
    }
  }

  /** Straight from the bundles: a log of many files is not listed each time it has grown. */
  async *#published(
    from: number,
    to: number,
  ): AsyncGenerator<{ index: number; entry: Uint8Array }> {
    for (let index = from; index < to; ) {
      const bundle = Math.floor(index / TILE_WIDTH)
      const end = Math.min(to, (bundle + 1) * TILE_WIDTH)
      const found = await this.#bundle(bundle, tileWidth(0, bundle, to))
      for (; index < end; index++) yield { index, entry: found[index % TILE_WIDTH] as Uint8Array }
    }
  }

  /** The bundle in this width, or in the one that it has grown to meanwhile. */
  async #bundle(index: number, width: number): Promise<readonly Uint8Array[]> {
    for (let tries = 1; tries <= READ_TRIES; tries++) {
      const grown = tileWidth(0, index, (await this.#checkpoint()).size)
      for (const one of [width, Math.max(width, grown)]) {
        const name = tilePath({ level: 'entries', index, width: one })
        const bytes = readOr(join(this.#folder, name), null)
        if (bytes === null || bytes.length > fileBytesMax(name)) continue
        const parsed = parseBundle(bytes, one)
        if (parsed.isWhole) return parsed.entries
      }
      await setTimeout(READ_PAUSE_MS)
    }
    throw unverified('not all of it could be read')
  }

  async #checkpoint(): Promise<SignedCheckpoint> {
    const note = readOr(join(this.#folder, CHECKPOINT_FILE), Buffer.alloc(0)).toString('utf8')
    try {
      return await openCheckpoint(note, this.#verifier.name, [this.#verifier])
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause
      throw unverified(cause.message)
    }
  }
}

function readOr<T>(path: string, missing: T): Buffer | T {
  try {
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return missing
    throw cause
  }
}

function unverified(why: string): CommandFailure {
  return new CommandFailure(
    'ledger_unverified',
    `the ledger does not verify: ${why}`,
    'nothing of it that is not verified is handed on; see `seconder ledger verify`',
  )
}

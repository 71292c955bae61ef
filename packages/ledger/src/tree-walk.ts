// Walks all entries once, from bundles and then from the journal, computes the tree from nothing
// but the entries, and compares every tile and every promised root with it. One bundle and a tile a
// level are in memory at a time. Runs in browsers.

import { concatBytes, firstDifference, sameBytes } from './bytes.ts'
import type { SignedCheckpoint } from './checkpoint.ts'
import { leafHashes } from './leaf-hashes.ts'
import { LevelTiles } from './level-tiles.ts'
import type { PlainBundles } from './plain-bundles.ts'
import type { Hasher } from './primitives.ts'
import type { Findings } from './report.ts'
import type { Inventory } from './source.ts'
import type { StagedJournal } from './staged-journal.ts'
import { encodeBundle, parseBundle, TILE_HEIGHT, TILE_WIDTH, tilePath, tileWidth } from './tiles.ts'
import { CompactRange, HASH_BYTES } from './tree.ts'

/** A promise is waited for before the next entry is heard. */
export type OnEntry = (index: number, entry: Uint8Array) => void | Promise<void>

export interface WalkOptions {
  readonly hasher: Hasher
  readonly inventory: Inventory
  readonly findings: Findings
  readonly published: SignedCheckpoint
  readonly staged: StagedJournal
  readonly plain: PlainBundles
  /** Sizes of the checkpoints seen before. */
  readonly sinceSizes: readonly number[]
  /** Called when the tree has reached each size, to compare roots; plain bundles grow it at once. */
  readonly onSize: (size: number, root: () => Uint8Array) => void
  readonly onEntry: OnEntry | undefined
}

/** A bundle as read: its entries, and their leaf hashes. */
interface Bundle {
  readonly entries: readonly Uint8Array[]
  readonly hashes: Uint8Array
}

export class TreeWalk {
  readonly #options: WalkOptions
  readonly #tree: CompactRange
  readonly #levels: LevelTiles

  constructor(options: WalkOptions) {
    this.#options = options
    this.#tree = new CompactRange(options.hasher.sha256)
    this.#levels = new LevelTiles(options.inventory, options.findings, options.published.size)
  }

  /** Walks the 256 entries of bundle `index`; false when the walk cannot go on after it. */
  async walkBundle(index: number): Promise<boolean> {
    if (this.#isPlain(index) && (await this.#walkPlain(index))) return true
    const { published, staged } = this.#options
    const width = tileWidth(0, index, published.size)
    const bundle =
      width === 0
        ? { entries: [], hashes: new Uint8Array(0) }
        : await this.#publishedBundle(index, width)
    if (bundle === null) return false
    const first = index * TILE_WIDTH
    const entries = [...bundle.entries]
    const hashes = [bundle.hashes]
    this.#compareStaged(first, bundle.hashes)
    for (let at = first + width; at < Math.min(first + TILE_WIDTH, staged.last.size); at++) {
      const entry = staged.at(at)
      if (entry === undefined) break
      entries.push(entry.entry)
      hashes.push(entry.leafHash)
    }
    await this.#accountBundles(index, width, entries)
    await this.#grow(first, concatBytes(hashes), entries)
    return true
  }

  /** Compares the tiles at the right edge, which no full tile has flushed. */
  async finish(): Promise<void> {
    await this.#levels.finish()
  }

  get size(): number {
    return this.#tree.size
  }

  /** Full, published, in one width alone, and with no root promised for a size within it. */
  #isPlain(index: number): boolean {
    const { published, staged, inventory, sinceSizes } = this.#options
    const [first, end] = [index * TILE_WIDTH, (index + 1) * TILE_WIDTH]
    if (end > published.size || staged.reachesBelow(end)) return false
    if (sinceSizes.some((size) => size > first && size < end)) return false
    return inventory.hasFullOnly('entries', index) && inventory.hasFullOnly(0, index)
  }

  /** False, with nothing taken, where there is anything to say: the other way says it. */
  async #walkPlain(index: number): Promise<boolean> {
    const { inventory, onEntry, onSize, plain } = this.#options
    const bundle = await plain.at(index)
    if (bundle === null) return false
    const { root, bytes } = bundle
    inventory.takeWidths('entries', index)
    this.#levels.passFull(index)
    this.#tree.appendPerfect(TILE_HEIGHT, root, this.#levels.onNode)
    onSize(this.#tree.size, () => this.#tree.root())
    if (onEntry && bytes) {
      const { entries } = parseBundle(bytes, TILE_WIDTH)
      for (const [position, entry] of entries.entries()) {
        const heard = onEntry(index * TILE_WIDTH + position, entry)
        if (heard) await heard
      }
    }
    await this.#levels.flushFull()
    return true
  }

  async #grow(first: number, hashes: Uint8Array, entries: readonly Uint8Array[]): Promise<void> {
    const { onEntry, onSize } = this.#options
    const root = () => this.#tree.root()
    for (let offset = 0; offset < hashes.length; offset += HASH_BYTES) {
      this.#tree.append(hashes.subarray(offset, offset + HASH_BYTES), this.#levels.onNode)
      onSize(this.#tree.size, root)
      const entry = entries[offset / HASH_BYTES]
      if (entry !== undefined) await onEntry?.(first + offset / HASH_BYTES, entry)
    }
    await this.#levels.flushFull()
  }

  /** The bundle that the published checkpoint needs, against the level-0 tile beside it. */
  async #publishedBundle(index: number, width: number): Promise<Bundle | null> {
    const { findings, inventory } = this.#options
    const bundleName = tilePath({ level: 'entries', index, width })
    const tileName = tilePath({ level: 0, index, width })
    const bytes = await this.#levels.required(bundleName, 'entries', index, width)
    const tile = await this.#levels.required(tileName, 0, index, width)
    const tileHashes = tile?.length === width * HASH_BYTES ? tile : null
    if (bytes === null) {
      return tileHashes === null ? null : { entries: [], hashes: tileHashes }
    }
    const { entries, isWhole } = parseBundle(bytes, width)
    const hashes = leafHashes(this.#options.hasher, entries)
    if (isWhole && (tileHashes === null || sameBytes(hashes, tileHashes))) {
      return { entries, hashes }
    }
    const position = tileHashes === null ? entries.length : differingEntry(hashes, tileHashes)
    const entry = index * TILE_WIDTH + Math.min(position, width - 1)
    const parent = await this.#levels.parentHash(inventory, index)
    if (isWhole && this.#isRight(hashes, parent)) {
      return { entries, hashes } // the tile is wrong; LevelTiles names it
    }
    findings.add('wrong_content', bundleName, 'an entry is not what the signed tree says', entry)
    if (tileHashes === null) return null
    // Go on with what the tile says: if that leads to the signed root, this bundle alone is wrong.
    return { entries: entries.slice(0, position), hashes: tileHashes }
  }

  /** Whether these leaf hashes are those under the parent, or under the published root. */
  #isRight(hashes: Uint8Array, parent: Uint8Array | null): boolean {
    const { published, hasher } = this.#options
    const range = parent === null ? this.#tree.clone() : new CompactRange(hasher.sha256)
    for (let offset = 0; offset < hashes.length; offset += HASH_BYTES) {
      range.append(hashes.subarray(offset, offset + HASH_BYTES))
    }
    return sameBytes(range.root(), parent ?? published.rootHash)
  }

  /** A journal file that was published and not yet removed must say what the tiles say. */
  #compareStaged(first: number, hashes: Uint8Array): void {
    for (let offset = 0; offset < hashes.length; offset += HASH_BYTES) {
      const index = first + offset / HASH_BYTES
      const staged = this.#options.staged.at(index)
      if (staged === undefined) continue
      if (sameBytes(staged.leafHash, hashes.subarray(offset, offset + HASH_BYTES))) continue
      const message = 'an entry is not what was published'
      this.#options.findings.add('wrong_content', staged.file, message, index)
    }
  }

  /** Every other bundle file of this index must hold the first entries of the same bundle. */
  async #accountBundles(index: number, required: number, entries: Uint8Array[]): Promise<void> {
    const { findings, inventory } = this.#options
    for (const width of inventory.takeWidths('entries', index)) {
      const name = tilePath({ level: 'entries', index, width })
      if (width === required) continue
      const bytes = await inventory.read(name)
      if (bytes === null) continue
      const first = index * TILE_WIDTH
      if (width > entries.length) {
        findings.add('unknown_file', name, 'no signed checkpoint covers its entries', first)
        continue
      }
      const known = encodeBundle(entries.slice(0, width))
      if (sameBytes(bytes, known)) continue
      const bundle = parseBundle(bytes, width)
      const wrong = bundle.entries.findIndex((entry, at) => !sameBytes(entry, entries[at] ?? entry))
      const position = wrong === -1 ? bundle.entries.length : wrong
      const entry = first + Math.min(position, width - 1)
      findings.add('wrong_content', name, 'an entry is not what the newer bundle says', entry)
    }
  }
}

/** The first position at which the two runs of hashes differ. */
function differingEntry(left: Uint8Array, right: Uint8Array): number {
  const byte = firstDifference(left, right)
  return Math.floor((byte === -1 ? Math.min(left.length, right.length) : byte) / HASH_BYTES)
}

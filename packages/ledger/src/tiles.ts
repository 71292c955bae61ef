// The C2SP tlog-tiles layout: names of tiles and entry bundles, widths, and the form of a bundle.
// Pure text and bytes; reads no file. Source: https://c2sp.org/tlog-tiles (C2SP commit 0ad71eb).

import { LedgerError, quoted } from './errors.ts'
import { ENTRY_BYTES_MAX } from './tree.ts'

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256
export const TILE_HEIGHT = 8
/** Levels that a tree of safe-integer size can have: 256**7 is beyond 2**53. */
export const TILE_LEVELS_MAX = 7
export const LENGTH_BYTES = 2

/** A tile of hashes (level 0 and up), or `entries` for a bundle; width 256 is a full one. */
export interface TileName {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

const LEVEL = /^(entries|0|[1-9][0-9]?)$/
const LEVEL_MAX = 63
const WIDTH = /^[1-9][0-9]{0,2}$/

/** The index in path elements of three digits: 1234067 is `x001/x234/067`. */
function indexPath(index: number): string {
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  }
  return path
}

/** `tile/0/x001/x234/067`, `tile/entries/003.p/17`: the name below the log's prefix. */
export function tilePath(tile: TileName): string {
  const path = `tile/${tile.level}/${indexPath(tile.index)}`
  return tile.width === TILE_WIDTH ? path : `${path}.p/${tile.width}`
}

/** The tile that a name stands for. Throws `path_invalid` for anything but its one spelling. */
export function parseTilePath(path: string): TileName {
  const tile = tileOfPath(path)
  if (tile !== null) return tile
  throw new LedgerError('path_invalid', `not the name of a tile: ${quoted(path)}`)
}

/** The tile that a name stands for, or null for anything but its one spelling. */
export function tileOfPath(path: string): TileName | null {
  const [full = '', widthText, ...more] = path.split('.p/')
  const [root, levelText = '', ...groups] = full.split('/')
  if (root !== 'tile' || more.length > 0 || !LEVEL.test(levelText)) return null
  const digits = groups.map((group, position) =>
    position < groups.length - 1 ? group.replace(/^x/, '') : group,
  )
  if (digits.length === 0 || digits.some((group) => !/^[0-9]{3}$/.test(group))) return null
  const index = Number(digits.join(''))
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText)
  if (widthText !== undefined && (!WIDTH.test(widthText) || width >= TILE_WIDTH)) return null
  const level = levelText === 'entries' ? 'entries' : Number(levelText)
  const tile: TileName = { level, index, width }
  // Written back, it must be the same: no missing x, no leading groups of zeros.
  const isLevelHigh = typeof level === 'number' && level > LEVEL_MAX
  if (!Number.isSafeInteger(index) || isLevelHigh || tilePath(tile) !== path) return null
  return tile
}

/** How many hashes level `level` has in a tree of `size`: floor(size / 256**level). */
export function levelHashes(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level)
}

/** The width of tile `index` at `level` in a tree of `size`; 0 when it has none, 256 when full. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = levelHashes(level, size) - index * TILE_WIDTH
  return Math.max(0, Math.min(TILE_WIDTH, hashes))
}

/** Every tile of a tree of `size`, and every bundle of its entries: the files of such a log. */
export function* tilesOf(size: number): Generator<TileName> {
  for (let level = 0; levelHashes(level, size) > 0; level++) {
    for (let index = 0; index * TILE_WIDTH < levelHashes(level, size); index++) {
      const width = tileWidth(level, index, size)
      yield { level, index, width }
      if (level === 0) yield { level: 'entries', index, width }
    }
  }
}

/** The entries of a bundle in the form of tlog-tiles: each after its big-endian uint16 length. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const entry of entries) length += LENGTH_BYTES + entry.length
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX) {
      throw new LedgerError('entry_too_large', `an entry has at most ${ENTRY_BYTES_MAX} bytes`)
    }
    bytes[offset] = entry.length >> 8
    bytes[offset + 1] = entry.length & 0xff
    bytes.set(entry, offset + LENGTH_BYTES)
    offset += LENGTH_BYTES + entry.length
  }
  return bytes
}

/**
 * The entries of a bundle, as views of `bytes`, and whether they are exactly `width` and use up all
 * of it. When they are not, the entries are those read until the first that does not fit.
 */
export function parseBundle(
  bytes: Uint8Array,
  width: number,
): { entries: Uint8Array[]; isWhole: boolean } {
  const entries: Uint8Array[] = []
  let offset = 0
  while (entries.length < width && offset + LENGTH_BYTES <= bytes.length) {
    const length = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
    const start = offset + LENGTH_BYTES
    if (start + length > bytes.length) break
    entries.push(bytes.subarray(start, start + length))
    offset = start + length
  }
  return { entries, isWhole: entries.length === width && offset === bytes.length }
}

// The names and size limits of the files in a ledger's directory. A file that is none of these is
// not part of a ledger, and the verifier says so. Pure; runs in browsers.

import { parseJournalPath, RECORD_BODY_BYTES_MAX } from './journal.ts'
import { NOTE_CHARACTERS_MAX } from './note.ts'
import { LENGTH_BYTES, TILE_WIDTH, type TileName, tileOfPath } from './tiles.ts'
import { ENTRY_BYTES_MAX, HASH_BYTES } from './tree.ts'

export const CHECKPOINT_FILE = 'checkpoint'
/** Always empty; the kernel's lock on it is what counts. */
export const LOCK_FILE = 'lock'
/** Files on their way to their place; emptied when the ledger opens. */
export const STAGING_DIRECTORY = 'staging'
export const PAYLOAD_DIRECTORY = 'payload'

export const PAYLOAD_BYTES_MAX = 32 * 1024 * 1024
export const CHECKPOINT_BYTES_MAX = 4 * NOTE_CHARACTERS_MAX
export const TILE_BYTES_MAX = TILE_WIDTH * HASH_BYTES
export const BUNDLE_BYTES_MAX = TILE_WIDTH * (LENGTH_BYTES + ENTRY_BYTES_MAX)
/** A journal file that has this many entries or bytes is closed and published. */
export const SEGMENT_ENTRIES_MAX = 16_384
export const SEGMENT_BYTES_MAX = 16 * 1024 * 1024
/** A journal file is made this long, in zeros, and grown by as much while records are small. */
export const JOURNAL_AHEAD_BYTES = 512 * 1024
// It is closed after the record that reaches the limit.
export const JOURNAL_BYTES_MAX =
  SEGMENT_BYTES_MAX + 2 * (RECORD_BODY_BYTES_MAX + CHECKPOINT_BYTES_MAX + JOURNAL_AHEAD_BYTES)

export type LedgerFile =
  | { readonly kind: 'checkpoint' | 'lock' | 'staging' | 'unknown' }
  | { readonly kind: 'tile'; readonly tile: TileName }
  | { readonly kind: 'payload'; readonly sha256: string }
  | { readonly kind: 'journal'; readonly firstIndex: number }

const PAYLOAD = /^payload\/([0-9a-f]{2})\/([0-9a-f]{64})$/
const STAGING = /^staging\/[0-9a-z-]{1,100}$/

/** `payload/e3/e3b0c442...`: the name of the payload with this SHA-256 in hex. */
export function payloadPath(sha256Hex: string): string {
  return `${PAYLOAD_DIRECTORY}/${sha256Hex.slice(0, 2)}/${sha256Hex}`
}

/** What the file of this name is; names use `/` and are relative to the directory. */
export function ledgerFile(name: string): LedgerFile {
  // Nearly all files are tiles.
  if (name.startsWith('tile/')) {
    const tile = tileOfPath(name)
    return tile === null ? { kind: 'unknown' } : { kind: 'tile', tile }
  }
  if (name === CHECKPOINT_FILE) return { kind: 'checkpoint' }
  if (name === LOCK_FILE) return { kind: 'lock' }
  if (STAGING.test(name)) return { kind: 'staging' }
  const payload = PAYLOAD.exec(name)
  if (payload?.[2]?.startsWith(payload[1] ?? '-')) return { kind: 'payload', sha256: payload[2] }
  const firstIndex = parseJournalPath(name)
  if (firstIndex !== null) return { kind: 'journal', firstIndex }
  return { kind: 'unknown' }
}

/** The largest size in bytes that a file of this name has in a ledger. */
export function fileBytesMax(name: string): number {
  const file = ledgerFile(name)
  switch (file.kind) {
    case 'payload':
      return PAYLOAD_BYTES_MAX
    case 'journal':
      return JOURNAL_BYTES_MAX
    case 'tile':
      return file.tile.level === 'entries' ? BUNDLE_BYTES_MAX : TILE_BYTES_MAX
    case 'checkpoint':
      return CHECKPOINT_BYTES_MAX
    case 'lock':
    case 'staging':
    case 'unknown':
      return 0
  }
}

// The journal: where entries are durable first. One record per batch: a header that checks itself,
// the entries, and the signed checkpoint after them. Encodes and parses records; touches no file.
//
// A record on the disk:
//   header, 32 bytes:  "SLJ1" | u32 body bytes | u32 entries | u64 first index | 12 bytes check,
//                      the check being the first 12 bytes of SHA-256 over the 20 before it
//   body:              per entry: u16 length | first 8 bytes of its leaf hash | the entry;
//                      then the checkpoint note, zeros up to a multiple of 8, and "SLJ1END\n"
// All numbers are big-endian. After the last record come zeros: the file is made larger than it is
// needed, because a write that does not grow a file is durable in half the time.
//
// A crash can cut a write short, at the end of a page; records begin and end at multiples of 8, so
// what it leaves of the last record ends in 8 zeros or more, and that is the only thing accepted as
// unfinished. One changed byte cannot look like it: the mark at the end of a record has no zeros.
// The leaf hashes name the entry that changed; the signed root is what proves that none did.

import { fromUtf8, sameBytes, toUtf8 } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { leafHashes } from './leaf-hashes.ts'
import { NOTE_CHARACTERS_MAX } from './note.ts'
import type { Hasher, Sha256 } from './primitives.ts'
import { ENTRY_BYTES_MAX, HASH_BYTES } from './tree.ts'

const MAGIC = toUtf8('SLJ1')
const CHECKED_BYTES = 20
export const HEADER_BYTES = 32
const MARK_BYTES = 8
const END_MARK = toUtf8('SLJ1END\n')
const ALIGNMENT = 8
export const ENTRY_HEAD_BYTES = 2 + MARK_BYTES
/** One record holds at most this many entries, and entries of this many bytes. */
export const RECORD_ENTRIES_MAX = 4096
export const RECORD_BODY_BYTES_MAX = 8 * 1024 * 1024

const NOTE_BYTES_MAX = 4 * NOTE_CHARACTERS_MAX

/** Entries that became durable together, and the checkpoint that was signed over them. */
export interface JournalRecord {
  readonly firstIndex: number
  readonly entries: readonly Uint8Array[]
  /** The leaf hashes of the entries, 32 bytes each. */
  readonly leafHashes: Uint8Array
  /** The signed checkpoint of the tree that ends with these entries. */
  readonly note: string
}

/** What an entry adds to the body of a record. */
export function recordedBytes(entry: Uint8Array): number {
  return ENTRY_HEAD_BYTES + entry.length
}

/** The bytes of a record. */
export function encodeRecord(record: JournalRecord, sha256: Sha256): Uint8Array {
  let bodyBytes = 0
  for (const entry of record.entries) bodyBytes += recordedBytes(entry)
  const tail = recordTail(bodyBytes, record.note)
  const bytes = new Uint8Array(HEADER_BYTES + bodyBytes + tail.length)
  const view = new DataView(bytes.buffer)
  let offset = HEADER_BYTES
  for (const [position, entry] of record.entries.entries()) {
    view.setUint16(offset, entry.length)
    const hashStart = position * HASH_BYTES
    bytes.set(record.leafHashes.subarray(hashStart, hashStart + MARK_BYTES), offset + 2)
    bytes.set(entry, offset + ENTRY_HEAD_BYTES)
    offset += recordedBytes(entry)
  }
  bytes.set(tail, offset)
  writeHeader(bytes, { count: record.entries.length, firstIndex: record.firstIndex }, sha256)
  return bytes
}

/** What follows entries of `entryBytes`: the note, zeros up to a whole multiple, and the mark at the end. */
export function recordTail(entryBytes: number, note: string): Uint8Array {
  const text = toUtf8(note)
  const padded = Math.ceil((entryBytes + text.length) / ALIGNMENT) * ALIGNMENT - entryBytes
  const tail = new Uint8Array(padded + END_MARK.length)
  tail.set(text)
  tail.set(END_MARK, padded)
  return tail
}

/** Writes the header of a record whose other bytes are there. */
export function writeHeader(
  bytes: Uint8Array,
  { count, firstIndex }: { readonly count: number; readonly firstIndex: number },
  sha256: Sha256,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  bytes.set(MAGIC)
  view.setUint32(4, bytes.length - HEADER_BYTES)
  view.setUint32(8, count)
  view.setBigUint64(12, BigInt(firstIndex))
  bytes.set(headerCheck(bytes, sha256), CHECKED_BYTES)
}

function headerCheck(header: Uint8Array, sha256: Sha256): Uint8Array {
  const digest = new Uint8Array(HASH_BYTES)
  sha256(header.subarray(0, CHECKED_BYTES), digest, 0)
  return digest.subarray(0, HEADER_BYTES - CHECKED_BYTES)
}

/** Why a record that is complete cannot be right, and the index of the entry where that shows. */
export interface JournalProblem {
  readonly message: string
  readonly entry?: number
}

export interface ParsedJournal {
  /** The complete records before the problem or unfinished end. Their notes are not verified. */
  readonly records: readonly JournalRecord[]
  /** Bytes of a last record that was cut short: never acknowledged, so no corruption. */
  readonly unfinishedBytes: number
  readonly problem: JournalProblem | null
}

/** The records of one journal file that starts at entry `firstIndex`. */
export function parseJournal(bytes: Uint8Array, firstIndex: number, hasher: Hasher): ParsedJournal {
  const records: JournalRecord[] = []
  const written = writtenBytes(bytes)
  let offset = 0
  let index = firstIndex
  while (offset < written) {
    const rest = bytes.subarray(offset)
    const size = recordBytes(rest, written - offset, index, hasher.sha256)
    if (typeof size !== 'number') return { records, unfinishedBytes: 0, problem: size }
    const isCut = size > rest.length || written - offset <= size - END_MARK.length
    if (isCut) return { records, unfinishedBytes: written - offset, problem: null }
    const record = parseBody(rest.subarray(0, size), index, hasher)
    if ('message' in record) return { records, unfinishedBytes: 0, problem: record }
    records.push(record)
    offset += size
    index += record.entries.length
  }
  return { records, unfinishedBytes: 0, problem: null }
}

/** The bytes before the zeros at the end. */
function writtenBytes(bytes: Uint8Array): number {
  let written = bytes.length
  while (written > 0 && bytes[written - 1] === 0) written -= 1
  return written
}

/** The size that the header announces; when it is cut itself, more than there is. */
function recordBytes(
  rest: Uint8Array,
  written: number,
  index: number,
  sha256: Sha256,
): number | JournalProblem {
  const magic = MAGIC.subarray(0, rest.length)
  if (!sameBytes(rest.subarray(0, magic.length), magic)) {
    return { message: 'a record does not begin with its mark', entry: index }
  }
  const isHeaderCut = rest.length < HEADER_BYTES || written <= HEADER_BYTES - ALIGNMENT
  if (isHeaderCut) return HEADER_BYTES + END_MARK.length
  if (!sameBytes(rest.subarray(CHECKED_BYTES, HEADER_BYTES), headerCheck(rest, sha256))) {
    return { message: 'the header of a record does not check', entry: index }
  }
  const view = new DataView(rest.buffer, rest.byteOffset)
  const recordedIndex = view.getBigUint64(12)
  if (recordedIndex !== BigInt(index)) {
    return { message: `a record begins at entry ${recordedIndex}, not ${index}`, entry: index }
  }
  const bodyBytes = view.getUint32(4)
  if (bodyBytes > RECORD_BODY_BYTES_MAX + NOTE_BYTES_MAX) {
    return { message: 'a record is larger than any that is written', entry: index }
  }
  return HEADER_BYTES + bodyBytes
}

function parseBody(
  record: Uint8Array,
  firstIndex: number,
  hasher: Hasher,
): JournalRecord | JournalProblem {
  const view = new DataView(record.buffer, record.byteOffset, record.length)
  const count = view.getUint32(8)
  if (count > RECORD_ENTRIES_MAX) return { message: 'a record has too many entries' }
  const entries: Uint8Array[] = []
  const marks: Uint8Array[] = []
  let offset = HEADER_BYTES
  while (entries.length < count && offset + ENTRY_HEAD_BYTES <= record.length) {
    const start = offset + ENTRY_HEAD_BYTES
    const end = start + view.getUint16(offset)
    if (end > record.length) break
    marks.push(record.subarray(offset + 2, start))
    entries.push(record.subarray(start, end))
    offset = end
  }
  const hashes = leafHashes(hasher, entries)
  const wrong = marks.findIndex((mark, position) => {
    const hashStart = position * HASH_BYTES
    return !sameBytes(mark, hashes.subarray(hashStart, hashStart + MARK_BYTES))
  })
  if (wrong !== -1 || entries.length < count) {
    const entry = firstIndex + (wrong === -1 ? entries.length : wrong)
    return { message: 'an entry is not what was recorded', entry }
  }
  const noteEnd = record.length - END_MARK.length
  if (offset > noteEnd || !sameBytes(record.subarray(noteEnd), END_MARK)) {
    return { message: 'a record does not end with its mark', entry: firstIndex }
  }
  // A note ends with a newline, so the zeros at its end are the padding.
  const padded = record.subarray(offset, noteEnd)
  const note = fromUtf8(padded.subarray(0, writtenBytes(padded)))
  if (note === null) return { message: 'the checkpoint of a record is not text' }
  if (padded.length - toUtf8(note).length >= ALIGNMENT) {
    return { message: 'a record has more zeros than it needs', entry: firstIndex }
  }
  return { firstIndex, entries, leafHashes: hashes, note }
}

export const JOURNAL_DIRECTORY = 'journal'
const NAME = /^journal\/([0-9]{16})$/

/** `journal/0000000000004096`: the journal file whose first entry has this index. */
export function journalPath(firstIndex: number): string {
  return `${JOURNAL_DIRECTORY}/${String(firstIndex).padStart(16, '0')}`
}

/** The index of the first entry in the journal file of this name; null when it is none. */
export function parseJournalPath(path: string): number | null {
  const index = Number(NAME.exec(path)?.[1] ?? Number.NaN)
  return Number.isSafeInteger(index) ? index : null
}

/** Throws `entry_too_large` for an entry that the uint16 length of tlog-tiles cannot hold. */
export function checkEntry(entry: Uint8Array): void {
  if (entry.length > ENTRY_BYTES_MAX) {
    const message = `an entry has at most ${ENTRY_BYTES_MAX} bytes, this one ${entry.length}`
    throw new LedgerError('entry_too_large', message)
  }
}

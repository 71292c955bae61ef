// Reads one file of a trail, gzip or plain, in pieces of bounded size, and hands its events on. A file
// that is cut or damaged gives what is whole in it, and the name of what is wrong with the rest.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { EventWalker } from './event-walker.ts'
import { type RecordFault, RecordReader } from './records.ts'
import type { TrailFile } from './trail-files.ts'

/** Up to this many bytes a file is read and inflated at once, which is faster. */
export const AT_ONCE_BYTES_MAX = 4 * 1024 * 1024
/** Most bytes that a file read at once may inflate to; more is read in pieces. */
export const INFLATED_BYTES_MAX = 128 * 1024 * 1024
/** Most room that is made on the word of a file. */
const ROOM_BYTES_MAX = 16 * 1024 * 1024
const PIECE_BYTES = 4 * 1024 * 1024

/** As of the records, and `gzip`: the compression is damaged or ends early; `unreadable`. */
export type FileFault = RecordFault | 'gzip' | 'unreadable'

export interface ReadFile {
  readonly events: number
  /** Records without a name of a call: insights, and what is no event. */
  readonly others: number
  readonly fault: FileFault | null
  /** Lines that are no event, where each line should be one. */
  readonly brokenLines: number
}

/** Its events are told to the walker, which may be that of other files before. */
export async function readTrailFile(file: TrailFile, walker: EventWalker): Promise<ReadFile> {
  const reader = new RecordReader(walker)
  let fault: FileFault | null = null
  try {
    if (file.bytes <= AT_ONCE_BYTES_MAX && readAtOnce(file.path, reader)) fault = null
    else fault = await readInPieces(file.path, reader)
  } catch {
    fault = 'unreadable' // the file went away or may not be read: the report names it
  }
  const ended = reader.end()
  // A document of another kind is named as a whole; what is in it is not counted as well.
  const others = ended === 'no_events' ? 0 : reader.others
  const { events, brokenLines } = reader
  return { events, others, fault: fault ?? ended, brokenLines }
}

/** False where it must be read in pieces; nothing was read then. */
function readAtOnce(path: string, reader: RecordReader): boolean {
  const bytes = readFileSync(path)
  let plain: Buffer = bytes
  if (isGzip(bytes)) {
    try {
      const chunkSize = inflatedBytes(bytes)
      plain = gunzipSync(bytes, { maxOutputLength: INFLATED_BYTES_MAX, chunkSize })
    } catch {
      return false // damaged, cut or too large: in pieces, what is whole can still be read
    }
  }
  reader.push(plain)
  return true
}

/**
 * How much to make room for at once, so that nothing need be put together: the size that gzip writes at its
 * end. It may lie, and is a hint only. Source: RFC 1952, ISIZE.
 */
function inflatedBytes(bytes: Buffer): number {
  const said = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4) + 64
  return Math.min(Math.max(said, 64 * 1024), ROOM_BYTES_MAX)
}

async function readInPieces(path: string, reader: RecordReader): Promise<FileFault | null> {
  const take = (bytes: Buffer): void => reader.push(bytes)
  const handle = openSync(path, 'r')
  try {
    const head = Buffer.alloc(2)
    if (readSync(handle, head, 0, 2, 0) < 2 || !isGzip(head)) {
      for (const piece of pieces(handle)) take(piece)
      return null
    }
    return await inflate(handle, take)
  } finally {
    closeSync(handle)
  }
}

function* pieces(handle: number): Generator<Buffer> {
  const buffer = Buffer.alloc(PIECE_BYTES)
  let at = 0
  for (;;) {
    const read = readSync(handle, buffer, 0, PIECE_BYTES, at)
    if (read === 0) return
    at += read
    yield buffer.subarray(0, read)
  }
}

async function inflate(handle: number, take: (bytes: Buffer) => void): Promise<FileFault | null> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES })
  const feed = (async () => {
    for (const piece of pieces(handle)) {
      if (gunzip.destroyed) return
      if (!gunzip.write(Buffer.from(piece))) {
        await new Promise((resolve) => gunzip.once('drain', resolve).once('close', resolve))
      }
    }
    gunzip.end()
  })()
  try {
    for await (const bytes of gunzip as AsyncIterable<Buffer>) take(bytes)
    await feed
    return null
  } catch {
    return 'gzip' // zlib says that it is damaged or cut; what came before was taken
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

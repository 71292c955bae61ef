// A store as one file, so that the next policy over the same trail reads no trail: the columns as they lie in
// memory, and the texts. Every part has a checksum; a file that is not whole is no file.

import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Columns, ScanFacts, TrailStore } from './trail-store.ts'

const MAGIC = 'seconder replay 1\n'
const HEAD_BYTES_MAX = 64 * 1024 * 1024
const ALIGNED = 8

interface Part {
  readonly at: number
  readonly bytes: number
  readonly crc: number
}

interface SliceParts {
  readonly count: number
  readonly times: Part
  readonly calls: Part
  readonly whos: Part
  readonly agents: Part
  readonly flags: Part
  readonly ids: Part
}

interface Head {
  /** What the file is a cache of. */
  readonly key: string
  readonly facts: ScanFacts
  readonly texts: Part
  readonly likes: Part
  readonly slices: readonly SliceParts[]
}

interface Texts {
  readonly calls: readonly string[]
  readonly whos: readonly string[]
  readonly agents: readonly string[]
  readonly tags: readonly (readonly [string, string])[]
}

/** Writes beside the path and then moves there, so that nobody reads half of it. */
export function writeCache(path: string, key: string, store: TrailStore): void {
  const beside = `${path}.${process.pid}.part`
  const file = openSync(beside, 'w', 0o600)
  try {
    // The head stands last, for it holds what all parts came to; where it is stands at the end.
    const parts = new PartWriter(file)
    const { calls, whos, agents, tags } = store
    const texts: Texts = { calls, whos, agents, tags: [...tags] }
    const head: Head = {
      key,
      facts: store.facts,
      texts: parts.write(Buffer.from(JSON.stringify(texts))),
      likes: parts.write(store.likes),
      slices: store.slices.map((slice) => sliceParts(parts, slice())),
    }
    const text = Buffer.from(JSON.stringify(head))
    const { at, crc } = parts.write(text)
    const end = Buffer.alloc(24)
    end.writeDoubleLE(at, 0)
    end.writeDoubleLE(text.length, 8)
    end.writeUInt32LE(crc, 16)
    parts.write(end)
    closeSync(file)
    renameSync(beside, path)
  } catch (cause) {
    rmSync(beside, { force: true })
    throw cause
  }
}

function sliceParts(parts: PartWriter, columns: Columns): SliceParts {
  const { count, times, calls, whos, agents, flags } = columns
  return {
    count,
    times: parts.write(times),
    calls: parts.write(calls),
    whos: parts.write(whos),
    agents: parts.write(agents),
    flags: parts.write(flags),
    ids: parts.write(columns.ids()),
  }
}

class PartWriter {
  readonly #file: number
  #at = 0

  constructor(file: number) {
    this.#file = file
    this.write(Buffer.from(MAGIC))
  }

  write(view: ArrayBufferView): Part {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    const at = this.#at
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, at + done)
    }
    this.#at = Math.ceil((at + bytes.length) / ALIGNED) * ALIGNED
    return { at, bytes: bytes.length, crc: crc32(bytes) }
  }
}

/** The store in the file, or null where there is none, of another key, or one that is not whole. */
export function readCache(
  path: string,
  key: string,
): { store: TrailStore; close: () => void } | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return null // none yet: the trail is scanned
  }
  const parts = new PartReader(file)
  const close = () => closeSync(file)
  try {
    const head = headOf(parts)
    if (head.key !== key) throw new Error('the cache is of another trail')
    const texts = JSON.parse(parts.read(head.texts).toString()) as Texts
    const store: TrailStore = {
      facts: head.facts,
      ...texts,
      tags: new Map(texts.tags),
      likes: words(parts.read(head.likes)),
      slices: head.slices.map((slice) => () => columnsOf(parts, slice)),
    }
    // Read once, so that a file that is not whole is found here and not in the midst of a report.
    for (const slice of head.slices) {
      parts.read(slice.ids)
      if (head.slices.length > 1) columnsOf(parts, slice)
    }
    const [only] = head.slices
    if (head.slices.length !== 1 || only === undefined) return { store, close }
    const columns = columnsOf(parts, only)
    return { store: { ...store, slices: [() => columns] }, close }
  } catch {
    close()
    return null // damaged, cut or of an older form: the trail is scanned again
  }
}

function headOf(parts: PartReader): Head {
  if (parts.bytes(0, MAGIC.length).toString() !== MAGIC) throw new Error('no cache of replay')
  const end = parts.last(24)
  const at = end.readDoubleLE(0)
  const bytes = end.readDoubleLE(8)
  if (!(bytes > 0 && bytes <= HEAD_BYTES_MAX)) throw new Error('no head')
  return JSON.parse(parts.read({ at, bytes, crc: end.readUInt32LE(16) }).toString()) as Head
}

function columnsOf(parts: PartReader, slice: SliceParts): Columns {
  const { count } = slice
  const agents = parts.read(slice.agents)
  const columns = {
    count,
    times: words(parts.read(slice.times)),
    calls: words(parts.read(slice.calls)),
    whos: words(parts.read(slice.whos)),
    agents: new Uint16Array(agents.buffer, agents.byteOffset, agents.length / 2),
    flags: parts.read(slice.flags),
  }
  if (columns.times.length !== count || columns.flags.length !== count) throw new Error('cut')
  let ids: Uint32Array | null = null
  return {
    ...columns,
    ids: () => {
      ids ??= words(parts.read(slice.ids))
      return ids
    },
  }
}

function words(bytes: Buffer): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

class PartReader {
  readonly #file: number

  constructor(file: number) {
    this.#file = file
  }

  /** Throws where the part is not what it was when it was written. */
  read({ at, bytes, crc }: Part): Buffer {
    const read = this.bytes(at, bytes)
    if (crc32(read) !== crc) throw new Error('a part of the cache is damaged')
    return read
  }

  bytes(at: number, length: number): Buffer {
    // A buffer of its own: a view of four bytes must begin where four bytes begin.
    const buffer = Buffer.from(new ArrayBuffer(length))
    for (let done = 0; done < length; ) {
      const read = readSync(this.#file, buffer, done, length - done, at + done)
      if (read === 0) throw new Error('the cache is cut')
      done += read
    }
    return buffer
  }

  /** The end of the file, which is not longer than its padding. */
  last(length: number): Buffer {
    const { size } = fstatSync(this.#file)
    return this.bytes(size - length, length)
  }
}

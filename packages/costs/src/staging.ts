// Brings an export into the private folder that DuckDB may read: counted, gunzipped and hashed on
// the way, so that what is hashed is what is parsed.

import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { HEADER_BYTES_MAX } from './csv-header.ts'
import { CostStoreError } from './errors.ts'

/** Most bytes of CSV in one file, after gunzip. */
export const FILE_BYTES_MAX = 4 * 1024 ** 3

export interface StagedFile {
  readonly path: string
  /** Of the CSV after gunzip. */
  readonly bytes: number
  readonly sha256: string
  /** The first bytes of the CSV, enough for the header. */
  readonly start: Uint8Array
}

/**
 * The staged copy of `source`, a path or the bytes, gzip or plain. The caller removes it.
 * Errors: `too_large` past `bytesMax`, `unreadable_file` for a missing path or broken gzip.
 */
export async function stageFile(
  source: Uint8Array | string,
  folder: string,
  bytesMax: number = FILE_BYTES_MAX,
): Promise<StagedFile> {
  const path = join(folder, `${randomUUID()}.csv`)
  const digest = createHash('sha256')
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) {
        done(new CostStoreError('too_large', `the file has more than ${bytesMax} bytes of CSV`))
        return
      }
      digest.update(chunk)
      done(null, chunk)
    },
  })
  try {
    const unzip = (await isGzip(source)) ? [createGunzip()] : []
    // Made last: a stream that fails before the pipeline holds it would fail unheard.
    const input = typeof source === 'string' ? createReadStream(source) : Readable.from([source])
    await pipeline([
      input,
      ...unzip,
      counter,
      createWriteStream(path, { mode: 0o600, flags: 'wx' }),
    ])
    return { path, bytes, sha256: digest.digest('hex'), start: await firstBytes(path) }
  } catch (error) {
    await rm(path, { force: true })
    if (error instanceof CostStoreError) throw error
    throw new CostStoreError('unreadable_file', 'the file could not be read', error)
  }
}

// Source: RFC 1952 section 2.3.1, the two identification bytes.
async function isGzip(source: Uint8Array | string): Promise<boolean> {
  const start = typeof source === 'string' ? await firstBytes(source) : source
  return start[0] === 0x1f && start[1] === 0x8b
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES_MAX + 1), 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

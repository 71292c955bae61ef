// Holds bodies that are too large for memory, on the disk and within limits, until their request has had
// its answer. A file of it has no name any more once it is open, so nothing is left behind by a crash.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { GatewayError } from '../errors.ts'
import { randomId } from '../lib/ids.ts'

export interface SpoolLimits {
  /** Bytes of one body. */
  readonly bodyBytesMax: number
  /** Bytes of all bodies together. */
  readonly totalBytesMax: number
  /** Bytes of the disk that stay free, for the ledger and the state foremost. */
  readonly freeBytesMin: number
}

const GIB = 1024 ** 3

/**
 * One upload of S3 is at most 5 GiB.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
export const SPOOLED_BODY_BYTES_MAX = 5 * GIB
export const SPOOL_DEFAULTS: SpoolLimits = {
  bodyBytesMax: SPOOLED_BODY_BYTES_MAX,
  totalBytesMax: 20 * GIB,
  freeBytesMin: GIB,
}
/** Bodies held at once. */
export const SPOOL_FILES_MAX = 128
/** Written between two looks at how much of the disk is free. */
const LOOK_BYTES = 64 * 1024 * 1024
const READ_BYTES = 256 * 1024
const NAME = /^body-[0-9a-z-]+$/

export class Spool {
  readonly #folder: string
  readonly limits: SpoolLimits
  #files = 0
  /** Reserved, and of that on the disk. */
  #bytes = 0
  #written = 0

  /** Makes the folder, for its owner alone, and removes what a crash may have left in it. */
  constructor(folder: string, limits: SpoolLimits = SPOOL_DEFAULTS) {
    this.#folder = folder
    this.limits = limits
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(folder)) if (NAME.test(name)) rmSync(join(folder, name))
  }

  /** Bodies and bytes held now. */
  get held(): { readonly files: number; readonly bytes: number } {
    return { files: this.#files, bytes: this.#bytes }
  }

  /**
   * A file for one body. `announcedBytes` is what its request says of its length; where it says nothing
   * room is taken as the body comes. Errors: `body_too_large`, `spool_full`.
   */
  async begin(announcedBytes: number): Promise<SpoolFile> {
    if (this.#files >= SPOOL_FILES_MAX) throw full(`it holds ${SPOOL_FILES_MAX} bodies already`)
    this.#files += 1
    const file = new SpoolFile({
      take: (more, bodyBytes) => this.#take(more, bodyBytes),
      free: () => this.#requireFree(),
      wrote: (bytes) => {
        this.#written += bytes
      },
      release: (reserved, written) => {
        this.#files -= 1
        this.#bytes -= reserved
        this.#written -= written
      },
    })
    try {
      await file.open(join(this.#folder, randomId('body')), announcedBytes)
      return file
    } catch (cause) {
      await file.close()
      throw cause
    }
  }

  #take(more: number, bodyBytes: number): void {
    const { bodyBytesMax, totalBytesMax } = this.limits
    if (bodyBytes > bodyBytesMax) throw bodyTooLarge(bodyBytesMax)
    if (this.#bytes + more > totalBytesMax) {
      throw full(`bodies held together may take ${totalBytesMax} bytes`)
    }
    this.#bytes += more
  }

  /** What is reserved and not yet written counts as gone, so that two uploads do not share one space. */
  async #requireFree(): Promise<void> {
    let free: number
    try {
      const { bavail, bsize } = await statfs(this.#folder)
      free = bavail * bsize
    } catch (cause) {
      throw full('the disk of the gate cannot be looked at', cause)
    }
    const promised = this.#bytes - this.#written
    if (free - promised < this.limits.freeBytesMin)
      throw full('the disk of the gate is nearly full')
  }
}

interface SpoolRoom {
  readonly take: (more: number, bodyBytes: number) => void
  readonly free: () => Promise<void>
  readonly wrote: (bytes: number) => void
  readonly release: (reserved: number, written: number) => void
}

export class SpoolFile {
  readonly #room: SpoolRoom
  #handle: FileHandle | undefined
  #reserved = 0
  #written = 0
  #lookedAt = 0
  #closed = false

  constructor(room: SpoolRoom) {
    this.#room = room
  }

  get byteLength(): number {
    return this.#written
  }

  async open(path: string, announcedBytes: number): Promise<void> {
    this.#reserve(announcedBytes)
    await this.#room.free()
    try {
      this.#handle = await open(path, 'wx+', 0o600)
      // Whoever has it open reads on; nobody else can find it, and no crash leaves it.
      await unlink(path)
    } catch (cause) {
      throw full('the disk of the gate cannot be written', cause)
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#reserve(this.#written + bytes.byteLength)
    if (this.#written - this.#lookedAt >= LOOK_BYTES) {
      this.#lookedAt = this.#written
      await this.#room.free()
    }
    let at = 0
    while (at < bytes.byteLength) {
      at += await this.#writeSome(bytes.subarray(at), this.#written + at)
    }
    this.#written += at
    this.#room.wrote(at)
  }

  /** The bytes from the first on, as often as it is asked. */
  read(): Readable {
    if (this.#handle === undefined || this.#closed) throw new Error('the body was let go of')
    if (this.#written === 0) return Readable.from([])
    return this.#handle.createReadStream({
      start: 0,
      end: this.#written - 1,
      autoClose: false,
      highWaterMark: READ_BYTES,
    })
  }

  /** Gives the room back. Once is enough, and again does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#handle?.close()
    } finally {
      this.#room.release(this.#reserved, this.#written)
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#reserved) return
    this.#room.take(bytes - this.#reserved, bytes)
    this.#reserved = bytes
  }

  async #writeSome(bytes: Uint8Array, position: number): Promise<number> {
    try {
      const written = await this.#handle?.write(bytes, 0, bytes.byteLength, position)
      if (written !== undefined && written.bytesWritten > 0) return written.bytesWritten
    } catch (cause) {
      throw full('the disk of the gate cannot be written', cause)
    }
    throw full('the disk of the gate took nothing')
  }
}

export function bodyTooLarge(bytesMax: number): GatewayError {
  return new GatewayError(
    'body_too_large',
    `the body is over ${bytesMax} bytes; nothing was done`,
    'send it in smaller parts (S3: a multipart upload)',
  )
}

function full(why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'spool_full',
    `the gate cannot hold this body now: ${why}; nothing was done`,
    'run the call again when other uploads have ended, or tell whoever runs the gate (`uploads` in seconder.yaml)',
    cause === undefined ? {} : { cause },
  )
}

// The checksums that S3 takes of a payload, computed piece by piece: what a client declared of a body
// is believed only where the body says the same. No state but the running sums.

import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
export const CHECKSUM_ALGORITHMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number]

const PREFIX = 'x-amz-checksum-'

/** The algorithm of a header or trailer such as `x-amz-checksum-crc32`; undefined for any other. */
export function checksumAlgorithm(headerName: string): ChecksumAlgorithm | undefined {
  const lower = headerName.toLowerCase()
  if (!lower.startsWith(PREFIX)) return undefined
  return CHECKSUM_ALGORITHMS.find((name) => name === lower.slice(PREFIX.length))
}

export interface RunningChecksum {
  update(bytes: Uint8Array): void
  /** Base64, as S3 writes it in headers; asked for once. */
  digest(): string
}

export function runningChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  switch (algorithm) {
    case 'crc32':
      return new Crc32()
    case 'crc32c':
      return new Crc32c()
    case 'crc64nvme':
      return new Crc64Nvme()
    case 'sha1':
    case 'sha256':
      return new Digest(createHash(algorithm))
  }
}

class Digest implements RunningChecksum {
  readonly #hash: Hash

  constructor(hash: Hash) {
    this.#hash = hash
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  digest(): string {
    return this.#hash.digest('base64')
  }
}

class Crc32 implements RunningChecksum {
  #crc = 0

  update(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc)
  }

  digest(): string {
    return base64Of(this.#crc)
  }
}

// Reflected polynomials. Source: https://reveng.sourceforge.io/crc-catalogue/all.htm,
// CRC-32/ISCSI and CRC-64/NVME.
const CRC32C_POLYNOMIAL = 0x82f63b78
const CRC64NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n

/** Eight tables of 256: row n is the remainder of a byte that n more bytes follow. */
const TABLES = 8
const CRC32C_TABLE = new Uint32Array(256 * TABLES)
const CRC64_HIGH = new Uint32Array(256 * TABLES)
const CRC64_LOW = new Uint32Array(256 * TABLES)
fillTables()

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let narrow = byte
    let wide = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) {
      narrow = narrow & 1 ? (narrow >>> 1) ^ CRC32C_POLYNOMIAL : narrow >>> 1
      wide = wide & 1n ? (wide >> 1n) ^ CRC64NVME_POLYNOMIAL : wide >> 1n
    }
    CRC32C_TABLE[byte] = narrow
    CRC64_HIGH[byte] = Number(wide >> 32n)
    CRC64_LOW[byte] = Number(wide & 0xffffffffn)
  }
  for (let at = 256; at < 256 * TABLES; at++) {
    const narrow = at32(CRC32C_TABLE, at - 256)
    CRC32C_TABLE[at] = (narrow >>> 8) ^ at32(CRC32C_TABLE, narrow & 0xff)
    const [high, low] = [at32(CRC64_HIGH, at - 256), at32(CRC64_LOW, at - 256)]
    CRC64_LOW[at] = ((low >>> 8) | (high << 24)) ^ at32(CRC64_LOW, low & 0xff)
    CRC64_HIGH[at] = (high >>> 8) ^ at32(CRC64_HIGH, low & 0xff)
  }
}

function at32(table: Uint32Array, index: number): number {
  return table[index] as number
}

class Crc32c implements RunningChecksum {
  #crc = 0xffffffff

  update(bytes: Uint8Array): void {
    const t = CRC32C_TABLE
    let crc = this.#crc
    let at = 0
    for (const whole = bytes.length - 7; at < whole; at += 8) {
      const low = crc ^ word(bytes, at)
      const high = word(bytes, at + 4)
      crc =
        at32(t, 1792 + (low & 0xff)) ^
        at32(t, 1536 + ((low >>> 8) & 0xff)) ^
        at32(t, 1280 + ((low >>> 16) & 0xff)) ^
        at32(t, 1024 + (low >>> 24)) ^
        at32(t, 768 + (high & 0xff)) ^
        at32(t, 512 + ((high >>> 8) & 0xff)) ^
        at32(t, 256 + ((high >>> 16) & 0xff)) ^
        at32(t, high >>> 24)
    }
    for (; at < bytes.length; at++) crc = (crc >>> 8) ^ at32(t, (crc ^ (bytes[at] ?? 0)) & 0xff)
    this.#crc = crc
  }

  digest(): string {
    return base64Of(~this.#crc)
  }
}

/** In halves of 32 bits: a BigInt for each byte would take minutes for a large object. */
class Crc64Nvme implements RunningChecksum {
  #high = 0xffffffff
  #low = 0xffffffff

  update(bytes: Uint8Array): void {
    let [high, low] = [this.#high, this.#low]
    let at = 0
    for (const whole = bytes.length - 7; at < whole; at += 8) {
      const a = low ^ word(bytes, at)
      const b = high ^ word(bytes, at + 4)
      low = eight(CRC64_LOW, a, b)
      high = eight(CRC64_HIGH, a, b)
    }
    for (; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] ?? 0)) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ at32(CRC64_LOW, index)
      high = (high >>> 8) ^ at32(CRC64_HIGH, index)
    }
    this.#high = high
    this.#low = low
  }

  digest(): string {
    return base64Of(~this.#high, ~this.#low)
  }
}

function eight(t: Uint32Array, a: number, b: number): number {
  return (
    at32(t, 1792 + (a & 0xff)) ^
    at32(t, 1536 + ((a >>> 8) & 0xff)) ^
    at32(t, 1280 + ((a >>> 16) & 0xff)) ^
    at32(t, 1024 + (a >>> 24)) ^
    at32(t, 768 + (b & 0xff)) ^
    at32(t, 512 + ((b >>> 8) & 0xff)) ^
    at32(t, 256 + ((b >>> 16) & 0xff)) ^
    at32(t, b >>> 24)
  )
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function base64Of(...words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, each] of words.entries()) bytes.writeUInt32BE(each >>> 0, index * 4)
  return bytes.toString('base64')
}

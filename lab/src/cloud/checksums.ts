// Compares the checksums a client declared for an S3 body with the body: an unchecked one would be
// a false promise. All five algorithms of S3.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { CloudError } from './errors.ts'

const PREFIX = 'x-amz-checksum-'

/** Request headers that begin like a checksum and are not one. */
const NOT_CHECKSUMS: readonly string[] = ['x-amz-checksum-mode', 'x-amz-checksum-algorithm']

/**
 * Throws BadDigest where a declared checksum or Content-MD5 differs, InvalidRequest for an
 * algorithm that S3 has not.
 */
export function checkChecksums(
  content: Uint8Array,
  headers: Iterable<readonly [name: string, value: string]>,
): void {
  for (const [name, declared] of headers) {
    const isChecksum = name.startsWith(PREFIX) && !NOT_CHECKSUMS.includes(name)
    if (!isChecksum && name !== 'content-md5') continue
    const algorithm = isChecksum ? name.slice(PREFIX.length) : 'md5'
    if (checksum(algorithm, content) === declared) continue
    const shown = isChecksum ? algorithm.toUpperCase() : 'Content-MD5'
    const message = `The ${shown} you specified did not match the calculated checksum.`
    throw new CloudError('BadDigest', message)
  }
}

/** Base64 of the checksum, as S3 writes it in headers. */
export function checksum(algorithm: string, content: Uint8Array): string {
  switch (algorithm) {
    case 'crc32':
      return wordsToBase64(crc32(content))
    case 'crc32c':
      return wordsToBase64(crc32c(content))
    case 'crc64nvme':
      return wordsToBase64(...crc64nvme(content))
    case 'md5':
    case 'sha1':
    case 'sha256':
      return createHash(algorithm).update(content).digest('base64')
    default:
      throw new CloudError('InvalidRequest', 'Checksum algorithm provided is unsupported.')
  }
}

function wordsToBase64(...words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4)
  return bytes.toString('base64')
}

// Reflected polynomials. Source: https://reveng.sourceforge.io/crc-catalogue/all.htm,
// CRC-32/ISCSI and CRC-64/NVME.
const CRC32C_POLYNOMIAL = 0x82f63b78
const CRC64NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1
  return crc
})

function crc32c(content: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of content) crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 0xff] ?? 0)
  return ~crc >>> 0
}

/** Two tables of 32-bit halves: BigInt for every byte would take seconds for a large object. */
const CRC64_HIGH = new Uint32Array(256)
const CRC64_LOW = new Uint32Array(256)
for (let byte = 0; byte < 256; byte += 1) {
  let crc = BigInt(byte)
  for (let bit = 0; bit < 8; bit += 1)
    crc = crc & 1n ? (crc >> 1n) ^ CRC64NVME_POLYNOMIAL : crc >> 1n
  CRC64_HIGH[byte] = Number(crc >> 32n)
  CRC64_LOW[byte] = Number(crc & 0xffffffffn)
}

function crc64nvme(content: Uint8Array): readonly [high: number, low: number] {
  let high = 0xffffffff
  let low = 0xffffffff
  for (const byte of content) {
    const index = (low ^ byte) & 0xff
    low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[index] ?? 0)
    high = (high >>> 8) ^ (CRC64_HIGH[index] ?? 0)
  }
  return [~high, ~low]
}

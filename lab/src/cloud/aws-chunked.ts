// Takes the `aws-chunked` framing off an S3 body: s3rver would store it with the object. The sizes,
// the signatures of signed chunks, the trailer and the declared length must all be right.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
// sigv4-streaming-trailers.html
import { createHash, createHmac, hash, type KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { CloudError } from './errors.ts'

export const CHUNKS_MAX = 100_000
export const CHUNK_HEADER_BYTES_MAX = 256
export const TRAILER_BYTES_MAX = 4096

/** What the chain of chunk signatures starts from. */
export interface ChunkSeed {
  readonly signingKey: KeyObject
  readonly amzDate: string
  /** `20260801/cn-north-1/s3/aws4_request`. */
  readonly scope: string
  readonly signature: string
}

export interface Unchunked {
  readonly content: Uint8Array
  readonly trailers: ReadonlyMap<string, string>
}

const EMPTY_SHA256 = hash('sha256', '', 'hex')

function malformed(message: string): CloudError {
  return new CloudError('InvalidRequest', `The aws-chunked body is malformed: ${message}`)
}

function lineEnd(body: Buffer, from: number, bytesMax: number): number {
  const end = body.indexOf('\r\n', from)
  if (end < 0 || end - from > bytesMax) throw malformed('a line has no end')
  return end
}

/**
 * The content and the trailer of a framed body. With `seed` every chunk must be signed.
 *
 * InvalidRequest where the framing is broken; SignatureDoesNotMatch where a chunk was changed.
 */
export function unchunk(bytes: Uint8Array, seed: ChunkSeed | undefined): Unchunked {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks: Buffer[] = []
  let previous = seed?.signature ?? ''
  let at = 0
  for (;;) {
    const end = lineEnd(body, at, CHUNK_HEADER_BYTES_MAX)
    const line = body.toString('latin1', at, end)
    const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line)
    if (match === null || chunks.length >= CHUNKS_MAX) throw malformed('a chunk header is not one')
    const size = Number.parseInt(match[1] ?? '', 16)
    const chunk = body.subarray(end + 2, end + 2 + size)
    if (chunk.length !== size) throw malformed('a chunk is cut short')
    at = end + 2 + size
    if ((seed === undefined) !== (match[2] === undefined)) throw malformed('a chunk signature')
    if (seed !== undefined) previous = checkChunk(seed, previous, chunk, match[2] ?? '')
    if (size === 0) break
    if (body.toString('latin1', at, at + 2) !== '\r\n') throw malformed('a chunk has no end')
    at += 2
    chunks.push(chunk)
  }
  return { content: Buffer.concat(chunks), trailers: readTrailers(body, at, seed, previous) }
}

function checkChunk(seed: ChunkSeed, previous: string, chunk: Buffer, signature: string): string {
  const text = [
    'AWS4-HMAC-SHA256-PAYLOAD',
    seed.amzDate,
    seed.scope,
    previous,
    EMPTY_SHA256,
    hash('sha256', chunk, 'hex'),
  ].join('\n')
  return checkSignature(seed, text, signature)
}

function checkSignature(seed: ChunkSeed, text: string, signature: string): string {
  if (createHmac('sha256', seed.signingKey).update(text).digest('hex') === signature) {
    return signature
  }
  const message = 'The signature of a chunk does not match the signature you provided.'
  throw new CloudError('SignatureDoesNotMatch', message, 403)
}

function readTrailers(
  body: Buffer,
  from: number,
  seed: ChunkSeed | undefined,
  previous: string,
): ReadonlyMap<string, string> {
  const trailers = new Map<string, string>()
  const signed: string[] = []
  let at = from
  while (at < body.length) {
    const end = lineEnd(body, at, TRAILER_BYTES_MAX)
    const line = body.toString('latin1', at, end)
    at = end + 2
    if (line === '') continue
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (colon < 1 || trailers.has(name)) throw malformed('a trailer is not a header')
    if (name !== 'x-amz-trailer-signature') signed.push(`${name}:${value}\n`)
    trailers.set(name, value)
  }
  if (seed !== undefined && signed.length > 0) {
    const text = ['AWS4-HMAC-SHA256-TRAILER', seed.amzDate, seed.scope, previous]
    const canonical = hash('sha256', signed.join(''), 'hex')
    checkSignature(
      seed,
      [...text, canonical].join('\n'),
      trailers.get('x-amz-trailer-signature') ?? '',
    )
  }
  trailers.delete('x-amz-trailer-signature')
  return trailers
}

const PREFIX = 'x-amz-checksum-'

/** Request headers that begin like a checksum and are not one. */
const NOT_CHECKSUMS: readonly string[] = ['x-amz-checksum-mode', 'x-amz-checksum-algorithm']

/**
 * Compares every declared checksum with the content. BadDigest where one differs, NotImplemented
 * for an algorithm Node has not (crc32c, crc64nvme): an unchecked checksum would be a false promise.
 */
export function checkChecksums(
  content: Uint8Array,
  headers: ReadonlyMap<string, string>,
  trailers: ReadonlyMap<string, string>,
): void {
  const md5 = headers.get('content-md5')
  if (md5 !== undefined && createHash('md5').update(content).digest('base64') !== md5) {
    throw new CloudError(
      'BadDigest',
      'The Content-MD5 you specified did not match what we received.',
    )
  }
  for (const [name, declared] of [...headers, ...trailers]) {
    if (!name.startsWith(PREFIX) || NOT_CHECKSUMS.includes(name)) continue
    if (checksum(name.slice(PREFIX.length), content) !== declared) {
      const algorithm = name.slice(PREFIX.length).toUpperCase()
      const message = `The ${algorithm} you specified did not match the calculated checksum.`
      throw new CloudError('BadDigest', message)
    }
  }
}

function checksum(algorithm: string, content: Uint8Array): string {
  if (algorithm === 'crc32') {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(crc32(content))
    return bytes.toString('base64')
  }
  if (algorithm === 'sha1' || algorithm === 'sha256') {
    return createHash(algorithm).update(content).digest('base64')
  }
  throw new CloudError(
    'NotImplemented',
    `A header you provided implies functionality that is not implemented: x-amz-checksum-${algorithm}`,
    501,
  )
}

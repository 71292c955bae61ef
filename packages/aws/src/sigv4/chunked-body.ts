// Takes an aws-chunked body apart: payload and trailers. Signed chunks are verified one by one from
// the request's own signature on, so that the payload is as bound as a hashed body. It reads bytes
// only; what the payload means is not its question.

import { hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import { headerValues, type WireHeader, type WireRequest } from '../wire-request.ts'
import { amzDate } from './amz-date.ts'
import { scopeText } from './credential-scope.ts'
import { quoted, SigV4Error } from './errors.ts'
import { rememberedSigningKey, signature } from './signature.ts'
import type { VerifiedSignature } from './verify.ts'

export interface ChunkedBody {
  readonly payload: Uint8Array
  /** Hex; of the payload, not of the body as received. */
  readonly payloadSha256: string
  /** Lower-case names, all of them announced in x-amz-trailer. */
  readonly trailers: readonly WireHeader[]
  /** True when every chunk and the trailer carried a signature that holds. */
  readonly isSigned: boolean
}

export const CHUNKS_MAX = 100_000
export const TRAILER_LINES_MAX = 20
const LINE_BYTES_MAX = 1_024
const EMPTY_SHA256 = hash('sha256', '', 'hex')

/**
 * Payload and trailers of a request whose `verify` reported a streaming payload kind.
 *
 * `secretAccessKey` is the one that `verify` looked up. Throws SigV4Error: `malformed_chunks` when
 * the framing, the announced length or the trailers are not exactly as announced,
 * `signature_mismatch` when a chunk or the trailer is not signed as part of this request.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function readChunkedBody(
  request: WireRequest,
  verified: VerifiedSignature,
  secretAccessKey: string,
): ChunkedBody {
  const declared = one(request, 'x-amz-content-sha256')
  const isSigned = verified.payloadKind === 'streaming-signed'
  if (!isSigned && verified.payloadKind !== 'streaming-unsigned-trailer') {
    throw new SigV4Error('malformed_chunks', 'the payload is not a chunked one')
  }
  const chain = isSigned ? new SignatureChain(verified, secretAccessKey) : undefined
  const frame = new FrameReader(request.body)
  const pieces = readChunks(frame, chain)
  const trailers = readTrailers(frame, request, chain, declared?.endsWith('-TRAILER') === true)
  const payload = Buffer.concat(pieces)
  const length = one(request, 'x-amz-decoded-content-length')
  if (length === undefined || length !== String(payload.byteLength)) {
    throw new SigV4Error('malformed_chunks', 'x-amz-decoded-content-length is not the length')
  }
  return { payload, payloadSha256: hash('sha256', payload, 'hex'), trailers, isSigned }
}

/**
 * The same request with its payload as a plain body, as if the client had never chunked it: for
 * describing it and for signing it anew. Checksum trailers become headers, which S3 takes alike.
 * `malformed_chunks` when a trailer is no checksum: such a one has no place in a plain request.
 */
export function plainRequest(request: WireRequest, chunked: ChunkedBody): WireRequest {
  const headers: WireHeader[] = []
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase()
    if (lower === 'x-amz-decoded-content-length' || lower === 'x-amz-trailer') continue
    if (lower === 'content-length' || lower === 'transfer-encoding') continue
    if (lower === 'x-amz-content-sha256') continue
    if (lower !== 'content-encoding') {
      headers.push([name, value])
      continue
    }
    const kept = value.split(',').filter((each) => each.trim().toLowerCase() !== 'aws-chunked')
    if (kept.length > 0) headers.push([name, kept.join(',').trim()])
  }
  for (const [name, value] of chunked.trailers) {
    if (!/^x-amz-checksum-[a-z0-9]{1,20}$/.test(name)) {
      throw new SigV4Error('malformed_chunks', `trailer ${quoted(name)} is no checksum`)
    }
    headers.push([name, value])
  }
  headers.push(['content-length', String(chunked.payload.byteLength)])
  return { ...request, headers, body: chunked.payload }
}

function readChunks(frame: FrameReader, chain: SignatureChain | undefined): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let count = 0; count < CHUNKS_MAX; count++) {
    const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(frame.line())
    const [, size, chunkSignature] = match ?? []
    if (size === undefined || (chunkSignature === undefined) !== (chain === undefined)) {
      throw new SigV4Error('malformed_chunks', 'a chunk has a broken head')
    }
    const data = frame.bytes(Number.parseInt(size, 16))
    if (chain !== undefined) chain.checkChunk(data, chunkSignature ?? '')
    if (data.byteLength === 0) return pieces
    frame.lineBreak()
    pieces.push(data)
  }
  throw new SigV4Error('malformed_chunks', 'the body has too many chunks')
}

function readTrailers(
  frame: FrameReader,
  request: WireRequest,
  chain: SignatureChain | undefined,
  hasTrailers: boolean,
): WireHeader[] {
  const announced = (one(request, 'x-amz-trailer') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  const trailers: WireHeader[] = []
  let trailerSignature: string | undefined
  // Clients differ in where they put the empty line of this section, so that alone says nothing.
  for (let count = 0; !frame.isAtEnd(); count++) {
    const line = frame.line().replace(/\n$/, '')
    if (count > TRAILER_LINES_MAX) {
      throw new SigV4Error('malformed_chunks', 'the body has too many trailer lines')
    }
    if (line === '') continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'x-amz-trailer-signature' && trailerSignature === undefined) {
      trailerSignature = value
      continue
    }
    const isNew = announced.includes(name) && !trailers.some(([known]) => known === name)
    if (!hasTrailers || !isNew || trailerSignature !== undefined) {
      throw new SigV4Error('malformed_chunks', `trailer ${quoted(name)} was not announced`)
    }
    trailers.push([name, value])
  }
  if (trailers.length !== announced.length) {
    throw new SigV4Error('malformed_chunks', 'an announced trailer is missing')
  }
  if (chain !== undefined && hasTrailers) chain.checkTrailers(trailers, trailerSignature ?? '')
  else if (trailerSignature !== undefined) {
    throw new SigV4Error('malformed_chunks', 'a trailer signature came where none belongs')
  }
  return trailers
}

// Each chunk's signature signs the one before it, the first one the request's own.
class SignatureChain {
  readonly #key: KeyObject
  readonly #head: string
  #previous: string

  constructor(verified: VerifiedSignature, secretAccessKey: string) {
    this.#key = rememberedSigningKey(secretAccessKey, verified)
    this.#head = `${amzDate(verified.signedAtMs)}\n${scopeText(verified)}`
    this.#previous = verified.signature
  }

  checkChunk(data: Uint8Array, received: string): void {
    const digest = hash('sha256', data, 'hex')
    this.#check('AWS4-HMAC-SHA256-PAYLOAD', `${EMPTY_SHA256}\n${digest}`, received)
  }

  checkTrailers(trailers: readonly WireHeader[], received: string): void {
    const text = trailers.map(([name, value]) => `${name}:${value}\n`).join('')
    const digest = hash('sha256', Buffer.from(text, 'latin1'), 'hex')
    this.#check('AWS4-HMAC-SHA256-TRAILER', digest, received)
  }

  #check(algorithm: string, last: string, received: string): void {
    const text = `${algorithm}\n${this.#head}\n${this.#previous}\n${last}`
    const expected = Buffer.from(signature(this.#key, text), 'latin1')
    const given = Buffer.from(received, 'latin1')
    if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) {
      throw new SigV4Error('signature_mismatch', 'a chunk of the body is not signed')
    }
    this.#previous = received
  }
}

class FrameReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(body: Uint8Array) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength
  }

  /** The text up to the next CR LF, which is taken too. */
  line(): string {
    const end = this.#bytes.indexOf('\r\n', this.#at, 'latin1')
    if (end < 0 || end - this.#at > LINE_BYTES_MAX) {
      throw new SigV4Error('malformed_chunks', 'a line of the body does not end')
    }
    const text = this.#bytes.toString('latin1', this.#at, end)
    this.#at = end + 2
    return text
  }

  bytes(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.byteLength) {
      throw new SigV4Error('malformed_chunks', 'a chunk is longer than the body')
    }
    const data = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return data
  }

  lineBreak(): void {
    if (this.line() !== '') throw new SigV4Error('malformed_chunks', 'a chunk has no end')
  }
}

function one(request: WireRequest, name: string): string | undefined {
  return headerValues(request, name)[0]?.trim()
}

// Takes an aws-chunked body apart as it comes, piece by piece and at constant memory. Signed chunks are
// verified one by one, from the request's own signature on. What it hands out is not verified before
// `end` has returned: until then nothing may be done with it but keep it.

import { createHash, type Hash, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import { checksumAlgorithm, type RunningChecksum, runningChecksum } from '../checksum.ts'
import { headerValues, type WireHead, type WireHeader } from '../wire-request.ts'
import { amzDate } from './amz-date.ts'
import { scopeText } from './credential-scope.ts'
import { quoted, SigV4Error } from './errors.ts'
import { rememberedSigningKey, signature } from './signature.ts'
import type { VerifiedSignature } from './verify.ts'

/** 5 GiB, the largest single upload, in chunks of 8 KiB, the smallest but for the last. */
export const CHUNKS_MAX = 700_000
export const TRAILER_LINES_MAX = 20
const LINE_BYTES_MAX = 1_024
const EMPTY_SHA256 = hash('sha256', '', 'hex')

export interface ChunkedEnd {
  readonly payloadBytes: number
  /** Lower-case names, all of them announced in x-amz-trailer; every checksum is that of the payload. */
  readonly trailers: readonly WireHeader[]
  /** True when every chunk and the trailer carried a signature that holds. */
  readonly isSigned: boolean
}

type Awaiting = 'chunk head' | 'chunk data' | 'chunk end' | 'trailers'

export class ChunkReader {
  readonly #announcedBytes: string
  readonly #announced: readonly string[]
  readonly #hasTrailers: boolean
  readonly #chain: SignatureChain | undefined
  readonly #checksums = new Map<string, RunningChecksum>()
  readonly #trailers: WireHeader[] = []
  #awaiting: Awaiting = 'chunk head'
  /** The start of a line whose end has not come. */
  #line: Buffer = Buffer.alloc(0)
  #missing = 0
  #chunkSignature = ''
  #chunks = 0
  #lines = 0
  #payloadBytes = 0
  #trailerSignature: string | undefined

  /**
   * For a request whose `verify` reported a streaming payload kind; `secretAccessKey` is the one that
   * `verify` looked up. Errors: `malformed_chunks` for any other kind, or without a length.
   * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
   * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
   */
  constructor(head: WireHead, verified: VerifiedSignature, secretAccessKey: string) {
    const isSigned = verified.payloadKind === 'streaming-signed'
    if (!isSigned && verified.payloadKind !== 'streaming-unsigned-trailer') {
      throw malformed('the payload is not a chunked one')
    }
    this.#chain = isSigned ? new SignatureChain(verified, secretAccessKey) : undefined
    this.#hasTrailers = one(head, 'x-amz-content-sha256')?.endsWith('-TRAILER') === true
    this.#announcedBytes = one(head, 'x-amz-decoded-content-length') ?? ''
    this.#announced = (one(head, 'x-amz-trailer') ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '')
    for (const name of this.#announced) {
      const algorithm = checksumAlgorithm(name)
      if (algorithm !== undefined) this.#checksums.set(name, runningChecksum(algorithm))
    }
  }

  /**
   * Reads on; `take` gets the payload in order, in views of `bytes`. Errors: `malformed_chunks` when the
   * framing or the announced length does not hold, `signature_mismatch` when a chunk is not signed.
   */
  push(bytes: Uint8Array, take: (payload: Uint8Array) => void): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    while (at < piece.byteLength) {
      if (this.#awaiting === 'chunk data') {
        const data = piece.subarray(at, at + this.#missing)
        this.#takeData(data, take)
        at += data.byteLength
      } else at = this.#takeLine(piece, at)
    }
  }

  /** What the whole body was. Errors as `push`, and `body_mismatch` for a checksum of other bytes. */
  end(): ChunkedEnd {
    if (this.#awaiting !== 'trailers' || this.#line.byteLength > 0) {
      throw malformed('the body ends within a chunk or a line')
    }
    if (this.#announcedBytes !== String(this.#payloadBytes)) {
      throw malformed('x-amz-decoded-content-length is not the length')
    }
    if (this.#trailers.length !== this.#announced.length) {
      throw malformed('an announced trailer is missing')
    }
    if (this.#chain !== undefined && this.#hasTrailers) {
      this.#chain.checkTrailers(this.#trailers, this.#trailerSignature ?? '')
    } else if (this.#trailerSignature !== undefined) {
      throw malformed('a trailer signature came where none belongs')
    }
    for (const [name, value] of this.#trailers) this.#checkChecksum(name, value)
    return {
      payloadBytes: this.#payloadBytes,
      trailers: this.#trailers,
      isSigned: this.#chain !== undefined,
    }
  }

  #takeData(data: Buffer, take: (payload: Uint8Array) => void): void {
    this.#chain?.update(data)
    for (const checksum of this.#checksums.values()) checksum.update(data)
    this.#payloadBytes += data.byteLength
    this.#missing -= data.byteLength
    take(data)
    if (this.#missing > 0) return
    this.#chain?.checkChunk(this.#chunkSignature)
    this.#awaiting = 'chunk end'
  }

  /** Takes the line that ends in `piece`, or keeps its start; returns where to read on. */
  #takeLine(piece: Buffer, at: number): number {
    const kept = this.#line
    // Together, since a line break too may be cut between two pieces.
    const joined =
      kept.byteLength === 0 ? piece.subarray(at) : Buffer.concat([kept, piece.subarray(at)])
    const end = joined.subarray(0, LINE_BYTES_MAX + 2).indexOf('\r\n', 0, 'latin1')
    if (end < 0) {
      if (joined.byteLength > LINE_BYTES_MAX + 1) throw malformed('a line of the body does not end')
      this.#line = Buffer.from(joined)
      return piece.byteLength
    }
    this.#line = Buffer.alloc(0)
    this.#onLine(joined.toString('latin1', 0, end))
    return at + end + 2 - kept.byteLength
  }

  #onLine(line: string): void {
    if (this.#awaiting === 'chunk head') this.#onChunkHead(line)
    else if (this.#awaiting === 'trailers') this.#onTrailer(line.replace(/\n$/, ''))
    else if (line !== '') throw malformed('a chunk has no end')
    else this.#awaiting = 'chunk head'
  }

  #onChunkHead(line: string): void {
    const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line)
    const [, digits, chunkSignature] = match ?? []
    if (digits === undefined || (chunkSignature === undefined) !== (this.#chain === undefined)) {
      throw malformed('a chunk has a broken head')
    }
    this.#chunks += 1
    if (this.#chunks > CHUNKS_MAX) throw malformed('the body has too many chunks')
    const size = Number.parseInt(digits, 16)
    if (!(this.#payloadBytes + size <= Number(this.#announcedBytes))) {
      throw malformed('the chunks are longer than x-amz-decoded-content-length')
    }
    this.#missing = size
    this.#chunkSignature = chunkSignature ?? ''
    this.#awaiting = 'chunk data'
    if (size > 0) return
    this.#chain?.checkChunk(this.#chunkSignature)
    this.#awaiting = 'trailers'
  }

  // Clients differ in where they put the empty line of this section, so that alone says nothing.
  #onTrailer(line: string): void {
    this.#lines += 1
    if (this.#lines > TRAILER_LINES_MAX + 1) throw malformed('the body has too many trailer lines')
    if (line === '') return
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'x-amz-trailer-signature' && this.#trailerSignature === undefined) {
      this.#trailerSignature = value
      return
    }
    const isNew = this.#announced.includes(name) && !this.#trailers.some(([own]) => own === name)
    if (!this.#hasTrailers || !isNew || this.#trailerSignature !== undefined) {
      throw malformed(`trailer ${quoted(name)} was not announced`)
    }
    this.#trailers.push([name, value])
  }

  #checkChecksum(name: string, value: string): void {
    const actual = this.#checksums.get(name)?.digest()
    if (actual === undefined || actual === value) return
    throw new SigV4Error('body_mismatch', `the body is not the one that ${quoted(name)} names`)
  }
}

// Each chunk's signature signs the one before it, the first one the request's own.
class SignatureChain {
  readonly #key: KeyObject
  readonly #head: string
  #previous: string
  #hash: Hash = createHash('sha256')

  constructor(verified: VerifiedSignature, secretAccessKey: string) {
    this.#key = rememberedSigningKey(secretAccessKey, verified)
    this.#head = `${amzDate(verified.signedAtMs)}\n${scopeText(verified)}`
    this.#previous = verified.signature
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  checkChunk(received: string): void {
    const digest = this.#hash.digest('hex')
    this.#hash = createHash('sha256')
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

function malformed(message: string): SigV4Error {
  return new SigV4Error('malformed_chunks', message)
}

function one(head: WireHead, name: string): string | undefined {
  return headerValues(head, name)[0]?.trim()
}

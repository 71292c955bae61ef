// Makes a plain request of an aws-chunked one, as if the client had never chunked it: for describing it
// and for signing it anew. The framing itself is read in chunk-reader.ts.

import { hash } from 'node:crypto'
import { checksumAlgorithm } from '../checksum.ts'
import type { WireHead, WireHeader, WireRequest } from '../wire-request.ts'
import { type ChunkedEnd, ChunkReader } from './chunk-reader.ts'
import { quoted, SigV4Error } from './errors.ts'
import type { VerifiedSignature } from './verify.ts'

export interface ChunkedBody extends ChunkedEnd {
  readonly payload: Uint8Array
  /** Hex; of the payload, not of the body as received. */
  readonly payloadSha256: string
}

/**
 * Payload and trailers of a request whose `verify` reported a streaming payload kind and whose body is
 * in memory; whatever checksum came with it is the payload's. Errors: as ChunkReader.
 */
export function readChunkedBody(
  request: WireRequest,
  verified: VerifiedSignature,
  secretAccessKey: string,
): ChunkedBody {
  const reader = new ChunkReader(request, verified, secretAccessKey)
  const pieces: Uint8Array[] = []
  reader.push(request.body, (piece) => pieces.push(piece))
  const end = reader.end()
  const payload = Buffer.concat(pieces)
  return { ...end, payload, payloadSha256: hash('sha256', payload, 'hex') }
}

/** The same request with its payload as a plain body. Errors: as `plainHeaders`. */
export function plainRequest(request: WireRequest, chunked: ChunkedBody): WireRequest {
  const { payload, trailers } = chunked
  const headers = plainHeaders(request, { payloadBytes: payload.byteLength, trailers })
  return { ...request, headers, body: payload }
}

/**
 * The headers with which the payload goes as a plain body. Checksum trailers become headers, which S3
 * takes alike. `malformed_chunks` when a trailer is no checksum that was computed here: what nobody checked
 * has no place in a plain request.
 */
export function plainHeaders(
  head: Pick<WireHead, 'headers'>,
  { payloadBytes, trailers }: Pick<ChunkedEnd, 'payloadBytes' | 'trailers'>,
): WireHeader[] {
  const headers: WireHeader[] = []
  for (const [name, value] of head.headers) {
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
  for (const [name, value] of trailers) {
    if (checksumAlgorithm(name) === undefined) {
      throw new SigV4Error('malformed_chunks', `trailer ${quoted(name)} is no known checksum`)
    }
    headers.push([name, value])
  }
  headers.push(['content-length', String(payloadBytes)])
  return headers
}

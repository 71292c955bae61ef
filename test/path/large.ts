// Uploads too large to be one string: signed in each form that clients of S3 have, sent as they are made.
// The bytes are the pattern of test/fakes/s3-upstream.ts, or that with one bit wrong.
import { createHash, createHmac } from 'node:crypto'
import http from 'node:http'
import { Readable } from 'node:stream'
import { sign } from '@seconder/aws/sigv4/sign'
import { signingKey } from '@seconder/aws/sigv4/signature'
import type { WireHeader } from '@seconder/aws/wire-request'
import { patternBytes } from '../fakes/s3-upstream.ts'
import type { Keys } from './harness.ts'
import type { RawAnswer } from './wire.ts'

export const FORMS = [
  'signed',
  'unsigned',
  'chunks',
  'chunks and trailer',
  'unsigned trailer',
] as const
export type Form = (typeof FORMS)[number]

const LITERAL: Readonly<Record<Exclude<Form, 'signed'>, string>> = {
  unsigned: 'UNSIGNED-PAYLOAD',
  chunks: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'chunks and trailer': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'unsigned trailer': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
}
const REGION = 'eu-west-1'
const CHUNK = 1024 * 1024
const EMPTY = createHash('sha256').digest('hex')
const TRAILER = 'x-amz-checksum-sha256'

let made = 0

export interface Upload {
  readonly size: number
  readonly form?: Form
  readonly target?: string
  /** Where one bit of the body is another than in the pattern. */
  readonly flipAt?: number
  /** Where one bit is another than what was signed and summed. */
  readonly spoilAt?: number
  readonly headers?: readonly WireHeader[]
  /** Bytes of the body after which the client goes; `stall`: it stays and sends no more. */
  readonly stopAfter?: number
  readonly stall?: boolean
  /** Announces no length. */
  readonly unannounced?: boolean
  readonly wrongTrailer?: boolean
}

function* payload({ size, flipAt, spoilAt }: Upload, spoilt: boolean): Generator<Buffer> {
  let at = 0
  for (const piece of patternBytes(0, size)) {
    const flips = [flipAt, spoilt ? spoilAt : undefined].filter(
      (flip): flip is number => flip !== undefined && flip >= at && flip < at + piece.length,
    )
    const own = flips.length === 0 ? piece : Buffer.from(piece)
    for (const flip of flips) own[flip - at] = (own[flip - at] ?? 0) ^ 1
    at += piece.length
    yield own
  }
}

export function sha256Of(upload: Upload, encoding: 'hex' | 'base64' = 'hex'): string {
  const sum = createHash('sha256')
  for (const piece of payload(upload, false)) sum.update(piece)
  return sum.digest(encoding)
}

/** Sends one upload and resolves with the answer; rejects when the connection breaks. */
export function uploads(keys: Keys, upload: Upload): Promise<RawAnswer> {
  const { target = '/bucket-b/big', form = 'signed' } = upload
  const { headers, body } = signedUpload(keys, upload, form)
  const { hostname, port } = new URL(keys.endpoint)
  return new Promise((resolve, reject) => {
    const outgoing = http.request({
      host: hostname,
      port,
      method: 'PUT',
      path: target,
      headers: headers.flat() as unknown as http.OutgoingHttpHeaders,
      setHost: false,
    })
    const source = Readable.from(body)
    outgoing.on('response', (incoming) => {
      source.destroy()
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text })
        outgoing.destroy()
      })
    })
    outgoing.on('error', reject)
    outgoing.on('close', () => reject(new Error('the connection closed')))
    let sent = 0
    source.on('data', (piece: Buffer) => {
      sent += piece.length
      if (upload.stopAfter === undefined || sent < upload.stopAfter) return
      source.removeAllListeners()
      source.destroy()
      if (!upload.stall) outgoing.destroy()
    })
    source.pipe(outgoing)
  })
}

interface SignedUpload {
  readonly headers: readonly WireHeader[]
  readonly body: Iterable<Buffer>
}

function signedUpload(keys: Keys, upload: Upload, form: Form): SignedUpload {
  const isChunked = form !== 'signed' && form !== 'unsigned'
  const hasTrailer = form.endsWith('trailer')
  const own: WireHeader[] = [['host', new URL(keys.endpoint).host], ...(upload.headers ?? [])]
  if (isChunked) {
    own.push(['content-encoding', 'aws-chunked'])
    own.push(['x-amz-decoded-content-length', String(upload.size)])
  }
  if (hasTrailer) own.push(['x-amz-trailer', TRAILER])
  const bare = { method: 'PUT', target: upload.target ?? '/bucket-b/big', body: new Uint8Array() }
  const payloadSha256 = form === 'signed' ? sha256Of(upload) : LITERAL[form]
  const scope = { service: 's3', region: REGION }
  made += 1
  // A second of its own for each: equal calls of one second are signed equally, and are copies.
  const signedAtMs = Date.now() - 600_000 + made * 1_000
  const signed = sign({ ...bare, headers: own }, keys, scope, signedAtMs, { payloadSha256 })
  const body = isChunked ? chunked(keys, upload, form, signed) : payload(upload, true)
  const length: WireHeader[] =
    isChunked || upload.unannounced
      ? [['transfer-encoding', 'chunked']]
      : [['content-length', String(upload.size)]]
  return { headers: [...signed, ...length], body }
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
function* chunked(
  keys: Keys,
  upload: Upload,
  form: Form,
  headers: readonly WireHeader[],
): Generator<Buffer> {
  const value = (name: string) => headers.find(([each]) => each === name)?.[1] ?? ''
  const isSigned = form.startsWith('chunks')
  const time = value('x-amz-date')
  const date = time.slice(0, 8)
  const key = signingKey(keys.secretAccessKey, { date, region: REGION, service: 's3' })
  const scope = `${date}/${REGION}/s3/aws4_request`
  let previous = /Signature=(\w+)/.exec(value('authorization'))?.[1] ?? ''
  const next = (kind: string, last: string) => {
    const text = `AWS4-HMAC-SHA256-${kind}\n${time}\n${scope}\n${previous}\n${last}`
    previous = createHmac('sha256', key).update(text).digest('hex')
    return previous
  }
  const head = (data: Buffer) => {
    const sum = createHash('sha256').update(data).digest('hex')
    const signature = isSigned ? `;chunk-signature=${next('PAYLOAD', `${EMPTY}\n${sum}`)}` : ''
    return Buffer.from(`${data.length.toString(16)}${signature}\r\n`)
  }
  const spoilt = payload(upload, true)
  for (const piece of payload(upload, false)) {
    if (piece.length > CHUNK) throw new Error('a piece is one chunk here')
    const sent = spoilt.next().value as Buffer
    yield Buffer.concat([head(piece), sent, Buffer.from('\r\n')])
  }
  yield head(Buffer.alloc(0))
  if (form.endsWith('trailer')) {
    const sum = upload.wrongTrailer
      ? Buffer.alloc(32).toString('base64')
      : sha256Of(upload, 'base64')
    yield Buffer.from(`${TRAILER}:${sum}\r\n`)
    if (isSigned) {
      const digest = createHash('sha256').update(`${TRAILER}:${sum}\n`).digest('hex')
      yield Buffer.from(`x-amz-trailer-signature:${next('TRAILER', digest)}\r\n`)
    }
  }
  yield Buffer.from('\r\n')
}

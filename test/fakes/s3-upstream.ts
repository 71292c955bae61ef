// An S3 for large bodies: it verifies the gate's SigV4 and the payload hash while a body comes, keeps its
// hash and size and never its bytes, and answers downloads of any size from a pattern. Multipart as S3 has
// it: parts by number, ETag checked at Complete. Path style, plain HTTP/1.1.
import { createHash, randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { verifyHead } from '@seconder/aws/sigv4/verify'
import type { WireHead } from '@seconder/aws/wire-request'
import { REAL_KEY } from './upstream.ts'

export interface StoredObject {
  readonly sha256: string
  readonly size: number
  readonly etag: string
  /** Hashes of the parts it was made of; one for a plain put. */
  readonly parts: readonly string[]
}

interface Part {
  readonly etag: string
  readonly sha256: string
  readonly size: number
}

export interface SeenCall {
  readonly method: string
  readonly target: string
  readonly headers: http.IncomingHttpHeaders
  /** Bytes of body that came. */
  readonly bytes: number
}

/** What one answer does before it is whole. */
export type Mishap =
  | 'refuse'
  | 'silence'
  | 'break off'
  | 'break off without a length'
  | 'stall'
  | 'stall half-way'
  | 'drip'
  | null

export interface S3Upstream {
  readonly url: string
  readonly objects: Map<string, StoredObject>
  readonly uploads: Map<string, { readonly key: string; readonly parts: Map<number, Part> }>
  /** Calls that came whole, or were answered before they had. */
  readonly seen: SeenCall[]
  /** Bytes of download that were asked of the pattern so far. */
  pulled: number
  /** Answers whose client went before it had all. */
  readonly aborted: string[]
  versioning: 'Enabled' | ''
  mishap: (call: Pick<SeenCall, 'method' | 'target'>) => Mishap
  /** Makes the ETag of a part from its MD5: one for all is a collision. */
  partTag: (md5: string) => string
  close(): Promise<void>
}

const BLOCK = 1024 * 1024
const PATTERN = Buffer.alloc(2 * BLOCK)
for (let at = 0; at < BLOCK; at += 4)
  PATTERN.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at)
PATTERN.copy(PATTERN, BLOCK, 0, BLOCK)

/** Bytes `from` to `end` of a large body: what clients upload here and what downloads answer. */
export function* patternBytes(from: number, end: number, piece = 256 * 1024): Generator<Buffer> {
  for (let at = from; at < end; ) {
    const start = at % BLOCK
    const length = Math.min(piece, end - at, BLOCK)
    yield PATTERN.subarray(start, start + length)
    at += length
  }
}

export function patternSha256(size: number): string {
  const sum = createHash('sha256')
  for (const piece of patternBytes(0, size)) sum.update(piece)
  return sum.digest('hex')
}

/** An object of the pattern, as if somebody had put it there. */
export function patternObject(size: number): StoredObject {
  return { sha256: '', size, etag: '"0123456789abcdef0123456789abcdef"', parts: [] }
}

export async function startS3Upstream(): Promise<S3Upstream> {
  const state = new State()
  const server = http.createServer((incoming, outgoing) => {
    state.answer(incoming, outgoing).catch(() => outgoing.destroy())
  })
  server.requestTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return Object.assign(state, { url, close })
}

type Sent = [status: number, headers: http.OutgoingHttpHeaders, body?: string | Readable]

class State {
  readonly objects: S3Upstream['objects'] = new Map()
  readonly uploads: S3Upstream['uploads'] = new Map()
  readonly seen: SeenCall[] = []
  readonly aborted: string[] = []
  pulled = 0
  versioning: S3Upstream['versioning'] = ''
  mishap: S3Upstream['mishap'] = () => null
  partTag: S3Upstream['partTag'] = (md5) => md5

  async answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const { method = '', url: target = '', headers } = incoming
    const mishap = this.mishap({ method, target })
    const note = (bytes: number) => this.seen.push({ method, target, headers, bytes })
    if (mishap === 'refuse') {
      note(0)
      incoming.resume()
      const [status, head, text] = failure(403, 'AccessDenied')
      outgoing.writeHead(status, head).end(text)
      return
    }
    const wrong = await signatureFault(incoming)
    const body = await received(incoming)
    note(body.size)
    if (mishap === 'silence') return void outgoing.destroy()
    if (mishap === 'stall') return
    const declared = headers['x-amz-content-sha256']
    const mismatch = declared !== body.sha256 ? 'XAmzContentSHA256Mismatch' : null
    const fault = wrong ?? mismatch
    const [status, head, content] = fault ? failure(403, fault) : this.#answerTo(incoming, body)
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) this.aborted.push(`${method} ${target}`)
    })
    if (mishap === 'break off without a length') delete head['content-length']
    outgoing.writeHead(status, { 'x-amz-request-id': 'UP-1', ...head })
    if (mishap?.startsWith('break off')) outgoing.write('half', () => outgoing.destroy())
    else if (mishap === 'stall half-way') outgoing.write('half')
    else if (mishap === 'drip') drip(outgoing)
    else if (content instanceof Readable) content.pipe(outgoing)
    else outgoing.end(content)
  }

  #answerTo(incoming: http.IncomingMessage, body: Body): Sent {
    const url = new URL(incoming.url ?? '', 'http://s3')
    const key = decodeURIComponent(url.pathname.slice(1))
    const query = url.searchParams
    const upload = query.get('uploadId')
    switch (incoming.method) {
      case 'HEAD':
      case 'GET':
        if (!key.includes('/')) return this.#bucket(query)
        if (upload !== null) return this.#listParts(upload, query)
        return download(this.objects.get(key), incoming, (bytes) => {
          this.pulled += bytes
        })
      case 'PUT':
        if (upload !== null) return this.#putPart(upload, query, body, incoming)
        this.objects.set(key, { ...body, parts: [body.sha256] })
        return [200, { etag: body.etag }]
      case 'POST':
        if (query.has('uploads')) return this.#create(key)
        return this.#complete(upload ?? '', body.text)
      default:
        if (upload !== null) return [this.uploads.delete(upload) ? 204 : 404, {}]
        return [this.objects.delete(key) ? 204 : 404, {}]
    }
  }

  #bucket(query: URLSearchParams): Sent {
    if (!query.has('versioning')) return [200, {}]
    const status = this.versioning === '' ? '' : `<Status>${this.versioning}</Status>`
    return xml(`<VersioningConfiguration>${status}</VersioningConfiguration>`)
  }

  #create(key: string): Sent {
    const id = `up.${randomUUID()}`
    this.uploads.set(id, { key, parts: new Map() })
    return xml(
      `<InitiateMultipartUploadResult><Bucket>b</Bucket><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    )
  }

  #putPart(id: string, query: URLSearchParams, body: Body, incoming: http.IncomingMessage): Sent {
    const upload = this.uploads.get(id)
    if (!upload) return failure(404, 'NoSuchUpload')
    const number = Number(query.get('partNumber'))
    const source = incoming.headers['x-amz-copy-source']
    if (source === undefined) {
      const part = { ...body, etag: this.partTag(body.etag) }
      upload.parts.set(number, part)
      return [200, { etag: part.etag }]
    }
    const from = this.objects.get(decodeURIComponent(String(source)).replace(/^\//, ''))
    if (!from) return failure(404, 'NoSuchKey')
    upload.parts.set(number, from)
    return xml(`<CopyPartResult><ETag>${from.etag}</ETag></CopyPartResult>`)
  }

  #listParts(id: string, query: URLSearchParams): Sent {
    const upload = this.uploads.get(id)
    if (!upload) return failure(404, 'NoSuchUpload')
    const after = Number(query.get('part-number-marker') ?? 0)
    const sorted = [...upload.parts].sort(([a], [b]) => a - b).filter(([number]) => number > after)
    const page = sorted.slice(0, Number(query.get('max-parts') ?? 1_000))
    const rows = page.map(
      ([number, { etag, size }]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag><Size>${size}</Size></Part>`,
    )
    const more = page.length < sorted.length
    const next = more ? `<NextPartNumberMarker>${page.at(-1)?.[0]}</NextPartNumberMarker>` : ''
    return xml(
      `<ListPartsResult>${rows.join('')}${next}<IsTruncated>${more}</IsTruncated></ListPartsResult>`,
    )
  }

  /** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
  #complete(id: string, text: string): Sent {
    const upload = this.uploads.get(id)
    if (!upload) return failure(404, 'NoSuchUpload')
    const named = [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
      etag: /<ETag>(?:"|&quot;)?([^<"&]+)/.exec(part)?.[1],
    }))
    const parts: Part[] = []
    for (const { number, etag } of named) {
      const part = upload.parts.get(number)
      if (part?.etag !== `"${etag}"`) return failure(400, 'InvalidPart')
      parts.push(part)
    }
    const hashes = parts.map(({ sha256 }) => sha256)
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    const etag = `"${createHash('md5').update(hashes.join()).digest('hex')}-${parts.length}"`
    this.objects.set(upload.key, { sha256: '', size, etag, parts: hashes })
    this.uploads.delete(id)
    return xml(
      `<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><ETag>&quot;${etag.slice(1, -1)}&quot;</ETag></CompleteMultipartUploadResult>`,
    )
  }
}

/** A byte now and then, for ever: never idle, never done. */
function drip(outgoing: http.ServerResponse): void {
  const timer = setInterval(() => outgoing.write('.'), 50)
  outgoing.on('close', () => clearInterval(timer))
}

interface Body extends Part {
  /** Only where it is short. */
  readonly text: string
}

async function received(incoming: http.IncomingMessage): Promise<Body> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  let size = 0
  let text = ''
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    sha256.update(piece)
    md5.update(piece)
    size += piece.byteLength
    if (size < 4 * BLOCK) text += piece.toString('latin1')
  }
  return { sha256: sha256.digest('hex'), size, etag: `"${md5.digest('hex')}"`, text }
}

async function signatureFault(incoming: http.IncomingMessage): Promise<string | null> {
  const headers: [string, string][] = []
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.push([incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? ''])
  }
  const head: WireHead = { method: incoming.method ?? '', target: incoming.url ?? '', headers }
  const { accessKeyId, secretAccessKey } = REAL_KEY
  try {
    const lookup = async (id: string) => (id === accessKeyId ? secretAccessKey : undefined)
    const verified = await verifyHead(head, lookup, Date.now())
    return verified?.payloadKind === 'signed' ? null : 'XAmzContentSHA256Unsigned'
  } catch {
    return 'SignatureDoesNotMatch'
  }
}

function* counted(from: number, end: number, pulled: (bytes: number) => void): Generator<Buffer> {
  for (const piece of patternBytes(from, end)) {
    pulled(piece.length)
    yield piece
  }
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
function download(
  object: StoredObject | undefined,
  { headers, method }: http.IncomingMessage,
  pulled: (bytes: number) => void,
): Sent {
  if (!object) return failure(404, 'NoSuchKey')
  const { size, etag } = object
  if (headers['if-none-match'] === etag) return [304, { etag }]
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
  const from = Number(first ?? 0)
  const end = last ? Math.min(Number(last) + 1, size) : size
  const head: http.OutgoingHttpHeaders = {
    etag,
    'content-length': end - from,
    'content-type': 'binary/octet-stream',
    'accept-ranges': 'bytes',
    'last-modified': 'Tue, 24 Nov 2026 10:00:00 GMT',
    ...(first !== undefined && { 'content-range': `bytes ${from}-${end - 1}/${size}` }),
  }
  const status = first === undefined ? 200 : 206
  return method === 'HEAD'
    ? [status, head]
    : [status, head, Readable.from(counted(from, end, pulled))]
}

function xml(body: string): Sent {
  return [200, { 'content-type': 'application/xml' }, `<?xml version="1.0"?>${body}`]
}

function failure(status: number, code: string): [number, http.OutgoingHttpHeaders, string] {
  const body = `<Error><Code>${code}</Code><Message>${code}</Message></Error>`
  return [status, { 'content-type': 'application/xml' }, body]
}

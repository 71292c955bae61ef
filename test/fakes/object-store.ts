// An S3 that keeps whole objects in memory and writes them on conditions, as S3 does: If-None-Match, If-Match, ETags,
// 412 and 409, listings in pages. It verifies SigV4, the hash and the checksum of every body. Path style, HTTP/1.1.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
import { createHash } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'
import { verify } from '@seconder/aws/sigv4/verify'
import type { WireHeader } from '@seconder/aws/wire-request'

export const STORE_KEY = {
  accessKeyId: 'AKIASTORESTORESTORES',
  secretAccessKey: 'a/key+of/the+store',
}

/** What the AWS SDK of a test, or of a command that it starts, is told by its environment. */
export function storeEnvironment(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: STORE_KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: STORE_KEY.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

export interface ObjectStore {
  readonly url: string
  /** By `BUCKET/KEY`. */
  readonly objects: Map<string, Buffer>
  /** `METHOD TARGET` of each call that verified. */
  readonly seen: string[]
  /** Objects of one page of a listing. */
  pageMax: number
  /** What happens to a call: before it, or after it was done and instead of its answer. */
  mishap: (call: { method: string; key: string }) => 'lose the answer' | 'refuse' | 'race' | null
  close(): Promise<void>
}

type Sent = [status: number, headers: http.OutgoingHttpHeaders, body?: string | Buffer]

export async function startObjectStore(...buckets: string[]): Promise<ObjectStore> {
  const state = new State(new Set(buckets))
  const server = http.createServer((incoming, outgoing) => {
    state.answer(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return Object.assign(state, { url, close })
}

class State {
  readonly objects: ObjectStore['objects'] = new Map()
  readonly seen: string[] = []
  pageMax = 1_000
  mishap: ObjectStore['mishap'] = () => null
  readonly #buckets: ReadonlySet<string>

  constructor(buckets: ReadonlySet<string>) {
    this.#buckets = buckets
  }

  async answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const { method = '', url: target = '' } = incoming
    const pieces: Buffer[] = []
    for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece)
    const body = Buffer.concat(pieces)
    const url = new URL(target, 'http://s3')
    const key = decodeURIComponent(url.pathname.slice(1))
    const wrong = fault(incoming, body)
    if (wrong === null) this.seen.push(`${method} ${key}`)
    const mishap = wrong === null ? this.mishap({ method, key }) : null
    const [status, head, content] =
      wrong !== null
        ? failure(403, wrong)
        : mishap === 'refuse'
          ? failure(403, 'AccessDenied')
          : mishap === 'race'
            ? failure(409, 'ConditionalRequestConflict')
            : this.#answerTo(incoming, url.searchParams, key, body)
    if (mishap === 'lose the answer') return void outgoing.destroy()
    outgoing.writeHead(status, { 'x-amz-request-id': 'STORE-1', ...head })
    outgoing.end(method === 'HEAD' ? undefined : content)
  }

  #answerTo(
    incoming: http.IncomingMessage,
    query: URLSearchParams,
    key: string,
    body: Buffer,
  ): Sent {
    const [bucket = ''] = key.split('/')
    if (!this.#buckets.has(bucket)) return failure(404, 'NoSuchBucket')
    const there = this.objects.get(key)
    switch (incoming.method) {
      case 'GET':
      case 'HEAD':
        if (query.get('list-type') === '2') return this.#list(bucket, query)
        if (!there) return failure(404, 'NoSuchKey')
        return [200, { etag: etagOf(there), 'content-length': there.length }, there]
      case 'PUT': {
        const { 'if-none-match': none, 'if-match': match } = incoming.headers
        if (none !== undefined && none !== '*') return failure(501, 'NotImplemented')
        if (none === '*' && there) return failure(412, 'PreconditionFailed')
        if (match !== undefined && !there) return failure(404, 'NoSuchKey')
        if (match !== undefined && there && etagOf(there) !== match) {
          return failure(412, 'PreconditionFailed')
        }
        this.objects.set(key, body)
        return [200, { etag: etagOf(body) }]
      }
      case 'DELETE':
        this.objects.delete(key)
        return [204, {}]
      default:
        return failure(405, 'MethodNotAllowed')
    }
  }

  /** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
  #list(bucket: string, query: URLSearchParams): Sent {
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const most = Math.min(Number(query.get('max-keys') ?? 1_000), this.pageMax)
    const all = [...this.objects.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(bucket.length + 1))
      .filter((name) => after === '' || name > after)
      .sort()
    const page = all.slice(0, most)
    const next =
      page.length < all.length
        ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
        : ''
    const rows = page.map((name) => `<Contents><Key>${name}</Key></Contents>`).join('')
    const text = `<ListBucketResult><IsTruncated>${next !== ''}</IsTruncated>${rows}${next}</ListBucketResult>`
    return [200, { 'content-type': 'application/xml' }, text]
  }
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}

/** What S3 would refuse of a call before it looks what it asks. */
function fault(incoming: http.IncomingMessage, body: Buffer): string | null {
  const headers: WireHeader[] = []
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.push([incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? ''])
  }
  const { method = '', url: target = '' } = incoming
  const { accessKeyId, secretAccessKey } = STORE_KEY
  try {
    const lookup = (id: string) => (id === accessKeyId ? secretAccessKey : undefined)
    verify({ method, target, headers, body }, lookup, Date.now())
  } catch {
    return 'SignatureDoesNotMatch'
  }
  const declared = incoming.headers['x-amz-content-sha256']
  if (declared !== createHash('sha256').update(body).digest('hex')) {
    return 'XAmzContentSHA256Mismatch'
  }
  // Object lock asks for a checksum with every put; the SDK sends one of these.
  const sum = incoming.headers['x-amz-checksum-crc32']
  const own = Buffer.alloc(4)
  own.writeUInt32BE(crc32(body))
  if (method === 'PUT' && sum !== own.toString('base64')) return 'InvalidRequest'
  return null
}

function failure(status: number, code: string): Sent {
  const body = `<Error><Code>${code}</Code><Message>${code}</Message></Error>`
  return [status, { 'content-type': 'application/xml' }, body]
}

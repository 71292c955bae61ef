// Large answers through the real gate: handed over as they come, no faster than the client reads, and either
// whole or visibly broken off.
import { createHash } from 'node:crypto'
import http from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  type Mishap,
  patternObject,
  patternSha256,
  type S3Upstream,
  startS3Upstream,
} from '../fakes/s3-upstream.ts'
import { Harness, type Keys } from './harness.ts'
import { type RawCall, rawCall, signed } from './wire.ts'

const MIB = 1024 * 1024
const LARGE = 1024 * MIB
/** What gate, sockets and fake may hold of an answer between them; a few MiB in fact. */
const HELD_MAX = 64 * MIB

let upstream: S3Upstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startS3Upstream()
  upstream.objects.set('bucket-b/small', patternObject(5))
  upstream.objects.set('bucket-b/medium', patternObject(48 * MIB + 7))
  upstream.objects.set('bucket-b/large', patternObject(LARGE))
  gate = await Harness.start({ upstream: upstream.url, timeoutMs: 3_000, totalTimeoutMs: 8_000 })
  keys = await gate.open('alice')
})

beforeEach(() => {
  upstream.mishap = () => null
  upstream.pulled = 0
  upstream.aborted.length = 0
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const get = (key: string, more: Partial<RawCall> = {}): RawCall => ({
  method: 'GET',
  target: `/bucket-b/${key}`,
  service: 's3',
  ...more,
})

/** The answer's head, with its body still to be read. */
function begun(call: RawCall): Promise<http.IncomingMessage> {
  const request = signed(keys, call)
  const { hostname, port } = new URL(keys.endpoint)
  return new Promise((resolve, reject) => {
    const headers = request.headers.flat() as unknown as http.OutgoingHttpHeaders
    const { method, target: path } = request
    http
      .request({ host: hostname, port, method, path, headers, setHost: false, agent: false })
      .on('response', resolve)
      .on('error', reject)
      .end()
  })
}

async function whole(answer: http.IncomingMessage): Promise<string> {
  const sum = createHash('sha256')
  for await (const piece of answer as AsyncIterable<Buffer>) sum.update(piece)
  return sum.digest('hex')
}

test('a download arrives byte for byte, its length and type as the upstream said them', async () => {
  const answer = await begun(get('medium'))
  expect(answer.statusCode).toBe(200)
  expect(answer.headers).toMatchObject({
    'content-length': String(48 * MIB + 7),
    'content-type': 'binary/octet-stream',
    etag: '"0123456789abcdef0123456789abcdef"',
    'last-modified': 'Tue, 24 Nov 2026 10:00:00 GMT',
  })
  expect(await whole(answer)).toBe(patternSha256(48 * MIB + 7))
})

test('ranges, conditions and HEAD pass as they are', async () => {
  const part = await begun(get('medium', { headers: [['range', 'bytes=10-1048585']] }))
  expect(part.statusCode).toBe(206)
  expect(part.headers).toMatchObject({
    'content-length': '1048576',
    'content-range': `bytes 10-1048585/${48 * MIB + 7}`,
  })
  await whole(part)
  const etag = '"0123456789abcdef0123456789abcdef"'
  const same = await rawCall(keys, get('medium', { headers: [['if-none-match', etag]] }))
  expect(same).toMatchObject({ status: 304, body: '' })
  expect(same.headers).toMatchObject({ etag })
  const head = await rawCall(keys, get('large', { method: 'HEAD' }))
  expect(head).toMatchObject({ status: 200, body: '' })
  expect(head.headers).toMatchObject({ 'content-length': String(LARGE) })
})

test('no more is fetched than a slow client reads, and one that goes ends the fetching', async () => {
  const answer = await begun(get('large'))
  await new Promise((resolve) => answer.once('readable', resolve))
  answer.read()
  // While it reads no more, others are served, and what was fetched for it stays small.
  for (let count = 0; count < 10; count++) {
    expect((await rawCall(keys, get('small'))).status).toBe(200)
  }
  expect(upstream.pulled).toBeLessThan(HELD_MAX)
  expect(upstream.aborted).toEqual([])
  answer.destroy()
  await expect.poll(() => upstream.aborted).toEqual(['GET /bucket-b/large'])
  expect(upstream.pulled).toBeLessThan(HELD_MAX)
})

const MISHAPS: readonly Exclude<Mishap, null>[] = [
  'break off',
  'break off without a length',
  'stall half-way',
  'drip',
]

test.each(MISHAPS)(
  'an upstream that does this in an answer breaks the client off too: %s',
  async (mishap) => {
    upstream.mishap = ({ target }) => (target === '/bucket-b/medium' ? mishap : null)
    await expect(begun(get('medium')).then(whole)).rejects.toThrow()
  },
)

test('a write whose answer drips for ever ends by its total time, and is unknown', async () => {
  const put = { method: 'PUT', target: '/bucket-b/drip', service: 's3', body: 'x' } as const
  const held = await rawCall(keys, put)
  await gate.review('bob', /\br-[0-9a-z]{26}\b/.exec(held.body)?.[0] ?? '')
  upstream.mishap = ({ method }) => (method === 'PUT' ? 'drip' : null)
  const answer = await rawCall(keys, { ...put, signedAtMs: Date.now() - 60_000 })
  expect(answer.body).toContain('it may have happened')
  expect((await gate.entries()).at(-1)).toMatchObject({
    type: 'outcome',
    outcome: { result: 'unknown' },
  })
})

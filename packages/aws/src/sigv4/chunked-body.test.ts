import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WireHeader, WireRequest } from '../wire-request.ts'
import { parseAmzDate } from './amz-date.ts'
import { CHUNKS_MAX, ChunkReader, TRAILER_LINES_MAX } from './chunk-reader.ts'
import { plainRequest, readChunkedBody } from './chunked-body.ts'
import { parseRawRequest } from './raw-request.fixture.ts'
import { sign } from './sign.ts'
import { verify } from './verify.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const NOW_MS = parseAmzDate('20130524T000000Z')
const lookup = () => SECRET

interface Example {
  readonly payloadHash: string
  readonly signedHeaders: string
  readonly seed: string
  readonly chunks: readonly [string, string, string]
  readonly trailer: string
  readonly headers: readonly WireHeader[]
}

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
const CHUNKED: Example = {
  payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  signedHeaders:
    'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;' +
    'x-amz-decoded-content-length;x-amz-storage-class',
  seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  chunks: [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ],
  trailer: '\r\n',
  headers: [],
}

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
const WITH_TRAILER: Example = {
  payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  signedHeaders:
    'content-encoding;host;x-amz-content-sha256;x-amz-date;' +
    'x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer',
  seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  chunks: [
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  ],
  trailer:
    'x-amz-checksum-crc32c:sOO8/Q==\r\n' +
    'x-amz-trailer-signature:' +
    'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
  headers: [['x-amz-trailer', 'x-amz-checksum-crc32c']],
}

function bodyOf(example: Example): string {
  const [first, second, last] = example.chunks
  return (
    `10000;chunk-signature=${first}\r\n${'a'.repeat(65_536)}\r\n` +
    `400;chunk-signature=${second}\r\n${'a'.repeat(1_024)}\r\n` +
    `0;chunk-signature=${last}\r\n${example.trailer}`
  )
}

function requestOf(example: Example, body = bodyOf(example)): WireRequest {
  return {
    method: 'PUT',
    target: '/examplebucket/chunkObject.txt',
    headers: [
      ['Host', 's3.amazonaws.com'],
      ['x-amz-date', '20130524T000000Z'],
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ['x-amz-content-sha256', example.payloadHash],
      ['Content-Encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', '66560'],
      ['Content-Length', '66824'],
      ...example.headers,
      [
        'Authorization',
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
          `SignedHeaders=${example.signedHeaders},Signature=${example.seed}`,
      ],
    ],
    body: Buffer.from(body, 'latin1'),
  }
}

function read(request: WireRequest, nowMs = NOW_MS) {
  return readChunkedBody(request, verify(request, lookup, nowMs), SECRET)
}

function refusal(example: Example, edit: (body: string) => string): string {
  try {
    read(requestOf(example, edit(bodyOf(example))))
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'accepted'
}

test("AWS's documented chunk signatures verify", () => {
  const chunked = read(requestOf(CHUNKED))
  expect(Buffer.from(chunked.payload).equals(Buffer.alloc(66_560, 'a'))).toBe(true)
  expect(chunked).toMatchObject({ isSigned: true, trailers: [] })
})

test("AWS's documented trailer signature verifies", () => {
  const chunked = read(requestOf(WITH_TRAILER))
  expect(chunked.trailers).toEqual([['x-amz-checksum-crc32c', 'sOO8/Q==']])
  const blankBefore = { ...WITH_TRAILER, trailer: `\r\n${WITH_TRAILER.trailer}` }
  expect(read(requestOf(blankBefore)).trailers).toHaveLength(1)
})

test('one bit wrong in a chunk, a trailer or a signature is refused', () => {
  const edits: [Example, (body: string) => string][] = [
    [CHUNKED, (body) => body.replace('aaaa', 'aaac')],
    [CHUNKED, (body) => body.replace('10000;', '10001;')],
    [CHUNKED, (body) => body.replace('ad80c7', 'ad80c6')],
    [CHUNKED, (body) => body.replace('b6c6ea', 'b6c6eb')],
    [WITH_TRAILER, (body) => body.replace('sOO8/Q', 'sOO8/P')],
    [WITH_TRAILER, (body) => body.replace('d81f82', 'd81f83')],
    [WITH_TRAILER, (body) => body.replace(/x-amz-trailer-signature.*\r\n/, '')],
  ]
  for (const [example, edit] of edits) {
    expect(refusal(example, edit), String(edit)).toBe('signature_mismatch')
  }
})

test('broken framing is refused', () => {
  const edits: [Example, (body: string) => string][] = [
    [CHUNKED, (body) => body.replace('10000;', 'ffffffff;')],
    [CHUNKED, (body) => body.replace('10000;', '-1;')],
    [CHUNKED, (body) => body.replace(/;chunk-signature=\w+/, '')],
    [CHUNKED, (body) => body.replace(';chunk', ';evil=1;chunk')],
    [CHUNKED, (body) => body.slice(0, 7_000)],
    [CHUNKED, (body) => `${body}x-amz-checksum-crc32c:AAAA\r\n`],
    [CHUNKED, () => ''],
    [WITH_TRAILER, (body) => body.replace('x-amz-checksum-crc32c', 'x-amz-checksum-crc64')],
    [
      WITH_TRAILER,
      (body) => body.replace('x-amz-checksum', 'x-amz-checksum-crc32c:a\r\nx-amz-checksum'),
    ],
    [WITH_TRAILER, (body) => body.replace(/x-amz-checksum-crc32c.*\r\n/, '')],
    [WITH_TRAILER, (body) => `${body}${'\r\n'.repeat(TRAILER_LINES_MAX)}`],
  ]
  for (const [example, edit] of edits) {
    expect(refusal(example, edit), String(edit)).toBe('malformed_chunks')
  }
})

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET }

function unsignedStream(body: string, length: string, more: WireHeader[] = []): WireRequest {
  const request: WireRequest = {
    method: 'PUT',
    target: '/b/k',
    headers: [['Host', 'gate.example'], ['x-amz-decoded-content-length', length], ...more],
    body: Buffer.from(body),
  }
  const options = { payloadSha256: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }
  const scope = { region: 'us-east-1', service: 's3' }
  return { ...request, headers: sign(request, KEYS, scope, NOW_MS, options) }
}

test('the announced length is the length, in digits', () => {
  const body = '5\r\nhello\r\n0\r\n\r\n'
  expect(Buffer.from(read(unsignedStream(body, '5')).payload).toString()).toBe('hello')
  for (const length of ['4', '6', '05', '5 5', '']) {
    expect(() => read(unsignedStream(body, length)), length).toThrow(
      expect.objectContaining({ code: 'malformed_chunks' }),
    )
  }
})

test('CHUNKS_MAX chunks are read, one more is refused', () => {
  const body = (count: number) => `${'1\r\na\r\n'.repeat(count - 1)}0\r\n\r\n`
  const most = read(unsignedStream(body(CHUNKS_MAX), String(CHUNKS_MAX - 1)))
  expect(most.payload.byteLength).toBe(CHUNKS_MAX - 1)
  expect(() => read(unsignedStream(body(CHUNKS_MAX + 1), String(CHUNKS_MAX)))).toThrow(
    expect.objectContaining({ code: 'malformed_chunks' }),
  )
})

const CAPTURE = parseRawRequest(
  readFileSync(
    new URL('../../testdata/sigv4/captured/js-s3-put-object-stream.http', import.meta.url),
  ),
)

test("a real client's stream becomes a plain request that signs and verifies", () => {
  const nowMs = parseAmzDate(dateOf(CAPTURE))
  const chunked = read(CAPTURE, nowMs)
  expect(Buffer.from(chunked.payload).toString()).toBe('hello')
  // CRC-32 of `hello` is 3610a686: https://datatracker.ietf.org/doc/html/rfc1952#section-8
  expect(chunked.trailers).toEqual([
    ['x-amz-checksum-crc32', Buffer.from('3610a686', 'hex').toString('base64')],
  ])
  const plain = plainRequest(CAPTURE, chunked)
  const headers = sign(plain, KEYS, { region: 'eu-west-1', service: 's3' }, nowMs)
  const verified = verify({ ...plain, headers }, lookup, nowMs)
  expect(verified).toMatchObject({ payloadKind: 'signed', payloadSha256: chunked.payloadSha256 })
  const names = headers.map(([name]) => name.toLowerCase())
  for (const gone of ['content-encoding', 'x-amz-trailer', 'x-amz-decoded-content-length']) {
    expect(names).not.toContain(gone)
  }
  expect(names).toContain('x-amz-checksum-crc32')
})

test('a body cut anywhere is read as the whole one is', () => {
  for (const example of [CHUNKED, WITH_TRAILER]) {
    const request = requestOf(example)
    const verified = verify(request, lookup, NOW_MS)
    const heads = [1, 2, 85, 86, 87, 88, 65_622, 65_623, 65_624, 65_625]
    const ends = Array.from({ length: 300 }, (_, back) => request.body.byteLength - 1 - back)
    for (const cut of [...heads, ...ends]) {
      const reader = new ChunkReader(request, verified, SECRET)
      const pieces: Buffer[] = []
      const take = (piece: Uint8Array) => pieces.push(Buffer.from(piece))
      reader.push(request.body.subarray(0, cut), take)
      reader.push(request.body.subarray(cut), take)
      expect(reader.end().payloadBytes, String(cut)).toBe(66_560)
      expect(Buffer.concat(pieces).equals(Buffer.alloc(66_560, 'a'))).toBe(true)
    }
    const single = new ChunkReader(request, verified, SECRET)
    for (const byte of request.body) single.push(Uint8Array.of(byte), () => undefined)
    expect(single.end().payloadBytes).toBe(66_560)
  }
})

// Checksums of `hello` by Python: zlib, hashlib, and a CRC bit by bit that has the catalogue's check values.
const OF_HELLO: readonly [algorithm: string, hex: string][] = [
  ['crc32', '3610a686'],
  ['crc32c', '9a71bb4c'],
  ['crc64nvme', '3377857006524257'],
  ['sha1', 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'],
  ['sha256', '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'],
]

function withTrailer(algorithm: string, value: string): WireRequest {
  const name = `x-amz-checksum-${algorithm}`
  return unsignedStream(`5\r\nhello\r\n0\r\n${name}:${value}\r\n\r\n`, '5', [
    ['x-amz-trailer', name],
  ])
}

test.each(OF_HELLO)(
  'a trailer with the %s of the payload is taken, of another refused',
  (name, hex) => {
    const right = Buffer.from(hex, 'hex')
    expect(read(withTrailer(name, right.toString('base64'))).trailers).toHaveLength(1)
    const wrong = Buffer.from(right)
    wrong[0] = (wrong[0] ?? 0) ^ 1
    for (const value of [wrong.toString('base64'), right.toString('hex'), '']) {
      expect(() => read(withTrailer(name, value)), value).toThrow(
        expect.objectContaining({ code: 'body_mismatch' }),
      )
    }
  },
)

test('a checksum that is not computed here is refused, not passed on unchecked', () => {
  const request = withTrailer('xxhash64', 'AAAAAAAAAAA=')
  expect(() => plainRequest(request, read(request))).toThrow(
    expect.objectContaining({ code: 'malformed_chunks' }),
  )
})

test('another content encoding stays, and a trailer that is no checksum is refused', () => {
  const headers: WireHeader[] = [['Content-Encoding', 'aws-chunked, gzip']]
  const chunked = { ...read(CAPTURE, parseAmzDate(dateOf(CAPTURE))), trailers: [] }
  const plain = plainRequest({ ...CAPTURE, headers }, chunked)
  expect(plain.headers).toContainEqual(['Content-Encoding', 'gzip'])
  const trailers: WireHeader[] = [['x-amz-acl', 'public-read']]
  expect(() => plainRequest(CAPTURE, { ...chunked, trailers })).toThrow(
    expect.objectContaining({ code: 'malformed_chunks' }),
  )
})

function dateOf(request: WireRequest): string {
  return request.headers.find(([name]) => name === 'x-amz-date')?.[1].trim() ?? ''
}

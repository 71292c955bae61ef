// Changes one request in one to three of the ways in which two readers come to disagree. The agent holds
// its key, so a mutant is mostly signed after it was changed; some are changed after signing.
import { presign, sign } from '@seconder/aws/sigv4/sign'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import type { Keys } from '../path/harness.ts'
import { signLoosely } from './loose-signer.ts'
import { pick, type Random } from './random.ts'
import { SEEDS, type Seed } from './seeds.ts'

/** Names the mutant at the upstream, where it gets there: the SDKs' label, which changes nothing. */
export const TAG = 'x-amz-user-agent'

const PIECES = [
  ...[
    '..',
    '/../',
    '/./',
    '%2e%2e',
    '%2F',
    '//',
    '%00',
    '%ff',
    '%25',
    '%',
    ';',
    '?',
    '&',
    '=',
    '#',
  ],
  ...[
    '\\',
    '\0',
    '\t',
    '"',
    "'",
    ',',
    '{',
    '}',
    '[',
    ']',
    '{"a":1}',
    '<',
    '>',
    '<!DOCTYPE a>',
    '&amp;',
  ],
  ...['&#0;', '\ufeff', '\u202e', '\u0130', '\u00e9', '\ud83d\ude00', 'K', '1e999', '-0', 'null'],
  ...[
    'true',
    '9007199254740993',
    '1'.repeat(400),
    '*',
    '$x',
    '&Action=DeleteTopic',
    'Action=x',
    ' ',
  ],
  ...[
    '+',
    '\r',
    '\n',
    '\r\nx-amz-target: DynamoDB_20120810.DeleteTable',
    ':',
    '@',
    '.',
    'x'.repeat(300),
  ],
  ...['WithDecryption', 'TableName', 'delete', 'policy', 'acl', 'versionId'],
]

const HEADERS: readonly WireHeader[] = [
  ['content-encoding', 'gzip'],
  ['content-encoding', 'aws-chunked'],
  ['transfer-encoding', 'chunked'],
  ['expect', '100-continue'],
  ['content-type', 'application/cbor'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', 'application/x-amz-json-1.1; charset=utf-16'],
  ['content-type', 'text/plain'],
  ['x-amz-target', 'DynamoDB_20120810.DeleteTable'],
  ['X-Amz-Target', 'Logs_20140328.DeleteLogGroup'],
  ['x-amz-security-token', 'x'],
  ['x-amz-decoded-content-length', '5'],
  ['x-amz-copy-source', '/other/secret'],
  ['x-amz-acl', 'public-read-write'],
  ['x-amz-bypass-governance-retention', 'true'],
  ['x-amz-mfa', '1 2'],
  ['x-amz-invocation-type', 'DryRun'],
  ['x-amz-expected-bucket-owner', '999999999999'],
  ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
  ['x-amzn-query-mode', 'true'],
  ['x-http-method-override', 'DELETE'],
  ['x-http-method', 'DELETE'],
  ['x-method-override', 'DELETE'],
  ['x-original-url', '/?Action=DeleteTopic'],
  ['x-forwarded-host', 'example.org'],
  ['smithy-protocol', 'rpc-v2-cbor'],
  ['connection', 'x-amz-target'],
  ['if-match', '"\u00e9"'],
  ['range', 'bytes=0-1'],
  ['host', 'example.org'],
  ['content-length', '0'],
  ['cookie', 'a=b'],
]

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'TRACE', 'delete', 'X']
const SCOPES = [
  's3',
  'dynamodb',
  'sns',
  'execute-api',
  'es',
  'lambda',
  'iam',
  'sts',
  'monitoring',
  'S3',
]
const REGIONS = [
  'us-east-1',
  'cn-north-1',
  'us-gov-west-1',
  'aws-global',
  'x@evil.example:443/#',
  '*',
  '',
]
const QUERY_KEYS = [
  ...['acl', 'policy', 'delete', 'uploads', 'tagging', 'lifecycle', 'versionId=1', 'uploadId=1'],
  ...['Action=DeleteTopic', 'Action=TerminateInstances', 'Version=2010-03-31', 'x-id=DeleteObject'],
  ...[
    'X-Amz-Target=DynamoDB_20120810.DeleteTable',
    'list-type=2',
    'select&select-type=2',
    'restore',
  ],
  ...['X-Amz-Signature=0', 'Qualifier=%24LATEST', '_method=DELETE', 'versionId=1&versionId=2'],
]

type Mutation = (seed: Seed, random: Random) => Seed

const decoder = new TextDecoder('latin1')
const text = (body: Uint8Array): string => decoder.decode(body)
const latin = (value: string): Uint8Array =>
  Buffer.from(value, /[^\0-\xff]/.test(value) ? 'utf8' : 'latin1')

function spliced(value: string, random: Random): string {
  const at = Math.floor(random() * (value.length + 1))
  switch (Math.floor(random() * 6)) {
    case 0:
      return value.slice(0, at) + pick(PIECES, random) + value.slice(at)
    case 1:
      return value.slice(0, at) + value.slice(at + 1 + Math.floor(random() * 4))
    case 2:
      return (
        value.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + value.slice(at + 1)
      )
    case 3:
      return value + value.slice(at)
    case 4:
      return value.slice(0, at) + value.slice(at).toUpperCase()
    default:
      return value.slice(0, at) + pick(PIECES, random)
  }
}

function withHeader(seed: Seed, header: WireHeader): Seed {
  return { ...seed, headers: [...seed.headers, header] }
}

function withQuery(seed: Seed, key: string): Seed {
  return { ...seed, target: `${seed.target}${seed.target.includes('?') ? '&' : '?'}${key}` }
}

function member(seed: Seed, random: Random): Seed {
  const body = text(seed.body)
  const other = pick(SEEDS, random)
  const found = [
    ...body.matchAll(/"[^"]{1,40}":|<[A-Za-z]+>[^<]*<\/[A-Za-z]+>|[A-Za-z.0-9]+=[^&]*/g),
  ]
  const one = found.length === 0 ? undefined : pick(found, random)
  if (one === undefined) return { ...seed, body: other.body }
  const twice = one[0].endsWith(':')
    ? `${one[0]}${pick(['"x"', '1', 'null', '{}', '[]'], random)},`
    : one[0]
  const joint = one[0].includes('=') ? `${twice}&` : twice
  return { ...seed, body: latin(body.slice(0, one.index) + joint + body.slice(one.index)) }
}

function nested(seed: Seed, random: Random): Seed {
  const depth = pick([5, 64, 200, 5_000], random)
  const [open, close] = pick(
    [
      ['{"a":', '}'],
      ['[', ']'],
      ['<a>', '</a>'],
      ['\xa1\x61a', ''],
      ['\x9f', '\xff'],
      ['{"M":', '}'],
    ],
    random,
  ) as [string, string]
  const inner = `${open.repeat(depth)}1${close.repeat(depth)}`
  const body = text(seed.body)
  const at = Math.max(body.lastIndexOf(':'), body.lastIndexOf('>'), body.lastIndexOf('=')) + 1
  return {
    ...seed,
    body: latin(random() < 0.5 ? inner : body.slice(0, at) + inner + body.slice(at + 1)),
  }
}

/** Framing of aws-chunked: sizes that lie, extensions, trailers, signatures of nothing. */
function chunked(seed: Seed, random: Random): Seed {
  const body = text(seed.body)
  const size = pick([body.length, body.length + 1, 0, -1, 4_294_967_295, 1e21], random)
  const extension = pick(
    ['', `;chunk-signature=${'0'.repeat(64)}`, ';a=b', ' ', ';chunk-signature='],
    random,
  )
  const end = pick(['0\r\n\r\n', '0\r\n', '', '0;x\r\n\r\n', '0\r\nx-amz-target:a\r\n\r\n'], random)
  const hash = pick(
    [
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'UNSIGNED-PAYLOAD',
    ],
    random,
  )
  const headers: readonly WireHeader[] = [
    ['x-amz-decoded-content-length', String(pick([body.length, 0, 5, '05', '5,5'], random))],
    ['content-encoding', pick(['aws-chunked', 'aws-chunked,gzip', 'AWS-CHUNKED', 'gzip'], random)],
    ['x-amz-content-sha256', hash],
  ]
  const framed = `${size.toString(16)}${extension}\r\n${body}\r\n${end}`
  return { ...seed, headers: [...seed.headers, ...headers], body: latin(framed) }
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  target: (seed, random) => ({ ...seed, target: spliced(seed.target, random) }),
  body: (seed, random) => ({ ...seed, body: latin(spliced(text(seed.body), random)) }),
  'header value': (seed, random) => {
    const at = Math.floor(random() * seed.headers.length)
    const headers = seed.headers.map(
      ([name, value], index): WireHeader =>
        index === at ? [name, spliced(value, random)] : [name, value],
    )
    return { ...seed, headers }
  },
  'byte flip': (seed, random) => {
    const body = Uint8Array.from(seed.body)
    const at = Math.floor(random() * body.length)
    if (body.length > 0) body[at] = (body[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    return { ...seed, body }
  },
  method: (seed, random) => ({ ...seed, method: pick(METHODS, random) }),
  header: (seed, random) => withHeader(seed, pick(HEADERS, random)),
  'header twice': (seed, random) =>
    seed.headers.length === 0 ? seed : withHeader(seed, pick(seed.headers, random)),
  query: (seed, random) => withQuery(seed, pick(QUERY_KEYS, random)),
  'member twice': member,
  nested,
  chunked,
  service: (seed, random) => ({
    ...seed,
    service: random() < 0.5 ? pick(SCOPES, random) : spliced(seed.service, random),
  }),
  region: (seed, random) => ({
    ...seed,
    region: random() < 0.5 ? pick(REGIONS, random) : spliced(seed.region, random),
  }),
  // What one reader finds of this call, and another of that one.
  'other body': (seed, random) => ({ ...seed, body: pick(SEEDS, random).body }),
  'other headers': (seed, random) => {
    const { headers } = pick(SEEDS, random)
    return { ...seed, headers: random() < 0.5 ? headers : [...seed.headers, ...headers] }
  },
  'other target': (seed, random) => {
    const other = pick(SEEDS, random)
    return { ...seed, target: other.target, method: random() < 0.5 ? other.method : seed.method }
  },
  'body in query': (seed, random) => withQuery(seed, text(pick(SEEDS, random).body)),
}
const KINDS = Object.keys(MUTATIONS)

export interface Mutant {
  readonly kinds: readonly string[]
  readonly seed: Seed
  readonly request: WireRequest
}

/** The mutant of this number; null where it cannot be put into one HTTP/1.1 message at all. */
export function mutant(keys: Keys, random: Random, tag: string, nowMs: number): Mutant | null {
  const original = pick(SEEDS, random)
  const kinds: string[] = []
  let changed = original
  const count = random() < 0.02 ? 0 : 1 + Math.floor(random() * 3)
  for (let index = 0; index < count; index++) {
    const kind = pick(KINDS, random)
    kinds.push(kind)
    changed = (MUTATIONS[kind] as Mutation)(changed, random)
  }
  const form = random()
  const isLate = form < 0.1
  const signedAs = isLate ? original : changed
  const request = signedRequest(keys, signedAs, tag, nowMs, form > 0.95)
  if (!isLate) return { kinds, seed: original, request }
  const late = {
    ...request,
    method: changed.method,
    target: changed.target,
    headers: [...request.headers, ...changed.headers.slice(original.headers.length)],
    body: changed.body,
  }
  return { kinds: [...kinds, 'after signing'], seed: original, request: late }
}

function signedRequest(keys: Keys, seed: Seed, tag: string, nowMs: number, isPresigned: boolean) {
  const { method, target, body, service, region } = seed
  const own: WireHeader[] = [
    ['host', new URL(keys.endpoint).host],
    [TAG, tag],
  ]
  const plain: WireRequest = { method, target, headers: [...own, ...seed.headers], body }
  const declared = seed.headers.find(([name]) => name === 'x-amz-content-sha256')?.[1]
  const options = declared === undefined ? {} : { payloadSha256: declared }
  try {
    if (isPresigned) {
      const signed = presign(plain, keys, { service, region }, nowMs, {
        ...options,
        expiresSeconds: 300,
      })
      return { ...plain, target: signed }
    }
    return { ...plain, headers: sign(plain, keys, { service, region }, nowMs, options) }
  } catch {
    // What no careful signer signs, a careless one does.
    return signLoosely(plain, keys, { service, region }, nowMs, declared)
  }
}

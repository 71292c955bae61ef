// Two thousand seeded mutations of signed requests, sent as raw bytes: half are broken after signing,
// half are signed again so that they get past the signature. The gate never falls over, never says
// more than a refusal, and sends nothing upstream but reads.
import net from 'node:net'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys } from './harness.ts'
import { dynamodbCall, queryCall, type RawCall, rawCall, signed } from './wire.ts'

const COUNT = Number(process.env['SECONDER_FUZZ_COUNT'] ?? 2_000)
// The same each time, so that a change is judged by what it changed; `SECONDER_FUZZ_SEED` takes others.
const SEED = Number(process.env['SECONDER_FUZZ_SEED'] ?? 292736)
const AT_ONCE = 16
const ANSWER_MS_MAX = 20_000
const LEAVES_MS = 1_000

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const SAMPLES: readonly RawCall[] = [
  dynamodbCall('DeleteTable', { TableName: 'orders' }),
  dynamodbCall('GetItem', { TableName: 'orders', Key: { id: { S: 'a' } } }),
  dynamodbCall('ExecuteStatement', { Statement: 'SELECT * FROM "orders" WHERE id = ?' }),
  dynamodbCall('BatchWriteItem', {
    RequestItems: { orders: [{ DeleteRequest: { Key: { id: { S: '1' } } } }] },
  }),
  queryCall('sns', { Action: 'DeleteTopic', Version: '2010-03-31', TopicArn: 'arn:aws:sns:x:1:t' }),
  queryCall('ec2', { Action: 'DescribeInstances', Version: '2016-11-15', 'InstanceId.1': 'i-1' }),
  { method: 'DELETE', target: '/bucket-b/a/key?versionId=3', service: 's3' },
  { method: 'GET', target: '/bucket-b?list-type=2&prefix=a%2Fb', service: 's3' },
  {
    method: 'PUT',
    target: '/bucket-b?versioning',
    service: 's3',
    body: '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>',
  },
  {
    method: 'POST',
    target: '/bucket-b?delete',
    service: 's3',
    body: '<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>',
  },
  { method: 'DELETE', target: '/2015-03-31/functions/thumbs?Qualifier=1', service: 'lambda' },
]

/** What tends to be read in two ways. */
const PIECES = [
  ...['..', '/../', '%2e%2e', '//', '%00', '%ff', '%25', ';', '?', '&', '=', '#', '\\', '\0', '\t'],
  ...['"', "'", ',', '{', '}', '[', '{"a":1}', '<', '>', '<!DOCTYPE a>', '&amp;', '&#0;', '\ufeff'],
  ...['\u0130', '\u00e9', '\ud83d\ude00', '1e999', '-0', 'null', 'true', '*', '$x', '&Action=x'],
  ...['Action=DeleteTopic', 'X-Amz-Signature=0', 'DynamoDB_20120810.DeleteTable', ' ', '\r', '\n'],
]
const EXTRA_HEADERS: readonly WireHeader[] = [
  ['content-encoding', 'gzip'],
  ['transfer-encoding', 'chunked'],
  ['expect', '100-continue'],
  ['content-type', 'application/cbor'],
  ['content-type', 'application/x-amz-json-1.1; charset=utf-16'],
  ['x-amz-target', 'DynamoDB_20120810.DeleteTable'],
  ['x-amz-security-token', 'x'],
  ['x-amz-decoded-content-length', '5'],
  ['x-http-method-override', 'DELETE'],
  ['smithy-protocol', 'rpc-v2-cbor'],
  ['connection', 'x-amz-target'],
  ['if-match', '"\u00e9"'],
  ['range', 'bytes=0-1'],
]
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'TRACE', 'delete', 'X']

type Random = () => number

function mutated(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1))
  const piece = PIECES[Math.floor(random() * PIECES.length)] ?? ''
  switch (Math.floor(random() * 5)) {
    case 0:
      return text.slice(0, at) + piece + text.slice(at)
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 4))
    case 2:
      return (
        text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1)
      )
    case 3:
      return text + text.slice(at)
    default:
      return text.slice(0, at).toUpperCase() + text.slice(at)
  }
}

function mutatedHeaders(headers: readonly WireHeader[], random: Random): WireHeader[] {
  const extra = EXTRA_HEADERS[Math.floor(random() * EXTRA_HEADERS.length)]
  if (random() < 0.5 && extra) return [...headers, extra]
  const chosen = Math.floor(random() * headers.length)
  return headers.map(([name, value], index) =>
    index === chosen ? [name, mutated(value, random)] : [name, value],
  )
}

/** One mutated request as it goes over the wire, or null where no signer would sign it. */
function mutation(random: Random): Buffer | null {
  const sample = SAMPLES[Math.floor(random() * SAMPLES.length)] as RawCall
  let call = sample
  const part = random()
  if (part < 0.3) call = { ...call, target: mutated(call.target ?? '/', random) }
  else if (part < 0.6) call = { ...call, body: mutated(call.body ?? '', random) }
  else if (part < 0.9) call = { ...call, headers: mutatedHeaders(call.headers ?? [], random) }
  else call = { ...call, method: METHODS[Math.floor(random() * METHODS.length)] ?? 'GET' }
  const signsAgain = random() < 0.5
  try {
    const request = signed(keys, signsAgain ? call : sample)
    if (signsAgain) return onWire(request, random)
    const headers = mutatedHeaders(request.headers, random)
    const body = new TextEncoder().encode(call.body ?? '')
    return onWire({ ...request, target: call.target ?? '/', headers, body }, random)
  } catch {
    return null // the signer itself refuses a path or a header that AWS does not take
  }
}

function onWire({ method, target, headers, body }: WireRequest, random: Random): Buffer {
  const names = new Set(headers.map(([name]) => name.toLowerCase()))
  const framed = names.has('transfer-encoding')
    ? Buffer.concat([
        Buffer.from(`${body.length.toString(16)}\r\n`),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ])
    : body
  const length = names.has('content-length') || names.has('transfer-encoding')
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(length ? [] : [`content-length: ${body.length}`]),
  ]
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), framed])
  if (random() < 0.1) {
    const at = Math.floor(random() * bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  }
  return bytes
}

/** Status of the first answer, or `closed` where the gate hung up without one. */
function exchange(bytes: Buffer): Promise<number | 'closed' | 'silent'> {
  const { hostname, port } = new URL(keys.endpoint)
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes))
    let answer = ''
    let status: number | 'closed' | 'silent' = 'closed'
    // A mutation may announce more than it sends: then the sender leaves, and the gate must let go.
    const leaves = setTimeout(() => socket.end(), LEAVES_MS)
    socket.setTimeout(ANSWER_MS_MAX, () => {
      status = 'silent'
      socket.destroy()
    })
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      const found = /HTTP\/1\.1 ([2-5]\d\d)/.exec(answer)?.[1]
      if (found === undefined) return
      status = Number(found)
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(leaves)
      resolve(status)
    })
  })
}

/** What each protocol would do with the request, read as an upstream reads it. */
function operationOf({ method, target, headers, body }: WireRequest): string {
  const named = headers.find(([name]) => name.toLowerCase() === 'x-amz-target')?.[1].split('.')[1]
  if (named !== undefined) return named
  const query = new URLSearchParams(target.split('?')[1] ?? '').get('Action')
  if (query !== null) return query
  if (method !== 'POST') return `${method} ${target}`
  return new URLSearchParams(Buffer.from(body).toString()).get('Action') ?? `${method} ${target}`
}

const READS = /^(Get|Describe|List|BatchGet|Query|Scan)|^(GET|HEAD) |^ExecuteStatement$/

test('two thousand mutated requests: no fall, nothing but refusals and reads, and the gate goes on', async () => {
  process.stdout.write(`fuzz test: SECONDER_FUZZ_SEED=${SEED}\n`)
  const random = mulberry32(SEED)
  const requests: Buffer[] = []
  while (requests.length < COUNT) {
    const bytes = mutation(random)
    if (bytes) requests.push(bytes)
  }
  const statuses = new Map<string, number>()
  let next = 0
  const worker = async () => {
    for (let bytes = requests[next++]; bytes; bytes = requests[next++]) {
      const status = await exchange(bytes)
      statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1)
      const words = `seed ${SEED}: ${JSON.stringify(bytes.toString('latin1'))}`
      expect(status, words).not.toBe('silent')
      if (typeof status === 'number') expect(status, words).toBeLessThan(500)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  process.stdout.write(`fuzz test: ${JSON.stringify([...statuses])}\n`)
  const sent = [...new Set(upstream.seen.map(({ request }) => operationOf(request)))]
  expect(sent.filter((operation) => !READS.test(operation))).toEqual([])
  for (const { operation, request } of upstream.seen) {
    if (operation !== 'ExecuteStatement') continue
    expect(Buffer.from(request.body).toString()).toMatch(/"statement"\s*:\s*"\s*select/i)
  }
  const entries = await gate.entries()
  expect(entries.filter(({ type }) => type === 'intent')).toEqual([])
  expect(entries.filter(({ code }) => code === 'internal')).toEqual([])
  expect((await rawCall(keys, dynamodbCall('ListTables', {}))).status).toBe(200)
})

/** A small generator of repeatable numbers in [0, 1). */
function mulberry32(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

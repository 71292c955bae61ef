// Requests with two meanings. In development a DeleteTable passes without review, so each of these would
// act if the gate followed any one of its two signals: nothing may reach the upstream, not a look either.
import { hash } from 'node:crypto'
import net from 'node:net'
import { presign, sign } from '@seconder/aws/sigv4/sign'
import type { WireHeader, WireRequest } from '@seconder/aws/wire-request'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { ecdsaSigned } from './ecdsa.ts'
import { ACCOUNT, Harness, type Keys } from './harness.ts'
import { dynamodbCall, queryCall, type RawCall, send, signed } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
  const environments = [{ name: 'development', accounts: [ACCOUNT], mode: 'enforce' as const }]
  gate = await Harness.start({ upstream: upstream.url, environments })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const TWICE = '{"TableName":"safe","TableName":"orders"}'
const BODY = '{"TableName":"orders"}'
const drop = dynamodbCall('DeleteTable', { TableName: 'orders' })
/** Signed with no length among its signed headers: then framing alone is what a test changes. */
const unframed = (call: RawCall): WireRequest =>
  signed(keys, { ...call, payloadSha256: hash('sha256', call.body ?? '', 'hex') })
const base = () => unframed(drop)

/** The request with header lines put before or after its own, or its own edited. */
const plus = (request: WireRequest, ...headers: WireHeader[]): WireRequest => ({
  ...request,
  headers: [...request.headers, ...headers],
})
const before = (request: WireRequest, ...headers: WireHeader[]): WireRequest => ({
  ...request,
  headers: [...headers, ...request.headers],
})
function edited(request: WireRequest, name: string, edit: (value: string) => string): WireRequest {
  const headers = request.headers.map(
    ([each, value]): WireHeader => [each, each === name ? edit(value) : value],
  )
  return { ...request, headers }
}

/** The bytes of a request as it stands, with no header but its own. */
function bytes(request: WireRequest, body = Buffer.from(request.body).toString('latin1')): string {
  const lines = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${request.method} ${request.target} HTTP/1.1\r\n${lines}connection: close\r\n\r\n${body}`
}

/** Sends it, and ends its side only where the request does not: whoever has gone makes nothing happen. */
function exchange(text: string, isUnfinished = false): Promise<string> {
  const { hostname, port } = new URL(keys.endpoint)
  return new Promise((resolve) => {
    let came = ''
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(text, 'latin1')
      if (isUnfinished) socket.end()
    })
    socket.on('data', (chunk: Buffer) => (came += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(came))
  })
}

async function expectNoneActs(requests: Readonly<Record<string, WireRequest | string>>) {
  for (const [name, request] of Object.entries(requests)) {
    const text = typeof request === 'string' ? request : bytes(request)
    const answer = await exchange(text, name.startsWith('unfinished'))
    expect(answer, name).not.toMatch(/^HTTP\/1\.1 [23]/)
    expect(upstream.seen, name).toEqual([])
  }
}

test('the request that all of these are made of acts', async () => {
  const length: WireHeader = ['content-length', String(BODY.length)]
  expect(await exchange(bytes(plus(base(), length)))).toContain('HTTP/1.1 200')
  expect(upstream.seen.some(({ operation }) => operation === 'DeleteTable')).toBe(true)
})

test('H1 two names for the operation', async () => {
  const length: WireHeader = ['content-length', String(BODY.length)]
  const of = (call: Partial<RawCall>) => plus(unframed({ ...drop, ...call }), length)
  const form = (fields: string, target = '/') => {
    const body = fields
    const call = { ...queryCall('sts', {}), body, target }
    return plus(unframed(call), ['content-length', String(body.length)])
  }
  const identity = 'Action=GetCallerIdentity&Version=2011-06-15'
  await expectNoneActs({
    'target and query': of({ target: '/?Action=ListTables' }),
    'target and query of the same name': of({ target: '/?Action=DeleteTable' }),
    'target twice': before(plus(base(), length), ['X-Amz-Target', 'DynamoDB_20120810.ListTables']),
    'target twice, by case': plus(base(), length, ['X-AMZ-TARGET', 'DynamoDB_20120810.ListTables']),
    'target as a list': of({
      headers: [
        ['content-type', 'application/x-amz-json-1.0'],
        ['x-amz-target', 'DynamoDB_20120810.ListTables,DynamoDB_20120810.DeleteTable'],
      ],
    }),
    'target and RPC path': of({
      target: '/service/DynamoDB_20120810/operation/ListTables',
      headers: [...(drop.headers ?? []), ['smithy-protocol', 'rpc-v2-cbor']],
    }),
    'target and another path': of({ target: '/orders' }),
    'two content types': plus(base(), length, [
      'Content-Type',
      'application/x-www-form-urlencoded',
    ]),
    'content type that nobody signed': plus(
      unframed({ ...drop, headers: (drop.headers ?? []).slice(1) }),
      length,
      ['content-type', 'application/x-amz-json-1.0'],
    ),
    'form and query': form(identity, '/?Action=GetCallerIdentity'),
    'form with two actions': form(`${identity}&Action=AssumeRole`),
    'form with two versions': form(`${identity}&Version=2012-01-01`),
    'member twice': plus(unframed({ ...drop, body: TWICE }), [
      'content-length',
      String(TWICE.length),
    ]),
    'other method': { ...plus(base(), length), method: 'PUT' },
  })
})

test('H1 two signatures, or none that covers what is read', async () => {
  const length: WireHeader = ['content-length', String(BODY.length)]
  const { host } = new URL(keys.endpoint)
  const good = plus(base(), length)
  const scope = { service: 'dynamodb', region: 'eu-west-1' }
  const bare: WireRequest = {
    method: 'POST',
    target: '/',
    headers: [['host', host], ...(drop.headers ?? [])],
    body: new TextEncoder().encode(BODY),
  }
  const url = { ...bare, target: presign(bare, keys, scope, Date.now(), { expiresSeconds: 60 }) }
  const ecdsa = ecdsaSigned(keys, {
    method: 'POST',
    target: '/',
    service: 'dynamodb',
    regionSet: 'eu-west-1',
  }).headers.find(([name]) => name === 'authorization')?.[1]
  const [, own = ''] = good.headers.find(([name]) => name === 'authorization') ?? []
  const withoutHost = bare.headers.filter(([name]) => name !== 'host')
  await expectNoneActs({
    'presigned and Authorization': plus(url, length, ['authorization', own]),
    'Authorization and a presigned signature': {
      ...good,
      target: `/?X-Amz-Signature=${'0'.repeat(64)}`,
    },
    'Authorization and one presigned date': { ...good, target: '/?X-Amz-Date=20260101T000000Z' },
    'two Authorizations': plus(good, ['Authorization', own]),
    'SigV4 and SigV4A': plus(good, ['Authorization', String(ecdsa)]),
    'SigV4A in a list with SigV4': edited(good, 'authorization', (value) => `${ecdsa}, ${value}`),
    'SigV4A by the key of SigV4': edited(good, 'authorization', (value) =>
      value.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'),
    ),
    'SigV4A scope with a region': edited(good, 'authorization', () =>
      String(ecdsa).replace('/dynamodb/', '/eu-west-1/dynamodb/'),
    ),
    'SigV4 with a region set': plus(
      {
        ...bare,
        headers: sign(plus(bare, ['x-amz-region-set', '*']), keys, scope, Date.now(), {
          payloadSha256: hash('sha256', BODY, 'hex'),
        }),
      },
      length,
    ),
    'unsigned Host': edited(good, 'authorization', (value) =>
      value.replace(/SignedHeaders=([^,]*)host;/, 'SignedHeaders=$1'),
    ),
    'no Host': { ...good, headers: good.headers.filter(([name]) => name !== 'host') },
    'Host twice': plus(good, ['Host', host]),
    'Host of two': edited(good, 'host', (value) => `${value}, evil.example`),
    'header nobody signed': plus({ ...bare, headers: withoutHost }, ['host', host], length, [
      'authorization',
      own,
    ]),
    'late x-amz header': plus(good, ['x-amz-expected-bucket-owner', '1']),
    'date twice': plus(good, ['X-Amz-Date', '20260101T000000Z']),
    'two payload hashes': {
      ...good,
      target: `/?X-Amz-Content-Sha256=${'0'.repeat(64)}`,
    },
    'payload hash of another body': edited(good, 'x-amz-content-sha256', () => '0'.repeat(64)),
    'session token of somebody': plus(good, ['x-amz-security-token', 'token']),
  })
})

test('H1 two ends of one body, folded lines and names that are none', async () => {
  const good = base()
  const length: WireHeader = ['content-length', String(BODY.length)]
  const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`
  const head = bytes(good, '').replace('connection: close\r\n\r\n', '')
  await expectNoneActs({
    'length and chunks': bytes(plus(good, length, ['transfer-encoding', 'chunked']), chunked),
    'chunks and length': bytes(plus(good, ['transfer-encoding', 'chunked'], length), chunked),
    'two lengths': bytes(plus(good, length, ['content-length', '2'])),
    'a list of lengths': bytes(plus(good, ['content-length', '22, 22'])),
    'a signed length': bytes(plus(good, ['content-length', '+22'])),
    'chunks that are none': bytes(plus(good, ['transfer-encoding', 'xchunked'])),
    'chunks and identity': bytes(plus(good, ['transfer-encoding', 'chunked, identity']), chunked),
    'a length too short': bytes(plus(good, ['content-length', '21'])),
    'unfinished: a length too long': bytes(plus(good, ['content-length', '23'])),
    'a folded target': `${head.replace('DynamoDB_20120810.DeleteTable', 'DynamoDB_20120810.\r\n DeleteTable')}content-length: 22\r\n\r\n${BODY}`,
    'a folded new header': `${head}x-a: b\r\n x-amz-target: DynamoDB_20120810.ListTables\r\ncontent-length: 22\r\n\r\n${BODY}`,
    'a blank before the colon': `${head}x-amz-target : DynamoDB_20120810.ListTables\r\ncontent-length: 22\r\n\r\n${BODY}`,
    'a bare line feed': `${head}x-a: b\nx-amz-target: DynamoDB_20120810.ListTables\r\ncontent-length: 22\r\n\r\n${BODY}`,
    'a NUL in a value': `${head}x-a: b\0c\r\ncontent-length: 22\r\n\r\n${BODY}`,
    'an absolute target': bytes(plus({ ...good, target: 'http://evil.example/' }, length)),
    'a fragment': bytes(plus({ ...good, target: '/#?Action=ListTables' }, length)),
    'a compressed body': bytes(
      plus(
        unframed({ ...drop, headers: [...(drop.headers ?? []), ['content-encoding', 'gzip']] }),
        length,
      ),
    ),
  })
})

test('H1 what no one signed and no one reads changes nothing of what is sent', async () => {
  const strange: WireHeader[] = [
    ['x_amz_target', 'DynamoDB_20120810.ListTables'],
    ['x-http-method-override', 'GET'],
    ['x-forwarded-host', 'evil.example'],
    ['x-original-url', '/?Action=ListTables'],
    ['date', 'Thu, 01 Jan 2026 00:00:00 GMT'],
    ['te', 'trailers'],
    ['connection', 'x-amz-target'],
  ]
  const answer = await send(keys, plus(base(), ...strange))
  expect(answer.status).toBe(200)
  const sent = upstream.seen.find(({ operation }) => operation === 'DeleteTable')?.request
  const names = new Set(sent?.headers.map(([name]) => name.toLowerCase()))
  for (const [name] of strange) if (name !== 'connection') expect(names.has(name)).toBe(false)
  expect(sent?.headers.filter(([name]) => name.toLowerCase() === 'x-amz-target')).toEqual([
    ['x-amz-target', 'DynamoDB_20120810.DeleteTable'],
  ])
})

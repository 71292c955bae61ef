// How a request may address the gate: path style, a bucket or a label before the gate's own name, and
// nothing else. Each address has one reading, and the same call has the same digest by either.
import net from 'node:net'
import type { WireRequest } from '@seconder/aws/wire-request'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, type RawAnswer, type RawCall, rawCall, signed } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys
let port: string

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
  port = new URL(keys.endpoint).port
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

/** Signed for this Host, sent to the gate. */
const at = (host: string, call: RawCall): Promise<RawAnswer> => rawCall(keys, { ...call, host })

const get = (target: string): RawCall => ({ method: 'GET', target, service: 's3' })
const idIn = (answer: RawAnswer) => requestIdIn(new Error(answer.body))

test('a bucket before the name and a bucket in the path are one address and one digest', async () => {
  expect((await at(`bucket-b.localhost:${port}`, get('/a/key?versionId=3'))).status).toBe(200)
  expect((await at(`localhost:${port}`, get('/bucket-b/a/key?versionId=3'))).status).toBe(200)
  expect(upstream.seen.map(({ request }) => request.target)).toEqual([
    '/bucket-b/a/key?versionId=3',
    '/bucket-b/a/key?versionId=3',
  ])
  const reads = (await gate.entries()).filter(({ type }) => type === 'read')
  expect(reads.map(({ resources }) => resources)).toEqual([
    ['arn:aws:s3:::bucket-b/a/key'],
    ['arn:aws:s3:::bucket-b/a/key'],
  ])
  expect(new Set(reads.map(({ digest }) => digest)).size).toBe(1)
  const held = await at(`bucket-b.localhost:${port}`, { ...get('/a/key'), method: 'DELETE' })
  await gate.review('bob', idIn(held))
  expect((await rawCall(keys, { ...get('/bucket-b/a/key'), method: 'DELETE' })).status).toBe(200)
})

test('H1 a bucket in both places is a key of the one before the name, never a second bucket', async () => {
  await at(`bucket-b.localhost:${port}`, get('/bucket-c/key'))
  expect(upstream.seen.at(-1)?.request.target).toBe('/bucket-b/bucket-c/key')
  const [read] = (await gate.entries()).filter(({ type }) => type === 'read')
  expect(read?.['resources']).toEqual(['arn:aws:s3:::bucket-b/bucket-c/key'])
})

test('H1 a Host that is not exactly the gate, with a bucket or a label of the table before it, is refused', async () => {
  for (const host of [
    `bucket-b.127.0.0.1:${port}`,
    `bucket-b.localhost:1`,
    'bucket-b.localhost',
    `Bucket-B.localhost:${port}`,
    `bucket_b.localhost:${port}`,
    `.localhost:${port}`,
    `..localhost:${port}`,
    `evil.example:${port}`,
    `localhost:${port}.evil.example`,
    `evilocalhost:${port}`,
    `123456789012.localhost:${port}`,
    'bucket-b.s3.eu-west-1.amazonaws.com',
    's3.eu-west-1.amazonaws.com',
  ]) {
    const answer = await at(host, get('/bucket-b/key'))
    expect(answer.status, host).toBeGreaterThanOrEqual(400)
  }
  const other = await at(`bucket-b.localhost:${port}`, dynamodbCall('ListTables', {}))
  expect(other.body).toContain('no host of the service signed for has such a label')
  expect(upstream.seen).toEqual([])
})

test('C5 a label that an SDK puts before the host passes for the operations of its model, and no other', async () => {
  const call = (operation: string, input: unknown): RawCall => ({
    service: 'servicediscovery',
    headers: [
      ['content-type', 'application/x-amz-json-1.1'],
      ['x-amz-target', `Route53AutoNaming_v20170314.${operation}`],
    ],
    body: JSON.stringify(input),
  })
  const discover = call('DiscoverInstances', { NamespaceName: 'a', ServiceName: 'b' })
  expect((await at(`data-localhost:${port}`, discover)).status).toBe(200)
  const other = await at(`data-localhost:${port}`, call('ListServices', {}))
  expect(other.body).toContain('not one of the host that it was sent to')
  const control = {
    ...get('/v20180820/accesspoint'),
    headers: [['x-amz-account-id', '123456789012']] as const,
  }
  expect((await at(`123456789012.localhost:${port}`, control)).status).toBe(200)
  expect((await at(`210987654321.localhost:${port}`, control)).status).toBeGreaterThanOrEqual(400)
  expect(upstream.seen).toHaveLength(2)
})

test('H1 absolute targets, two slashes, dot segments and a second Host reach nothing', async () => {
  const host = `localhost:${port}`
  const text = ({ method, target, headers }: WireRequest, line = target, more = '') =>
    `${method} ${line} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}${more}\r\n`
  const own = signed(keys, { ...get('/bucket-b/key'), host })
  for (const bytes of [
    text(own, 'http://evil.example/bucket-b/key'),
    text(own, `http://${host}/bucket-b/key`),
    text(own, '*'),
    text(own, '//evil.example/bucket-b/key'),
    text(own, '/bucket-b/../other/key'),
    text(own, '/bucket-b/%2e%2e/other/key'),
    text(own, '/bucket-b/key', `host: ${host}\r\n`),
    text(own, '/bucket-b/key', 'Host: evil.example\r\n'),
    text(own, '/bucket-b/key', 'hOST : evil.example\r\n'),
    text({ ...own, headers: own.headers.filter(([name]) => name !== 'host') }),
  ]) {
    expect(await rawText(bytes), bytes).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
  }
  for (const target of ['//bucket-b/key', '/bucket-b/a//b', '/bucket-b/./k', '/bucket-b/../k']) {
    expect((await at(host, get(target))).status, target).toBeGreaterThanOrEqual(400)
  }
  expect(upstream.seen).toEqual([])
})

/** Sends these bytes on a connection of their own, and returns all that came back. */
function rawText(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      socket.end()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
  })
}

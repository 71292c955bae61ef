// Uploads whose client waits for `100 Continue`: what is refused is refused before its body is sent, and
// the real clients that wait are let go on.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { WireRequest } from '@seconder/aws/wire-request'
import { SPOOLED_BODY_BYTES_MAX } from '@seconder/gateway/receive/spool'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultScript, type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { closeSession } from './acts.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, type RawCall, signed } from './wire.ts'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeEach(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const PUT: RawCall = { method: 'PUT', target: '/bucket-b/key', service: 's3', body: 'hello' }
const GO_ON = 'HTTP/1.1 100 Continue'

/** Sends the head, and the body only when told to go on, as a client that waits does. */
function waiting(request: WireRequest, more: readonly string[] = []): Promise<string> {
  const { hostname, port } = new URL(keys.endpoint)
  const names = new Set(request.headers.map(([name]) => name.toLowerCase()))
  const lines = request.headers.map(([name, value]) => `${name}: ${value}`)
  if (!names.has('content-length')) lines.push(`content-length: ${request.body.byteLength}`)
  const head = [`${request.method} ${request.target} HTTP/1.1`, ...lines, ...more]
  return new Promise((resolve) => {
    let came = ''
    let isSent = false
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(`${head.join('\r\n')}\r\nexpect: 100-continue\r\n\r\n`)
    })
    socket.on('data', (chunk: Buffer) => {
      came += chunk.toString('latin1')
      if (came.startsWith(GO_ON) && !isSent) {
        isSent = true
        socket.write(request.body)
      }
      if (/<\/Error(Response)?>|\}$/.test(came)) socket.end()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(came))
  })
}

test('an acceptable head is told to go on, and the body decides as ever', async () => {
  const answer = await waiting(signed(keys, PUT))
  expect(answer.startsWith(GO_ON)).toBe(true)
  expect(answer).toContain('needs review')
  // Not every client names the hash of its body in the head: then key, time and form are all there is.
  const table = await waiting(signed(keys, dynamodbCall('DeleteTable', { TableName: 'orders' })))
  expect(table.startsWith(GO_ON)).toBe(true)
  const other = signed(keys, PUT)
  const swapped = await waiting({ ...other, body: new TextEncoder().encode('hellp') })
  expect(swapped.startsWith(GO_ON)).toBe(true)
  expect(swapped).toContain('not the one that x-amz-content-sha256 names')
  expect(upstream.seen.filter(({ request }) => request.method === 'PUT')).toEqual([])
})

test('what no body could make acceptable is refused before one is sent, in the protocol of the request', async () => {
  const good = signed(keys, PUT)
  const edited = (name: string, edit: (value: string) => string): WireRequest => ({
    ...good,
    headers: good.headers.map(([each, value]) => [each, each === name ? edit(value) : value]),
  })
  const other = { ...keys, accessKeyId: 'AKIAOTHEROTHEROTHER0' }
  const tries: readonly (readonly [WireRequest, string])[] = [
    [signed(other, PUT), 'InvalidAccessKeyId'],
    [{ ...good, target: '/bucket-b/other' }, 'SignatureDoesNotMatch'],
    [edited('x-amz-content-sha256', () => '0'.repeat(64)), 'SignatureDoesNotMatch'],
    [edited('host', () => 'evil.example'), 'the Host header is not this gate'],
    [signed(keys, { ...PUT, signedAtMs: Date.now() - 16 * 60_000 }), 'signed too long ago'],
    [edited('authorization', () => 'Bearer x'), 'not supported'],
    [
      {
        ...good,
        headers: [...good.headers, ['content-length', String(SPOOLED_BODY_BYTES_MAX + 1)]],
      },
      'EntityTooLarge',
    ],
  ]
  for (const [request, words] of tries) {
    const headers = request.headers.filter(
      ([name], index, all) =>
        name !== 'content-length' || index === all.findLastIndex(([each]) => each === name),
    )
    const answer = await waiting({ ...request, headers })
    expect(answer, words).not.toContain(GO_ON)
    expect(answer).toContain(words)
    expect(answer.toLowerCase()).toContain('connection: close')
  }
  await closeSession(gate, keys)
  expect(await waiting(signed(keys, PUT))).toContain('InvalidAccessKeyId')
  expect(upstream.seen).toEqual([])
  const codes = (await gate.entries()).filter(({ type }) => type === 'unverified')
  expect(codes).toHaveLength(tries.length + 1)
})

test('SDK v3 waits for the word, and its upload arrives whole', async () => {
  const { endpoint, accessKeyId, secretAccessKey } = keys
  const s3 = new S3Client({
    endpoint,
    region: 'eu-west-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  const put = () =>
    s3.send(
      new PutObjectCommand({
        Bucket: 'bucket-b',
        Key: 'key',
        Body: Buffer.alloc(3_000_000, 'abc'),
      }),
    )
  const held = await put().catch((error: Error) => error)
  await gate.review('bob', requestIdIn(held))
  expect((await put()).$metadata.httpStatusCode).toBe(200)
  const [sent] = upstream.seen.filter(({ request }) => request.method === 'PUT')
  expect(sent?.request.body.byteLength).toBe(3_000_000)
  expect(sent?.request.headers.some(([name]) => name.toLowerCase() === 'expect')).toBe(false)
  s3.destroy()
})

/** An AWS CLI that honours AWS_ENDPOINT_URL (v1 1.29, v2 2.13 and later). */
const AWS = ['aws', '/usr/local/bin/aws'].find((path) => {
  const version = String(spawnSync(path, ['--version']).stdout ?? '')
  const [, major, minor] = /^aws-cli\/(\d+)\.(\d+)\./.exec(version) ?? []
  return (major === '1' && Number(minor) >= 29) || (major === '2' && Number(minor) >= 13)
})
if (AWS === undefined) console.warn('skipped: no AWS CLI that honours AWS_ENDPOINT_URL')

test.skipIf(AWS === undefined)(
  'the AWS CLI waits for the word, and prints the refusal',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'seconder-cli-'))
    const file = join(home, 'upload')
    writeFileSync(file, Buffer.alloc(2_000_000, 'abc'))
    const put = () => aws(home, 's3', 'cp', file, 's3://bucket-b/key')
    const held = await put()
    expect(held.err).toContain('needs review')
    await gate.review('bob', requestIdIn(new Error(held.err)))
    upstream.script = (seen) =>
      seen.request.method === 'PUT' ? { status: 200, body: '' } : defaultScript(seen)
    const done = await put()
    expect(done.err).toBe('')
    expect(done.out).toContain('upload:')
    const [sent] = upstream.seen.filter(({ request }) => request.method === 'PUT')
    expect(sent?.request.body.byteLength).toBe(2_000_000)
    rmSync(home, { recursive: true, force: true })
  },
)

function aws(home: string, ...args: string[]): Promise<{ out: string; err: string }> {
  const env = {
    HOME: home,
    PATH: process.env['PATH'],
    AWS_ENDPOINT_URL: keys.endpoint,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  }
  return new Promise((resolve) => {
    execFile(String(AWS), args, { env, cwd: home, timeout: 60_000 }, (_, out, err) =>
      resolve({ out, err }),
    )
  })
}

// Bodies larger than memory through the real gate: held on the disk, bound by their hash, reviewed and
// sent, in every form in which clients of S3 sign them; and everything that ends one early.
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { WireHeader } from '@seconder/aws/wire-request'
import { BODY_BYTES_MAX } from '@seconder/gateway/receive/body'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  patternBytes,
  patternSha256,
  type S3Upstream,
  startS3Upstream,
} from '../fakes/s3-upstream.ts'
import { closeSession, idIn } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { FORMS, type Upload, uploads } from './large.ts'
import { dynamodbCall, rawCall, signed } from './wire.ts'

const MIB = 1024 * 1024
const SIZE = 17 * MIB + 11
const LIMIT = 18 * MIB

let upstream: S3Upstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startS3Upstream()
  gate = await Harness.start({
    upstream: upstream.url,
    // Longer than a busy machine stands still, as short as the waits for them can be.
    timeoutMs: 5_000,
    uploads: { bodyBytesMax: LIMIT, totalBytesMax: 2 * LIMIT, freeBytesMin: 0, idleMs: 5_000 },
  })
  keys = await gate.open('alice')
})

afterEach(async () => {
  upstream.mishap = () => null
  upstream.objects.clear()
  await expect.poll(spooled).toEqual([])
  await expect.poll(() => gate.spool()).toEqual({ files: 0, bytes: 0 })
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const folder = () => join(gate.folder, 'state', 'spool')
const spooled = () => readdirSync(folder())
const puts = () => upstream.seen.filter(({ method }) => method === 'PUT').length
const lastEntry = async () => (await gate.entries()).at(-1)

/** Sends it, has it approved, and sends it again. */
async function reviewed(upload: Upload, again = upload) {
  await gate.review('bob', idIn(await uploads(keys, upload)))
  return uploads(keys, again)
}

test.each(FORMS)(
  'an upload larger than memory passes after review, byte for byte: %s',
  async (form) => {
    const target = `/bucket-b/${encodeURIComponent(form)}`
    const answer = await reviewed({ size: SIZE, form, target })
    expect(answer).toMatchObject({ status: 200 })
    expect(upstream.objects.get(`bucket-b/${form}`)).toMatchObject({
      size: SIZE,
      sha256: patternSha256(SIZE),
    })
    const { headers } = upstream.seen.findLast(({ method }) => method === 'PUT') ?? {}
    expect(headers).toMatchObject({
      'content-length': String(SIZE),
      'x-amz-content-sha256': patternSha256(SIZE),
    })
    for (const gone of ['content-encoding', 'x-amz-trailer', 'transfer-encoding']) {
      expect(headers).not.toHaveProperty(gone)
    }
  },
)

test('C8 how a body is signed makes no difference to what was reviewed; one bit of it does', async () => {
  const target = '/bucket-b/forms'
  const request = idIn(await uploads(keys, { size: SIZE, form: 'signed', target }))
  await gate.review('bob', request)
  for (const form of FORMS) {
    const other = await uploads(keys, { size: SIZE, form, target, flipAt: SIZE - 1 })
    expect(idIn(other), form).not.toBe(request)
  }
  expect(upstream.objects.size).toBe(0)
  expect((await uploads(keys, { size: SIZE, form: 'chunks', target })).status).toBe(200)
  expect(upstream.objects.get('bucket-b/forms')?.sha256).toBe(patternSha256(SIZE))
})

test('C8 what is sent in place of what was signed is refused before anybody is asked', async () => {
  const before = puts()
  const wrong: [Partial<Upload>, string][] = [
    [{ form: 'signed', spoilAt: SIZE - 1 }, 'body_mismatch'],
    [{ form: 'chunks', spoilAt: 5 }, 'signature_mismatch'],
    [{ form: 'chunks and trailer', spoilAt: SIZE - 1 }, 'signature_mismatch'],
    [{ form: 'chunks and trailer', wrongTrailer: true }, 'body_mismatch'],
    [{ form: 'unsigned trailer', spoilAt: 17 * MIB }, 'body_mismatch'],
    [{ form: 'unsigned trailer', wrongTrailer: true }, 'body_mismatch'],
  ]
  for (const [upload, code] of wrong) {
    const answer = await uploads(keys, { size: SIZE, target: '/bucket-b/wrong', ...upload })
    expect(answer.status, JSON.stringify(upload)).toBe(403)
    expect(await lastEntry()).toMatchObject({
      type: expect.stringMatching(/^(refused|unverified)$/),
      code,
    })
  }
  expect(puts()).toBe(before)
})

test('a body of 16 MiB stays in memory, one byte more is held on the disk, announced or not', async () => {
  for (const unannounced of [false, true]) {
    for (const size of [BODY_BYTES_MAX, BODY_BYTES_MAX + 1]) {
      const target = `/bucket-b/limit-${size}-${unannounced}`
      const answer = await reviewed({ size, target, unannounced })
      expect(answer.status).toBe(200)
      expect(upstream.objects.get(target.slice(1))?.sha256).toBe(patternSha256(size))
    }
  }
})

test('a body at the limit of the disk passes; one byte past it is refused, announced or not', async () => {
  expect((await uploads(keys, { size: LIMIT })).body).toContain('needs review')
  for (const form of ['signed', 'unsigned trailer'] as const) {
    const answer = await uploads(keys, { size: LIMIT + 1, form })
    expect(answer.body, form).toContain('EntityTooLarge')
  }
  const answer = await uploads(keys, { size: LIMIT + 1, unannounced: true })
  expect(answer.body).toContain('EntityTooLarge')
})

test('a client that reads only when it has sent everything gets its refusal too', async () => {
  const size = LIMIT + 1
  const call = { method: 'PUT', target: '/bucket-b/late', service: 's3' }
  const { headers } = signed(keys, call)
  const announced: WireHeader[] = [
    ...headers.filter(([name]) => name !== 'content-length'),
    ['content-length', String(size)],
  ]
  const head = announced.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const { hostname, port } = new URL(keys.endpoint)
  const socket = connect(Number(port), hostname)
  socket.write(`PUT /bucket-b/late HTTP/1.1\r\n${head}\r\n`)
  for (const piece of patternBytes(0, size)) {
    if (!socket.write(piece)) await once(socket, 'drain')
  }
  expect(await text(socket)).toContain('EntityTooLarge')
})

test('all bodies together have a limit too, and a body that does not fit is refused by name', async () => {
  const stalled = [0, 1].map((each) =>
    uploads(keys, { size: LIMIT, target: `/bucket-b/${each}`, stopAfter: MIB, stall: true }),
  )
  const ends = Promise.allSettled(stalled)
  await expect.poll(() => gate.spool()).toEqual({ files: 2, bytes: 2 * LIMIT })
  const third = await uploads(keys, { size: SIZE, target: '/bucket-b/third' })
  expect(third.body).toContain('the gate cannot hold this body now')
  expect(await lastEntry()).toMatchObject({ type: 'refused', code: 'spool_full' })
  const read = { method: 'GET', target: '/bucket-b/none', service: 's3' }
  expect((await rawCall(keys, read)).body).toContain('NoSuchKey')
  // Both stall and are let go of, and so there is room again.
  for (const end of await ends) expect(end.status).toBe('rejected')
  expect((await uploads(keys, { size: SIZE, target: '/bucket-b/third' })).body).toContain(
    'needs review',
  )
})

test('a file of the spool has no name while it is written, and its folder is for the gate alone', async () => {
  const size = (await gate.entries()).length
  const stalled = uploads(keys, { size: SIZE, stopAfter: 2 * MIB, stall: true }).catch(() => null)
  await expect.poll(() => gate.spool().files).toBe(1)
  expect(spooled()).toEqual([])
  expect(statSync(folder()).mode & 0o777).toBe(0o700)
  await stalled
  await expect.poll(async () => (await gate.entries()).length).toBe(size + 1)
})

test('a client that goes half-way leaves nothing: no request, no effect, no file', async () => {
  const before = puts()
  const size = (await gate.entries()).length
  await expect(uploads(keys, { size: SIZE, stopAfter: 9 * MIB })).rejects.toThrow()
  await expect.poll(async () => (await gate.entries()).length).toBe(size + 1)
  expect(await lastEntry()).toMatchObject({ type: 'refused', code: 'request_closed' })
  expect(puts()).toBe(before)
})

test('nobody without a session, and no operation that the gate must read, gets room on the disk', async () => {
  const other = { ...keys, secretAccessKey: 'not-the-secret' }
  expect((await uploads(other, { size: SIZE })).body).toContain('SignatureDoesNotMatch')
  const tagging = await uploads(keys, { size: SIZE, target: '/bucket-b?tagging' })
  expect(tagging.body).toContain('EntityTooLarge')
  const input = { TableName: 'orders', Item: { id: { S: 'x'.repeat(BODY_BYTES_MAX) } } }
  const item = await rawCall(keys, dynamodbCall('PutItem', input))
  expect(item.status).toBe(413)
  expect(item.body).toContain('takes no more than 16 MiB')
  const session = await gate.open('alice')
  await closeSession(gate, session)
  expect((await uploads(session, { size: SIZE })).status).toBe(403)
})

test('an upstream that refuses early, or falls silent under a large body, is what it is: failed or unknown', async () => {
  const ends: ['refuse' | 'silence' | 'break off' | 'stall', object][] = [
    ['refuse', { result: 'failed', errorCode: 'AccessDenied' }],
    ['silence', { result: 'unknown' }],
    ['break off', { result: 'unknown' }],
    ['stall', { result: 'unknown' }],
  ]
  for (const [mishap, outcome] of ends) {
    const upload = { size: SIZE, target: `/bucket-b/${encodeURIComponent(mishap)}` }
    await gate.review('bob', idIn(await uploads(keys, upload)))
    upstream.mishap = ({ method }) => (method === 'PUT' ? mishap : null)
    const answer = await uploads(keys, upload)
    upstream.mishap = () => null
    expect(await lastEntry(), mishap).toMatchObject({ type: 'outcome', outcome })
    expect(answer.body).toContain(mishap === 'refuse' ? 'AccessDenied' : 'it may have happened')
    // The approval is spent: another run is decided afresh.
    expect((await uploads(keys, upload)).body).toContain('needs review')
  }
})

test('C8 a signature that leaves its body open makes one effect, whatever body comes under it next', async () => {
  const call = {
    method: 'PUT',
    target: '/bucket-b/open',
    service: 's3',
    payloadSha256: 'UNSIGNED-PAYLOAD',
  } as const
  const signedAtMs = Date.now() - 60_000
  await gate.review('bob', idIn(await rawCall(keys, { ...call, body: 'one' })))
  expect((await rawCall(keys, { ...call, body: 'one', signedAtMs })).status).toBe(200)
  await gate.review('bob', idIn(await rawCall(keys, { ...call, body: 'two, longer' })))
  const swapped = await rawCall(keys, { ...call, body: 'two, longer', signedAtMs })
  expect(swapped.status).toBe(403)
  expect(swapped.body).toContain('already used')
  // The very same call again is a copy, and gets the first one's answer.
  expect((await rawCall(keys, { ...call, body: 'one', signedAtMs })).status).toBe(200)
  expect(upstream.objects.get('bucket-b/open')?.size).toBe(3)
})

// Multipart uploads through the real gate: parts pass, the completion is reviewed, and what it binds is what the
// parts hold. Nothing of an upload can be swapped after somebody said yes to it.

import { UPLOADS_PER_SESSION_MAX } from '@seconder/gateway/path/multipart'
import { checkDocument } from '@seconder/gateway/review/document'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { patternObject, type S3Upstream, startS3Upstream } from '../fakes/s3-upstream.ts'
import { idIn } from './acts.ts'
import { Harness, type Keys } from './harness.ts'
import { type RawAnswer, type RawCall, rawCall } from './wire.ts'

const TARGET = '/bucket-b/report'

let upstream: S3Upstream
let gate: Harness
let keys: Keys
let signedSeconds = 0

beforeEach(async () => {
  upstream = await startS3Upstream()
  gate = await Harness.start({ upstream: upstream.url, timeoutMs: 4_000 })
  keys = await gate.open('alice')
})

afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

/** A second of its own for each: equal calls of one second are copies. */
function call(method: string, target: string, more: Partial<RawCall> = {}, by = keys) {
  signedSeconds += 1
  const signedAtMs = Date.now() - 800_000 + signedSeconds * 1_000
  return rawCall(by, { method, target, service: 's3', signedAtMs, ...more })
}

const begin = async (headers: RawCall['headers'] = [], target = TARGET) => {
  const answer = await call('POST', `${target}?uploads`, { headers })
  const id = /<UploadId>([^<]+)</.exec(answer.body)?.[1]
  if (id === undefined) throw new Error(answer.body)
  return id
}
const part = (id: string, number: number, body: string, by = keys) =>
  call('PUT', `${TARGET}?partNumber=${number}&uploadId=${id}`, { body }, by)
const tagOf = ({ headers }: RawAnswer) => String(headers.etag)
const listOf = (tags: readonly string[]) =>
  tags
    .map((tag, at) => `<Part><ETag>${tag}</ETag><PartNumber>${at + 1}</PartNumber></Part>`)
    .join('')
const complete = (id: string, tags: readonly string[], target = TARGET) =>
  call('POST', `${target}?uploadId=${id}`, {
    headers: [['content-type', 'application/xml']],
    body: `<CompleteMultipartUpload>${listOf(tags)}</CompleteMultipartUpload>`,
  })
/** A whole upload, to its completion. */
async function upload(parts: readonly string[], headers: RawCall['headers'] = []) {
  const id = await begin(headers)
  const tags: string[] = []
  for (const [at, body] of parts.entries()) tags.push(tagOf(await part(id, at + 1, body)))
  return { id, tags, answer: await complete(id, tags) }
}
async function documentOf(id: string) {
  const { document } = await gate.client.get<{ document: string }>(`/api/requests/${id}`)
  return checkDocument(document).document
}
const lastEntry = async () => (await gate.entries()).at(-1)
const written = () => upstream.objects.get('bucket-b/report')

test('parts pass by themselves, the completion waits, and a plain re-run of it all is what was approved', async () => {
  const first = await upload(['one', 'two'])
  expect(first.answer.body).toContain(
    's3:CompleteMultipartUpload in production needs review by one other person',
  )
  expect(written()).toBeUndefined()
  const request = idIn(first.answer)
  const document = await documentOf(request)
  expect(document.summary).toBe(
    'This would create object `bucket-b/report`. It is put together from 2 parts, 6 bytes; the gate saw and hashed all of it.',
  )
  expect(document.action.parameters).toMatchObject({
    Bucket: 'bucket-b',
    Key: 'report',
    Content: { parts: 2, bytes: 6 },
  })
  expect(document.action.parameters).not.toHaveProperty('UploadId')
  // As clients do when a completion fails; what they staged is their own to end.
  expect((await call('DELETE', `${TARGET}?uploadId=${first.id}`)).status).toBe(204)
  await gate.review('bob', request)
  const again = await upload(['one', 'two'])
  expect(again.id).not.toBe(first.id)
  expect(again.answer.status).toBe(200)
  expect(written()).toMatchObject({ size: 6 })
  expect((await upload(['one', 'two'])).answer.body).toContain('needs review')
})

test('C8 parts swapped after the approval void it: another part, order, number or setting is another call', async () => {
  const { id, tags, answer } = await upload(['one', 'two'])
  const request = idIn(answer)
  await gate.review('bob', request)
  const swapped = tagOf(await part(id, 2, 'TWO'))
  expect(idIn(await complete(id, [tags[0] ?? '', swapped]))).not.toBe(request)
  expect((await complete(id, tags)).body).not.toContain('<CompleteMultipartUploadResult>')
  for (const parts of [['two', 'one'], ['one'], ['one', 'two', ''], ['onet', 'wo']]) {
    expect(idIn((await upload(parts)).answer), parts.join()).not.toBe(request)
  }
  const colder = await upload(['one', 'two'], [['x-amz-storage-class', 'GLACIER']])
  expect(idIn(colder.answer)).not.toBe(request)
  expect(written()).toBeUndefined()
  expect((await upload(['one', 'two'])).answer.status).toBe(200)
})

test('C8 two parts of one ETag are not one part: the gate compares what they hold', async () => {
  upstream.partTag = () => '"00000000000000000000000000000000"'
  const { id, tags, answer } = await upload(['good'])
  const request = idIn(answer)
  await gate.review('bob', request)
  await part(id, 1, 'evil')
  expect(idIn(await complete(id, tags))).not.toBe(request)
  expect(written()).toBeUndefined()
  await part(id, 1, 'good')
  expect((await complete(id, tags)).status).toBe(200)
})

test('parts that the gate never saw are said to be so, bound by ETag and size, and void the approval when they change', async () => {
  const id = await begin()
  const tag = tagOf(await part(id, 1, 'seen'))
  const parts = upstream.uploads.get(id)?.parts
  parts?.set(2, { etag: '"aa"', sha256: 'x', size: 5 })
  const held = await complete(id, [tag, '"aa"'])
  expect(held.body).toContain('needs review by 1 of sre')
  const document = await documentOf(idIn(held))
  expect(document.evidence.binding).toMatchObject({ upload: { parts: 2, bytes: 9 } })
  expect(document.evidence.addedEffects).toContain('opaque')
  expect(document.summary).toContain('known by size and ETag alone: the gate did not see all of it')
  await gate.review('bob', idIn(held))
  parts?.set(2, { etag: '"aa"', sha256: 'y', size: 6 })
  const changed = await complete(id, [tag, '"aa"'])
  expect(changed.body).toContain('has changed since it was approved')
  expect(await lastEntry()).toMatchObject({ type: 'refused', code: 'epoch_changed' })
  expect(written()).toBeUndefined()
})

test('a part copied within S3 was seen by nobody, also in place of one that was', async () => {
  upstream.objects.set('bucket-b/source', patternObject(7))
  upstream.partTag = () => patternObject(7).etag
  const { id, tags, answer } = await upload(['seen'])
  await gate.review('bob', idIn(answer))
  const copied = await call('PUT', `${TARGET}?partNumber=1&uploadId=${id}`, {
    headers: [['x-amz-copy-source', '/bucket-b/source']],
  })
  expect(copied.status).toBe(200)
  const held = await complete(id, tags)
  expect(idIn(held)).not.toBe(idIn(answer))
  expect(held.body).toContain('needs review by 1 of sre')
})

test('a part for an upload of somebody else, or for another object, needs a person; so does ending it', async () => {
  upstream.uploads.set('theirs', { key: 'bucket-b/report', parts: new Map() })
  const own = await begin()
  const other = await gate.open('alice')
  const tries = [
    part('theirs', 1, 'mine'),
    call('DELETE', `${TARGET}?uploadId=theirs`),
    part(own, 1, 'mine', other),
    call('DELETE', `${TARGET}?uploadId=${own}`, {}, other),
    call('PUT', `/bucket-b/other?partNumber=1&uploadId=${own}`, { body: 'x' }),
  ]
  for (const held of await Promise.all(tries)) {
    expect(held.body).toContain('needs review by 1 of sre')
  }
  expect(upstream.uploads.size).toBe(2)
})

test('an upload begun with rights or tags is reviewed where it begins', async () => {
  const acl = await call('POST', `${TARGET}?uploads`, { headers: [['x-amz-acl', 'public-read']] })
  expect(acl.body).toContain('needs review by 2')
  const tagged = await call('POST', `${TARGET}?uploads`, { headers: [['x-amz-tagging', 'a=b']] })
  expect(tagged.body).toContain('needs review by one other person')
  expect(upstream.uploads.size).toBe(0)
})

test('a part that fell silent stays uncertain, whatever is sent after it', async () => {
  const id = await begin()
  upstream.mishap = ({ method }) => (method === 'PUT' ? 'silence' : null)
  expect((await part(id, 1, 'first')).body).toContain('it may have happened')
  upstream.mishap = () => null
  const tag = tagOf(await part(id, 1, 'second'))
  expect((await complete(id, [tag])).body).toContain('needs review by 1 of sre')
})

test('nothing of an upload moves while it is completed, nor is it completed while something moves', async () => {
  const id = await begin()
  const tag = tagOf(await part(id, 1, 'one'))
  upstream.mishap = ({ method }) => (method === 'PUT' ? 'stall' : null)
  const slow = part(id, 2, 'two')
  await expect
    .poll(() => upstream.seen.some(({ target }) => target.includes('partNumber=2')))
    .toBe(true)
  expect((await complete(id, [tag])).body).toContain('came at the same time')
  expect((await slow).body).toContain('it may have happened')
  upstream.mishap = () => null
  await gate.review('bob', idIn(await complete(id, [tag])))
  upstream.mishap = ({ method }) => (method === 'POST' ? 'stall' : null)
  const completing = complete(id, [tag])
  await expect.poll(() => upstream.seen.filter(({ method }) => method === 'POST').length).toBe(2)
  expect((await part(id, 1, 'late')).body).toContain('came at the same time')
  expect((await completing).body).toContain('it may have happened')
})

test('the record outlives the gate, and an upload that ended is in it no more', async () => {
  const { id, tags, answer } = await upload(['one'])
  await gate.restartSame()
  expect(idIn(await complete(id, tags))).toBe(idIn(answer))
  await gate.review('bob', idIn(answer))
  expect((await complete(id, tags)).status).toBe(200)
  expect((await part(id, 1, 'late')).body).toContain('needs review by 1 of sre')
})

test('a session has so many uploads open and no more; what it ends makes room', async () => {
  const ids: string[] = []
  for (let count = 0; count < UPLOADS_PER_SESSION_MAX; count++) ids.push(await begin())
  const past = await call('POST', `${TARGET}?uploads`)
  expect(past.body).toContain('as many multipart uploads open as it may')
  expect(await lastEntry()).toMatchObject({ type: 'refused', code: 'limit_reached' })
  expect((await call('DELETE', `${TARGET}?uploadId=${ids[0]}`)).status).toBe(204)
  await begin()
})

test('a part number that S3 does not have is in no record', async () => {
  const id = await begin()
  await part(id, 10_000, 'last')
  const answer = await part(id, 10_001, 'past')
  expect(answer.status).toBe(200)
  const named = [`<Part><ETag>${tagOf(answer)}</ETag><PartNumber>10001</PartNumber></Part>`]
  const held = await call('POST', `${TARGET}?uploadId=${id}`, {
    headers: [['content-type', 'application/xml']],
    body: `<CompleteMultipartUpload>${named}</CompleteMultipartUpload>`,
  })
  expect(held.body).toContain('needs review by 1 of sre')
})

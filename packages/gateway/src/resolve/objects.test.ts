import { expect, test } from 'vitest'
import { versioning } from './aws-answers.fixture.ts'
import { bindingRead, sameBinding } from './binding.ts'
import { MAX_OBJECTS_READ } from './objects.ts'
import { resolve } from './resolve.ts'
import {
  awsAction,
  headAnswer,
  type Script,
  s3Error,
  scriptedUpstream,
} from './scripted-upstream.fixture.ts'

const ETAG = '"6805f2cfc46c0f04559748bb039d69ae"'
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html#API_HeadObject_Examples
const THERE = headAnswer({ ETag: ETAG, 'Content-Length': '3191', 'x-amz-version-id': 'v1' })
const OFF = { 's3:GET /reports?versioning': versioning(null) }
const ON = { 's3:GET /reports?versioning': versioning('Enabled') }
const HEAD = 's3:HEAD /reports/august.csv'
const PUT = awsAction('s3:PutObject', { Bucket: 'reports', Key: 'august.csv' })
const DELETE = awsAction('s3:DeleteObject', { Bucket: 'reports', Key: 'august.csv' }, ['destroy'])

const look = (action: typeof PUT, script: Script) =>
  resolve(action, scriptedUpstream(script), { deadlineMs: 1000 })

test('H6: an overwrite without versions destroys and cannot be undone', async () => {
  const evidence = await look(PUT, { ...OFF, [HEAD]: THERE })
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(evidence.findings).toEqual([
    {
      type: 'object',
      name: 'reports/august.csv',
      holds: '3.2 kB',
      holdsData: true,
      protectedFromDeletion: null,
      lastBackup: 'versions off',
      undo: 'no',
      fate: 'overwritten',
    },
  ])
  expect(evidence.binding).toEqual({
    bucket: { name: 'reports', versioning: 'off', mfaDelete: false },
    objects: [{ key: 'august.csv', versionId: null, etag: ETAG, size: 3191, versionNow: 'v1' }],
  })
})

test('an overwrite with versions keeps the old one and adds nothing', async () => {
  const evidence = await look(PUT, { ...ON, [HEAD]: THERE })
  expect(evidence.addedEffects).toEqual([])
  expect(evidence.findings[0]).toMatchObject({ undo: 'yes', lastBackup: 'versions on' })
})

test('with versioning suspended the old one is lost', async () => {
  const suspended = { 's3:GET /reports?versioning': versioning('Suspended') }
  const evidence = await look(PUT, { ...suspended, [HEAD]: THERE })
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(evidence.findings[0]?.undo).toBe('no')
})

test('a put where nothing is creates, and that nothing is there is bound', async () => {
  const fresh = await look(PUT, { ...OFF, [HEAD]: headAnswer({}, 404) })
  expect(fresh.addedEffects).toEqual([])
  expect(fresh.findings[0]).toMatchObject({ fate: 'created', holdsData: false })
  expect(sameBinding(fresh, await look(PUT, { ...OFF, [HEAD]: THERE }))).toBe(false)
})

test('an object or a versioning that may not be read counts as lost', async () => {
  const hidden = await look(PUT, OFF)
  expect(bindingRead(hidden)).toBe(false)
  expect(hidden.addedEffects).toEqual(['destroy'])
  const unknown = await look(PUT, { [HEAD]: THERE })
  expect(unknown.addedEffects).toEqual(['destroy'])
  expect(unknown.findings[0]?.undo).toBe('unknown')
})

test('C7: another object under the same key is another binding', async () => {
  const first = await look(PUT, { ...ON, [HEAD]: THERE })
  expect(sameBinding(first, await look(PUT, { ...ON, [HEAD]: THERE }))).toBe(true)
  const other = headAnswer({ ETag: '"x"', 'Content-Length': '3191', 'x-amz-version-id': 'v2' })
  expect(sameBinding(first, await look(PUT, { ...ON, [HEAD]: other }))).toBe(false)
})

test('a delete with versions leaves a marker; one that names a version is for ever', async () => {
  const marker = await look(DELETE, { ...ON, [HEAD]: THERE })
  expect(marker.findings[0]?.undo).toBe('yes')
  expect(marker.addedEffects).toEqual([])
  const named = awsAction('s3:DeleteObject', {
    Bucket: 'reports',
    Key: 'august.csv',
    VersionId: 'v1',
  })
  const forEver = await look(named, { ...ON, [`${HEAD}?versionId=v1`]: THERE })
  expect(forEver.findings[0]?.undo).toBe('no')
  expect(forEver.addedEffects).toEqual(['destroy'])
})

test('a lock that shows itself protects', async () => {
  const locked = headAnswer({
    ETag: ETAG,
    'Content-Length': '1',
    'x-amz-object-lock-mode': 'COMPLIANCE',
  })
  const evidence = await look(DELETE, { ...ON, [HEAD]: locked })
  expect(evidence.findings[0]?.protectedFromDeletion).toBe(true)
})

test('many objects are looked at up to a number; the rest is said and unread', async () => {
  const remove = (count: number) =>
    awsAction('s3:DeleteObjects', {
      Bucket: 'reports',
      Delete: { Objects: Array.from({ length: count }, (_, at) => ({ Key: `r${at}` })) },
    })
  const script = { ...ON, 's3:HEAD': THERE }
  const at = await look(remove(MAX_OBJECTS_READ), script)
  expect(bindingRead(at)).toBe(true)
  expect(at.addedEffects).toEqual([])
  const past = await look(remove(MAX_OBJECTS_READ + 1), script)
  expect(bindingRead(past)).toBe(false)
  expect(past.findings).toHaveLength(MAX_OBJECTS_READ)
  expect(past.addedEffects).toEqual(['destroy'])
  expect(past.couldNotLook).toEqual(['looked at 100 of the 101 objects, and at no more'])
})

test('a copy binds what it copies', async () => {
  const copy = awsAction('s3:CopyObject', {
    Bucket: 'reports',
    Key: 'august.csv',
    CopySource: '/drafts/a%20b.csv?versionId=s1',
  })
  const script = { ...ON, [HEAD]: THERE, 's3:HEAD /drafts/a%20b.csv?versionId=s1': THERE }
  const evidence = await look(copy, script)
  expect(evidence.binding['source']).toEqual({
    bucket: 'drafts',
    key: 'a b.csv',
    versionId: 's1',
    etag: ETAG,
    versionNow: 'v1',
  })
  const hidden = await look(copy, { ...ON, [HEAD]: THERE })
  expect(bindingRead(hidden)).toBe(false)
  const odd = awsAction('s3:CopyObject', { ...copy.parameters, CopySource: '%zz' })
  expect(bindingRead(await look(odd, script))).toBe(false)
})

test('in a bucket that does not exist nothing is lost', async () => {
  const gone = { 's3:GET /reports?versioning': s3Error('NoSuchBucket', 404) }
  const evidence = await look(DELETE, { ...gone, [HEAD]: headAnswer({}, 404) })
  expect(evidence.addedEffects).toEqual([])
})

test('parameters that name no object are unread and count as a loss', async () => {
  for (const action of [
    awsAction('s3:PutObject', { Bucket: 'reports' }),
    awsAction('s3:PutObject', { Bucket: 'reports', Key: '' }),
    awsAction('s3:DeleteObjects', { Bucket: 'reports', Delete: { Objects: [] } }),
    awsAction('s3:DeleteObjects', { Bucket: 'reports', Delete: { Objects: [{}] } }),
  ]) {
    const evidence = await look(action, OFF)
    expect(bindingRead(evidence)).toBe(false)
    expect(evidence.addedEffects).toEqual(['destroy'])
  }
})

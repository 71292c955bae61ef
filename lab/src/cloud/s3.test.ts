import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cloud, startCloud } from './cloud.ts'
import { type SdkClients, sdkClients } from './sdk-clients.ts'

let cloud: Cloud
let clients: SdkClients
let s3: S3Client

beforeAll(async () => {
  cloud = await startCloud()
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  s3 = clients.s3
})

afterAll(async () => {
  clients.destroy()
  await cloud.close()
  expect(cloud.faults).toEqual([])
})

async function makeBucket(name: string, versioned = false): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: name }))
  if (!versioned) return
  const configuration = { Status: 'Enabled' as const }
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: configuration }),
  )
}

async function put(bucket: string, key: string, body: string | Uint8Array) {
  return s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
}

async function get(bucket: string, key: string, versionId?: string): Promise<Buffer> {
  const input = { Bucket: bucket, Key: key, VersionId: versionId }
  const { Body: body } = await s3.send(new GetObjectCommand(input))
  return Buffer.from((await body?.transformToByteArray()) ?? [])
}

test('a bucket is made in the region of the request and says so', async () => {
  await makeBucket('located')
  const location = await s3.send(new GetBucketLocationCommand({ Bucket: 'located' }))
  expect(location.LocationConstraint).toBe('cn-north-1')
  const head = await s3.send(new HeadBucketCommand({ Bucket: 'located' }))
  expect(head.BucketRegion).toBe('cn-north-1')
  const { Buckets: buckets } = await s3.send(new ListBucketsCommand({}))
  expect(buckets?.map((bucket) => bucket.Name)).toContain('located')
})

test('a bucket asked in another region than its own is refused', async () => {
  await makeBucket('regional-bucket')
  const other = sdkClients({
    ...cloud,
    region: 'cn-northwest-1',
    credentials: cloud.credentials.deploy,
  })
  const list = new ListObjectsV2Command({ Bucket: 'regional-bucket' })
  await expect(other.s3.send(list)).rejects.toMatchObject({ name: 'AuthorizationHeaderMalformed' })
  other.destroy()
})

test('an object reads back byte for byte with its headers', async () => {
  await makeBucket('plain-bucket')
  const bytes = randomBytes(300_000)
  const { ETag: etag } = await s3.send(
    new PutObjectCommand({
      Bucket: 'plain-bucket',
      Key: 'a/b c+d%/é.csv',
      Body: bytes,
      ContentType: 'text/csv',
      Metadata: { source: 'export' },
    }),
  )
  expect(etag).toBe(`"${createHash('md5').update(bytes).digest('hex')}"`)
  expect((await get('plain-bucket', 'a/b c+d%/é.csv')).equals(bytes)).toBe(true)
  const head = await s3.send(
    new HeadObjectCommand({ Bucket: 'plain-bucket', Key: 'a/b c+d%/é.csv' }),
  )
  expect(head.ContentLength).toBe(bytes.length)
  expect(head.ContentType).toBe('text/csv')
  expect(head.Metadata).toEqual({ source: 'export' })
})

// The SDK sends a stream of known length as STREAMING-UNSIGNED-PAYLOAD-TRAILER in aws-chunked.
test('an aws-chunked upload is stored without its framing', async () => {
  await makeBucket('chunked-bucket')
  const bytes = randomBytes(200_000)
  await s3.send(
    new PutObjectCommand({
      Bucket: 'chunked-bucket',
      Key: 'stream',
      Body: Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)]),
      ContentLength: bytes.length,
    }),
  )
  expect((await get('chunked-bucket', 'stream')).equals(bytes)).toBe(true)
  const head = await s3.send(new HeadObjectCommand({ Bucket: 'chunked-bucket', Key: 'stream' }))
  expect(head.ContentEncoding).toBeUndefined()
})

test('ranges and conditions hold', async () => {
  await makeBucket('conditions')
  const { ETag: etag } = await put('conditions', 'key', '0123456789')
  const part = await s3.send(
    new GetObjectCommand({ Bucket: 'conditions', Key: 'key', Range: 'bytes=2-4' }),
  )
  expect(await part.Body?.transformToString()).toBe('234')
  const same = new GetObjectCommand({ Bucket: 'conditions', Key: 'key', IfNoneMatch: etag })
  await expect(s3.send(same)).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } })
  const fresh = new PutObjectCommand({
    Bucket: 'conditions',
    Key: 'key',
    Body: 'x',
    IfNoneMatch: '*',
  })
  await expect(s3.send(fresh)).rejects.toMatchObject({ name: 'PreconditionFailed' })
  expect((await get('conditions', 'key')).toString()).toBe('0123456789')
})

test('a listing has prefixes, a delimiter and pages in the order of bytes', async () => {
  await makeBucket('listed')
  for (const key of ['b', 'a/2', 'a-1', 'a/1', 'c/1']) await put('listed', key, key)
  const all = await s3.send(new ListObjectsV2Command({ Bucket: 'listed' }))
  expect(all.Contents?.map((object) => object.Key)).toEqual(['a-1', 'a/1', 'a/2', 'b', 'c/1'])
  const top = await s3.send(new ListObjectsV2Command({ Bucket: 'listed', Delimiter: '/' }))
  expect(top.Contents?.map((object) => object.Key)).toEqual(['a-1', 'b'])
  expect(top.CommonPrefixes?.map((prefix) => prefix.Prefix)).toEqual(['a/', 'c/'])
  const found: string[] = []
  let token: string | undefined
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: 'listed',
        Delimiter: '/',
        MaxKeys: 1,
        ContinuationToken: token,
      }),
    )
    found.push(...(page.Contents ?? []).map((object) => object.Key ?? ''))
    found.push(...(page.CommonPrefixes ?? []).map((prefix) => prefix.Prefix ?? ''))
    token = page.NextContinuationToken
  } while (token !== undefined)
  expect(found).toEqual(['a-1', 'a/', 'b', 'c/'])
})

test('objects are copied and deleted, and only an empty bucket goes', async () => {
  await makeBucket('emptied')
  await put('emptied', 'one', '1')
  await s3.send(new CopyObjectCommand({ Bucket: 'emptied', Key: 'two', CopySource: 'emptied/one' }))
  expect((await get('emptied', 'two')).toString()).toBe('1')
  const remove = new DeleteBucketCommand({ Bucket: 'emptied' })
  await expect(s3.send(remove)).rejects.toMatchObject({ name: 'BucketNotEmpty' })
  await s3.send(new DeleteObjectCommand({ Bucket: 'emptied', Key: 'one' }))
  await expect(get('emptied', 'one')).rejects.toMatchObject({ name: 'NoSuchKey' })
  const batch = { Objects: [{ Key: 'two' }] }
  await s3.send(new DeleteObjectsCommand({ Bucket: 'emptied', Delete: batch }))
  await s3.send(remove)
  await expect(s3.send(new ListObjectsV2Command({ Bucket: 'emptied' }))).rejects.toMatchObject({
    name: 'NoSuchBucket',
  })
})

test('versioning keeps what an overwrite and a delete would lose', async () => {
  await makeBucket('versioned', true)
  const state = await s3.send(new GetBucketVersioningCommand({ Bucket: 'versioned' }))
  expect(state.Status).toBe('Enabled')
  const first = await put('versioned', 'key', 'first')
  await put('versioned', 'key', 'second')
  expect((await get('versioned', 'key')).toString()).toBe('second')
  expect((await get('versioned', 'key', first.VersionId)).toString()).toBe('first')
  const deleted = await s3.send(new DeleteObjectCommand({ Bucket: 'versioned', Key: 'key' }))
  expect(deleted.DeleteMarker).toBe(true)
  await expect(get('versioned', 'key')).rejects.toMatchObject({ name: 'NoSuchKey' })
  const versions = await s3.send(new ListObjectVersionsCommand({ Bucket: 'versioned' }))
  expect(versions.Versions?.length).toBe(2)
  expect(versions.DeleteMarkers?.[0]?.IsLatest).toBe(true)
  await s3.send(
    new DeleteObjectCommand({
      Bucket: 'versioned',
      Key: 'key',
      VersionId: deleted.VersionId,
    }),
  )
  expect((await get('versioned', 'key')).toString()).toBe('second')
})

test('a listing of versions has pages', async () => {
  await makeBucket('paged-versions', true)
  for (const key of ['a', 'a', 'b', 'c', 'c']) await put('paged-versions', key, key)
  const found: string[] = []
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {}
  for (;;) {
    const input = { Bucket: 'paged-versions', MaxKeys: 2, ...marker }
    const page = await s3.send(new ListObjectVersionsCommand(input))
    found.push(...(page.Versions ?? []).map((version) => version.Key ?? ''))
    if (page.IsTruncated !== true) break
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
  }
  expect(found).toEqual(['a', 'a', 'b', 'c', 'c'])
})

test('a bucket says truly that it has no lifecycle and no object lock', async () => {
  await makeBucket('bare')
  const lifecycle = new GetBucketLifecycleConfigurationCommand({ Bucket: 'bare' })
  await expect(s3.send(lifecycle)).rejects.toMatchObject({ name: 'NoSuchLifecycleConfiguration' })
  const lock = new GetObjectLockConfigurationCommand({ Bucket: 'bare' })
  await expect(s3.send(lock)).rejects.toMatchObject({
    name: 'ObjectLockConfigurationNotFoundError',
  })
  const absent = new GetBucketLifecycleConfigurationCommand({ Bucket: 'absent-bucket' })
  await expect(s3.send(absent)).rejects.toMatchObject({ name: 'NoSuchBucket' })
})

test('without versioning an overwrite loses the old content', async () => {
  await makeBucket('unversioned')
  await put('unversioned', 'key', 'first')
  await put('unversioned', 'key', 'second')
  const versions = await s3.send(new ListObjectVersionsCommand({ Bucket: 'unversioned' }))
  expect(versions.Versions?.map((version) => version.VersionId)).toEqual(['null'])
})

test('a suspended bucket overwrites the null version and keeps the others', async () => {
  await makeBucket('suspended', true)
  const kept = await put('suspended', 'key', 'kept')
  await s3.send(
    new PutBucketVersioningCommand({
      Bucket: 'suspended',
      VersioningConfiguration: { Status: 'Suspended' },
    }),
  )
  await put('suspended', 'key', 'lost')
  await put('suspended', 'key', 'now')
  expect((await get('suspended', 'key', kept.VersionId)).toString()).toBe('kept')
  const versions = await s3.send(new ListObjectVersionsCommand({ Bucket: 'suspended' }))
  expect(versions.Versions?.map((version) => version.VersionId)).toEqual(['null', kept.VersionId])
})

test('a subresource the lab lacks is an error and never the bucket or object itself', async () => {
  await makeBucket('subresources')
  await put('subresources', 'key', 'content')
  const bucket = { Bucket: 'subresources' }
  const object = { ...bucket, Key: 'key' }
  const refused = { name: 'NotImplemented' }
  await expect(s3.send(new DeleteBucketPolicyCommand(bucket))).rejects.toMatchObject(refused)
  await expect(s3.send(new DeleteBucketLifecycleCommand(bucket))).rejects.toMatchObject(refused)
  await expect(s3.send(new GetBucketAclCommand(bucket))).rejects.toMatchObject(refused)
  await expect(s3.send(new DeleteObjectTaggingCommand(object))).rejects.toMatchObject(refused)
  await expect(s3.send(new CreateMultipartUploadCommand(object))).rejects.toMatchObject(refused)
  await expect(
    s3.send(new PutObjectCommand({ ...object, Body: 'x', ACL: 'public-read' })),
  ).rejects.toMatchObject(refused)
  expect((await get('subresources', 'key')).toString()).toBe('content')
})

test('readers during overwrites see one whole content or the other', async () => {
  await makeBucket('contended')
  const contents = [Buffer.alloc(200_000, 'a'), Buffer.alloc(100_000, 'b')]
  await put('contended', 'key', contents[0] ?? '')
  let isWriting = true
  const writing = (async () => {
    for (let turn = 1; turn <= 10; turn += 1)
      await put('contended', 'key', contents[turn % 2] ?? '')
    isWriting = false
  })()
  while (isWriting) {
    const seen = await get('contended', 'key')
    expect(contents.some((content) => content.equals(seen))).toBe(true)
  }
  await writing
})

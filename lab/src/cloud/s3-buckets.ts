// Buckets, objects and their versions. The front keeps the names and histories, s3rver the bytes:
// each version is one immutable s3rver object, so an overwrite can never lose a kept version.
// s3rver alone knows no versions, and its pages need the DES cipher, which OpenSSL 3 has not.
import { randomBytes } from 'node:crypto'
import { CloudError } from './errors.ts'
import type { BackendReply, Loopback } from './loopback.ts'

export const BUCKETS_MAX = 100
/** Versions in one bucket, delete markers included. */
export const VERSIONS_MAX = 100_000

export type Versioning = 'Enabled' | 'Suspended'

export interface ObjectVersion {
  /** `null` for an object written while versioning was not enabled. */
  readonly versionId: string
  readonly deleteMarker: boolean
  /** Name of the bytes in s3rver; empty for a delete marker. */
  readonly storageId: string
  /** With its quotes. */
  readonly etag: string
  readonly sizeBytes: number
  readonly lastModifiedMs: number
  /** Content-Type and the like, and x-amz-meta-*. */
  readonly headers: ReadonlyMap<string, string>
}

export interface Bucket {
  readonly name: string
  readonly region: string
  readonly createdAtMs: number
  versioning: Versioning | undefined
  /** Newest version first; never an empty list. */
  readonly keys: Map<string, ObjectVersion[]>
}

export interface StoredObject {
  readonly version: ObjectVersion
  readonly content: Uint8Array
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_NAME = /^(?!xn--)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

export class S3Buckets {
  readonly #backend: Loopback
  readonly #buckets = new Map<string, Bucket>()
  /** Reads under way by storage id. */
  readonly #readings = new Map<string, Set<Promise<BackendReply>>>()
  #versionCount = 0

  constructor(backend: Loopback) {
    this.#backend = backend
  }

  list(): readonly Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => compareKeys(a.name, b.name))
  }

  /** NoSuchBucket (404) where there is none of that name. */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name)
    if (bucket !== undefined) return bucket
    throw new CloudError('NoSuchBucket', 'The specified bucket does not exist', 404)
  }

  /** InvalidBucketName, BucketAlreadyOwnedByYou (409), or the new bucket. */
  async create(name: string, region: string, nowMs: number): Promise<Bucket> {
    if (!BUCKET_NAME.test(name)) {
      throw new CloudError('InvalidBucketName', 'The specified bucket is not valid.')
    }
    if (this.#buckets.has(name)) {
      const message =
        'Your previous request to create the named bucket succeeded and you already own it.'
      throw new CloudError('BucketAlreadyOwnedByYou', message, 409)
    }
    if (this.#buckets.size >= BUCKETS_MAX) {
      throw new CloudError('InvalidRequest', 'the lab keeps no more buckets')
    }
    const bucket: Bucket = {
      name,
      region,
      createdAtMs: nowMs,
      versioning: undefined,
      keys: new Map(),
    }
    this.#buckets.set(name, bucket)
    try {
      await this.#send('PUT', `/${name}`, 200)
    } catch (error) {
      this.#buckets.delete(name)
      throw error
    }
    return bucket
  }

  /** BucketNotEmpty (409) while any object, version or delete marker is left. */
  async delete(name: string): Promise<void> {
    const bucket = this.bucket(name)
    if (bucket.keys.size > 0) {
      const message = 'The bucket you tried to delete is not empty'
      throw new CloudError('BucketNotEmpty', message, 409)
    }
    this.#buckets.delete(name)
    await this.#send('DELETE', `/${name}`, 204)
  }

  /**
   * Removes every version of every object; what a custom resource of the CDK does before a delete.
   */
  async empty(name: string): Promise<number> {
    const bucket = this.bucket(name)
    let removed = 0
    for (const [key, versions] of [...bucket.keys]) {
      bucket.keys.delete(key)
      removed += versions.length
      for (const version of versions) await this.#dropBytes(bucket, version)
    }
    return removed
  }

  async put(
    bucket: Bucket,
    key: string,
    content: Uint8Array,
    headers: ReadonlyMap<string, string>,
    nowMs: number,
  ): Promise<ObjectVersion> {
    if (this.#versionCount >= VERSIONS_MAX) {
      throw new CloudError('InvalidRequest', 'the lab keeps no more versions')
    }
    const storageId = randomBytes(16).toString('hex')
    const etag = await this.#writeBytes(bucket, storageId, content)
    const version: ObjectVersion = {
      versionId: bucket.versioning === 'Enabled' ? newVersionId() : 'null',
      deleteMarker: false,
      storageId,
      etag,
      sizeBytes: content.length,
      lastModifiedMs: nowMs,
      headers,
    }
    await this.#add(bucket, key, version)
    return version
  }

  /** The newest version, a delete marker included, or undefined where the key never was. */
  newest(bucket: Bucket, key: string): ObjectVersion | undefined {
    return bucket.keys.get(key)?.[0]
  }

  version(bucket: Bucket, key: string, versionId: string): ObjectVersion | undefined {
    return bucket.keys.get(key)?.find((version) => version.versionId === versionId)
  }

  /** Bytes of a version. A deletion that comes meanwhile waits for the reads under way. */
  async read(bucket: Bucket, version: ObjectVersion): Promise<Uint8Array> {
    const path = `/${bucket.name}/${version.storageId}`
    const reading = this.#backend.send('GET', path, { 'x-amz-lab': 'read' })
    const readings = this.#readings.get(version.storageId) ?? new Set()
    this.#readings.set(version.storageId, readings.add(reading))
    try {
      const reply = await reading
      if (reply.status === 200 && reply.body.length === version.sizeBytes) return reply.body
    } finally {
      readings.delete(reading)
      if (readings.size === 0) this.#readings.delete(version.storageId)
    }
    throw new CloudError('InternalFailure', 'the bytes of a version are not in the store', 500)
  }

  /**
   * Deletes without a version id: a delete marker where versioning was ever enabled, else the
   * object. Source:
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
   */
  async deleteCurrent(
    bucket: Bucket,
    key: string,
    nowMs: number,
  ): Promise<ObjectVersion | undefined> {
    if (bucket.versioning === undefined) {
      await this.deleteVersion(bucket, key, 'null')
      return undefined
    }
    const marker: ObjectVersion = {
      versionId: bucket.versioning === 'Enabled' ? newVersionId() : 'null',
      deleteMarker: true,
      storageId: '',
      etag: '',
      sizeBytes: 0,
      lastModifiedMs: nowMs,
      headers: new Map(),
    }
    await this.#add(bucket, key, marker)
    return marker
  }

  /** Deletes one version for good; nothing where there is none. */
  async deleteVersion(
    bucket: Bucket,
    key: string,
    versionId: string,
  ): Promise<ObjectVersion | undefined> {
    const versions = bucket.keys.get(key)
    const found = versions?.find((version) => version.versionId === versionId)
    if (versions === undefined || found === undefined) return undefined
    versions.splice(versions.indexOf(found), 1)
    if (versions.length === 0) bucket.keys.delete(key)
    await this.#dropBytes(bucket, found)
    return found
  }

  /** Keys in the order S3 lists them (UTF-8 bytes), with their versions. */
  sorted(bucket: Bucket): readonly (readonly [string, readonly ObjectVersion[]])[] {
    return [...bucket.keys].sort(([a], [b]) => compareKeys(a, b))
  }

  async #add(bucket: Bucket, key: string, version: ObjectVersion): Promise<void> {
    const versions = bucket.keys.get(key) ?? []
    const replaced =
      version.versionId === 'null' ? versions.find((old) => old.versionId === 'null') : undefined
    if (replaced !== undefined) versions.splice(versions.indexOf(replaced), 1)
    versions.unshift(version)
    bucket.keys.set(key, versions)
    this.#versionCount += 1
    if (replaced !== undefined) await this.#dropBytes(bucket, replaced)
  }

  async #dropBytes(bucket: Bucket, version: ObjectVersion): Promise<void> {
    this.#versionCount -= 1
    if (version.deleteMarker) return
    await Promise.allSettled(this.#readings.get(version.storageId) ?? [])
    await this.#send('DELETE', `/${bucket.name}/${version.storageId}`, 204)
  }

  /**
   * s3rver answers a PUT before its file is written (stores/filesystem.js), so wait for the size.
   */
  async #writeBytes(bucket: Bucket, storageId: string, content: Uint8Array): Promise<string> {
    const path = `/${bucket.name}/${storageId}`
    const reply = await this.#send('PUT', path, 200, content)
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const head = await this.#backend.send('HEAD', path, { 'x-amz-lab': 'read' })
      const isWhole = Number(head.headers['content-length']) === content.length
      if (head.status === 200 && isWhole) return reply.headers['etag'] ?? ''
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    throw new CloudError('InternalFailure', 'the bytes did not reach the store', 500)
  }

  async #send(method: string, path: string, wanted: number, body?: Uint8Array) {
    // Any x-amz-* header tells s3rver that this is no website request (middleware/vhost.js).
    const reply = await this.#backend.send(method, path, { 'x-amz-lab': 'write' }, body)
    if (reply.status === wanted) return reply
    throw new CloudError('InternalFailure', `s3rver answered ${reply.status} to ${method}`, 500)
  }
}

function newVersionId(): string {
  return randomBytes(24).toString('base64url')
}

/** S3 lists in the order of UTF-8 bytes, which is not JavaScript's order of UTF-16 units. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

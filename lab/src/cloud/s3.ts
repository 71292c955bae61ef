// S3 as the front answers it. Every request is exactly one operation (s3-operation.ts) on the
// buckets (s3-buckets.ts); bodies arrive here without framing and with their checksums checked.
import type { CloudReply, CloudRequest, CloudService } from './cloud-request.ts'
import { CloudError } from './errors.ts'
import { ACCOUNT } from './principal.ts'
import type { Bucket, ObjectVersion, S3Buckets } from './s3-buckets.ts'
import { listObjects, listVersions, S3_NAMESPACE } from './s3-listing.ts'
import { type S3Operation, type S3Target, s3Operation, s3Target } from './s3-operation.ts'
import { childText, onlyChildren, readXml, writeXml, type XmlValue } from './xml.ts'

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export const DELETE_KEYS_MAX = 1000
/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const KEY_BYTES_MAX = 1024

const KEPT_HEADERS: readonly string[] = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]

interface S3Call extends S3Target {
  readonly request: CloudRequest
  readonly query: ReadonlyMap<string, string>
}

export class S3 implements CloudService {
  readonly protocol = 's3'
  readonly buckets: S3Buckets

  constructor(buckets: S3Buckets) {
    this.buckets = buckets
  }

  operation(request: CloudRequest): string {
    return s3Operation(request)
  }

  async answer(request: CloudRequest): Promise<CloudReply> {
    const owner = request.headers.get('x-amz-expected-bucket-owner')
    if (owner !== undefined && owner !== ACCOUNT) {
      throw new CloudError('AccessDenied', 'Access Denied', 403)
    }
    const call = { ...s3Target(request), request, query: new Map(request.query) }
    if (Buffer.byteLength(call.key) > KEY_BYTES_MAX) {
      throw new CloudError('InvalidRequest', 'Your key is too long')
    }
    return this.#run(s3Operation(request), call)
  }

  #run(operation: S3Operation, call: S3Call): Promise<CloudReply> | CloudReply {
    switch (operation) {
      case 'ListBuckets':
        return this.#listBuckets()
      case 'CreateBucket':
        return this.#createBucket(call)
      case 'DeleteBucket':
        return this.#deleteBucket(call)
      case 'HeadBucket':
        return reply(200, '', { 'x-amz-bucket-region': this.#bucket(call).region })
      case 'GetBucketLocation': {
        const { region } = this.#bucket(call)
        return xml('LocationConstraint', region)
      }
      // No bucket here can have rules or locks, for nothing can set them: these are the true
      // answers.
      case 'GetBucketLifecycleConfiguration':
        this.#bucket(call)
        throw new CloudError(
          'NoSuchLifecycleConfiguration',
          'The lifecycle configuration does not exist',
          404,
        )
      case 'GetObjectLockConfiguration':
        this.#bucket(call)
        throw new CloudError(
          'ObjectLockConfigurationNotFoundError',
          'Object Lock configuration does not exist for this bucket',
          404,
        )
      case 'GetBucketVersioning':
        return xml('VersioningConfiguration', { Status: this.#bucket(call).versioning })
      case 'PutBucketVersioning':
        return this.#putVersioning(call)
      case 'ListObjectsV2':
        return reply(200, listObjects(this.buckets, this.#bucket(call), call.query))
      case 'ListObjectVersions':
        return reply(200, listVersions(this.buckets, this.#bucket(call), call.query))
      case 'DeleteObjects':
        return this.#deleteObjects(call)
      case 'PutObject':
        return this.#putObject(call)
      case 'CopyObject':
        return this.#copyObject(call)
      case 'GetObject':
        return this.#getObject(call, true)
      case 'HeadObject':
        return this.#getObject(call, false)
      case 'DeleteObject':
        return this.#deleteObject(call)
    }
  }

  /** AuthorizationHeaderMalformed where the request is signed for another region, as S3 answers. */
  #bucket({ bucket: name, request }: S3Call): Bucket {
    const bucket = this.buckets.bucket(name)
    if (bucket.region === request.region) return bucket
    const message =
      `The authorization header is malformed; the region '${request.region}' ` +
      `is wrong; expecting '${bucket.region}'`
    throw new CloudError('AuthorizationHeaderMalformed', message)
  }

  #listBuckets(): CloudReply {
    const list = this.buckets.list().map(({ name, createdAtMs }) => ({
      Name: name,
      CreationDate: new Date(createdAtMs).toISOString(),
    }))
    return xml('ListAllMyBucketsResult', { Owner: { ID: ACCOUNT }, Buckets: { Bucket: list } })
  }

  async #createBucket({ bucket, request }: S3Call): Promise<CloudReply> {
    const constraint = locationConstraint(request.content)
    if (constraint !== request.region) {
      const message =
        `The ${constraint ?? 'unspecified'} location constraint is ` +
        'incompatible for the region specific endpoint this request was sent ' +
        'to.'
      throw new CloudError('IllegalLocationConstraintException', message)
    }
    await this.buckets.create(bucket, request.region, request.nowMs)
    return reply(200, '', { location: `/${bucket}` })
  }

  async #deleteBucket(call: S3Call): Promise<CloudReply> {
    await this.buckets.delete(this.#bucket(call).name)
    return reply(204, '')
  }

  #putVersioning(call: S3Call): CloudReply {
    const root = readXml(call.request.content)
    onlyChildren(root, ['Status'])
    const status = childText(root, 'Status')
    if (
      root.name !== 'VersioningConfiguration' ||
      (status !== 'Enabled' && status !== 'Suspended')
    ) {
      throw new CloudError('MalformedXML', 'The XML you provided was not well-formed')
    }
    this.#bucket(call).versioning = status
    return reply(200, '')
  }

  async #putObject(call: S3Call): Promise<CloudReply> {
    const { request, key } = call
    const bucket = this.#bucket(call)
    const storageClass = request.headers.get('x-amz-storage-class') ?? 'STANDARD'
    if (storageClass !== 'STANDARD') {
      throw new CloudError('NotImplemented', 'the lab has the storage class STANDARD alone', 501)
    }
    this.#checkWriteConditions(bucket, key, request.headers)
    const headers = keptHeaders(request.headers)
    const version = await this.buckets.put(bucket, key, request.content, headers, request.nowMs)
    return reply(200, '', { etag: version.etag, ...versionHeader(bucket, version) })
  }

  /** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
  #checkWriteConditions(bucket: Bucket, key: string, headers: ReadonlyMap<string, string>): void {
    const newest = this.buckets.newest(bucket, key)
    const etag = newest === undefined || newest.deleteMarker ? undefined : newest.etag
    const match = headers.get('if-match')
    const noneMatch = headers.get('if-none-match')
    if (noneMatch !== undefined && noneMatch !== '*') {
      throw new CloudError('NotImplemented', 'If-None-Match takes `*` alone on a write', 501)
    }
    const isRefused =
      (match !== undefined && match !== etag) || (noneMatch === '*' && etag !== undefined)
    if (isRefused) {
      const message = 'At least one of the pre-conditions you specified did not hold'
      throw new CloudError('PreconditionFailed', message, 412)
    }
  }

  async #copyObject(call: S3Call): Promise<CloudReply> {
    const { request, key } = call
    const bucket = this.#bucket(call)
    const source = copySource(request.headers.get('x-amz-copy-source') ?? '')
    const sourceBucket = this.#bucket({ ...call, bucket: source.bucket })
    const found = this.#existing(sourceBucket, source.key, source.versionId)
    const directive = request.headers.get('x-amz-metadata-directive') ?? 'COPY'
    if (directive !== 'COPY' && directive !== 'REPLACE') {
      throw new CloudError('InvalidArgument', 'Unknown metadata directive.')
    }
    const content = await this.buckets.read(sourceBucket, found)
    const headers = directive === 'COPY' ? found.headers : keptHeaders(request.headers)
    const version = await this.buckets.put(bucket, key, content, headers, request.nowMs)
    const result = {
      LastModified: new Date(version.lastModifiedMs).toISOString(),
      ETag: version.etag,
    }
    return xml('CopyObjectResult', result, versionHeader(bucket, version))
  }

  async #getObject(call: S3Call, withContent: boolean): Promise<CloudReply> {
    const { request, key } = call
    const bucket = this.#bucket(call)
    const version = this.#existing(bucket, key, call.query.get('versionId'))
    const headers = {
      'content-type': 'binary/octet-stream',
      ...Object.fromEntries(version.headers),
      etag: version.etag,
      'last-modified': new Date(version.lastModifiedMs).toUTCString(),
      'accept-ranges': 'bytes',
      ...versionHeader(bucket, version),
    }
    const match = request.headers.get('if-match')
    if (match !== undefined && match !== version.etag) {
      const message = 'At least one of the pre-conditions you specified did not hold'
      throw new CloudError('PreconditionFailed', message, 412)
    }
    const noneMatch = request.headers.get('if-none-match')
    if (noneMatch === '*' || noneMatch === version.etag) return reply(304, '', headers)
    if (!withContent) {
      return reply(200, '', { ...headers, 'content-length': String(version.sizeBytes) })
    }
    const content = await this.buckets.read(bucket, version)
    const range = byteRange(request.headers.get('range'), content.length)
    if (range === undefined) return { status: 200, headers, body: content }
    return {
      status: 206,
      headers: {
        ...headers,
        'content-range': `bytes ${range.start}-${range.end}/${content.length}`,
      },
      body: content.subarray(range.start, range.end + 1),
    }
  }

  /**
   * NoSuchKey or NoSuchVersion (404); MethodNotAllowed (405) for a delete marker asked by its id.
   */
  #existing(bucket: Bucket, key: string, versionId: string | undefined): ObjectVersion {
    if (versionId === undefined) {
      const newest = this.buckets.newest(bucket, key)
      if (newest !== undefined && !newest.deleteMarker) return newest
      throw new CloudError('NoSuchKey', 'The specified key does not exist.', 404)
    }
    const version = this.buckets.version(bucket, key, versionId)
    if (version === undefined) {
      throw new CloudError('NoSuchVersion', 'The specified version does not exist.', 404)
    }
    if (version.deleteMarker) {
      const message = 'The specified method is not allowed against this resource.'
      throw new CloudError('MethodNotAllowed', message, 405)
    }
    return version
  }

  async #deleteObject(call: S3Call): Promise<CloudReply> {
    const deleted = await this.#deleteOne(call, call.key, call.query.get('versionId'))
    return reply(204, '', {
      ...(deleted.VersionId === undefined ? {} : { 'x-amz-version-id': deleted.VersionId }),
      ...(deleted.DeleteMarker === undefined ? {} : { 'x-amz-delete-marker': 'true' }),
    })
  }

  async #deleteOne(
    call: S3Call,
    key: string,
    versionId: string | undefined,
  ): Promise<{ readonly DeleteMarker?: true; readonly VersionId?: string }> {
    const bucket = this.#bucket(call)
    if (versionId === undefined) {
      const marker = await this.buckets.deleteCurrent(bucket, key, call.request.nowMs)
      if (marker === undefined) return {}
      return { DeleteMarker: true, VersionId: marker.versionId }
    }
    const version = await this.buckets.deleteVersion(bucket, key, versionId)
    return { VersionId: versionId, ...(version?.deleteMarker ? { DeleteMarker: true } : {}) }
  }

  async #deleteObjects(call: S3Call): Promise<CloudReply> {
    const root = readXml(call.request.content)
    onlyChildren(root, ['Object', 'Quiet'])
    const objects = root.children.filter((child) => child.name === 'Object')
    if (root.name !== 'Delete' || objects.length === 0 || objects.length > DELETE_KEYS_MAX) {
      throw new CloudError('MalformedXML', 'The XML you provided was not well-formed')
    }
    const isQuiet = childText(root, 'Quiet') === 'true'
    const results: XmlValue[] = []
    for (const object of objects) {
      onlyChildren(object, ['Key', 'VersionId'])
      const key = childText(object, 'Key')
      if (key === undefined || key === '') throw new CloudError('MalformedXML', 'A key is missing')
      const versionId = childText(object, 'VersionId')
      const deleted = await this.#deleteOne(call, key, versionId)
      results.push({
        Key: key,
        VersionId: versionId,
        DeleteMarker: deleted.DeleteMarker,
        DeleteMarkerVersionId: versionId === undefined ? deleted.VersionId : undefined,
      })
    }
    return xml('DeleteResult', isQuiet ? {} : { Deleted: results })
  }
}

function reply(status: number, body: string, headers: Record<string, string> = {}): CloudReply {
  const type = body === '' ? {} : { 'content-type': 'application/xml' }
  return { status, headers: { ...type, ...headers }, body: Buffer.from(body) }
}

function xml(root: string, value: XmlValue, headers: Record<string, string> = {}): CloudReply {
  return reply(200, writeXml(root, value, S3_NAMESPACE), headers)
}

function versionHeader(bucket: Bucket, version: ObjectVersion): Record<string, string> {
  return bucket.versioning === undefined ? {} : { 'x-amz-version-id': version.versionId }
}

function keptHeaders(headers: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const kept = new Map<string, string>()
  for (const [name, value] of headers) {
    if (!KEPT_HEADERS.includes(name) && !name.startsWith('x-amz-meta-')) continue
    // The framing is gone; what is left is the encoding of the content itself.
    const plain =
      name === 'content-encoding' ? value.replace(/(?:^|,)\s*aws-chunked\s*/g, '').trim() : value
    if (plain !== '') kept.set(name, plain)
  }
  return kept
}

function locationConstraint(content: Uint8Array): string | undefined {
  if (content.length === 0) return undefined
  const root = readXml(content)
  onlyChildren(root, ['LocationConstraint'])
  if (root.name !== 'CreateBucketConfiguration') {
    throw new CloudError('MalformedXML', 'The XML you provided was not well-formed')
  }
  return childText(root, 'LocationConstraint')
}

/** `bucket/key`, percent-encoded, with an optional `?versionId=`. */
function copySource(header: string): S3Target & { readonly versionId: string | undefined } {
  const [path = '', query] = header.split('?', 2)
  const { bucket, key } = s3Target({
    host: 'localhost',
    path: path.startsWith('/') ? path : `/${path}`,
  })
  const versionId = query === undefined ? undefined : /^versionId=([\w-]+)$/.exec(query)?.[1]
  if (bucket === '' || key === '' || (query !== undefined && versionId === undefined)) {
    throw new CloudError('InvalidArgument', 'Copy Source must mention the source bucket and key')
  }
  return { bucket, key, versionId }
}

/**
 * Inclusive bounds, or undefined without a range. InvalidRange (416); several ranges:
 * NotImplemented.
 */
function byteRange(header: string | undefined, size: number) {
  if (header === undefined) return undefined
  const match = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header)
  if (match === null) throw new CloudError('NotImplemented', 'the form of the range', 501)
  const start = Number(match[1])
  const end = Math.min(match[2] === undefined ? size - 1 : Number(match[2]), size - 1)
  if (start > end) {
    throw new CloudError('InvalidRange', 'The requested range is not satisfiable', 416)
  }
  return { start, end }
}

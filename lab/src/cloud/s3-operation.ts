// Which S3 operation a request is. A query parameter or an x-amz header that the operation does not
// have here makes it an error: `DELETE /bucket?policy` must never become `DELETE /bucket`.
import { isPresignParameter } from '@seconder/aws/sigv4/signature-claim'
import type { CloudRequest } from './cloud-request.ts'
import { CloudError } from './errors.ts'

interface OperationForm {
  readonly name: string
  readonly method: string
  readonly level: 'service' | 'bucket' | 'object'
  /** The query parameter that makes it this operation. */
  readonly marker?: string
  /** The header that makes it this operation. */
  readonly header?: string
  readonly query?: readonly string[]
  readonly headers?: readonly string[]
}

const CONDITIONS = ['if-match', 'if-none-match']
const LISTING = ['delimiter', 'encoding-type', 'max-keys', 'prefix']

const OPERATION_FORMS = [
  { name: 'ListBuckets', method: 'GET', level: 'service' },
  { name: 'CreateBucket', method: 'PUT', level: 'bucket' },
  { name: 'DeleteBucket', method: 'DELETE', level: 'bucket' },
  { name: 'HeadBucket', method: 'HEAD', level: 'bucket' },
  { name: 'GetBucketLifecycleConfiguration', method: 'GET', level: 'bucket', marker: 'lifecycle' },
  { name: 'GetObjectLockConfiguration', method: 'GET', level: 'bucket', marker: 'object-lock' },
  { name: 'GetBucketLocation', method: 'GET', level: 'bucket', marker: 'location' },
  { name: 'GetBucketVersioning', method: 'GET', level: 'bucket', marker: 'versioning' },
  { name: 'PutBucketVersioning', method: 'PUT', level: 'bucket', marker: 'versioning' },
  {
    name: 'ListObjectsV2',
    method: 'GET',
    level: 'bucket',
    marker: 'list-type',
    query: [...LISTING, 'continuation-token', 'fetch-owner', 'start-after'],
  },
  {
    name: 'ListObjectVersions',
    method: 'GET',
    level: 'bucket',
    marker: 'versions',
    query: [...LISTING, 'key-marker', 'version-id-marker'],
  },
  { name: 'DeleteObjects', method: 'POST', level: 'bucket', marker: 'delete' },
  {
    name: 'CopyObject',
    method: 'PUT',
    level: 'object',
    header: 'x-amz-copy-source',
    headers: ['x-amz-metadata-directive'],
  },
  {
    name: 'PutObject',
    method: 'PUT',
    level: 'object',
    headers: [...CONDITIONS, 'x-amz-storage-class'],
  },
  {
    name: 'GetObject',
    method: 'GET',
    level: 'object',
    query: ['versionId'],
    headers: [...CONDITIONS, 'range', 'x-amz-checksum-mode'],
  },
  {
    name: 'HeadObject',
    method: 'HEAD',
    level: 'object',
    query: ['versionId'],
    headers: [...CONDITIONS, 'x-amz-checksum-mode'],
  },
  { name: 'DeleteObject', method: 'DELETE', level: 'object', query: ['versionId'] },
] as const satisfies readonly OperationForm[]

export type S3Operation = (typeof OPERATION_FORMS)[number]['name']

/** Headers that say how the request travels and change nothing of what it does. */
const TRANSPORT_HEADERS: readonly string[] = [
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-expected-bucket-owner',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-trailer',
  'x-amz-user-agent',
]

/** Headers without the x-amz prefix that would change the answer if they were looked at. */
const MEANINGFUL_HEADERS: readonly string[] = [
  ...CONDITIONS,
  'if-modified-since',
  'if-unmodified-since',
  'range',
]

export interface S3Target {
  readonly bucket: string
  readonly key: string
}

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html */
const VIRTUAL_HOST = /^(.+)\.(?:localhost|s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?)$/

const PATH_HOST = /^(?:127\.0\.0\.1|localhost|s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?)$/

/** Bucket and key of either style; both may be empty. InvalidURI where the path does not decode. */
export function s3Target(request: Pick<CloudRequest, 'host' | 'path'>): S3Target {
  const path = decodePath(request.path.slice(1))
  const virtual = VIRTUAL_HOST.exec(request.host)?.[1]
  if (virtual !== undefined && virtual !== 's3') return { bucket: virtual, key: path }
  if (!PATH_HOST.test(request.host)) {
    throw new CloudError('InvalidRequest', 'the host is not one of the lab')
  }
  const slash = path.indexOf('/')
  if (slash < 0) return { bucket: path, key: '' }
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause
    throw new CloudError('InvalidURI', "Couldn't parse the specified URI.")
  }
}

function notImplemented(kind: 'header' | 'parameter', name: string): CloudError {
  const message = `A ${kind} you provided implies functionality that is not implemented: ${name}`
  return new CloudError('NotImplemented', message, 501)
}

/** The operation of a request. NotImplemented (501) for everything that is not exactly one here. */
export function s3Operation(request: CloudRequest): S3Operation {
  const { bucket, key } = s3Target(request)
  const level = key !== '' ? 'object' : bucket !== '' ? 'bucket' : 'service'
  const names = request.query.map(([name]) => name)
  if (new Set(names).size !== names.length) throw notImplemented('parameter', 'repeated')
  const forms: readonly OperationForm[] = OPERATION_FORMS.filter(
    (form) => form.method === request.method && form.level === level,
  )
  const form =
    forms.find((candidate) => candidate.marker !== undefined && names.includes(candidate.marker)) ??
    forms.find(
      (candidate) => candidate.header !== undefined && request.headers.has(candidate.header),
    ) ??
    forms.find((candidate) => candidate.marker === undefined && candidate.header === undefined)
  if (form === undefined) {
    throw notImplemented('parameter', names[0] ?? `${request.method} ${level}`)
  }
  checkQuery(form, request.query)
  checkHeaders(form, request.headers)
  return form.name as S3Operation
}

function checkQuery(form: OperationForm, query: CloudRequest['query']): void {
  for (const [name, value] of query) {
    // Presigning parameters belong to the signature, which is verified by now.
    if (isPresignParameter(name)) continue
    if (name === 'x-id' && value === form.name) continue
    if (name === 'list-type' && form.marker === name && value !== '2') {
      throw notImplemented('parameter', name)
    }
    if (name !== form.marker && form.query?.includes(name) !== true) {
      throw notImplemented('parameter', name)
    }
  }
}

function checkHeaders(form: OperationForm, headers: ReadonlyMap<string, string>): void {
  const writes = form.name === 'PutObject' || form.name === 'CopyObject'
  for (const name of headers.keys()) {
    const matters = name.startsWith('x-amz-') || MEANINGFUL_HEADERS.includes(name)
    if (!matters || TRANSPORT_HEADERS.includes(name) || name === form.header) continue
    if (form.headers?.includes(name) === true) continue
    if (writes && name.startsWith('x-amz-meta-')) continue
    if (form.method !== 'GET' && /^x-amz-checksum-(?!mode|algorithm)/.test(name)) continue
    throw notImplemented('header', name)
  }
}

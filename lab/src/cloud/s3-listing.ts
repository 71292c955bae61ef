// ListObjectsV2 and ListObjectVersions of one bucket, as XML.
import { CloudError } from './errors.ts'
import type { Bucket, ObjectVersion, S3Buckets } from './s3-buckets.ts'
import { writeXml, type XmlValue } from './xml.ts'

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const LIST_KEYS_MAX = 1000

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

interface ListQuery {
  readonly prefix: string
  readonly delimiter: string
  readonly maxKeys: number
  readonly encode: (text: string) => string
  readonly encodingType: string | undefined
}

function listQuery(query: ReadonlyMap<string, string>): ListQuery {
  const encodingType = query.get('encoding-type')
  if (encodingType !== undefined && encodingType !== 'url') {
    throw new CloudError('InvalidArgument', 'Invalid Encoding Method specified in Request')
  }
  const maxKeys = query.get('max-keys') ?? String(LIST_KEYS_MAX)
  if (!/^\d{1,9}$/.test(maxKeys)) {
    const message = 'Provided max-keys not an integer or within integer range'
    throw new CloudError('InvalidArgument', message)
  }
  const plain = (text: string) => text
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    maxKeys: Math.min(Number(maxKeys), LIST_KEYS_MAX),
    encode: encodingType === 'url' ? urlEncode : plain,
    encodingType,
  }
}

/** S3 keeps the slash when it encodes keys of a listing. */
function urlEncode(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/')
}

/** The first part of a key up to the delimiter after the prefix, or undefined. */
function commonPrefix(key: string, { prefix, delimiter }: ListQuery): string | undefined {
  if (delimiter === '') return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : key.slice(0, at + delimiter.length)
}

type Row = readonly [key: string, version: ObjectVersion]

interface Page {
  readonly rows: readonly Row[]
  readonly prefixes: readonly string[]
  readonly isTruncated: boolean
  /** The last key or common prefix of the page. */
  readonly last: string
}

/** `after` is a key, or a common prefix that the page before ended with. */
function page(rows: Iterable<Row>, list: ListQuery, after: string): Page {
  const found: Row[] = []
  const prefixes: string[] = []
  let last = ''
  for (const row of rows) {
    const [key] = row
    const isPast = Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0
    if (!key.startsWith(list.prefix) || (after !== '' && !isPast)) continue
    const prefix = commonPrefix(key, list)
    if (prefix !== undefined && (prefix === prefixes.at(-1) || prefix === after)) continue
    if (found.length + prefixes.length >= list.maxKeys) {
      return { rows: found, prefixes, isTruncated: list.maxKeys > 0, last }
    }
    if (prefix === undefined) found.push(row)
    else prefixes.push(prefix)
    last = prefix ?? key
  }
  return { rows: found, prefixes, isTruncated: false, last }
}

function commonPrefixes(prefixes: readonly string[], list: ListQuery): XmlValue {
  return prefixes.map((prefix) => ({ Prefix: list.encode(prefix) }))
}

/** The `ListBucketResult` document of a bucket's current objects. */
export function listObjects(
  buckets: S3Buckets,
  bucket: Bucket,
  query: ReadonlyMap<string, string>,
): string {
  const list = listQuery(query)
  const token = query.get('continuation-token')
  const after =
    token === undefined
      ? (query.get('start-after') ?? '')
      : Buffer.from(token, 'base64url').toString('utf8')
  const current: Row[] = []
  for (const [key, versions] of buckets.sorted(bucket)) {
    const [newest] = versions
    if (newest !== undefined && !newest.deleteMarker) current.push([key, newest])
  }
  const { rows, prefixes, isTruncated, last } = page(current, list, after)
  const next = isTruncated ? Buffer.from(last).toString('base64url') : undefined
  const result = {
    Name: bucket.name,
    Prefix: list.encode(list.prefix),
    Delimiter: list.delimiter === '' ? undefined : list.encode(list.delimiter),
    MaxKeys: list.maxKeys,
    EncodingType: list.encodingType,
    KeyCount: rows.length + prefixes.length,
    IsTruncated: isTruncated,
    ContinuationToken: token,
    NextContinuationToken: next,
    StartAfter: query.get('start-after'),
    Contents: rows.map(([key, version]) => ({
      Key: list.encode(key),
      ...describeVersion(version),
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: commonPrefixes(prefixes, list),
  }
  return writeXml('ListBucketResult', result, S3_NAMESPACE)
}

/** The `ListVersionsResult` document of every version and delete marker. */
export function listVersions(
  buckets: S3Buckets,
  bucket: Bucket,
  query: ReadonlyMap<string, string>,
): string {
  const list = listQuery(query)
  const all = buckets
    .sorted(bucket)
    .flatMap(([key, versions]) => versions.map((version): Row => [key, version]))
  const [keyMarker, versionMarker] = [query.get('key-marker'), query.get('version-id-marker')]
  if (versionMarker !== undefined && keyMarker === undefined) {
    const message = 'A version-id marker cannot be specified without a key marker.'
    throw new CloudError('InvalidArgument', message)
  }
  const from = versionMarker === undefined ? -1 : all.findIndex(isAt(keyMarker, versionMarker))
  // After a version of the marked key its older versions are still to come.
  const rest = from < 0 ? all : all.slice(from + 1)
  const { rows, prefixes, isTruncated, last } = page(rest, list, from < 0 ? (keyMarker ?? '') : '')
  const describe = ([key, version]: Row) => ({
    Key: list.encode(key),
    VersionId: version.versionId,
    IsLatest: buckets.newest(bucket, key) === version,
    ...describeVersion(version),
  })
  const endsWithPrefix = prefixes.at(-1) === last
  const result = {
    Name: bucket.name,
    Prefix: list.encode(list.prefix),
    KeyMarker: keyMarker === undefined ? '' : list.encode(keyMarker),
    VersionIdMarker: versionMarker ?? '',
    Delimiter: list.delimiter === '' ? undefined : list.encode(list.delimiter),
    MaxKeys: list.maxKeys,
    EncodingType: list.encodingType,
    IsTruncated: isTruncated,
    NextKeyMarker: isTruncated ? list.encode(last) : undefined,
    NextVersionIdMarker: isTruncated && !endsWithPrefix ? rows.at(-1)?.[1].versionId : undefined,
    Version: rows
      .filter(([, version]) => !version.deleteMarker)
      .map((row) => ({ ...describe(row), StorageClass: 'STANDARD' })),
    DeleteMarker: rows.filter(([, version]) => version.deleteMarker).map(describe),
    CommonPrefixes: commonPrefixes(prefixes, list),
  }
  return writeXml('ListVersionsResult', result, S3_NAMESPACE)
}

function isAt(key: string | undefined, versionId: string): (row: Row) => boolean {
  return ([rowKey, version]) => rowKey === key && version.versionId === versionId
}

function describeVersion(version: ObjectVersion) {
  return {
    LastModified: new Date(version.lastModifiedMs).toISOString(),
    ETag: version.deleteMarker ? undefined : version.etag,
    Size: version.deleteMarker ? undefined : version.sizeBytes,
  }
}

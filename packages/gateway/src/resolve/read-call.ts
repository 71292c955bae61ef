// The closed list of calls that `resolve` may send, the three ways of writing one down, and the one
// place that refuses anything else. Nothing here sends; nothing else in resolve builds a request.
import type { JsonObject } from '@seconder/aws/call'
import { isActingRead } from './acting-reads.ts'
import { ResolveError } from './errors.ts'
import { KIND_READS } from './kinds.ts'
import { isModelRead } from './model-read.ts'
import type { UpstreamCall } from './upstream.ts'

// Each was looked up in the Service Authorization Reference as access level Read or List:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
const DYNAMODB_READS = [
  'DescribeTable',
  'DescribeContinuousBackups',
  'ListBackups',
  'GetItem',
  'Scan',
] as const

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
const CLOUDFORMATION_READS = [
  'DescribeStacks',
  'ListStackResources',
  'DescribeChangeSet',
  'GetTemplate',
] as const

// S3 has no operation name on the wire: method and query say it. Each row is the whole set of query
// keys that may come together with a required first one.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
const S3_READS: readonly { method: 'GET' | 'HEAD'; key: boolean; query: readonly string[] }[] = [
  { method: 'GET', key: false, query: ['versioning'] },
  { method: 'GET', key: false, query: ['lifecycle'] },
  { method: 'GET', key: false, query: ['object-lock'] },
  { method: 'GET', key: false, query: ['list-type', 'max-keys', 'continuation-token'] },
  { method: 'GET', key: false, query: ['versions', 'max-keys'] },
  { method: 'GET', key: true, query: ['uploadId', 'max-parts', 'part-number-marker'] },
  { method: 'HEAD', key: true, query: ['versionId'] },
]

const EXPECTED_OWNER = 'x-amz-expected-bucket-owner'
const MAX_BODY_BYTES = 64 * 1024
const MAX_TARGET_CHARS = 8 * 1024
const FORM = 'application/x-www-form-urlencoded; charset=utf-8'
const AWS_JSON = 'application/x-amz-json-1.0'
const API_VERSION = '2010-05-15'
const TARGET_PREFIX = 'DynamoDB_20120810.'

export type DynamodbRead = (typeof DYNAMODB_READS)[number]
export type CloudformationRead = (typeof CLOUDFORMATION_READS)[number]
export type S3Query = readonly (readonly [key: string, value: string])[]

const encoder = new TextEncoder()

/** An awsJson 1.0 call. Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/. */
export function dynamodbCall(region: string, read: DynamodbRead, input: JsonObject): UpstreamCall {
  return {
    service: 'dynamodb',
    region,
    method: 'POST',
    target: '/',
    headers: [
      ['content-type', AWS_JSON],
      ['x-amz-target', `${TARGET_PREFIX}${read}`],
    ],
    body: encoder.encode(JSON.stringify(input)),
  }
}

/** An awsQuery call. Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/. */
export function cloudformationCall(
  region: string,
  read: CloudformationRead,
  input: Readonly<Record<string, string>>,
): UpstreamCall {
  const form = new URLSearchParams([
    ['Action', read],
    ['Version', API_VERSION],
    ...Object.entries(input),
  ])
  return {
    service: 'cloudformation',
    region,
    method: 'POST',
    target: '/',
    headers: [['content-type', FORM]],
    body: encoder.encode(form.toString()),
  }
}

/** A path-style S3 call on a bucket (`key` null) or an object. */
export function s3Call(
  region: string,
  method: 'GET' | 'HEAD',
  bucket: string,
  key: string | null,
  query: S3Query,
): UpstreamCall {
  const path = key === null ? `/${percent(bucket)}` : `/${percent(bucket)}/${percentPath(key)}`
  const pairs = query.map(([name, value]) =>
    value === '' ? percent(name) : `${percent(name)}=${percent(value)}`,
  )
  const target = pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
  return { service: 's3', region, method, target, headers: [], body: new Uint8Array(0) }
}

/**
 * HEAD of a bucket, answered only where this account owns it.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 */
export function s3OwnerCall(region: string, bucket: string, account: string): UpstreamCall {
  const call = s3Call(region, 'HEAD', bucket, null, [])
  return { ...call, headers: [[EXPECTED_OWNER, account]] }
}

/**
 * False where what the caller named makes a look-up that no AWS would answer: too long, or a name of dots
 * that would be another path. Not sent, and no bug: such a name is the caller's own.
 */
export function isSendable({ service, target, body }: UpstreamCall): boolean {
  if (body.byteLength > MAX_BODY_BYTES || target.length > MAX_TARGET_CHARS) return false
  return service !== 's3' ? !/\/\.{1,2}(?:[/?]|$)/.test(target) : true
}

/**
 * Returns nothing when the call is on the closed list of reads.
 *
 * `not_a_read`: it is not; the message names the service and never the body.
 */
export function assertRead(call: UpstreamCall): void {
  const known = { dynamodb: isDynamodbRead, cloudformation: isCloudformationRead, s3: isS3Read }
  const check = Object.hasOwn(known, call.service)
    ? known[call.service as keyof typeof known]
    : undefined
  const isKnown = check?.(call) === true || isActingRead(call) || isModelRead(call, KIND_READS)
  if (isKnown && call.body.byteLength <= MAX_BODY_BYTES) return
  throw new ResolveError(
    'not_a_read',
    `a look-up in \`${call.service}\` is not on the list of reads`,
    'report this as a bug: resolve may only send the calls named in read-call.ts',
  )
}

function isDynamodbRead(call: UpstreamCall): boolean {
  const [contentType, target, ...rest] = call.headers
  if (call.method !== 'POST' || call.target !== '/' || rest.length > 0) return false
  if (contentType?.[0] !== 'content-type' || contentType[1] !== AWS_JSON) return false
  if (target?.[0] !== 'x-amz-target') return false
  return DYNAMODB_READS.some((read) => target[1] === `${TARGET_PREFIX}${read}`)
}

function isCloudformationRead(call: UpstreamCall): boolean {
  const [contentType, ...rest] = call.headers
  if (call.method !== 'POST' || call.target !== '/' || rest.length > 0) return false
  if (contentType?.[0] !== 'content-type' || contentType[1] !== FORM) return false
  const form = new URLSearchParams(new TextDecoder().decode(call.body))
  const actions = form.getAll('Action')
  if (actions.length !== 1 || form.getAll('Version').join() !== API_VERSION) return false
  return CLOUDFORMATION_READS.some((read) => read === actions[0])
}

function isS3Read(call: UpstreamCall): boolean {
  if (call.body.byteLength > 0) return false
  if (call.headers.length > 0) return isOwnerRead(call)
  const mark = call.target.indexOf('?')
  const path = mark === -1 ? call.target : call.target.slice(0, mark)
  const query = mark === -1 ? '' : call.target.slice(mark + 1)
  const keys = query === '' ? [] : query.split('&').map((pair) => pair.split('=', 1)[0] ?? '')
  if (new Set(keys).size !== keys.length) return false
  const parts = /^\/[^/]+(\/.+)?$/s.exec(path)
  if (parts === null) return false
  const hasKey = parts[1] !== undefined
  return S3_READS.some((read) => {
    if (read.method !== call.method || read.key !== hasKey) return false
    const required = read.method === 'GET' ? read.query[0] : undefined
    if (required !== undefined && keys[0] !== required) return false
    return keys.every((key) => read.query.includes(key))
  })
}

function isOwnerRead({ method, target, headers }: UpstreamCall): boolean {
  const [[name, account] = ['', ''], ...rest] = headers
  const asksOwner = name === EXPECTED_OWNER && /^\d{12}$/.test(account) && rest.length === 0
  return asksOwner && method === 'HEAD' && /^\/[^/?]+$/.test(target)
}

/** RFC 3986 unreserved characters stay, the rest is percent-encoded once (SigV4's UriEncode). */
function percent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function percentPath(key: string): string {
  return key.split('/').map(percent).join('/')
}

// Reads a forwarded request the way each front of AWS might, by rules of its own that share nothing with the
// gate's: every call that could be found in it must be the one read that the ledger names.
import type { WireRequest } from '@seconder/aws/wire-request'
import { decode } from 'cborg'

export interface ReadEntry {
  readonly operation: string
  readonly resources: readonly string[]
}

/** Reads by the verb; what of them shows secrets or makes credentials is below. */
const READ =
  /^(?:Get|Describe|List|Head|Query|Scan|BatchGet|Lookup|Search|Select|Filter|Test|Simulate|Check|Validate|Estimate|View|Detect)/
const NEVER =
  /^(?:GetSecretValue|BatchGetSecretValue|GetSessionToken|GetFederationToken|GetAuthorizationToken|GetFunction|GetFunctionConfiguration|ListFunctions|GetPasswordData|GetCredentials|GetOpenIdToken|GetAccessToken|GetParametersByPathWithDecryption|GetExport|GetApiKeys?|GetDataKey)$/
const REGION = /^(?:[a-z]{2}(?:-[a-z]+)+-\d|aws-global|aws-cn-global|aws-us-gov-global)$/

/** What is wrong with a request that was forwarded as this read; empty where nothing is. */
export function problemsOf(request: WireRequest, entry: ReadEntry | undefined): string[] {
  if (entry === undefined) return ['it was forwarded and no read is recorded']
  const headers = new Map<string, string>()
  const problems: string[] = []
  for (const [name, value] of request.headers) {
    // A list by its definition, and nothing but a wish: RFC 9110 section 12.5.1.
    const isList = /^accept$/i.test(name)
    if (headers.has(name.toLowerCase()) && !isList) problems.push(`header ${name} twice`)
    headers.set(name.toLowerCase(), value)
  }
  const scope = /Credential=[^/]+\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request,/.exec(
    headers.get('authorization') ?? '',
  )
  const [, , region = '', service = ''] = scope ?? []
  if (!REGION.test(region) || !/^[a-z][a-z0-9.-]*$/.test(service))
    problems.push(`scope ${region}/${service}`)
  if (/^(?:GET|HEAD)$/.test(request.method) && request.body.byteLength > 0)
    problems.push('a GET with a body')
  for (const name of headers.keys()) {
    if (/method-?override|^x-http-method|^x-original|^x-rewrite/.test(name))
      problems.push(`header ${name}`)
  }
  const [path = '', query = ''] = request.target.split(/\?(.*)/s)
  const pairs = new URLSearchParams(query)
  const keys = [...pairs.keys()]
  // No RPC protocol reads a query; in a REST one a key twice is two readings.
  const isRest = REST.has(service)
  if (isRest && new Set(keys).size !== keys.length) problems.push('a query key twice')
  if (service !== 's3' && /\/\.{0,2}(?:\/|$)/.test(path.slice(1)) && path !== '/')
    problems.push('dots or nothing between slashes')
  const calls = readings(request, headers, path, pairs, service)
  const expected = entry.operation.slice(entry.operation.indexOf(':') + 1)
  for (const call of calls) {
    if (call.name !== expected && !call.isRest) problems.push(`${call.name} could be found in it`)
    if (call.isRest && !/^(?:GET|HEAD)$/.test(call.name) && !isSelect(request, service))
      problems.push(`${call.name} of a REST service`)
  }
  if (calls.length === 0) problems.push('no call could be found in it')
  if (!READ.test(expected) && expected !== 'ExecuteStatement')
    problems.push(`${expected} is no read`)
  if (NEVER.test(expected)) problems.push(`${expected} shows what must not be shown`)
  return [
    ...problems,
    ...bodyProblems(request, headers, entry, region),
    ...s3Problems(service, path, entry),
  ]
}

/** The one read of S3 that is a POST. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html */
function isSelect({ method, target }: WireRequest, service: string): boolean {
  return service === 's3' && method === 'POST' && /^\/[^/?]+\/[^?]+\?.*\bselect&/.test(target)
}

interface Reading {
  readonly name: string
  readonly isRest: boolean
}

/** Services whose operation is in method and path alone. */
const REST = new Set(['s3', 'lambda', 'route53', 'apigateway'])

function readings(
  { method, body }: WireRequest,
  headers: ReadonlyMap<string, string>,
  path: string,
  query: URLSearchParams,
  service: string,
): Reading[] {
  const found: Reading[] = []
  const named = (name: string | null | undefined) => {
    if (name != null) found.push({ name, isRest: false })
  }
  const target = headers.get('x-amz-target')
  named(target?.slice(target.lastIndexOf('.') + 1))
  for (const [key, value] of query) if (/^action$/i.test(key)) named(value)
  for (const [key, value] of query) if (/^x-amz-target$/i.test(key)) named(value)
  const isForm = /form-urlencoded/i.test(headers.get('content-type') ?? '')
  const form = Buffer.from(body).toString()
  if (isForm || /^\s*[A-Za-z0-9._%]+=/.test(form)) {
    for (const [key, value] of new URLSearchParams(form)) if (/^\s*action$/i.test(key)) named(value)
  }
  // For S3 it is a bucket and a key.
  if (service !== 's3') named(/^\/service\/[^/]+\/operation\/([^/]+)$/.exec(path)?.[1])
  if (REST.has(service)) found.push({ name: method, isRest: true })
  return found
}

function bodyProblems(
  { body }: WireRequest,
  headers: ReadonlyMap<string, string>,
  { operation, resources }: ReadEntry,
  region: string,
): string[] {
  const type = headers.get('content-type') ?? ''
  if (body.byteLength === 0) return []
  const problems: string[] = []
  let input: Record<string, unknown> = {}
  try {
    if (/json/i.test(type) || headers.has('x-amz-target')) {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
      input = JSON.parse(text) as typeof input
      if (hasTwins(text)) problems.push('a JSON member twice')
    } else if (/cbor/.test(type)) {
      const tags = { 1: (seconds: () => unknown) => Number(seconds()) } // a timestamp, and no other
      input = decode(body, { rejectDuplicateMapKeys: true, strict: true, tags }) as typeof input
    } else {
      const form = [...new URLSearchParams(Buffer.from(body).toString())].map(([key]) => key)
      if (new Set(form).size !== form.length) problems.push('a form key twice')
    }
  } catch (cause) {
    return [`a body that a strict reader refuses: ${(cause as Error).message}`]
  }
  if (/^ssm:/.test(operation) && input['WithDecryption'] === true)
    problems.push('a decrypted parameter')
  const table = input['TableName']
  if (operation.startsWith('dynamodb:') && typeof table === 'string') {
    const arn = table.startsWith('arn:')
      ? table
      : `arn:${partitionOf(region)}:dynamodb:${region}:123456789012:table/${table}`
    const isSaid = resources.some((one) => one === '*' || one === arn.slice(0, 1_024))
    if (!isSaid) problems.push(`table ${table} is not what was described: ${resources.join(' ')}`)
  }
  const statement = input['Statement']
  if (operation === 'dynamodb:ExecuteStatement' && !/^\s*select\s/i.test(String(statement))) {
    problems.push(`statement ${String(statement)}`)
  }
  return problems
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}

/** A bucket and key, each decoded once: what S3 does, which knows no dots and no empty segments. */
function s3Problems(service: string, path: string, { operation, resources }: ReadEntry): string[] {
  if (service !== 's3' || !operation.startsWith('s3:')) return []
  const [bucket = '', ...rest] = path.slice(1).split('/')
  if (bucket === '') return []
  let key: string
  try {
    key = decodeURIComponent(rest.join('/'))
  } catch {
    return ['a path that does not decode']
  }
  const arns = [
    `arn:aws:s3:::${bucket}`,
    `arn:aws-cn:s3:::${bucket}`,
    `arn:aws-us-gov:s3:::${bucket}`,
  ]
  const wanted =
    key === '' ? arns : arns.map((arn) => `${arn}/${key}`.slice(0, 1_024).toWellFormed())
  return resources.some((one) => one === '*' || wanted.includes(one))
    ? []
    : [`${path} is not what was described: ${resources.join(' ')}`]
}

/** True where an object of this JSON text has a member twice, however it is spelt. */
function hasTwins(text: string): boolean {
  const open: Set<string>[] = []
  const strings = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/gs
  for (const [token, colon] of text.matchAll(strings)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, token.length - colon.length)) as string
      const members = open.at(-1)
      if (members?.has(name)) return true
      members?.add(name)
    }
  }
  return false
}

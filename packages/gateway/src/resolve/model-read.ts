// Writes a read down as the operation's own model in the compiled index says, whatever its protocol:
// awsJson, query, EC2 query, REST with GET. It can write nothing but a read: what it makes is described
// again by the code that describes an agent's calls, and must come out as the read that was meant.
import type { Json, JsonObject } from '@seconder/aws/call'
import { describeCall } from '@seconder/aws/describe-call'
import type { Shape } from '@seconder/aws/index/model'
import {
  type Operation,
  operationOf,
  type ReadyModel,
  resolve as resolveShape,
  serviceOf,
} from '@seconder/aws/index/service-index'
import { ResolveError } from './errors.ts'
import { asObject } from './member.ts'
import type { UpstreamCall } from './upstream.ts'

/** `rds:DescribeDBInstances`, with the signing name; `elasticloadbalancing@2015-12-01:DescribeTags`
 * where one signing name has several APIs with operations of one name. */
export type ReadName = `${string}:${string}`

const FORM = 'application/x-www-form-urlencoded; charset=utf-8'
const encoder = new TextEncoder()
const known = new Map<ReadName, Operation>()

/**
 * The call of a read with its input under model names.
 * `not_a_read`: there is no such operation, or it cannot be written as a read; nothing was sent.
 */
export function modelCall(region: string, read: ReadName, input: JsonObject): UpstreamCall {
  const operation = operationNamed(read)
  const service = signingName(read)
  const { endpointPrefix } = operation.model
  const place = { service, region, ...(endpointPrefix === undefined ? {} : { endpointPrefix }) }
  switch (operation.model.protocol) {
    case 'json': {
      const { jsonVersion = '1.0', targetPrefix = '' } = operation.model
      const headers = [
        ['content-type', `application/x-amz-json-${jsonVersion}`],
        ['x-amz-target', `${targetPrefix}.${operation.name}`],
      ] as const
      const body = encoder.encode(JSON.stringify(input))
      return { ...place, method: 'POST', target: '/', headers, body }
    }
    case 'query':
    case 'ec2':
      return {
        ...place,
        method: 'POST',
        target: '/',
        headers: [['content-type', FORM]],
        body: encoder.encode(formOf(operation, input)),
      }
    default: {
      if (operation.facts.method !== 'GET') throw notARead(read)
      const target = targetOf(operation, input)
      return { ...place, method: 'GET', target, headers: [], body: new Uint8Array(0) }
    }
  }
}

/**
 * True where `call`, described like every call on the wire, is one of these reads, and is written exactly
 * as that read with those members is: nothing beside, nothing in another form.
 */
export function isModelRead(call: UpstreamCall, reads: ReadonlySet<ReadName>): boolean {
  const { service, region, method, target, headers, body } = call
  try {
    const scope = { service, region }
    const described = describeCall({ method, target, headers, body }, scope, { account: '' })
    if (!described.effects.every((effect) => effect === 'read' || effect === 'list')) return false
    return [...reads].some(
      (read) =>
        signingName(read) === service &&
        read.endsWith(`:${described.operationName}`) &&
        wireText(modelCall(region, read, described.parameters)) === wireText(call),
    )
  } catch {
    // What has not one strict reading is no read of ours.
    return false
  }
}

function wireText({ method, target, headers, body }: UpstreamCall): string {
  return JSON.stringify([method, target, headers, new TextDecoder().decode(body)])
}

/** Whether AWS answers it in XML. */
export function answersXml(read: ReadName): boolean {
  return /^(query|ec2|rest-xml)$/.test(operationNamed(read).model.protocol)
}

/** `rds` of `rds:DescribeDBInstances`. */
export function signingName(read: ReadName): string {
  return /^[^:@]*/.exec(read)?.[0] ?? ''
}

function operationNamed(read: ReadName): Operation {
  const found = known.get(read)
  if (found !== undefined) return found
  const [place = '', name = ''] = read.split(':')
  const [service = '', version] = place.split('@')
  for (const model of serviceOf(service).models) {
    const operation = operationOf(model, name)
    if (operation === undefined || (version !== undefined && model.version !== version)) continue
    known.set(read, operation)
    return operation
  }
  throw notARead(read)
}

function notARead(read: ReadName): ResolveError {
  return new ResolveError(
    'not_a_read',
    `\`${read}\` cannot be written as a read`,
    'report this as a bug: it is a row of a table of look-ups',
  )
}

/** Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html and its EC2 sister. */
function formOf(operation: Operation, input: JsonObject): string {
  const pairs: [string, string][] = [
    ['Action', operation.name],
    ['Version', operation.model.version],
  ]
  members(operation.model, operation.members, input, '', pairs)
  return new URLSearchParams(pairs).toString()
}

function members(
  model: ReadyModel,
  shapes: Readonly<Record<string, Shape>>,
  input: JsonObject,
  prefix: string,
  pairs: [string, string][],
): void {
  for (const [name, value] of Object.entries(input)) {
    const shape = resolveShape(model, shapes[name] ?? {})
    const key = `${prefix}${keyOf(model, name, shape)}`
    if (shape.type === 'list') elements(model, shape, value, key, pairs)
    else if (shape.type === 'structure') {
      members(model, shape.members ?? {}, asObject(value) ?? {}, `${key}.`, pairs)
    } else pairs.push([key, String(value)])
  }
}

function keyOf(model: ReadyModel, name: string, shape: Shape): string {
  if (model.protocol === 'ec2') {
    const named = shape.queryName ?? shape.locationName ?? name
    return shape.queryName ?? named.charAt(0).toUpperCase() + named.slice(1)
  }
  if (shape.type === 'list' && shape.flattened === true) {
    return shape.member?.locationName ?? shape.locationName ?? name
  }
  return shape.locationName ?? name
}

function elements(
  model: ReadyModel,
  shape: Shape,
  value: Json,
  key: string,
  pairs: [string, string][],
): void {
  const flat = model.protocol === 'ec2' || shape.flattened === true
  const step = flat ? key : `${key}.${shape.member?.locationName ?? 'member'}`
  const element = resolveShape(model, shape.member ?? {})
  const list: readonly Json[] = Array.isArray(value) ? value : [value]
  list.forEach((one, index) => {
    const at = `${step}.${index + 1}`
    const object = asObject(one)
    if (object === null) pairs.push([at, String(one)])
    else members(model, element.members ?? {}, object, `${at}.`, pairs)
  })
}

/** Path labels and query of a GET. Source: https://smithy.io/2.0/spec/http-bindings.html */
function targetOf(operation: Operation, input: JsonObject): string {
  const [path = '/', literal = ''] = (operation.facts.uri ?? '/').split('?')
  const query: string[] = literal === '' ? [] : [literal]
  let target = path
  for (const [name, value] of Object.entries(input)) {
    const shape = operation.members[name]
    const text = percent(String(value))
    const wire = shape?.locationName ?? name
    if (shape?.location === 'uri') {
      target = target.replace(`{${wire}}`, text).replace(`{${wire}+}`, percentPath(String(value)))
    } else if (shape?.location === 'querystring') query.push(`${percent(wire)}=${text}`)
  }
  return query.length === 0 ? target : `${target}?${query.join('&')}`
}

/** RFC 3986 unreserved characters stay, the rest is percent-encoded once (SigV4's UriEncode). */
function percent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function percentPath(text: string): string {
  return text.split('/').map(percent).join('/')
}

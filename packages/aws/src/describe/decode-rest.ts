// Makes parameters from a REST request: path labels, query, headers, and the body as JSON, XML or
// bytes, by the bindings of the input model. Source: https://smithy.io/2.0/spec/http-bindings.html

import type { Json } from '../call.ts'
import { CallError, quoted } from '../call-errors.ts'
import type { Shape } from '../index/model.ts'
import { type Operation, resolve } from '../index/service-index.ts'
import { isAcceptedHeader, isAcceptedQueryKey } from '../recognise/accepted-names.ts'
import { s3AddressOf } from '../recognise/s3-address.ts'
import type { Wire } from '../recognise/wire.ts'
import { withoutBlanks } from '../sigv4/canonical-request.ts'
import { parseXml } from '../xml/xml-tree.ts'
import { fromJson } from './decode-json.ts'
import { fromXml } from './decode-xml.ts'
import { type Decoding, repeated, unknownMember } from './decoder.ts'
import { blobPayload, decodeJson, payloadOf } from './payload.ts'
import { emptyObject, scalarOf } from './scalar.ts'

/** The bindings of an operation's input, sorted once by where they travel. */
interface Bindings {
  readonly labels: readonly {
    readonly name: string
    readonly label: string
    readonly type: string | undefined
  }[]
  readonly query: Bound
  /** The map member that takes every query key without a name of its own. */
  readonly otherQuery: string | undefined
  /** Query keys that are part of the route. */
  readonly literalQuery: ReadonlySet<string>
  /** By header name in lower case. */
  readonly headers: Bound
  readonly headerMaps: readonly { readonly name: string; readonly prefix: string }[]
  readonly isInBody: boolean
}

type Bound = ReadonlyMap<string, readonly [name: string, member: Shape]>

const kept = new WeakMap<Operation, Bindings>()

function bindingsOf(operation: Operation): Bindings {
  let bindings = kept.get(operation)
  if (bindings === undefined) {
    bindings = sortedBindings(operation)
    kept.set(operation, bindings)
  }
  return bindings
}

function sortedBindings(operation: Operation): Bindings {
  const members = Object.entries(operation.members)
  const at = (location: string) => members.filter(([, member]) => member.location === location)
  return {
    labels: at('uri').map(([name, member]) => ({
      name,
      label: member.locationName ?? name,
      type: resolve(operation.model, member).type,
    })),
    query: new Map(at('querystring').map((each) => [each[1].locationName ?? each[0], each])),
    otherQuery: at('querystring').find(([, member]) => isMap(operation, member))?.[0],
    literalQuery: new Set((operation.facts.uri ?? '').split('?')[1]?.split('&').map(keyOf) ?? []),
    headers: new Map(
      at('header').map((each) => [(each[1].locationName ?? each[0]).toLowerCase(), each]),
    ),
    headerMaps: at('headers').map(([name, member]) => ({
      name,
      prefix: (member.locationName ?? '').toLowerCase(),
    })),
    isInBody: members.some(([, member]) => member.location === undefined),
  }
}

/** The members of the operation's input that the request holds, wherever they travelled. */
export function fromRest(
  decoding: Decoding,
  operation: Operation,
  wire: Wire,
  labels: ReadonlyMap<string, string>,
): Record<string, Json> {
  const bindings = bindingsOf(operation)
  const result: Record<string, Json> = {}
  readLabels(operation, bindings, wire, labels, result)
  readQuery(decoding, operation, bindings, wire, result)
  readHeaders(decoding, operation, bindings, wire, result)
  return Object.assign(result, bodyMembersOf(decoding, operation, bindings, wire))
}

function readLabels(
  operation: Operation,
  bindings: Bindings,
  wire: Wire,
  labels: ReadonlyMap<string, string>,
  result: Record<string, Json>,
): void {
  // The bucket may have come by the host, and a key keeps its slashes: the address has both.
  const address = operation.model.id === 'S3' ? s3AddressOf(wire) : undefined
  for (const { name, label, type } of bindings.labels) {
    const found = labels.get(label)
    if (found === undefined) continue
    const text = name === 'Bucket' ? (address?.bucket ?? found) : found
    result[name] = scalarOf(type, text, name)
  }
}

function readQuery(
  decoding: Decoding,
  operation: Operation,
  { query, otherQuery, literalQuery }: Bindings,
  wire: Wire,
  result: Record<string, Json>,
): void {
  const others = emptyObject()
  let hasOthers = false
  for (const [key, values] of wire.query) {
    const found = query.get(key)
    if (found !== undefined && !isMap(operation, found[1])) {
      result[found[0]] = queryValue(operation, found[1], key, values)
    } else if (isAcceptedQueryKey(key) || literalQuery.has(key)) {
      if (values.length > 1) throw repeated(key)
    } else if (otherQuery !== undefined) {
      others[key] = values.length === 1 ? (values[0] ?? '') : [...values]
      hasOthers = true
    } else {
      if (values.length > 1) throw repeated(key)
      // Another service would read it as its operation: a second signal, on a read too (redteam H1).
      if (key === 'Action') throw secondSignal()
      unknownMember(decoding, `?${key}`)
    }
  }
  if (otherQuery !== undefined && hasOthers) result[otherQuery] = others
}

function keyOf(part: string): string {
  return part.split('=')[0] ?? ''
}

function isMap(operation: Operation, member: Shape): boolean {
  return resolve(operation.model, member).type === 'map'
}

function queryValue(
  operation: Operation,
  member: Shape,
  key: string,
  values: readonly string[],
): Json {
  const shape = resolve(operation.model, member)
  if (shape.type === 'list') {
    const element = resolve(operation.model, shape.member ?? {})
    return values.map((value) => scalarOf(element.type, value, key))
  }
  if (values.length > 1) throw repeated(key)
  return scalarOf(shape.type, values[0] ?? '', key)
}

function readHeaders(
  decoding: Decoding,
  operation: Operation,
  { headers, headerMaps }: Bindings,
  wire: Wire,
  result: Record<string, Json>,
): void {
  for (const [name, value] of wire.headers) {
    const found = headers.get(name)
    if (found !== undefined) {
      result[found[0]] = headerValue(operation, found[1], name, value)
      continue
    }
    const prefixed = headerMaps.find(({ prefix }) => name.startsWith(prefix))
    if (prefixed !== undefined) {
      const map = (result[prefixed.name] ?? emptyObject()) as Record<string, Json>
      map[name.slice(prefixed.prefix.length)] = value
      result[prefixed.name] = map
    } else if (!isAcceptedHeader(name)) {
      unknownMember(decoding, name)
    }
  }
}

function headerValue(operation: Operation, member: Shape, name: string, value: string): Json {
  const shape = resolve(operation.model, member)
  if (shape.type === 'list') return value.split(',').map(withoutBlanks)
  return scalarOf(shape.type, value, name)
}

/** True where the body is one blob member. Source: https://smithy.io/2.0/spec/http-bindings.html#httppayload-trait */
export function hasBlobPayload(operation: Operation): boolean {
  const { input } = operation.facts
  const payload = input === undefined ? undefined : resolve(operation.model, input).payload
  const member = payload === undefined ? undefined : operation.members[payload]
  return member !== undefined && resolve(operation.model, member).type === 'blob'
}

function bodyMembersOf(
  decoding: Decoding,
  operation: Operation,
  { isInBody }: Bindings,
  wire: Wire,
): Record<string, Json> {
  const input = operation.facts.input
  const payload = input === undefined ? undefined : resolve(operation.model, input).payload
  const member = payload === undefined ? undefined : operation.members[payload]
  if (payload !== undefined && member !== undefined) {
    return payloadMember(decoding, operation, wire, payload, member)
  }
  const body = payloadOf(wire)
  if (!isInBody) {
    if (!isEmptyBody(body)) unknownMember(decoding, 'body')
    return {}
  }
  if (body.length === 0) return {}
  const rootName = input === undefined ? undefined : resolve(operation.model, input).locationName
  return readStructure(decoding, operation, operation.members, body, rootName)
}

function payloadMember(
  decoding: Decoding,
  operation: Operation,
  wire: Wire,
  name: string,
  member: Shape,
): Record<string, Json> {
  const shape = resolve(operation.model, member)
  if (shape.type === 'blob') return { [name]: blobPayload(wire) }
  const body = payloadOf(wire)
  if (body.length === 0) return {}
  if (shape.type === 'structure' && shape.document !== true && shape.members !== undefined) {
    const members = shape.members
    return { [name]: readStructure(decoding, operation, members, body, member.locationName) }
  }
  if (shape.type === undefined || shape.type === 'string') {
    return { [name]: Buffer.from(body).toString('utf8') }
  }
  return fromJson(decoding, { [name]: member }, { [name]: decodeJson(body) })
}

function readStructure(
  decoding: Decoding,
  operation: Operation,
  members: Readonly<Record<string, Shape>>,
  body: Uint8Array,
  rootName: string | undefined,
): Record<string, Json> {
  if (operation.model.protocol === 'rest-json') return fromJson(decoding, members, decodeJson(body))
  const root = parseXml(body)
  if (rootName !== undefined && root.name !== rootName) {
    throw new CallError('malformed_body', `the XML root is ${quoted(root.name)}`)
  }
  return fromXml(decoding, members, root)
}

/** What SDKs send where an operation has no body: nothing, or an empty JSON object. */
function isEmptyBody(body: Uint8Array): boolean {
  return body.length === 0 || (body.length === 2 && body[0] === 0x7b && body[1] === 0x7d)
}

function secondSignal(): CallError {
  return new CallError('ambiguous_operation', 'the path names one operation and `?Action` another')
}

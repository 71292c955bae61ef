// Makes parameters from a REST request: path labels, query, headers, and the body as JSON, XML or
// bytes, by the bindings of the input model. Source: https://smithy.io/2.0/spec/http-bindings.html

import type { Json } from '../call.ts'
import { CallError, quoted } from '../call-errors.ts'
import type { Shape } from '../index/model.ts'
import { type Operation, resolve } from '../index/service-index.ts'
import { isAcceptedHeader, isAcceptedQueryKey } from '../recognise/accepted-names.ts'
import { s3AddressOf } from '../recognise/s3-address.ts'
import type { Wire } from '../recognise/wire.ts'
import { parseXml } from '../xml/xml-tree.ts'
import { fromJson } from './decode-json.ts'
import { fromXml } from './decode-xml.ts'
import { type Decoding, repeated, unknownMember } from './decoder.ts'
import { decodeJson, payloadOf } from './payload.ts'
import { blobOf, emptyObject, scalarOf } from './scalar.ts'

/** The members of the operation's input that the request holds, wherever they travelled. */
export function fromRest(
  decoding: Decoding,
  operation: Operation,
  wire: Wire,
  labels: ReadonlyMap<string, string>,
): Record<string, Json> {
  return {
    ...labelMembers(operation, wire, labels),
    ...queryMembers(decoding, operation, wire),
    ...headerMembers(decoding, operation, wire),
    ...bodyMembersOf(decoding, operation, wire),
  }
}

function labelMembers(
  operation: Operation,
  wire: Wire,
  labels: ReadonlyMap<string, string>,
): Record<string, Json> {
  const result = emptyObject()
  // The bucket may have come by the host, and a key keeps its slashes: the address has both.
  const address = operation.model.id === 'S3' ? s3AddressOf(wire) : undefined
  for (const [name, member] of Object.entries(operation.members)) {
    if (member.location !== 'uri') continue
    const label = labels.get(member.locationName ?? name)
    if (label === undefined) continue
    const text = name === 'Bucket' ? (address?.bucket ?? label) : label
    result[name] = scalarOf(resolve(operation.model, member).type, text, name)
  }
  return result
}

function queryMembers(decoding: Decoding, operation: Operation, wire: Wire): Record<string, Json> {
  const bound = membersAt(operation, 'querystring')
  const rest = Object.entries(operation.members).find(
    ([name, member]) => member.location === 'querystring' && isMap(operation, member) && name,
  )
  const literal = new Set((operation.facts.uri ?? '').split('?')[1]?.split('&').map(keyOf) ?? [])
  const result = emptyObject()
  const others = emptyObject()
  for (const [key, values] of wire.query) {
    const found = bound.get(key)
    if (found !== undefined && !isMap(operation, found[1])) {
      result[found[0]] = queryValue(operation, found[1], key, values)
    } else if (isAcceptedQueryKey(key) || literal.has(key)) {
      if (values.length > 1) throw repeated(key)
    } else if (rest !== undefined) {
      others[key] = values.length === 1 ? (values[0] ?? '') : [...values]
    } else {
      if (values.length > 1) throw repeated(key)
      unknownMember(decoding, `?${key}`)
    }
  }
  if (rest !== undefined && Object.keys(others).length > 0) result[rest[0]] = others
  return result
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

function headerMembers(decoding: Decoding, operation: Operation, wire: Wire): Record<string, Json> {
  const bound = membersAt(operation, 'header')
  const prefixed = Object.entries(operation.members).filter(([, m]) => m.location === 'headers')
  const result = emptyObject()
  for (const [name, value] of wire.headers) {
    const found = bound.get(name)
    if (found !== undefined) {
      result[found[0]] = headerValue(operation, found[1], name, value)
      continue
    }
    const prefix = prefixed.find(([, m]) => name.startsWith((m.locationName ?? '').toLowerCase()))
    if (prefix !== undefined) {
      const map = (result[prefix[0]] ?? emptyObject()) as Record<string, Json>
      map[name.slice((prefix[1].locationName ?? '').length)] = value
      result[prefix[0]] = map
    } else if (!isAcceptedHeader(name)) {
      unknownMember(decoding, name)
    }
  }
  return result
}

function headerValue(operation: Operation, member: Shape, name: string, value: string): Json {
  const shape = resolve(operation.model, member)
  if (shape.type === 'list') return value.split(',').map((each) => each.trim())
  return scalarOf(shape.type, value, name)
}

type Bound = ReadonlyMap<string, readonly [string, Shape]>

const keptBound = {
  querystring: new WeakMap<Operation, Bound>(),
  header: new WeakMap<Operation, Bound>(),
}

/** Members bound to `location` by their name there; header names in lower case. */
function membersAt(operation: Operation, location: 'querystring' | 'header'): Bound {
  const kept = keptBound[location].get(operation)
  if (kept !== undefined) return kept
  const bound = new Map<string, readonly [string, Shape]>()
  for (const [name, member] of Object.entries(operation.members)) {
    if (member.location !== location) continue
    const key = member.locationName ?? name
    bound.set(location === 'header' ? key.toLowerCase() : key, [name, member])
  }
  keptBound[location].set(operation, bound)
  return bound
}

function bodyMembersOf(decoding: Decoding, operation: Operation, wire: Wire): Record<string, Json> {
  const input = operation.facts.input
  const payload = input === undefined ? undefined : resolve(operation.model, input).payload
  const member = payload === undefined ? undefined : operation.members[payload]
  if (payload !== undefined && member !== undefined) {
    return payloadMember(decoding, operation, wire, payload, member)
  }
  const inBody = Object.values(operation.members).some((each) => each.location === undefined)
  const body = payloadOf(wire)
  if (!inBody) {
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
  const body = payloadOf(wire)
  if (shape.type === 'blob') return { [name]: blobOf(body) }
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

// Makes parameters from a JSON (or decoded CBOR) value by the operation's input model.
// Sources: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html,
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html (jsonName).

import type { Json, JsonObject } from '../call.ts'
import type { Shape } from '../index/model.ts'
import { resolve } from '../index/service-index.ts'
import {
  bodyMembers,
  type Decoding,
  SHAPE_DEPTH_MAX,
  tooDeep,
  unknownMember,
  type WireNames,
  wrongType,
} from './decoder.ts'
import { emptyObject, isScalarType } from './scalar.ts'

const jsonNames = new WeakMap<object, WireNames>()

/** The members of the structure `shape` that `value` holds, under model names; nulls left out. */
export function fromJson(
  decoding: Decoding,
  members: Readonly<Record<string, Shape>>,
  value: Json,
  path = 'body',
  depth = 0,
): Record<string, Json> {
  if (!isObject(value)) throw wrongType(path, 'structure')
  if (depth > SHAPE_DEPTH_MAX) throw tooDeep()
  const known = bodyMembers(members, (name, member) => jsonName(decoding, name, member), jsonNames)
  const result = emptyObject()
  for (const key of Object.keys(value)) {
    const item = value[key] as Json
    const found = known.get(key)
    if (found === undefined) {
      // A discriminator that SDKs may add to structures. Source: Smithy JSON protocols, `__type`.
      if (key !== '__type') unknownMember(decoding, `${path}.${key}`)
      continue
    }
    if (item === null) continue
    const [name, member] = found
    result[name] = memberValue(decoding, member, item, name, depth + 1)
  }
  return result
}

/** XML and query models name members for XML; on JSON such a service uses the model names. */
function jsonName(decoding: Decoding, name: string, member: Shape): string {
  const { protocol } = decoding.model
  const named = protocol === 'json' || protocol === 'rest-json'
  return named ? (member.locationName ?? name) : name
}

function memberValue(
  decoding: Decoding,
  member: Shape,
  item: Json,
  path: string,
  depth: number,
): Json {
  if (depth > SHAPE_DEPTH_MAX) throw tooDeep()
  const shape = resolve(decoding.model, member)
  if (shape.document === true || shape.jsonvalue === true) return item
  switch (shape.type) {
    case 'structure':
      if (shape.members === undefined) return item
      return fromJson(decoding, shape.members, item, path, depth)
    case 'list': {
      if (!Array.isArray(item)) throw wrongType(path, 'list')
      const element = shape.member ?? {}
      return item.map((each: Json) =>
        each === null ? null : memberValue(decoding, element, each, path, depth + 1),
      )
    }
    case 'map': {
      if (!isObject(item)) throw wrongType(path, 'map')
      const result = emptyObject()
      for (const [key, each] of Object.entries(item)) {
        result[key] =
          each === null ? null : memberValue(decoding, shape.value ?? {}, each, path, depth + 1)
      }
      return result
    }
    default:
      if (isScalarType(shape.type) && !isScalar(item)) throw wrongType(path, shape.type ?? 'string')
      return item
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A tagged decimal is a number that had a fraction; see strict-json.ts. */
function isScalar(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return true
  return !Array.isArray(value) && Object.keys(value).join() === 'decimal'
}

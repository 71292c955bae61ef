// Gives recorded request parameters the names of the API's model again: CloudTrail writes `tableName` for
// TableName, `instancesSet.items` for a list, and a wrapper for some EC2 calls. A name that fits no
// member is left out: what is not certain stays unknown, and its resource `*`.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
// (requestParameters) and, for the forms, published trails.

import type { Json, JsonObject } from '@seconder/aws/call'
import type { Shape } from '@seconder/aws/index/model'
import { type Operation, resolve } from '@seconder/aws/index/service-index'

export const DEPTH_MAX = 32

/** Recorded name to member, where neither letter case nor the wire's name tells. */
const MEMBERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // Source: S3 API reference, URI parameters; CloudTrail writes the bucket as `bucketName`.
  s3: { bucketName: 'Bucket', key: 'Key', LifecycleConfiguration: 'LifecycleConfiguration' },
  // Source: EC2 API reference, CreateTags and DeleteTags: ResourceId.N and Tag.N.
  ec2: { resourcesSet: 'Resources', tagSet: 'Tags', zone: 'AvailabilityZone' },
}

type Members = Readonly<Record<string, Shape>>

export function modelled(service: string, operation: Operation, recorded: JsonObject): JsonObject {
  const names = MEMBERS[service] ?? {}
  return ofMembers(unwrapped(operation.name, recorded), operation.members, operation, names, 0)
}

/** `{"DeleteNatGatewayRequest": {...}}` of DeleteNatGateway. */
function unwrapped(operation: string, recorded: JsonObject): JsonObject {
  const inner = recorded[`${operation}Request`]
  return isObject(inner) ? inner : recorded
}

function ofMembers(
  recorded: JsonObject,
  members: Members,
  operation: Operation,
  names: Readonly<Record<string, string>>,
  depth: number,
): JsonObject {
  if (depth > DEPTH_MAX) return {}
  const known = membersByName(members)
  const named: Record<string, Json> = {}
  for (const [key, value] of Object.entries(recorded)) {
    if (value === undefined) continue
    const member = names[key] ?? known.get(key.toLowerCase()) ?? listMember(key, value, known)
    const shape = member === undefined ? undefined : members[member]
    if (member === undefined || shape === undefined) continue
    const converted = ofShape(value, shape, operation, depth + 1)
    if (converted !== undefined) named[member] = converted
  }
  return named
}

const keptNames = new WeakMap<Members, ReadonlyMap<string, string>>()

/** Members by their own name and the wire's, in lower case; a name of two members is nobody's. */
function membersByName(members: Members): ReadonlyMap<string, string> {
  const kept = keptNames.get(members)
  if (kept !== undefined) return kept
  const byName = new Map<string, string>()
  for (const [member, shape] of Object.entries(members)) {
    const wire = shape.locationName?.toLowerCase()
    if (wire !== undefined && !byName.has(wire)) byName.set(wire, member)
  }
  // A member's own name wins over what another is called on the wire.
  for (const member of Object.keys(members)) byName.set(member.toLowerCase(), member)
  keptNames.set(members, byName)
  return byName
}

/** `instancesSet: {items: [{instanceId}]}` is the list `InstanceIds`: the one field, in the plural. */
function listMember(
  key: string,
  value: Json,
  known: ReadonlyMap<string, string>,
): string | undefined {
  if (!/Set$/.test(key)) return undefined
  const first = itemsOf(value)?.[0]
  const fields = isObject(first) ? Object.keys(first) : []
  const [field, second] = fields
  if (field === undefined || second !== undefined) return undefined
  return known.get(`${field.toLowerCase()}s`)
}

function itemsOf(value: Json): readonly Json[] | undefined {
  if (Array.isArray(value)) return value
  if (!isObject(value)) return undefined
  const { items } = value
  return Array.isArray(items) ? items : undefined
}

function ofShape(value: Json, named: Shape, operation: Operation, depth: number): Json | undefined {
  const shape = resolve(operation.model, named)
  switch (shape.type) {
    case 'structure':
      if (!isObject(value)) return undefined
      return ofMembers(value, shape.members ?? {}, operation, {}, depth)
    case 'list':
      return ofList(value, shape, operation, depth)
    case 'map':
      return isObject(value) ? value : undefined
    default:
      return plain(value)
  }
}

function ofList(value: Json, shape: Shape, operation: Operation, depth: number): Json | undefined {
  const items = itemsOf(value) ?? (isEmpty(value) ? [] : [value])
  const member = shape.member
  if (member === undefined) return undefined
  const list: Json[] = []
  for (const item of items) {
    const target = resolve(operation.model, member)
    const inner = target.type === undefined || target.type === 'string' ? onlyField(item) : item
    const converted = ofShape(inner, member, operation, depth + 1)
    // One element that cannot be read makes the list another one.
    if (converted === undefined) return undefined
    list.push(converted)
  }
  return list
}

/** `{instanceId: "i-1"}` and `{tag: 1, content: "fl-1"}` for a text. */
function onlyField(item: Json): Json {
  if (!isObject(item)) return item
  if (typeof item['content'] === 'string' && Object.hasOwn(item, 'tag')) return item['content']
  const [value, second] = Object.values(item)
  return value !== undefined && second === undefined ? value : item
}

/** `{value: true}` of EC2's attributes, and `{tag, content}`, are what is in them; no other object is. */
function plain(value: Json): Json | undefined {
  if (!isObject(value)) return value === null || Array.isArray(value) ? undefined : value
  const inner = Object.hasOwn(value, 'tag') ? value['content'] : value['value']
  const isScalar = inner !== undefined && inner !== null && typeof inner !== 'object'
  return isScalar ? inner : undefined
}

function isEmpty(value: Json): boolean {
  return value === null || (isObject(value) && Object.keys(value).length === 0)
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

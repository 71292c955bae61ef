// Makes parameters from the pairs of a query-protocol request by the operation's input model.
// Sources: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html,
// https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html

import type { Json } from '../call.ts'
import { CallError, quoted } from '../call-errors.ts'
import type { Shape } from '../index/model.ts'
import { resolve } from '../index/service-index.ts'
import {
  bodyMembers,
  type Decoding,
  repeated,
  SHAPE_DEPTH_MAX,
  tooDeep,
  unknownMember,
  type WireNames,
} from './decoder.ts'
import { emptyObject, scalarOf } from './scalar.ts'

/** Most elements of one list or map; a longer one is no request that AWS would take. */
export const QUERY_LIST_MAX = 10_000

const queryNames = new WeakMap<object, WireNames>()

/** Keys split at their dots: a leaf has text, an inner node has steps. */
interface Node {
  text?: string
  readonly steps: Map<string, Node>
}

/**
 * The members that the pairs hold, under model names.
 * `repeated_member` for a key that is there twice or is both a value and a prefix of others;
 * `unknown_member` on a non-read; `wrong_type` for a value that is not of its model's type.
 */
export function fromQuery(
  decoding: Decoding,
  members: Readonly<Record<string, Shape>>,
  pairs: ReadonlyMap<string, readonly string[]>,
): Record<string, Json> {
  return structure(decoding, members, treeOf(pairs), '', 0)
}

function treeOf(pairs: ReadonlyMap<string, readonly string[]>): Node {
  const root: Node = { steps: new Map() }
  for (const [key, values] of pairs) {
    const [text] = values
    if (text === undefined) continue
    if (values.length > 1) throw repeated(key)
    const steps = key.split('.')
    if (steps.length > SHAPE_DEPTH_MAX * 3) throw tooDeep()
    let node = root
    for (const step of steps) {
      let next = node.steps.get(step)
      if (next === undefined) {
        next = { steps: new Map() }
        node.steps.set(step, next)
      }
      node = next
    }
    if (node.text !== undefined) throw repeated(key)
    node.text = text
  }
  return root
}

function structure(
  decoding: Decoding,
  members: Readonly<Record<string, Shape>>,
  node: Node,
  path: string,
  depth: number,
): Record<string, Json> {
  if (depth > SHAPE_DEPTH_MAX) throw tooDeep()
  const known = bodyMembers(members, (name, member) => wireName(decoding, name, member), queryNames)
  const result = emptyObject()
  for (const [step, child] of node.steps) {
    const found = known.get(step)
    if (found === undefined) {
      unknownMember(decoding, path === '' ? step : `${path}.${step}`)
      continue
    }
    const [name, member] = found
    result[name] = memberValue(
      decoding,
      member,
      child,
      path === '' ? name : `${path}.${name}`,
      depth,
    )
  }
  return result
}

/** The key of a member on the wire; for a flattened list the name of its elements. */
function wireName(decoding: Decoding, name: string, member: Shape): string {
  if (decoding.model.protocol === 'ec2') {
    const named = member.queryName ?? member.locationName
    if (named === undefined) return name
    return member.queryName ?? named.charAt(0).toUpperCase() + named.slice(1)
  }
  // Models that have left the query protocol keep no query names; the SDKs then used the model's.
  if (decoding.model.protocol !== 'query') return name
  const shape = resolve(decoding.model, member)
  if (shape.type === 'list' && shape.flattened === true) {
    return shape.member?.locationName ?? member.locationName ?? name
  }
  return member.locationName ?? name
}

function memberValue(
  decoding: Decoding,
  member: Shape,
  node: Node,
  path: string,
  depth: number,
): Json {
  const shape = resolve(decoding.model, member)
  switch (shape.type) {
    case 'structure':
      refuseText(node, path)
      return structure(decoding, shape.members ?? {}, node, path, depth + 1)
    case 'list':
      // An empty list travels as `Name=`. Source: aws-query protocol, "empty lists".
      if (node.text === '' && node.steps.size === 0) return []
      refuseText(node, path)
      return elements(decoding, shape, node, path).map((each) =>
        memberValue(decoding, shape.member ?? {}, each, path, depth + 1),
      )
    case 'map':
      if (node.text === '' && node.steps.size === 0) return emptyObject()
      refuseText(node, path)
      return entries(decoding, shape, node, path, depth)
    default: {
      if (node.steps.size > 0) throw new CallError('wrong_type', `${quoted(path)} has no members`)
      return scalarOf(shape.type, node.text ?? '', path)
    }
  }
}

function refuseText(node: Node, path: string): void {
  if (node.text !== undefined) {
    throw new CallError('wrong_type', `${quoted(path)} is a value where members belong`)
  }
}

/** The numbered children of a list: `Name.member.1`, or `Name.1` where the list is flattened. */
function elements(decoding: Decoding, shape: Shape, node: Node, path: string): Node[] {
  const flat = decoding.model.protocol === 'ec2' || shape.flattened === true
  const element = shape.member?.locationName ?? 'member'
  return numbered(flat ? node : only(node, element, path), path)
}

function only(node: Node, step: string, path: string): Node {
  const child = node.steps.get(step)
  if (child === undefined || node.steps.size !== 1) {
    throw new CallError('wrong_type', `${quoted(path)} is not a list`)
  }
  return child
}

function numbered(node: Node, path: string): Node[] {
  const found: Node[] = []
  for (const [step, child] of node.steps) {
    if (!/^[1-9][0-9]{0,4}$/.test(step) || Number(step) > QUERY_LIST_MAX) {
      throw new CallError('wrong_type', `${quoted(path)} has an element without a number`)
    }
    found[Number(step) - 1] = child
  }
  // A gap is read differently by different readers, so a list is 1 to n.
  if (found.length !== node.steps.size) {
    throw new CallError('wrong_type', `${quoted(path)} has a gap in its numbers`)
  }
  return found
}

function entries(decoding: Decoding, shape: Shape, node: Node, path: string, depth: number): Json {
  const result = emptyObject()
  const list = shape.flattened === true ? node : only(node, 'entry', path)
  for (const entry of numbered(list, path)) {
    const key = entry.steps.get(shape.key?.locationName ?? 'key')?.text
    const value = entry.steps.get(shape.value?.locationName ?? 'value')
    if (key === undefined || entry.steps.size > 2) {
      throw new CallError('wrong_type', `${quoted(path)} has an entry without a key`)
    }
    if (key in result) throw repeated(`${path}.${key}`)
    result[key] = memberValue(
      decoding,
      shape.value ?? {},
      value ?? { text: '', steps: new Map() },
      path,
      depth + 1,
    )
  }
  return result
}

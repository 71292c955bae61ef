// Makes parameters from an XML element by a structure of the input model.
// Source: https://smithy.io/2.0/spec/protocol-traits.html#xml-bindings

import type { Json } from '../call.ts'
import { CallError, quoted } from '../call-errors.ts'
import type { Shape } from '../index/model.ts'
import { resolve } from '../index/service-index.ts'
import type { XmlElement } from '../xml/xml-tree.ts'
import { bodyMembers, type Decoding, repeated, unknownMember, type WireNames } from './decoder.ts'
import { emptyObject, scalarOf } from './scalar.ts'

const xmlNames = new WeakMap<object, WireNames>()

/** The members that `element` holds, under model names. */
export function fromXml(
  decoding: Decoding,
  members: Readonly<Record<string, Shape>>,
  element: XmlElement,
): Record<string, Json> {
  const known = bodyMembers(
    members,
    (name, member) => elementName(decoding, name, member),
    xmlNames,
  )
  const result = emptyObject()
  readAttributes(decoding, known, element, result)
  const lists = new Map<string, Json[]>()
  for (const child of element.children) {
    const found = known.get(child.name)
    if (found === undefined || found[1].xmlAttribute === true) {
      unknownMember(decoding, `${element.name}.${child.name}`)
      continue
    }
    const [name, member] = found
    const shape = resolve(decoding.model, member)
    if (shape.type === 'list' && shape.flattened === true) {
      const list = lists.get(name) ?? []
      list.push(memberValue(decoding, shape.member ?? {}, child))
      lists.set(name, list)
      result[name] = list
    } else {
      if (name in result) throw repeated(`${element.name}.${child.name}`)
      result[name] = memberValue(decoding, member, child)
    }
  }
  return result
}

function elementName(decoding: Decoding, name: string, member: Shape): string {
  const shape = resolve(decoding.model, member)
  if (shape.type === 'list' && shape.flattened === true) {
    return member.locationName ?? shape.member?.locationName ?? name
  }
  return member.locationName ?? name
}

/** Namespace declarations mean nothing here; any other attribute must be a member. */
function readAttributes(
  decoding: Decoding,
  known: ReadonlyMap<string, readonly [string, Shape]>,
  element: XmlElement,
  result: Record<string, Json>,
): void {
  for (const [attribute, text] of Object.entries(element.attributes)) {
    if (attribute === 'xmlns' || attribute.startsWith('xmlns:')) continue
    const found = known.get(attribute)
    if (found === undefined || found[1].xmlAttribute !== true) {
      unknownMember(decoding, `${element.name}@${attribute}`)
      continue
    }
    result[found[0]] = text
  }
}

function memberValue(decoding: Decoding, member: Shape, element: XmlElement): Json {
  const shape = resolve(decoding.model, member)
  switch (shape.type) {
    case 'structure':
      return fromXml(decoding, shape.members ?? {}, element)
    case 'list': {
      const name = shape.member?.locationName ?? 'member'
      return element.children.map((child) => {
        if (child.name !== name) unknownMember(decoding, `${element.name}.${child.name}`)
        return memberValue(decoding, shape.member ?? {}, child)
      })
    }
    case 'map':
      return mapOf(decoding, shape, element)
    default:
      if (element.children.length > 0) {
        throw new CallError('wrong_type', `${quoted(element.name)} has no members`)
      }
      return scalarOf(shape.type, element.text, element.name)
  }
}

function mapOf(decoding: Decoding, shape: Shape, element: XmlElement): Json {
  const result = emptyObject()
  for (const entry of element.children) {
    const key = entry.children.find((child) => child.name === (shape.key?.locationName ?? 'key'))
    const value = entry.children.find(
      (child) => child.name === (shape.value?.locationName ?? 'value'),
    )
    if (key === undefined || value === undefined || entry.children.length > 2) {
      throw new CallError('wrong_type', `${quoted(element.name)} is not a map`)
    }
    if (key.text in result) throw repeated(`${element.name}.${key.text}`)
    result[key.text] = memberValue(decoding, shape.value ?? {}, value)
  }
  return result
}

// Reads XML answers of the upstream (S3, the query protocol) into a plain tree, and members out of it.
// What has not one strict reading has no tree; nothing is repaired and nothing defaulted.
import type { Json } from '@seconder/aws/call'
import { CallError } from '@seconder/aws/call-errors'
import { parseXml, type XmlElement } from '@seconder/aws/xml/xml-tree'

export type XmlTree = XmlElement

/** The root element, or null where the bytes are not one well-formed document within the limits. */
export function readXml(body: Uint8Array): XmlTree | null {
  try {
    return parseXml(body)
  } catch (error) {
    if (error instanceof CallError) return null
    throw error
  }
}

/**
 * The error code: `<Error><Code>` of S3, `<ErrorResponse><Error><Code>` of the query protocol,
 * `<Response><Errors><Error><Code>` of EC2. Source:
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization and
 * https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html#operation-error-serialization
 */
export function errorCodeOfXml(tree: XmlTree): string | null {
  const nested = descendant(tree, ['Error']) ?? descendant(tree, ['Errors', 'Error'])
  const error = tree.name === 'Error' ? tree : nested
  return error === null ? null : childText(error, 'Code')
}

export function elementsNamed(tree: XmlTree, name: string): readonly XmlTree[] {
  return tree.children.filter((child) => child.name === name)
}

/** The one element down a path of names; null where a step is missing or repeated. */
export function descendant(tree: XmlTree, path: readonly string[]): XmlTree | null {
  let at: XmlTree = tree
  for (const name of path) {
    const [only, ...more] = elementsNamed(at, name)
    if (only === undefined || more.length > 0) return null
    at = only
  }
  return at
}

/** The text of the one child of that name; null where it is missing, repeated, empty or not text. */
export function childText(tree: XmlTree, name: string): string | null {
  const child = descendant(tree, [name])
  return child === null || child.children.length > 0 || child.text === '' ? null : child.text
}

/** The tree as JSON, for hashing; white space between elements says nothing and is left out. */
export function asJson(tree: XmlTree): Json {
  const text = tree.children.length > 0 ? tree.text.trim() : tree.text
  const attributes = Object.entries(tree.attributes).map(([name, value]) => `${name}=${value}`)
  return {
    name: tree.name,
    attributes: attributes.sort(),
    text,
    children: tree.children.map(asJson),
  }
}

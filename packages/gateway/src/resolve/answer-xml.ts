// Reads XML answers of the upstream (S3, the query protocol) into a plain tree, and members out of it.
// Strict: no document type, no entity but the five, bounded depth and count; else there is no tree.
import type { Json } from '@seconder/aws/call'
import { SaxesParser } from 'saxes'

/** Most elements of one answer that are read; 1,000 objects of a listing have some 7,000. */
export const MAX_XML_ELEMENTS = 100_000
/** Most elements inside each other; a change set nests some ten deep. */
export const MAX_XML_DEPTH = 32

export interface XmlTree {
  readonly name: string
  /** Character data of this element alone; white space between elements is left out. */
  readonly text: string
  readonly children: readonly XmlTree[]
}

interface OpenElement {
  readonly name: string
  text: string
  readonly children: OpenElement[]
}

/** The root element, or null where the bytes are not one well-formed document within the limits. */
export function readXml(body: Uint8Array): XmlTree | null {
  const parser = new SaxesParser()
  const open: OpenElement[] = []
  const state: { root: OpenElement | null; elements: number; bad: boolean } = {
    root: null,
    elements: 0,
    bad: false,
  }
  parser.on('error', () => {
    state.bad = true
  })
  parser.on('doctype', () => {
    state.bad = true
  })
  parser.on('opentag', (tag) => {
    state.elements += 1
    if (state.elements > MAX_XML_ELEMENTS || open.length >= MAX_XML_DEPTH) state.bad = true
    if (state.bad) return
    const element: OpenElement = { name: tag.name, text: '', children: [] }
    open.at(-1)?.children.push(element)
    state.root ??= element
    open.push(element)
  })
  const onText = (text: string) => {
    const element = open.at(-1)
    if (element !== undefined) element.text += text
  }
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.on('closetag', () => {
    const element = open.pop()
    if (element !== undefined && element.children.length > 0) element.text = element.text.trim()
  })
  const text = decodedUtf8(body)
  if (text === null) return null
  parser.write(text).close()
  return state.bad ? null : state.root
}

function decodedUtf8(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/**
 * The error code: `<Error><Code>` of S3, `<ErrorResponse><Error><Code>` of the query protocol.
 * Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization
 */
export function errorCodeOfXml(tree: XmlTree): string | null {
  const error = tree.name === 'Error' ? tree : descendant(tree, ['Error'])
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

/** The tree as JSON, for hashing: the same tree gives the same JSON. */
export function asJson(tree: XmlTree): Json {
  return { name: tree.name, text: tree.text, children: tree.children.map(asJson) }
}

// XML as S3 and the query protocol use it: elements and text. Writing escapes; reading is strict
// (no document type, no processing instruction but the first line) and bounded.
import { CloudError } from './errors.ts'

export const XML_BYTES_MAX = 2 * 1024 * 1024
export const XML_DEPTH_MAX = 16
export const XML_ELEMENTS_MAX = 20_000

/**
 * A value to write: text, children by name, or a list of equal elements. `undefined` is left out.
 */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue }

export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
}

/** One element, or one per item where the value is a list. */
export function writeXml(name: string, value: XmlValue, namespace?: string): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map((item) => writeXml(name, item)).join('')
  const open = namespace === undefined ? name : `${name} xmlns="${namespace}"`
  if (typeof value !== 'object') return `<${open}>${escapeText(String(value))}</${name}>`
  const inner = Object.entries(value)
    .map(([child, childValue]) => writeXml(child, childValue))
    .join('')
  return `<${open}>${inner}</${name}>`
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

function malformed(): CloudError {
  const message =
    'The XML you provided was not well-formed or did not validate against our published schema'
  return new CloudError('MalformedXML', message)
}

function unescapeText(text: string): string {
  return text.replace(/&([^;&]{0,10})(;?)/g, (_, entity: string, end: string) => {
    if (end === '') throw malformed()
    const named = ENTITIES.get(entity)
    if (named !== undefined) return named
    const match = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(entity)
    const point = Number.parseInt(match?.[1] ?? match?.[2] ?? '', match?.[1] ? 16 : 10)
    if (Number.isNaN(point) || point > 0x10ffff) throw malformed()
    return String.fromCodePoint(point)
  })
}

interface Open {
  name: string
  text: string
  children: XmlElement[]
}

/** The root element of a document. MalformedXML where it is not one, or is past a maximum. */
export function readXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > XML_BYTES_MAX) throw malformed()
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\uFEFF?\s*<\?xml[^>]*\?>/, '')
  const stack: Open[] = [{ name: '', text: '', children: [] }]
  let elements = 0
  let last = 0
  for (const match of text.matchAll(
    /<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    const top = stack.at(-1)
    if (top === undefined) throw malformed()
    top.text += plain(text.slice(last, match.index))
    last = match.index + match[0].length
    const [, closing, name = '', , empty] = match
    if (closing === '/') {
      if (top.name !== name || stack.length < 2) throw malformed()
      stack.pop()
      stack.at(-1)?.children.push(top)
      continue
    }
    elements += 1
    if (elements > XML_ELEMENTS_MAX || stack.length > XML_DEPTH_MAX) throw malformed()
    const element = { name, text: '', children: [] }
    if (empty === '/') top.children.push(element)
    else stack.push(element)
  }
  const document = stack[0]
  if (stack.length !== 1 || document === undefined) throw malformed()
  document.text += plain(text.slice(last))
  const [root, second] = document.children
  if (root === undefined || second !== undefined || document.text.trim() !== '') throw malformed()
  return root
}

/** Text between tags. A `<` left over is a construct that is not read here. */
function plain(text: string): string {
  if (text.includes('<')) throw malformed()
  return unescapeText(text)
}

/** The text of the only child of that name, or undefined. A repeated child is MalformedXML. */
export function childText(element: XmlElement, name: string): string | undefined {
  const found = element.children.filter((child) => child.name === name)
  if (found.length > 1) throw malformed()
  return found[0]?.text
}

/** MalformedXML where an element has a child that the reader would not look at. */
export function onlyChildren(element: XmlElement, names: readonly string[]): void {
  if (element.children.some((child) => !names.includes(child.name))) throw malformed()
}

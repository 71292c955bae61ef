// Makes a plain tree from an XML body. DTDs, processing instructions and unknown entities are
// refused before any parsing, depth and size are limited (redteam L4). It knows nothing of AWS.

import { isUtf8 } from 'node:buffer'
import { SaxesParser } from 'saxes'
import { CallError } from '../call-errors.ts'

export const XML_BYTES_MAX = 2 * 1024 * 1024
export const XML_DEPTH_MAX = 32
export const XML_ELEMENTS_MAX = 100_000

export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  readonly text: string
}

interface OpenElement {
  readonly name: string
  readonly attributes: Record<string, string>
  readonly children: XmlElement[]
  text: string
}

/**
 * The root element of `bytes`.
 * `malformed_body`: not well-formed XML in UTF-8, a DTD, an entity of its own or a processing
 * instruction; `body_too_large`, `body_too_deep`: past the limits.
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > XML_BYTES_MAX)
    throw new CallError('body_too_large', 'the XML body is too large')
  if (!isUtf8(bytes)) throw new CallError('malformed_body', 'the XML body is not UTF-8')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  refuseDeclarations(text)
  return build(text)
}

/** `<!` may only open a comment or CDATA, `<?` only the XML declaration at the start. */
function refuseDeclarations(text: string): void {
  if (/<!(?!--|\[CDATA\[)/.test(text)) {
    throw new CallError('malformed_body', 'a document type declaration in the XML body')
  }
  if (/<\?/.test(text.replace(/^\s*<\?xml[\s][^?<>]*\?>/, ''))) {
    throw new CallError('malformed_body', 'a processing instruction in the XML body')
  }
  if (/&(?!(?:lt|gt|amp|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)/.test(withoutCdata(text))) {
    throw new CallError('malformed_body', 'an unknown entity in the XML body')
  }
}

function withoutCdata(text: string): string {
  return text.includes('<![CDATA[') ? text.replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, '') : text
}

function build(text: string): XmlElement {
  const parser = new SaxesParser()
  const open: OpenElement[] = []
  let root: XmlElement | undefined
  let elements = 0
  parser.on('opentag', (tag) => {
    elements += 1
    if (elements > XML_ELEMENTS_MAX) throw new CallError('body_too_large', 'too many XML elements')
    if (open.length >= XML_DEPTH_MAX)
      throw new CallError('body_too_deep', 'the XML body is too deep')
    const attributes: Record<string, string> = Object.create(null)
    for (const [name, value] of Object.entries(tag.attributes)) attributes[name] = String(value)
    open.push({ name: tag.name, attributes, children: [], text: '' })
  })
  parser.on('text', (piece) => {
    const element = open.at(-1)
    if (element !== undefined) element.text += piece
  })
  parser.on('cdata', (piece) => {
    const element = open.at(-1)
    if (element !== undefined) element.text += piece
  })
  parser.on('closetag', () => {
    const element = open.pop()
    if (element === undefined) return
    const parent = open.at(-1)
    if (parent === undefined) root = element
    else parent.children.push(element)
  })
  parser.on('error', (cause) => {
    throw new CallError('malformed_body', 'the XML body is not well formed', { cause })
  })
  parser.write(text).close()
  if (root === undefined) throw new CallError('malformed_body', 'the XML body has no element')
  return root
}

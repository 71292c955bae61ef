// Reads an answer of AWS to a write, whatever its protocol, for what the outcome says of it. The answer
// itself goes on to the caller as it came.
import { gunzipSync } from 'node:zlib'
import type { Json } from '@seconder/aws/call'
import { CallError } from '@seconder/aws/call-errors'
import { decodeCbor, decodeJson } from '@seconder/aws/describe/payload'
import type { WireHeader } from '@seconder/aws/wire-request'
import { parseXml, type XmlElement } from '@seconder/aws/xml/xml-tree'

/** What a compressed answer may grow to. */
export const INFLATED_ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** The answer as JSON, elements of XML as lists under their names; null where it has not one reading. */
export function readAnswer(headers: readonly WireHeader[], body: Uint8Array): Json | null {
  const named = (wanted: string) =>
    headers.find(([name]) => name.toLowerCase() === wanted)?.[1].toLowerCase() ?? ''
  const plainBody = inflated(named('content-encoding'), body)
  if (plainBody === null) return null
  try {
    if (named('content-type').includes('cbor')) return decodeCbor(plainBody)
    const first = Buffer.from(plainBody.subarray(0, 64)).toString('latin1').trimStart()
    return first.startsWith('<') ? plain(parseXml(plainBody)) : decodeJson(plainBody)
  } catch (cause) {
    if (cause instanceof CallError) return null
    throw cause
  }
}

function inflated(coding: string, body: Uint8Array): Uint8Array | null {
  if (coding === '' || coding === 'identity') return body
  if (coding !== 'gzip') return null
  try {
    return gunzipSync(body, { maxOutputLength: INFLATED_ANSWER_BYTES_MAX })
  } catch {
    return null // broken or too large: it has no reading
  }
}

function plain(tree: XmlElement): Json {
  if (tree.children.length === 0) return tree.text
  const groups = Map.groupBy(tree.children, (child) => child.name)
  return Object.fromEntries([...groups].map(([name, all]) => [name, all.map(plain)]))
}

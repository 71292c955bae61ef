// Makes a Json value from the text of a member that travelled as text (query, form, XML, header)
// and checks the kind of a value that travelled as JSON. One form per meaning: integers are
// numbers, fractions are tagged decimals as in strict-json.ts, the rest keeps its letters.

import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../call.ts'
import { CallError, quoted } from '../call-errors.ts'

const INTEGER = /^-?(?:0|[1-9][0-9]*)$/
const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/
const NUMBER_TYPES = new Set(['integer', 'long', 'short', 'byte', 'bigInteger'])
const FRACTION_TYPES = new Set(['float', 'double', 'bigDecimal'])

/** The value of `text` under a model type. `wrong_type` where a number or boolean is none. */
export function scalarOf(type: string | undefined, text: string, member: string): Json {
  if (type === 'boolean') {
    if (text === 'true') return true
    if (text === 'false') return false
    throw new CallError('wrong_type', `${quoted(member)} is neither true nor false`)
  }
  if (type !== undefined && NUMBER_TYPES.has(type)) {
    if (!INTEGER.test(text)) throw new CallError('wrong_type', `${quoted(member)} is no integer`)
    return integer(text)
  }
  if (type !== undefined && FRACTION_TYPES.has(type)) {
    if (INTEGER.test(text)) return integer(text)
    if (DECIMAL.test(text)) return { decimal: text }
    return text
  }
  return text
}

function integer(text: string): Json {
  const value = Number(text)
  return Number.isSafeInteger(value) && text !== '-0' ? value : text
}

/** How a payload of bytes enters the parameters: bound by its hash, never in full. */
export function blobOf(bytes: Uint8Array): JsonObject {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
}

export function isScalarType(type: string | undefined): boolean {
  return type !== 'structure' && type !== 'list' && type !== 'map'
}

/** An object without prototype, so that a member called `constructor` is only there when sent. */
export function emptyObject(): Record<string, Json> {
  return Object.create(null)
}

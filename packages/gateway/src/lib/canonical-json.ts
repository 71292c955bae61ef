// Makes the one text of a Json value (RFC 8785) and its SHA-256, so that equal digests mean equal
// values. It refuses whatever JSON cannot say exactly; it never drops, converts or calls toJSON.

import { hash } from 'node:crypto'
import type { Json } from '@seconder/aws/call'

/** Most arrays and objects open at once: twice what the strict parser takes, for what wraps it. */
export const CANONICAL_DEPTH_MAX = 128
/** Most UTF-16 code units of one canonical text. */
export const CANONICAL_LENGTH_MAX = 32 * 1024 * 1024

/**
 * Why a value has no canonical text: a fault of the program or of what it let in; never retry.
 * - `not_json`: undefined, a function, a symbol, a bigint, or an object that is not plain
 * - `not_integer`: NaN, an infinity or a fraction; fractions are decimal strings by now
 * - `unsafe_integer`: an integer beyond 2^53-1 either way
 * - `lone_surrogate`: half a UTF-16 pair in a key or a value
 * - `sparse_array`: an array with a hole or with named members
 * - `too_deep`: past CANONICAL_DEPTH_MAX, which every cycle is
 * - `too_large`: past CANONICAL_LENGTH_MAX
 * - `not_canonical`: a text that is not the canonical one of its value
 */
export type CanonicalJsonErrorCode =
  | 'not_json'
  | 'not_integer'
  | 'unsafe_integer'
  | 'lone_surrogate'
  | 'sparse_array'
  | 'too_deep'
  | 'too_large'
  | 'not_canonical'

const WHAT: Readonly<Record<CanonicalJsonErrorCode, string>> = {
  not_json: 'value has no JSON form',
  not_integer: 'number is not an integer',
  unsafe_integer: 'integer beyond 2^53-1',
  lone_surrogate: 'lone surrogate in a string',
  sparse_array: 'array has holes or named members',
  too_deep: `more than ${CANONICAL_DEPTH_MAX} levels, or a cycle`,
  too_large: `more than ${CANONICAL_LENGTH_MAX} characters`,
  not_canonical: 'text is not canonical JSON',
}

/** A value without a canonical text. The message never repeats any of it. */
export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError'
  readonly code: CanonicalJsonErrorCode
  readonly help = 'parse the value with parseStrictJson, or build it from plain objects and arrays'

  constructor(code: CanonicalJsonErrorCode, options?: ErrorOptions) {
    super(WHAT[code], options)
    this.code = code
  }
}

/**
 * The canonical text of `value`: no white space, keys in the order of their UTF-16 code units.
 *
 * Throws CanonicalJsonError with any of its codes. Source: RFC 8785 section 3.2.
 */
export function canonicalJson(value: Json): string {
  return write(value, 0)
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth >= CANONICAL_DEPTH_MAX) throw new CanonicalJsonError('too_deep')
      return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1)
    default:
      throw new CanonicalJsonError('not_json')
  }
}

function writeNumber(value: number): string {
  if (!Number.isInteger(value)) throw new CanonicalJsonError('not_integer')
  if (!Number.isSafeInteger(value)) throw new CanonicalJsonError('unsafe_integer')
  // String(-0) is '0', as RFC 8785 section 3.2.2.3 asks.
  return String(value)
}

/** Printable ASCII without quotation mark and backslash. */
const PLAIN = /^[ !#-[\]-~]*$/
const PLAIN_LENGTH_MAX = 64

/** JSON.stringify escapes exactly as RFC 8785 section 3.2.2.2 asks, except for lone surrogates. */
function writeString(value: string): string {
  // Short and nothing to escape, as most names are: the same text without asking for it.
  if (value.length <= PLAIN_LENGTH_MAX && PLAIN.test(value)) return `"${value}"`
  if (!value.isWellFormed()) throw new CanonicalJsonError('lone_surrogate')
  return JSON.stringify(value)
}

function writeArray(value: readonly unknown[], depth: number): string {
  if (Object.getPrototypeOf(value) !== Array.prototype) throw new CanonicalJsonError('not_json')
  if (Object.keys(value).length !== value.length) throw new CanonicalJsonError('sparse_array')
  let text = '['
  for (let index = 0; index < value.length; index += 1) {
    if (!Object.hasOwn(value, index)) throw new CanonicalJsonError('sparse_array')
    if (index > 0) text += ','
    text = grow(text, write(value[index], depth))
  }
  return `${text}]`
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) throw new CanonicalJsonError('not_json')
  const members = value as { readonly [key: string]: unknown }
  const keys = Object.keys(value)
  // A symbol, or a hidden member or a `toJSON` beside the visible ones, would make two readings of one
  // object: then there are more keys of all kinds than visible ones.
  if (Reflect.ownKeys(value).length !== keys.length) throw new CanonicalJsonError('not_json')
  sortKeys(keys)
  let text = '{'
  for (const key of keys) {
    if (text.length > 1) text += ','
    text = grow(text, `${writeString(key)}:${write(members[key], depth)}`)
  }
  return `${text}}`
}

/** Most keys that are sorted in place, one by one; past it sort() is faster. */
const KEYS_INSERTED_MAX = 24

/** By UTF-16 code units, as both `<` and the default of sort() compare: ECMA-262 sections 7.2.12, 23.1.3.30.2. */
function sortKeys(keys: string[]): void {
  if (keys.length > KEYS_INSERTED_MAX) {
    keys.sort()
    return
  }
  for (let end = 1; end < keys.length; end += 1) {
    const key = keys[end] as string
    let at = end
    for (; at > 0 && (keys[at - 1] as string) > key; at -= 1) keys[at] = keys[at - 1] as string
    keys[at] = key
  }
}

/** Bounds the work too, where one object is shared by many parents. */
function grow(text: string, more: string): string {
  if (text.length + more.length >= CANONICAL_LENGTH_MAX) throw new CanonicalJsonError('too_large')
  return text + more
}

/**
 * SHA-256 of bytes, or of the UTF-8 of a string, in 64 lower-case hex digits.
 *
 * Throws CanonicalJsonError `lone_surrogate` for a string that has no UTF-8.
 */
export function sha256Hex(data: Uint8Array | string): string {
  if (typeof data === 'string' && !data.isWellFormed()) {
    throw new CanonicalJsonError('lone_surrogate')
  }
  return hash('sha256', data, 'hex')
}

/** SHA-256 of the canonical text of `value`, in hex. Throws as canonicalJson does. */
export function digestOf(value: Json): string {
  return sha256Hex(canonicalJson(value))
}

/**
 * The value of a canonical text. Whatever has a second reading (repeated keys, other number forms,
 * white space) is not canonical and is refused, so JSON.parse alone is strict enough here.
 *
 * Throws CanonicalJsonError `not_canonical`, and as canonicalJson does.
 */
export function parseCanonicalJson(text: string): Json {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    throw new CanonicalJsonError('not_canonical', { cause })
  }
  if (canonicalJson(value) !== text) throw new CanonicalJsonError('not_canonical')
  return value
}

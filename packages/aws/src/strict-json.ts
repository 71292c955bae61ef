// Makes a Json value from the raw text of a body, in linear time, and has one reading or none: what
// two JSON readers could understand in two ways is refused. It never repairs, drops or rounds.
// Syntax: RFC 8259; the stricter rules are those of I-JSON, RFC 7493 section 2.

import { isAscii, isUtf8 } from 'node:buffer'
import type { Json } from './call.ts'

/** Most bytes of UTF-8 that one text may have, unless the caller says otherwise. */
export const JSON_BYTES_MAX = 16 * 1024 * 1024
/** Most arrays and objects that may be open at once, unless the caller says otherwise. */
export const JSON_DEPTH_MAX = 64
/** No caller may ask for more depth than this: the parser recurses. */
export const JSON_DEPTH_CEILING = 512

export interface StrictJsonLimits {
  readonly maxBytes?: number
  readonly maxDepth?: number
}

/**
 * Why a text was refused. Always the sender's fault; sending the same text again changes nothing.
 * - `invalid_utf8`: the bytes are not UTF-8
 * - `invalid_json`: not RFC 8259, a byte order mark, or text after the value
 * - `duplicate_key`: one object names a key twice, compared after unescaping
 * - `unsafe_integer`: an integer beyond 2^53-1 either way, which readers round
 * - `lone_surrogate`: half a UTF-16 pair in a key or a value
 * - `too_deep`, `too_large`: past the limit
 * - `reserved_key`: the key `__proto__`, or an object that reads as a tagged fraction
 */
export type StrictJsonErrorCode =
  | 'invalid_utf8'
  | 'invalid_json'
  | 'duplicate_key'
  | 'unsafe_integer'
  | 'lone_surrogate'
  | 'too_deep'
  | 'too_large'
  | 'reserved_key'

const HELP: Readonly<Record<StrictJsonErrorCode, string>> = {
  invalid_utf8: 'send the body as UTF-8',
  invalid_json: 'send exactly one JSON value, without a byte order mark or text after it',
  duplicate_key: 'name each key of an object once',
  unsafe_integer: 'send integers beyond 2^53-1 as strings',
  lone_surrogate: 'escape characters beyond U+FFFF as a full surrogate pair',
  too_deep: 'nest fewer arrays and objects',
  too_large: 'send a smaller body',
  reserved_key: 'rename the key',
}

/** A refused text. The message never repeats any of it. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError'
  readonly code: StrictJsonErrorCode
  /** Where: a byte offset for `invalid_utf8`, else an index in UTF-16 code units. */
  readonly position: number
  readonly help: string

  constructor(code: StrictJsonErrorCode, position: number, what: string) {
    super(`${what} at ${code === 'invalid_utf8' ? 'byte' : 'character'} ${position}`)
    this.code = code
    this.position = position
    this.help = HELP[code]
  }
}

/** How a number with a fraction or an exponent is held: its letters, never a rounded double. */
export interface Decimal {
  readonly decimal: string
}

const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:(?:\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)$/

/** True for `{"decimal": "1.50"}` and its like, which only a JSON number can have become. */
export function isDecimal(value: Json | undefined): value is { readonly decimal: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const keys = Object.keys(value)
  if (keys.length !== 1 || keys[0] !== 'decimal') return false
  const lexical = (value as { readonly [key: string]: Json })['decimal']
  return typeof lexical === 'string' && DECIMAL.test(lexical)
}

/**
 * The one value that `input` says.
 *
 * Objects have no prototype: a key such as `constructor` is absent unless it was sent. An integer
 * is a number (`-0` is `0`). A number with a fraction or an exponent, such as `1.50`, is the object
 * `{"decimal": "1.50"}` in its lexical form, so it differs from the string `"1.50"` and from `1.5`;
 * the same object written out by a sender is refused (`reserved_key`), so no two texts of different
 * meaning give one value. `__proto__` is refused: copied with `a[key] = b` it would vanish.
 *
 * Throws StrictJsonError with any of its codes. RangeError where the caller asks for more depth
 * than JSON_DEPTH_CEILING.
 *
 * Source: RFC 8259; RFC 7493 section 2; design 2.1 (digest).
 */
export function parseStrictJson(input: Uint8Array | string, limits: StrictJsonLimits = {}): Json {
  const maxBytes = limits.maxBytes ?? JSON_BYTES_MAX
  const maxDepth = limits.maxDepth ?? JSON_DEPTH_MAX
  if (maxDepth > JSON_DEPTH_CEILING) throw new RangeError('maxDepth beyond JSON_DEPTH_CEILING')
  const text = typeof input === 'string' ? checkText(input, maxBytes) : decodeUtf8(input, maxBytes)
  if (text.charCodeAt(0) === 0xfeff) {
    throw new StrictJsonError('invalid_json', 0, 'byte order mark')
  }
  return new Parser(text, maxDepth).document()
}

function checkText(text: string, maxBytes: number): string {
  // A UTF-16 code unit is one byte of UTF-8 at least and three at most.
  if (
    text.length > maxBytes ||
    (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)
  ) {
    throw new StrictJsonError('too_large', maxBytes, `more than ${maxBytes} bytes`)
  }
  if (!text.isWellFormed()) {
    const position = text.search(/\p{Surrogate}/u)
    throw new StrictJsonError('lone_surrogate', position, 'lone surrogate')
  }
  return text
}

function decodeUtf8(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.byteLength > maxBytes) {
    throw new StrictJsonError('too_large', maxBytes, `more than ${maxBytes} bytes`)
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(buffer)) return buffer.toString('latin1')
  if (!isUtf8(buffer)) {
    throw new StrictJsonError('invalid_utf8', firstInvalidByte(buffer), 'invalid UTF-8')
  }
  return buffer.toString('utf8')
}

/** The offset at which a decoder first sees that the bytes are wrong. Only for the error. */
function firstInvalidByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for (let at = 0; at < bytes.length; at += 1) {
    try {
      decoder.decode(bytes.subarray(at, at + 1), { stream: true })
    } catch {
      return at
    }
  }
  return bytes.length
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
/** Up to this many keys are compared one by one; past it a set is faster. */
const KEYS_LINEAR_MAX = 12
/** 2^53-1 has 16 digits, so a longer integer is unsafe, for JSON has no leading zeros. */
const SAFE_DIGITS_MAX = 16

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Parser {
  readonly #text: string
  readonly #maxDepth: number
  #at = 0
  #depth = 0

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#maxDepth = maxDepth
  }

  document(): Json {
    const value = this.#value()
    this.#space()
    if (this.#at < this.#text.length) throw this.#error('text after the value')
    return value
  }

  #error(what: string, code: StrictJsonErrorCode = 'invalid_json', at = this.#at): StrictJsonError {
    return new StrictJsonError(code, at, what)
  }

  /** Skips white space and gives the code unit that follows, NaN at the end. */
  #space(): number {
    const text = this.#text
    let at = this.#at
    let unit = text.charCodeAt(at)
    while (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
      at += 1
      unit = text.charCodeAt(at)
    }
    this.#at = at
    return unit
  }

  #value(): Json {
    const unit = this.#space()
    switch (unit) {
      case QUOTE:
        return this.#string()
      case 0x7b:
        return this.#object()
      case 0x5b:
        return this.#array()
      case 0x74:
        return this.#word('true', true)
      case 0x66:
        return this.#word('false', false)
      case 0x6e:
        return this.#word('null', null)
      default:
        if (unit === MINUS || isDigit(unit)) return this.#number()
        throw this.#error(Number.isNaN(unit) ? 'unexpected end' : 'unexpected character')
    }
  }

  #word(word: string, value: Json): Json {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error('unexpected character')
    this.#at += word.length
    return value
  }

  #enter(): void {
    this.#depth += 1
    if (this.#depth > this.#maxDepth) {
      throw this.#error(`more than ${this.#maxDepth} levels`, 'too_deep')
    }
    this.#at += 1
  }

  #array(): Json {
    this.#enter()
    const items: Json[] = []
    if (this.#space() !== 0x5d) {
      for (;;) {
        items.push(this.#value())
        const unit = this.#space()
        if (unit === 0x5d) break
        if (unit !== 0x2c) throw this.#error('expected a comma or the end of the array')
        this.#at += 1
      }
    }
    this.#at += 1
    this.#depth -= 1
    return items
  }

  #object(): Json {
    const start = this.#at
    this.#enter()
    const object: Record<string, Json> = Object.create(null)
    const keys: string[] = []
    let set: Set<string> | undefined
    if (this.#space() !== 0x7d) {
      for (;;) {
        if (this.#space() !== QUOTE) throw this.#error('expected a key')
        const keyAt = this.#at
        const key = this.#string()
        if (keys.length === KEYS_LINEAR_MAX) set = new Set(keys)
        if (set === undefined ? keys.includes(key) : set.has(key)) {
          throw this.#error('duplicate key', 'duplicate_key', keyAt)
        }
        if (key === '__proto__') throw this.#error('reserved key', 'reserved_key', keyAt)
        keys.push(key)
        set?.add(key)
        if (this.#space() !== 0x3a) throw this.#error('expected a colon')
        this.#at += 1
        object[key] = this.#value()
        const unit = this.#space()
        if (unit === 0x7d) break
        if (unit !== 0x2c) throw this.#error('expected a comma or the end of the object')
        this.#at += 1
      }
    }
    this.#at += 1
    this.#depth -= 1
    if (keys.length === 1 && keys[0] === 'decimal' && isDecimal(object)) {
      throw this.#error('object that reads as a tagged fraction', 'reserved_key', start)
    }
    return object
  }

  #string(): string {
    const text = this.#text
    const start = this.#at
    let at = start + 1
    for (;;) {
      const unit = text.charCodeAt(at)
      if (unit === QUOTE) break
      if (unit === BACKSLASH) return this.#escapedString(start, at)
      // The comparison is false for NaN too, which is the end of the text.
      if (!(unit >= 0x20)) throw this.#error('control character or end in a string', undefined, at)
      at += 1
    }
    this.#at = at + 1
    return text.slice(start + 1, at)
  }

  #escapedString(start: number, firstEscape: number): string {
    const text = this.#text
    let value = text.slice(start + 1, firstEscape)
    let at = firstEscape
    let runStart = at
    for (;;) {
      const unit = text.charCodeAt(at)
      if (unit === QUOTE) break
      if (unit === BACKSLASH) {
        value += text.slice(runStart, at)
        this.#at = at
        value += this.#escape()
        at = this.#at
        runStart = at
      } else if (unit >= 0x20) {
        at += 1
      } else {
        throw this.#error('control character or end in a string', undefined, at)
      }
    }
    value += text.slice(runStart, at)
    this.#at = at + 1
    // The text itself is well formed, so only an escape can have left half a pair.
    if (!value.isWellFormed()) throw this.#error('lone surrogate', 'lone_surrogate', start)
    return value
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#at + 1)
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('bad escape')
      this.#at += 6
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    const simple = letter === '' ? undefined : SIMPLE_ESCAPES[letter]
    if (simple === undefined) throw this.#error('bad escape')
    this.#at += 2
    return simple
  }

  #number(): Json {
    const text = this.#text
    const start = this.#at
    const negative = text.charCodeAt(start) === MINUS
    const first = negative ? start + 1 : start
    let at = first
    let value = 0
    let unit = text.charCodeAt(at)
    while (isDigit(unit)) {
      value = value * 10 + (unit - ZERO)
      at += 1
      unit = text.charCodeAt(at)
    }
    if (at === first || (at - first > 1 && text.charCodeAt(first) === ZERO)) {
      throw this.#error('bad number', undefined, start)
    }
    if (unit === 0x2e || unit === 0x65 || unit === 0x45) return this.#decimal(start, at)
    if (at - first > SAFE_DIGITS_MAX || !Number.isSafeInteger(value)) {
      throw this.#error('integer beyond 2^53-1', 'unsafe_integer', start)
    }
    this.#at = at
    return negative && value !== 0 ? -value : value
  }

  #decimal(start: number, integerEnd: number): Json {
    const text = this.#text
    let at = integerEnd
    if (text.charCodeAt(at) === 0x2e) at = this.#digits(at + 1, start)
    if (text.charCodeAt(at) === 0x65 || text.charCodeAt(at) === 0x45) {
      at += 1
      if (text.charCodeAt(at) === 0x2b || text.charCodeAt(at) === MINUS) at += 1
      at = this.#digits(at, start)
    }
    this.#at = at
    const tagged: Record<string, Json> = Object.create(null)
    tagged['decimal'] = text.slice(start, at)
    return tagged
  }

  /** The index after at least one digit. */
  #digits(from: number, start: number): number {
    let at = from
    while (isDigit(this.#text.charCodeAt(at))) at += 1
    if (at === from) throw this.#error('bad number', undefined, start)
    return at
  }
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE
}

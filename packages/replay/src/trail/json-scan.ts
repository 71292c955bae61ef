// Walks the bytes of a JSON text without making objects of it: where a string, a value or a member ends.
// It is for texts that AWS wrote; what it steps over is not validated, what is taken out is parsed later.
// Syntax: RFC 8259.

/** The text ended inside what was being read. */
export const CUT = -1
/** What stands there is not JSON. */
export const BROKEN = -2

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Arrays and objects within one another that are stepped over. */
export const DEPTH_MAX = 200

/** The index behind the white space at `at`. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let index = at
  for (;;) {
    const code = bytes[index]
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return index
    index++
  }
}

/** The index behind the string whose opening quote is at `at`, or CUT. */
export function endOfString(bytes: Uint8Array, at: number): number {
  const length = bytes.length
  let index = at + 1
  while (index < length) {
    const byte = bytes[index]
    if (byte === QUOTE) return index + 1
    index += byte === BACKSLASH ? 2 : 1
  }
  return CUT
}

/** The index behind the value that begins at `at`; CUT or BROKEN. */
export function endOfValue(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  if (first === QUOTE) return endOfString(bytes, at)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNest(bytes, at)
  return endOfScalar(bytes, at)
}

function endOfNest(bytes: Uint8Array, at: number): number {
  let depth = 0
  let index = at
  const length = bytes.length
  while (index < length) {
    switch (bytes[index]) {
      case QUOTE: {
        // Inline: most of a trail is strings, and a call for each would double the time.
        index++
        while (index < length) {
          const byte = bytes[index]
          if (byte === QUOTE) break
          index += byte === BACKSLASH ? 2 : 1
        }
        if (index >= length) return CUT
        break
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > DEPTH_MAX) return BROKEN
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (--depth === 0) return index + 1
        break
      default:
    }
    index++
  }
  return CUT
}

function endOfScalar(bytes: Uint8Array, at: number): number {
  let index = at
  const length = bytes.length
  while (index < length) {
    const code = bytes[index] as number
    const ends = code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code <= 0x20
    if (ends) return index === at ? BROKEN : index
    index++
  }
  return CUT
}

/** Called for each member of an object: where its key stands between its quotes, and its value. */
export type OnMember = (keyFrom: number, keyTo: number, from: number, to: number) => void

/** The index behind the object at `at`, each of its own members told; CUT or BROKEN. */
export function walkObject(bytes: Uint8Array, at: number, onMember: OnMember): number {
  let index = skipSpace(bytes, at + 1)
  if (bytes[index] === CLOSE_BRACE) return index + 1
  for (;;) {
    if (index >= bytes.length) return CUT
    if (bytes[index] !== QUOTE) return BROKEN
    const keyEnd = endOfString(bytes, index)
    if (keyEnd < 0) return keyEnd
    const keyFrom = index + 1
    index = skipSpace(bytes, keyEnd)
    if (index >= bytes.length) return CUT
    if (bytes[index] !== COLON) return BROKEN
    const from = skipSpace(bytes, index + 1)
    if (from >= bytes.length) return CUT
    const to = endOfValue(bytes, from)
    if (to < 0) return to
    onMember(keyFrom, keyEnd - 1, from, to)
    index = skipSpace(bytes, to)
    if (index >= bytes.length) return CUT
    const code = bytes[index]
    if (code === CLOSE_BRACE) return index + 1
    if (code !== COMMA) return BROKEN
    index = skipSpace(bytes, index + 1)
  }
}

// Parameters that come anew with each call and say nothing of what it does: tokens of pages, limits, and the
// times that a look is about. Two looks that differ in nothing else have one description, if it can be shown
// that the description asks for none of them.

/** As CloudTrail writes them; each service has its own letter case. Source: the API references' paginators. */
export const PASSING: ReadonlySet<string> = new Set([
  ...['nextToken', 'NextToken', 'nextPageToken', 'paginationToken', 'PaginationToken', 'pageToken'],
  ...['marker', 'Marker', 'nextMarker', 'position', 'continuationToken', 'startingToken'],
  ...[
    'maxResults',
    'MaxResults',
    'maxItems',
    'MaxItems',
    'maxRecords',
    'limit',
    'Limit',
    'pageSize',
  ],
  ...['startTime', 'StartTime', 'endTime', 'EndTime', 'startDate', 'endDate'],
])

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const BACKSLASH = 0x5c
const SPACE: ReadonlySet<number> = new Set([0x20, 0x0a, 0x0d, 0x09])

const NAME_BYTES_MAX = 20
/** Bytes of one such value. */
const VALUE_BYTES_MAX = 4_096

export class PassingMembers {
  /** Where the members that stay stand, in pairs; the same list for each event. */
  readonly staying: number[] = []
  /** The names of those that were left out. */
  readonly left: string[] = []
  #bytes: Uint8Array = new Uint8Array()

  /** Splits the parameters; false where nothing may be left out. */
  split(bytes: Uint8Array, from: number, to: number): boolean {
    this.staying.length = 0
    this.left.length = 0
    this.#bytes = bytes
    if (bytes[from] !== OPEN) return false
    // A walk of its own: one that the reader of events uses too would be slower there, where all bytes pass.
    let at = from + 1
    while (at < to) {
      const keyFrom = skipSpace(bytes, at)
      if (bytes[keyFrom] !== QUOTE) return false
      const keyTo = endOfText(bytes, keyFrom, to)
      const colon = skipSpace(bytes, keyTo)
      const valueFrom = skipSpace(bytes, colon + 1)
      if (valueFrom >= to || bytes[colon] !== COLON) return false
      const valueTo = endOf(bytes, valueFrom, to)
      if (valueTo >= to) return false
      this.#member(keyFrom, keyTo, valueFrom, valueTo)
      at = skipSpace(bytes, valueTo)
      if (bytes[at] === CLOSE) return at + 1 === to && this.left.length > 0
      if (bytes[at] !== COMMA) return false
      at++
    }
    return false
  }

  #member(keyFrom: number, keyTo: number, from: number, to: number): void {
    const bytes = this.#bytes
    const length = keyTo - keyFrom - 2
    if (length <= NAME_BYTES_MAX && isPlain(bytes, from, to)) {
      const at = bytes.byteOffset + keyFrom + 1
      const name = Buffer.from(bytes.buffer, at, length).toString('latin1')
      if (PASSING.has(name)) {
        this.left.push(name)
        return
      }
    }
    this.staying.push(keyFrom, to)
  }

  /** The parameters without what was left out, as JSON. */
  rest(): string {
    const pieces: string[] = []
    for (let at = 0; at < this.staying.length; at += 2) {
      const from = this.staying[at] as number
      const length = (this.staying[at + 1] as number) - from
      pieces.push(Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, length).toString())
    }
    return `{${pieces.join(',')}}`
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (SPACE.has(bytes[at] as number)) at++
  return at
}

/** The index behind the string, or `to` where it does not end before. */
function endOfText(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from + 1; at < to; at++) {
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] === BACKSLASH) at++
  }
  return to
}

/** The index behind the value, or `to`. What the value is, the reader of events has seen already. */
function endOf(bytes: Uint8Array, from: number, to: number): number {
  let depth = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) at = endOfText(bytes, at, to) - 1
    else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (depth === 0) return at
      depth--
    } else if (depth === 0 && (byte === COMMA || SPACE.has(byte))) return at
  }
  return to
}

/**
 * A number, or a text of letters, digits and a few signs: no escape, no colon of an ARN, no two underscores
 * of a reserved name. What walks all values to find names of things finds nothing in it.
 */
function isPlain(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > VALUE_BYTES_MAX) return false
  const isText = bytes[from] === 0x22
  for (let at = isText ? from + 1 : from; at < (isText ? to - 1 : to); at++) {
    const byte = bytes[at] as number
    if (PLAIN_LETTERS[byte] === 0 || (byte === 0x5f && bytes[at + 1] === 0x5f)) return false
  }
  return true
}

/** 1 for each letter of a plain text. */
export const PLAIN_LETTERS = new Uint8Array(256)
for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_.- ,') {
  PLAIN_LETTERS[letter.charCodeAt(0)] = 1
}

/**
 * An object that tells which of its members were asked for by name. Asking for all names is no telling: the
 * members that are looked out for are not in it.
 */
export function watched<T extends object>(object: T, onAsked: (name: string) => void): T {
  return new Proxy(object, {
    get: (target, name) => {
      onAsked(String(name))
      return Reflect.get(target, name)
    },
    has: (target, name) => {
      onAsked(String(name))
      return Reflect.has(target, name)
    },
    getOwnPropertyDescriptor: (target, name) => {
      onAsked(String(name))
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
  })
}

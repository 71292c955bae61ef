// Takes the entries out of an export one by one, so that an export that ends in the middle still gives
// what is whole before the cut, with the cut named. Each entry is parsed strictly.

import { gunzipSync } from 'node:zlib'
import type { Json } from '@seconder/aws/call'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { BROKEN, CUT, endOfString, endOfValue, skipSpace } from '../trail/json-scan.ts'
import type { Fault, FaultKind } from './estate.ts'

/** Bytes of one export after unpacking; some 100,000 roles. */
export const EXPORT_BYTES_MAX = 1024 ** 3
/** Bytes of one user, role, group or policy. */
export const ENTRY_BYTES_MAX = 16 * 1024 * 1024

export const LISTS = ['UserDetailList', 'GroupDetailList', 'RoleDetailList', 'Policies'] as const
export type List = (typeof LISTS)[number]

export interface Entry {
  readonly list: List
  readonly index: number
  readonly json: Json
  readonly where: string
}

export interface Entries {
  readonly entries: readonly Entry[]
  readonly faults: readonly Fault[]
}

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c
const COLON = 0x3a
const QUOTE = 0x22

/** The entries of one file: one export, or a list of exports. `name` is for the words. */
export function entriesOf(bytes: Uint8Array, name: string): Entries {
  const reader = new EntryReader(name)
  const plain = plainBytes(bytes)
  if (plain === null) reader.fault('broken', '', 'the compression is damaged or the file too large')
  else reader.read(plain)
  return reader
}

/** Unpacked, and as UTF-8: a redirect of PowerShell writes UTF-16. */
function plainBytes(bytes: Uint8Array): Uint8Array | null {
  let plain = bytes
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = gunzipSync(bytes, { maxOutputLength: EXPORT_BYTES_MAX })
    } catch {
      return null // damaged, cut or too large: the caller names it
    }
  }
  if (plain.length > EXPORT_BYTES_MAX) return null
  if (plain[0] === 0xff && plain[1] === 0xfe) {
    return Buffer.from(Buffer.from(plain.subarray(2)).toString('utf16le'))
  }
  return plain[0] === 0xef && plain[1] === 0xbb && plain[2] === 0xbf ? plain.subarray(3) : plain
}

class EntryReader implements Entries {
  readonly entries: Entry[] = []
  readonly faults: Fault[] = []
  readonly #name: string
  #bytes: Uint8Array = new Uint8Array()

  constructor(name: string) {
    this.#name = name
  }

  fault(kind: FaultKind, place: string, what: string): void {
    this.faults.push({ kind, where: place === '' ? this.#name : `${this.#name}: ${place}`, what })
  }

  read(bytes: Uint8Array): void {
    this.#bytes = bytes
    const at = skipSpace(bytes, 0)
    const first = bytes[at]
    let end: number = at >= bytes.length ? CUT : BROKEN
    if (first === OPEN_BRACE) end = this.#export(at)
    else if (first === OPEN_BRACKET) end = this.#eachElement(at, (from) => this.#export(from))
    if (end === CUT) this.fault('cut', '', 'the file ends before the export does')
    else if (end === BROKEN) this.fault('broken', '', 'what stands there is not JSON')
    else if (skipSpace(bytes, end) < bytes.length) {
      this.fault('broken', '', 'there is more behind the export')
    }
  }

  /** One export: the index behind it, CUT or BROKEN. What is whole before a cut has been taken. */
  #export(at: number): number {
    if (this.#bytes[at] !== OPEN_BRACE) return BROKEN
    const seen = new Set<string>()
    const end = this.#eachMember(at, (key, from) => {
      seen.add(key)
      const list = LISTS.find((each) => each === key)
      if (list !== undefined) return this.#list(list, from)
      const to = endOfValue(this.#bytes, from)
      if (key === 'IsTruncated' && to > 0 && this.#text(from, to) === 'true') {
        this.fault('truncated_page', '', 'it is one page of several: export without --max-items')
      }
      return to
    })
    for (const list of LISTS) {
      if (!seen.has(list)) this.fault('missing_list', list, 'the list is not in the export')
    }
    return end
  }

  #list(list: List, at: number): number {
    if (this.#bytes[at] !== OPEN_BRACKET) {
      this.fault('unreadable_entry', list, 'it is not a list')
      return endOfValue(this.#bytes, at)
    }
    let index = 0
    return this.#eachElement(at, (from) => {
      const to = endOfValue(this.#bytes, from)
      if (to > 0) this.#entry(list, index++, from, to)
      return to
    })
  }

  #entry(list: List, index: number, from: number, to: number): void {
    const place = `${list}[${index}]`
    try {
      const json = parseStrictJson(this.#bytes.subarray(from, to), { maxBytes: ENTRY_BYTES_MAX })
      this.entries.push({ list, index, json, where: `${this.#name}: ${place}` })
    } catch (cause) {
      if (!(cause instanceof StrictJsonError)) throw cause
      this.fault('unreadable_entry', place, `not one JSON value: ${cause.code}`)
    }
  }

  /** Steps over a list; `take` gives the index behind the element at `from`, CUT or BROKEN. */
  #eachElement(at: number, take: (from: number) => number): number {
    let index = skipSpace(this.#bytes, at + 1)
    if (this.#bytes[index] === CLOSE_BRACKET) return index + 1
    for (;;) {
      if (index >= this.#bytes.length) return CUT
      const to = take(index)
      if (to < 0) return to
      index = skipSpace(this.#bytes, to)
      if (index >= this.#bytes.length) return CUT
      if (this.#bytes[index] === CLOSE_BRACKET) return index + 1
      if (this.#bytes[index] !== COMMA) return BROKEN
      index = skipSpace(this.#bytes, index + 1)
    }
  }

  #eachMember(at: number, take: (key: string, from: number) => number): number {
    let index = skipSpace(this.#bytes, at + 1)
    if (this.#bytes[index] === CLOSE_BRACE) return index + 1
    for (;;) {
      if (index >= this.#bytes.length) return CUT
      if (this.#bytes[index] !== QUOTE) return BROKEN
      const keyEnd = endOfString(this.#bytes, index)
      if (keyEnd < 0) return keyEnd
      const key = this.#text(index + 1, keyEnd - 1)
      index = skipSpace(this.#bytes, keyEnd)
      if (index >= this.#bytes.length) return CUT
      if (this.#bytes[index] !== COLON) return BROKEN
      index = skipSpace(this.#bytes, index + 1)
      if (index >= this.#bytes.length) return CUT
      const to = take(key, index)
      if (to < 0) return to
      index = skipSpace(this.#bytes, to)
      if (index >= this.#bytes.length) return CUT
      if (this.#bytes[index] === CLOSE_BRACE) return index + 1
      if (this.#bytes[index] !== COMMA) return BROKEN
      index = skipSpace(this.#bytes, index + 1)
    }
  }

  #text(from: number, to: number): string {
    return Buffer.from(this.#bytes.subarray(from, to)).toString('utf8')
  }
}

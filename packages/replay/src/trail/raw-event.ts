// The fields of one CloudTrail event that replay reads, as places in the bytes they stand in. Nothing is
// made of them that is not asked for: most events repeat what was already understood.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

import { walkObject } from './json-scan.ts'

/** In this order each has its place in RawEvent. */
export const FIELDS = [
  'eventSource',
  'eventName',
  'eventTime',
  'eventID',
  'eventType',
  'eventCategory',
  'awsRegion',
  'errorCode',
  'userAgent',
  'sourceIPAddress',
  'userIdentity',
  'requestParameters',
  'resources',
  'readOnly',
  'recipientAccountId',
  'sharedEventID',
  'managementEvent',
  'vpcEndpointId',
  'requestID',
] as const

export type Field = (typeof FIELDS)[number]

const PLACE = Object.fromEntries(FIELDS.map((field, index) => [field, index])) as Record<
  Field,
  number
>

interface Candidate {
  readonly bytes: Uint8Array
  readonly place: number
}

/** Bytes of the longest name of a field with each letter as `\u0065`. */
const ESCAPED_BYTES_MAX = 6 * 18

/** Fields by the length of their name. */
const CANDIDATES: (readonly Candidate[])[] = Array.from({ length: 24 }, (_, length) =>
  FIELDS.filter((field) => field.length === length).map((field) => ({
    bytes: Buffer.from(field),
    place: PLACE[field],
  })),
)

/** One event at a time; what shall be kept must be copied before the next is read. */
export class RawEvent {
  bytes: Uint8Array = new Uint8Array()
  /** Where each field's raw JSON stands, from and to; from 0 to 0 where the event has none. */
  readonly #places: Int32Array

  /** `places` may be written by somebody else, who then sets `bytes` too. */
  constructor(places = new Int32Array(FIELDS.length * 2)) {
    this.#places = places
  }

  /** Reads the event whose brace is at `at`; the index behind it, CUT or BROKEN. */
  read(bytes: Uint8Array, at: number): number {
    this.bytes = bytes
    this.#places.fill(0)
    return walkObject(bytes, at, this.#onMember)
  }

  readonly #onMember = (keyFrom: number, keyTo: number, from: number, to: number): void => {
    const place = placeOf(this.bytes, keyFrom, keyTo)
    if (place < 0) return
    this.#places[place * 2] = from
    this.#places[place * 2 + 1] = to
  }

  has(field: Field): boolean {
    return this.to(field) > 0
  }

  from(field: Field): number {
    return this.#places[PLACE[field] * 2] as number
  }

  to(field: Field): number {
    return this.#places[PLACE[field] * 2 + 1] as number
  }

  /** The raw JSON of a field; empty where the event has none. */
  raw(field: Field): string {
    const { buffer, byteOffset } = this.bytes
    const from = this.from(field)
    return Buffer.from(buffer, byteOffset + from, this.to(field) - from).toString('utf8')
  }

  /** The text of a field that is a string; empty for anything else. */
  text(field: Field): string {
    const raw = this.raw(field)
    if (raw.charCodeAt(0) !== 0x22) return ''
    if (!raw.includes('\\')) return raw.slice(1, -1)
    try {
      return JSON.parse(raw) as string
    } catch {
      return '' // an escape that is none: the field then counts as not there
    }
  }
}

/** The place of the field of this name, however it is escaped; -1 for any other. */
function placeOf(bytes: Uint8Array, from: number, to: number): number {
  for (const candidate of CANDIDATES[to - from] ?? []) {
    if (isAt(bytes, from, candidate.bytes)) return candidate.place
  }
  if (to - from > ESCAPED_BYTES_MAX || !isEscaped(bytes, from, to)) return -1
  try {
    const field = JSON.parse(`"${Buffer.from(bytes.subarray(from, to)).toString()}"`) as Field
    return Object.hasOwn(PLACE, field) ? PLACE[field] : -1
  } catch {
    return -1 // an escape that is none: no name of a field
  }
}

function isEscaped(bytes: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (bytes[index] === 0x5c) return true
  return false
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[at + index] !== wanted[index]) return false
  }
  return true
}

// Writes a trail of any length fast: a pool of generated events whose event IDs, request IDs and keys are
// written anew in their bytes for each copy of the pool. Callers and distinct calls stay those of the pool.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { eventsOf, SAMPLE } from '@seconder/replay/made-trail/made-trail'
import { Random } from '@seconder/replay/made-trail/random'

const POOL_EVENTS = 40_000
const FILE_EVENTS = 2_000
const WEEKS = 26
/** Bytes at the end of an access key that are made anew for each copy of a session. */
const KEY_BYTES = 8
const LETTERS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')
const HEX = Buffer.from('0123456789abcdef')

interface Template {
  readonly bytes: Buffer
  /** Where 36 characters of an ID stand, and where the changing end of a key does. */
  readonly ids: readonly number[]
  readonly keys: readonly { readonly at: number; readonly session: number }[]
}

/** Writes `events` (a multiple of 2,000) under the folder, each file on the word of `onFile` where it is given. */
export function writeLargeTrail(
  folder: string,
  events: number,
  onFile: (written: number) => void = () => undefined,
): void {
  const templates = pool()
  const random = new Random(SAMPLE.seed)
  let written = 0
  for (let copy = 0; written < events; copy++) {
    const at = join(folder, String(copy).padStart(5, '0'))
    mkdirSync(at, { recursive: true })
    for (const [index, template] of templates.entries()) {
      if (written >= events) return
      renew(template, copy, random)
      const name = `${String(copy).padStart(5, '0')}_${String(index).padStart(2, '0')}.json.gz`
      // The least effort: a trail of this length is about reading it.
      writeFileSync(join(at, name), gzipSync(template.bytes, { level: 1 }))
      written += FILE_EVENTS
      onFile(written)
    }
  }
}

function pool(): Template[] {
  const templates: Template[] = []
  let texts: string[] = []
  const made = { ...SAMPLE, events: POOL_EVENTS, weeks: WEEKS }
  for (const { text } of eventsOf(made)) {
    texts.push(text)
    if (texts.length < FILE_EVENTS) continue
    templates.push(templateOf(`{"Records":[${texts.join(',')}]}`))
    texts = []
  }
  return templates
}

function templateOf(text: string): Template {
  const placesOf = (pattern: RegExp) =>
    [...text.matchAll(pattern)].map((found) => ({ at: found.index + found[0].length, found }))
  const sessions = new Map<string, number>()
  return {
    bytes: Buffer.from(text, 'latin1'),
    ids: placesOf(/"(?:eventID|requestID)":"/g).map(({ at }) => at),
    keys: placesOf(/"accessKeyId":"ASIA[A-Z2-7]{8}/g).map(({ at, found }) => {
      const key = found[0]
      if (!sessions.has(key)) sessions.set(key, sessions.size)
      return { at, session: sessions.get(key) as number }
    }),
  }
}

/** In place: what a template held before is of no use any more. */
function renew({ bytes, ids, keys }: Template, copy: number, random: Random): void {
  for (const at of ids) {
    for (let word = 0; word < 4; word++) {
      let bits = random.word()
      for (let digit = 0; digit < 8; digit++, bits >>>= 4) {
        // Over a hyphen's place another digit comes, so that the hyphens stay where they are.
        const place = word * 8 + digit
        bytes[at + place + hyphensBefore(place)] = HEX[bits & 15] as number
      }
    }
  }
  for (const { at, session } of keys) {
    let bits = Math.imul(copy + 1, 0x9e3779b1) ^ Math.imul(session + 1, 0x85ebca6b)
    for (
      let letter = 0;
      letter < KEY_BYTES;
      letter++, bits = Math.imul(bits, 0x2c1b3c6d) ^ (bits >>> 13)
    ) {
      bytes[at + letter] = LETTERS[(bits >>> 11) & 31] as number
    }
  }
}

function hyphensBefore(place: number): number {
  if (place < 8) return 0
  if (place < 12) return 1
  if (place < 16) return 2
  return place < 20 ? 3 : 4
}

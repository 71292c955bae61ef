// The fast way to read events makes the rows of the plain one, whatever the bytes: over published trails, made ones,
// hostile ones and bytes at random; and what the plain one finds in an event is what JSON.parse finds.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { DATA, sourcesHash } from '../../build/scanner-sources.ts'
import { eventsOf, SAMPLE } from '../made-trail/made-trail.ts'
import { Random } from '../made-trail/random.ts'
import { type EventWalker, PlainWalker } from '../trail/event-walker.ts'
import { FIELDS, RawEvent } from '../trail/raw-event.ts'
import { RecordReader } from '../trail/records.ts'
import { trailFiles } from '../trail/trail-files.ts'
import { EventScanner } from './event-scanner.ts'
import { EVERY_OPERATION, Gatherer } from './gatherer.ts'
import { AGENT, CALL, type Chunk, FLAGS, type RawCall, ROW_WORDS, WHO } from './row.ts'

/** One way to read, for any number of files; rows with their texts in place of numbers. */
class Way {
  readonly #calls: RawCall[] = []
  readonly #whos: string[] = []
  readonly #agents: string[] = []
  #rows: unknown[] = []
  readonly #gatherer: Gatherer
  readonly #walker: EventWalker
  readonly tags: unknown[] = []

  constructor(isFast: boolean, whole: readonly string[] = []) {
    this.#gatherer = new Gatherer((chunk) => this.#take(chunk), whole)
    this.#walker = isFast ? new EventScanner(this.#gatherer) : new PlainWalker(this.#gatherer.take)
  }

  read(pieces: readonly Uint8Array[]) {
    this.#rows = []
    const reader = new RecordReader(this.#walker)
    for (const piece of pieces) reader.push(piece)
    const fault = reader.end()
    if (this.#walker instanceof EventScanner) this.#walker.flush()
    else this.#gatherer.flush()
    const { events, others, brokenLines } = reader
    return { fault, events, others, brokenLines, rows: this.#rows }
  }

  #take({ rows, count, calls, whos, agents, tags }: Chunk): void {
    this.#calls.push(...calls)
    this.#whos.push(...whos)
    this.#agents.push(...agents)
    this.tags.push(...tags)
    for (let at = 0; at < count * ROW_WORDS; at += ROW_WORDS) {
      this.#rows.push([
        ...rows.subarray(at, at + CALL),
        sameCall(this.#calls[rows[at + CALL] as number] as RawCall),
        this.#whos[rows[at + WHO] as number],
        this.#agents[rows[at + AGENT] as number],
        rows[at + FLAGS],
      ])
    }
  }
}

/** Without what was left out of its key: of that, any event of the kind may speak. */
function sameCall(call: RawCall): unknown {
  const [source, name, type, region, account, parameters, left, rest] = call
  return [source, name, type, region, account, left.length > 0 ? rest : parameters]
}

const ways = { slow: new Way(false), fast: new Way(true) }

function expectSame(pieces: readonly Uint8Array[], why?: string) {
  return sameRead(ways, pieces, why)
}

function sameRead({ slow, fast }: typeof ways, pieces: readonly Uint8Array[], why?: string) {
  const [read, other] = [slow.read(pieces), fast.read(pieces)]
  // Told by their texts first, which is fast.
  if (JSON.stringify(other) !== JSON.stringify(read)) expect(other, why).toEqual(read)
  return read
}

test('the scanner is built from the sources that stand beside it: else run `npm run scanner`', () => {
  expect(readFileSync(join(DATA, 'event-scanner.sources'), 'utf8').trim()).toBe(sourcesHash())
})

const TRAILS = join(import.meta.dirname, '../../../../../shared/data/cloudtrail')

test.skipIf(!existsSync(TRAILS))(
  'published trails: the same rows (skipped where the shared data is not there)',
  () => {
    let events = 0
    for (const { path } of trailFiles([TRAILS])) {
      const bytes = readFileSync(path)
      const plain = path.endsWith('.gz') ? gunzipSync(bytes) : bytes
      events += expectSame([plain], path).events
      for (const text of eventTexts(plain)) expectParsed(text)
    }
    expect(events).toBeGreaterThan(3_200)
  },
)

function eventTexts(plain: Buffer): string[] {
  const text = plain.toString()
  const events = text.startsWith('{"')
    ? text.split('\n').filter((line) => line !== '')
    : (JSON.parse(text) as object[]).map((event) => JSON.stringify(event))
  return events
}

/** What is found in an event is what JSON.parse finds in it: the last of two members of one name counts. */
function expectParsed(text: string): void {
  const event = new RawEvent()
  const bytes = Buffer.from(text)
  expect(event.read(bytes, 0)).toBe(bytes.length)
  const parsed = JSON.parse(text) as Record<string, unknown>
  for (const field of FIELDS) {
    expect(event.has(field), `${field} in ${text.slice(0, 200)}`).toBe(Object.hasOwn(parsed, field))
    if (event.has(field)) expect(JSON.parse(event.raw(field))).toEqual(parsed[field])
  }
}

const HOSTILE: readonly string[] = [
  // Names that are escaped, doubled, within another, or nearly the name.
  '{"\\u0065ventName":"DeleteTable","eventSource":"dynamodb.amazonaws.com"}',
  '{"eventName":"GetItem","eventName":"DeleteTable"}',
  '{"eventName":"GetItem","event\\u004eame":"DeleteTable"}',
  '{"a":{"eventName":"Inner","userIdentity":{"arn":"x"}},"eventName":"Outer"}',
  '{"requestParameters":{"eventName":"Inner","}":"{"},"eventName":"Outer"}',
  '{"eventName ":"A","eventNam":"B","EventName":"C","eventName":"D"}',
  '{"\\u0065\\u0076\\u0065\\u006e\\u0074\\u004e\\u0061\\u006d\\u0065":"E","eventID":"x"}',
  '{"":1,"\\"":2,"\\\\":3,"eventName":"\\"A\\\\"}',
  // Values of other kinds than they should be.
  '{"eventName":"A","eventTime":1234567890123456789012,"eventID":12345678901234567890123456789012345678}',
  '{"eventName":"A","eventTime":"2025-13-14T09:30:00Z","eventID":null,"errorCode":null}',
  '{"eventName":"A","eventTime":"2025-12-14T09:30:00.123Z","errorCode":""}',
  '{"eventName":"A","eventTime":"2025-12-14 09:30:00 ","errorCode":"Access\\u0044enied"}',
  '{"eventName":"A","eventID":"A6919E24-5f15-4b28-a486-04858d96216d","errorCode":"AccessDenied"}',
  '{"eventName":"A","eventID":"a6919e245f15-4b28-a486-04858-d96216d","eventCategory":"Data"}',
  '{"eventName":"A","eventID":"g6919e24-5f15-4b28-a486-04858d96216d","managementEvent":false}',
  '{"eventName":"A","eventCategory":"Management","managementEvent":false,"userAgent":["x"]}',
  '{"eventName":null,"userAgent":"aws-cli/2"}',
  '{"eventName":{"a":1}}',
  '{}',
  '{"eventName":"A","userIdentity":"x","requestParameters":[1,{"a":"]"}],"recipientAccountId":"111122223333"}',
  // Unicode, and escapes at the edges of sixteen and sixty-four bytes.
  '{"eventName":"Größe\u{1f600}","userAgent":"\\ud83d\\ude00","awsRegion":"\u2028"}',
  ...Array.from({ length: 70 }, (_, at) => {
    const pad = 'x'.repeat(at)
    return `{"pad":{"a":"${pad}\\\\","b":"${pad}\\"}","c":["${pad}{"]},"eventName":"E${at % 3}","errorCode":"${pad}"}`
  }),
  // Numbers, literals, white space.
  '{ "eventName" : "A" ,\t"n":-1.5e+10,"t":true , "f":false,"z":null,"eventType":0 }',
  '{"eventName":"A","awsRegion":1e400,"recipientAccountId":111122223333}',
  // Parameters whose passing members stand in every odd way.
  ...[
    '{"nextToken":"a","x":"y"}',
    '{"x":"y","nextToken":"b"}',
    '{"nextToken":"a:b","x":"y"}',
    '{"nextToken":"a__b","x":"y"}',
    '{"nextToken":{"a":1},"x":"y"}',
    '{"nextToken":"\\u0061","x":"y"}',
    '{"next\\u0054oken":"a","x":"y"}',
    '{ "nextToken" : "a" , "maxResults" : 5 , "x" : [ 1 , {"nextToken":"q"} ] }',
    '{"maxResults":5}',
    '{"startTime":1,"startTime":2,"x":{"startTime":3}}',
    '{"nextToken":"a" "x":1}',
    '{"nextToken":"a",}',
    'null',
    '""',
    '{}',
  ].map(
    (parameters) =>
      `{"eventSource":"logs.amazonaws.com","eventName":"FilterLogEvents","requestParameters":${parameters}}`,
  ),
  `{"eventName":"Many","eventSource":"logs.amazonaws.com","requestParameters":{"limit":1,${Array.from({ length: 300 }, (_, at) => `"m${at}":${at}`).join(',')}}}`,
  `{"eventSource":"logs.amazonaws.com","eventName":"GetMany","requestParameters":{"limit":1,${Array.from({ length: 300 }, (_, at) => `"m${at}":${at}`).join(',')}}}`,
  `{"eventName":"Long","requestParameters":{"a":"${'y'.repeat(70_000)}"},"userAgent":"${'z'.repeat(70_000)}"}`,
  `{"eventName":"Long","errorCode":"${'z'.repeat(70_000)}","userIdentity":{"arn":"${'w'.repeat(70_000)}"}}`,
  `{"eventName":"AssumeRole","eventSource":"sts.amazonaws.com","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/r","roleSessionName":"s","tags":[{"key":"agent","value":"Kiro"}]}}`,
  '{"eventName":"A","sharedEventID":"a6919e24-5f15-4b28-a486-04858d96216d","recipientAccountId":"111122223333"}',
  '{"eventName":"A","sharedEventID":null}',
  `{"eventName":"Deep","a":${'['.repeat(199)}${']'.repeat(199)}}`,
]
const VALID = HOSTILE.filter((text) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
})

test('hostile events: the same rows, twice over, and what JSON.parse finds', () => {
  for (const text of VALID) expectParsed(text)
  for (const text of [...HOSTILE, ...HOSTILE]) expectSame([Buffer.from(text)], text.slice(0, 300))
  const lines = Buffer.from(HOSTILE.join('\n'))
  expect(expectSame([lines]).events).toBeGreaterThan(HOSTILE.length - 8)
  const list = Buffer.from(`{"Records":[${VALID.join(' ,\n')}]}`)
  expect(expectSame([list])).toMatchObject({ fault: null })
  expect(ways.fast.tags).toEqual(ways.slow.tags)
})

test('operations that are read whole are so on both ways', () => {
  const events = VALID.join('\n')
  for (const whole of [[EVERY_OPERATION], ['logs.amazonaws.com FilterLogEvents']]) {
    const both = { slow: new Way(false, whole), fast: new Way(true, whole) }
    sameRead(both, [Buffer.from(events)])
  }
})

test('bytes at random, and pieces cut anywhere: the same rows and the same faults', () => {
  const random = new Random(4)
  const made = [...eventsOf({ ...SAMPLE, events: 40 })].map(({ text }) => text)
  for (let round = 0; round < 250; round++) {
    const texts = Array.from({ length: 1 + random.below(12) }, () =>
      random.one(random.below(3) === 0 ? VALID.filter(({ length }) => length < 2_000) : made),
    )
    const form = random.below(2) === 0 ? `{"Records":[${texts.join(',')}]}` : texts.join('\n')
    const bytes = mutated(Buffer.from(form), random)
    const cut = random.below(bytes.length + 1)
    expectSame([bytes.subarray(0, cut), bytes.subarray(cut)], `round ${round}`)
  }
}, 60_000)

function mutated(bytes: Buffer, random: Random): Buffer {
  for (let times = random.below(4); times > 0; times--) {
    const at = random.below(bytes.length)
    const kind = random.below(4)
    if (kind === 0) bytes[at] = random.below(256)
    else if (kind === 1) bytes[at] = '"\\{}[],: \n'.charCodeAt(random.below(10))
    else if (kind === 2) bytes.copy(bytes, random.below(bytes.length), at, at + random.below(200))
    else return bytes.subarray(0, at)
  }
  return bytes
}

test('a trail of more rows than a chunk holds, and more keys than a table keeps, loses none', () => {
  const texts = Array.from(
    { length: 20_000 },
    (_, at) =>
      `{"eventName":"DeleteTable","eventSource":"dynamodb.amazonaws.com","userAgent":"a${at}","errorCode":"E${at}","eventTime":"2025-12-14T09:30:00Z","eventID":"a6919e24-5f15-4b28-a486-0000000${String(at).padStart(5, '0')}"${at % 7 === 0 ? ',"sharedEventID":"b"' : ''}}`,
  )
  const bytes = Buffer.from(`[${[...texts, ...texts].join(',')}]`)
  const both = { slow: new Way(false), fast: new Way(true) }
  expect(sameRead(both, [bytes]).events).toBe(40_000)
}, 60_000)

// The forms that trails come in, cut at every byte: the same events, whatever pieces they come in; and
// what is wrong with a file has a name.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { EventScanner } from '../store/event-scanner.ts'
import { Gatherer } from '../store/gatherer.ts'
import { CALL, ROW_WORDS } from '../store/row.ts'
import { type EventWalker, PlainWalker } from './event-walker.ts'
import { readTrailFile } from './read-trail-file.ts'
import { EVENT_BYTES_MAX, RecordReader } from './records.ts'
import { trailFiles } from './trail-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-trail-'))
afterAll(() => rmSync(folder, { recursive: true }))

const event = (name: string, more: object = {}) => ({
  eventVersion: '1.08',
  userIdentity: { type: 'IAMUser', userName: 'a "quoted" \\ name {[' },
  eventName: name,
  requestParameters: { tableName: 'orders', tags: [{ key: '}' }] },
  ...more,
})
const EVENTS = [event('DeleteTable'), event('PutItem', { eventID: 'é\u{1f600}' }), event('GetItem')]
const NAMES = ['DeleteTable', 'PutItem', 'GetItem']

const FORMS = {
  'as delivered': JSON.stringify({ Records: EVENTS }),
  'with members before and white space': `\n{ "version" : {"a": [1]}, "Records" : ${JSON.stringify(EVENTS, null, 2)} }\n`,
  'a bare list': JSON.stringify(EVENTS),
  'one event a line': EVENTS.map((each) => JSON.stringify(each)).join('\n'),
  'one event a line, the last with a break': `${EVENTS.map((each) => JSON.stringify(each)).join('\r\n')}\n`,
  'with a byte order mark': `\u{feff}${JSON.stringify({ Records: EVENTS })}`,
}

/** Both ways to walk events, each one for all files: what it learned of one must not show in another. */
const calls: string[] = []
let names: string[] = []
const gatherer = new Gatherer((chunk) => {
  calls.push(...chunk.calls.map(([, name]) => name))
  for (let row = 0; row < chunk.count; row++) {
    names.push(calls[chunk.rows[row * ROW_WORDS + CALL] as number] as string)
  }
})
const scanner = new EventScanner(gatherer)
const plain = new PlainWalker((one) => names.push(one.text('eventName')))

function read(pieces: readonly Uint8Array[]) {
  const slow = readBy(plain, pieces)
  expect(readBy(scanner, pieces)).toEqual(slow)
  return slow
}

function readBy(walker: EventWalker, pieces: readonly Uint8Array[]) {
  names = []
  const reader = new RecordReader(walker)
  for (const piece of pieces) reader.push(piece)
  const fault = reader.end()
  if (walker === scanner) scanner.flush()
  expect(reader.events).toBe(names.length)
  return { names, fault, brokenLines: reader.brokenLines }
}

for (const [form, text] of Object.entries(FORMS)) {
  test(`${form}: the same events, whole or in two pieces cut anywhere`, () => {
    const bytes = Buffer.from(text)
    expect(read([bytes])).toEqual({ names: NAMES, fault: null, brokenLines: 0 })
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)]).names).toEqual(NAMES)
    }
    expect(read([...bytes].map((byte) => Uint8Array.of(byte))).names).toEqual(NAMES)
  })
}

test('one event alone is a trail too', () => {
  expect(read([Buffer.from(JSON.stringify(EVENTS[0]))])).toEqual({
    names: ['DeleteTable'],
    fault: null,
    brokenLines: 0,
  })
})

test.each([
  ['cut', '{"Records": [{"eventName": "A"}, {"eventName": '],
  ['cut', '{"Records": [{"eventName": "A"}'],
  ['cut', '{"eventName": "A"}\n{"eventName": "B"'],
  ['broken', 'not json'],
  ['broken', '{"Records": [{"eventName" "A"}]}'],
  ['broken', `[${'{"a":'.repeat(202)}1${'}'.repeat(202)}]`],
  ['no_events', '{"digestStartTime": "2026-01-01T00:00:00Z", "logFiles": []}'],
])('%s: %.60s', (fault, text) => {
  expect(read([Buffer.from(text)]).fault).toBe(fault)
})

const A = JSON.stringify(event('A'))
const B = JSON.stringify(event('B'))
const HALF = B.slice(0, B.indexOf('quoted'))

test.each([
  ['cut in a string', `${A}\n${HALF}\n${B}\n`, ['A', 'B'], 1],
  ['the first one cut', `${HALF}\n${A}\n${B}\n`, ['A', 'B'], 1],
  ['a brace too many', `${A}\n${B}}\n${A}\n`, ['A', 'B', 'A'], 1],
  ['an open list', `${A}\n{"eventName":"X","a":[1\n${B}`, ['A', 'B'], 1],
  ['words between', `${A}\nConnection reset by peer\n${B}\n`, ['A', 'B'], 1],
  ['words before', `date,message\n${A}\n${B}\n`, ['A', 'B'], 1],
  ['empty lines are none', `${A}\n\n \r\n${B}\n`, ['A', 'B'], 0],
  ['two broken ones', `${A}\n${HALF}\n{"eventName"\n${B}\n`, ['A', 'B'], 2],
  ['the last one', `${A}\n${B}\n{"eventName" "C"}`, ['A', 'B'], 1],
])('a line that is no event takes no other with it: %s', (_, text, names, brokenLines) => {
  const bytes = Buffer.from(text)
  const fault = brokenLines > 0 ? 'broken_lines' : null
  expect(read([bytes])).toEqual({ names, fault, brokenLines })
  for (let cut = 0; cut <= bytes.length; cut++) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)]
    expect(read(pieces), `cut at ${cut}`).toEqual({ names, fault, brokenLines })
  }
})

test('where no line is an event, the file is broken; an event laid out over lines that breaks ends it', () => {
  expect(read([Buffer.from('{"eventName" "A"}\n{"eventName" "B"}\n')])).toEqual({
    names: [],
    fault: 'broken',
    brokenLines: 2,
  })
  const laidOut = JSON.stringify(event('A'), null, 1)
  const text = `${laidOut}\n${laidOut.replace(':', ' ')}\n${laidOut}`
  expect(read([Buffer.from(text)])).toEqual({ names: ['A'], fault: 'broken', brokenLines: 0 })
})

test('a line past the limit of one event is stepped over to its end', () => {
  const long = Buffer.from(`{"eventName":"X","pad":"${'x'.repeat(EVENT_BYTES_MAX + 10)}"}\n`)
  const half = long.length >> 1
  const pieces = [
    Buffer.from(`${A}\n`),
    long.subarray(0, half),
    long.subarray(half),
    Buffer.from(B),
  ]
  expect(read(pieces)).toEqual({ names: ['A', 'B'], fault: 'broken_lines', brokenLines: 1 })
})

test('an event past the limit is refused, one at it is read', () => {
  const sized = (bytes: number) => {
    const empty = JSON.stringify({ eventName: 'A', pad: '' })
    return Buffer.from(
      `[${JSON.stringify({ eventName: 'A', pad: 'x'.repeat(bytes - empty.length) })}]`,
    )
  }
  const halves = (bytes: Buffer) => [
    bytes.subarray(0, bytes.length - 2),
    bytes.subarray(bytes.length - 2),
  ]
  expect(read(halves(sized(EVENT_BYTES_MAX))).fault).toBe(null)
  expect(read(halves(sized(EVENT_BYTES_MAX + 2))).fault).toBe('event_too_large')
})

test('files: plain and gzip read alike, a cut or damaged gzip gives what is whole and its name', async () => {
  const many = JSON.stringify({
    Records: Array.from({ length: 400 }, (_, at) => event(`Get${at}`)),
  })
  const packed = gzipSync(many)
  const damaged = Buffer.from(packed)
  damaged.fill(0xff, packed.length - 40, packed.length - 20)
  const files = {
    'a.json': many,
    'b.json.gz': packed,
    'c.json.gz': packed.subarray(0, packed.length - 30),
    'd.json.gz': damaged,
    'x.txt': 'no trail',
  }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
  const found = trailFiles([folder])
  expect(found.map(({ path }) => path.slice(-4)).length).toBe(4)
  const results = []
  for (const file of found) results.push(await readTrailFile(file, scanner))
  expect(results.slice(0, 2)).toEqual([
    { events: 400, others: 0, fault: null, brokenLines: 0 },
    { events: 400, others: 0, fault: null, brokenLines: 0 },
  ])
  for (const { events, fault } of results.slice(2)) {
    expect(fault).toBe('gzip')
    expect(events).toBeLessThanOrEqual(400)
  }
})

test('a path that is not there, and a folder without a trail, are refused by name', () => {
  expect(() => trailFiles([join(folder, 'none')])).toThrow(
    expect.objectContaining({ code: 'trail_unreadable' }),
  )
  const empty = mkdtempSync(join(folder, 'empty-'))
  expect(() => trailFiles([empty])).toThrow(expect.objectContaining({ code: 'no_trail' }))
})

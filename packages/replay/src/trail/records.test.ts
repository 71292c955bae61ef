// The forms that trails come in, cut at every byte: the same events, whatever pieces they come in; and
// what is wrong with a file has a name.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
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

function read(pieces: readonly Uint8Array[]) {
  const names: string[] = []
  const reader = new RecordReader((one) => names.push(one.text('eventName')))
  for (const piece of pieces) reader.push(piece)
  return { names, fault: reader.end() }
}

for (const [form, text] of Object.entries(FORMS)) {
  test(`${form}: the same events, whole or in two pieces cut anywhere`, () => {
    const bytes = Buffer.from(text)
    expect(read([bytes])).toEqual({ names: NAMES, fault: null })
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
  for (const file of found) results.push(await readTrailFile(file, () => undefined))
  expect(results.slice(0, 2)).toEqual([
    { events: 400, others: 0, fault: null },
    { events: 400, others: 0, fault: null },
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

// What must not show in a report: pieces that went to the disk, slices, caches, what was remembered by its bytes,
// and parameters that were left out because they say nothing. And what must show: limits that were reached.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judgementOf } from '../judge/judge.ts'
import { loadRules } from '../judge/load-rules.ts'
import type { Rules } from '../judge/rules.ts'
import { SAMPLE, writeTrail } from '../made-trail/made-trail.ts'
import { openTrail, reportOn } from '../replay.ts'
import { replayed } from '../report/replayed.ts'
import { PlainWalker } from '../trail/event-walker.ts'
import { RecordReader } from '../trail/records.ts'
import { trailInput } from '../trail/trail-files.ts'
import { ByteTable } from './byte-table.ts'
import { CallBook } from './call-book.ts'
import { Gatherer, LIMITS } from './gatherer.ts'
import type { KnownCall } from './known-call.ts'
import type { Chunk } from './row.ts'
import { scanTrail } from './scan.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-store-'))
const trail = join(folder, 'trail')
let rules: Rules
beforeAll(async () => {
  writeTrail(trail, { ...SAMPLE, events: 3_000 })
  rules = await loadRules()
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a trail of any length', () => {
  test('rows on the disk and many slices give the report of rows in memory and one', async () => {
    const whole = await scanTrail(trailInput([trail]), { workers: 1 })
    const pieces = await scanTrail(trailInput([trail]), {
      workers: 2,
      memoryRowsMax: 1,
      sliceRowsMax: 200,
    })
    expect(pieces.store.slices.length).toBeGreaterThan(10)
    expect(replayed(pieces.store, { rules })).toEqual(replayed(whole.store, { rules }))
    whole.close()
    pieces.close()
  })
})

describe('one call in the trails of two accounts', () => {
  const HERE = '111122223333'
  const THERE = '444455556666'
  const shared = '11111111-2222-4333-8444-555555555555'
  const copy = (recipientAccountId: string, eventID: string, more: object = {}) => ({
    ...call('kms', 'DisableKey', { keyId: 'k' }),
    recipientAccountId,
    eventID,
    eventTime: '2025-12-14T09:30:00Z',
    sharedEventID: shared,
    userIdentity: {
      type: 'AssumedRole',
      accountId: HERE,
      arn: `arn:aws:sts::${HERE}:assumed-role/r/s`,
    },
    ...more,
  })
  const id = (at: number) => `00000000-0000-4000-8000-00000000000${at}`
  let folders = 0
  const reported = async (files: readonly (readonly object[])[]) => {
    const at = join(folder, `shared-${folders++}`)
    mkdirSync(at)
    files.forEach((events, index) => {
      writeFileSync(join(at, `${index}.json`), JSON.stringify({ Records: events }))
    })
    const { store, close } = await scanTrail(trailInput([at]), { workers: 1 })
    const report = replayed(store, { rules })
    const ids = store.slices.flatMap((slice) => [...slice().ids()]).length / 4
    close()
    return { store, report, ids }
  }

  test('counts once, as the account of the caller has it, whichever comes first; and the report says so', async () => {
    const [own, other] = [copy(HERE, id(1)), copy(THERE, id(2))]
    for (const files of [[[own], [other]], [[other], [own]], [[other, own]], [[own, other]]]) {
      const { store, report, ids } = await reported(files)
      expect(store.facts).toMatchObject({ events: 2, unique: 1, sharedCopies: 1 })
      expect(report).toMatchObject({ events: 2, unique: 1, reviewed: 1 })
      expect(ids).toBe(1)
      const kept = JSON.parse(store.calls[store.slices[0]?.().calls[0] as number] as string)
      expect(JSON.stringify(kept)).toContain(HERE)
      expect(JSON.stringify(kept)).not.toContain(THERE)
      expect(report.cannotProve).toContainEqual({
        what: expect.stringContaining('sharedEventID'),
        count: 1,
      })
    }
  })

  test('copies of one event ID stay copies; two calls of two shared IDs, and of none, stay two', async () => {
    const own = copy(HERE, id(1))
    const twice = await reported([[own, own], [copy(THERE, id(2))], [own, copy(THERE, id(2))]])
    expect(twice.store.facts).toMatchObject({ events: 5, unique: 1, sharedCopies: 1 })
    const apart = { sharedEventID: '11111111-2222-4333-8444-666666666666' }
    const two = await reported([[own], [copy(THERE, id(2), apart)]])
    expect(two.store.facts).toMatchObject({ unique: 2, sharedCopies: 0 })
    const none = await reported([
      [copy(HERE, id(1), { sharedEventID: null }), copy(HERE, id(2), { sharedEventID: '' })],
    ])
    expect(none.store.facts).toMatchObject({ unique: 2, sharedCopies: 0 })
  })
})

test('SQL in a trail is read by its grammar, as the gate reads it; what is hidden of it is opaque', async () => {
  const query = (queryString: string) =>
    call('athena', 'StartQueryExecution', { queryString, workGroup: 'primary' })
  const at = join(folder, 'sql')
  mkdirSync(at)
  const texts = ['SELECT a FROM t', 'DROP TABLE t', '***OMITTED***']
  writeFileSync(join(at, 'a.json'), JSON.stringify(texts.map(query)))
  const { store, close } = await scanTrail(trailInput([at]), { workers: 1 })
  close()
  const effects = store.calls.map((text) => {
    const known = JSON.parse(text) as KnownCall
    return known.is === 'call' ? known.meaning.effects : []
  })
  expect(effects[0]).not.toContain('opaque')
  expect(effects[1]).toContain('destroy')
  expect(effects[1]).not.toContain('opaque')
  expect(effects[2]).toContain('opaque')
  const report = replayed(store, { rules })
  expect(report.reviewed + report.denied).toBeGreaterThanOrEqual(2)
})

describe('the cache', () => {
  const cache = join(folder, 'cache')
  const file = () => join(cache, readdirSync(cache)[0] ?? '')
  test('gives the same report; a damaged one, a cut one and one of other files are none', async () => {
    const first = await openTrail([trail], { workers: 1, cache })
    const again = await openTrail([trail], { workers: 1, cache })
    expect([first.fromCache, again.fromCache]).toEqual([false, true])
    expect(reportOn(again, { rules })).toEqual(reportOn(first, { rules }))
    const bytes = readFileSync(file())
    for (const at of [0, 40, Math.floor(bytes.length / 2), bytes.length - 20]) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 0xff
      writeFileSync(file(), damaged)
      const one = await openTrail([trail], { workers: 1, cache })
      expect(one.fromCache).toBe(false)
      expect(reportOn(one, { rules })).toEqual(reportOn(first, { rules }))
      one.close()
    }
    truncateSync(file(), 1_000)
    expect((await openTrail([trail], { workers: 1, cache })).fromCache).toBe(false)
    writeFileSync(join(trail, 'more.json'), '[{"eventName":"DeleteTable"}]')
    const other = await openTrail([trail], { workers: 1, cache })
    expect(other.fromCache).toBe(false)
    expect(other.store.facts.events).toBe(first.store.facts.events + 1)
  })
})

function gathered(events: readonly object[], callsMax?: number, limits = LIMITS) {
  const chunks: Chunk[] = []
  const gatherer = new Gatherer((chunk) => chunks.push(chunk), [], limits)
  const reader = new RecordReader(new PlainWalker(gatherer.take))
  reader.push(Buffer.from(JSON.stringify(events)))
  gatherer.flush()
  const book = new CallBook(callsMax)
  const ids = chunks.flatMap((chunk) => chunk.calls).map((raw) => book.idOf(raw))
  const calls = book.texts.map((text) => JSON.parse(text) as KnownCall)
  const widened = ids.filter((id) => book.isWide(id)).length
  return {
    calls,
    whos: chunks.flatMap(({ whos }) => whos),
    widened,
    raw: ids.length,
    mistaken: [...book.mistaken],
  }
}

const call = (eventSource: string, eventName: string, requestParameters: unknown) => ({
  eventSource: `${eventSource}.amazonaws.com`,
  eventName,
  eventType: 'AwsApiCall',
  awsRegion: 'eu-west-1',
  recipientAccountId: '111122223333',
  requestParameters,
})

describe('what is remembered', () => {
  test('looks that differ in tokens and times alone are one call; in anything else they are others', () => {
    const look = (more: object) => call('logs', 'FilterLogEvents', { logGroupName: 'g', ...more })
    expect(
      gathered([look({ nextToken: 'a', startTime: 1 }), look({ nextToken: 'b', startTime: 2 })])
        .calls,
    ).toHaveLength(1)
    expect(
      gathered([look({ nextToken: 'a' }), { ...look({ nextToken: 'b' }), awsRegion: 'eu-west-2' }])
        .calls,
    ).toHaveLength(2)
    expect(
      gathered([
        look({ nextToken: 'a' }),
        call('logs', 'FilterLogEvents', { nextToken: 'b', logGroupName: 'h' }),
      ]).calls,
    ).toHaveLength(2)
  })
  test('a token that could hide a name, and one of a change, are read each time', () => {
    const arn = 'arn:aws:s3:::x'
    const secret = (more: object) => call('secretsmanager', 'ListSecrets', more)
    const hidden = gathered([secret({ nextToken: 'a' }), secret({ nextToken: '__entity' })]).calls
    expect(JSON.stringify(hidden)).toContain('__entity')
    expect(
      gathered([secret({ nextToken: 'a' }), secret({ nextToken: arn })]).calls.length,
    ).toBeGreaterThan(0)
    // StartTime says when a change shall be: it stays in what is described.
    const change = (startTime: string) =>
      call('ec2', 'CreateTags', { resourcesSet: { items: [{ resourceId: 'i-1' }] }, startTime })
    expect(gathered([change('1'), change('2')]).calls).toHaveLength(1)
  })
  test('a look that asks for what was left out is found out, and its trail is read again whole', async () => {
    const passing = call('logs', 'FilterLogEvents', { logGroupName: 'g', nextToken: 'a' })
    expect(gathered([passing, passing])).toMatchObject({ raw: 1, mistaken: [] })
    // By its verb a look, by its effects none.
    const change = call('iam', 'GenerateCredentialReport', { marker: 'a' })
    expect(gathered([change]).mistaken).toEqual([])
    const wrong = call('sts', 'GetFederationToken', { name: 'x', limit: 5 })
    expect(gathered([wrong]).mistaken).toEqual(['sts.amazonaws.com GetFederationToken'])
    const at = join(folder, 'wrong')
    mkdirSync(at)
    writeFileSync(
      join(at, 'a.json'),
      JSON.stringify([wrong, { ...wrong, requestParameters: { name: 'y', limit: 6 } }]),
    )
    const { store, close } = await scanTrail(trailInput([at]), { workers: 1 })
    close()
    expect(store.facts.events).toBe(2)
    expect(store.calls.length).toBe(1)
  })
  test('hidden parameters of a look are not taken for those of one that had them', () => {
    const plain = call('ssm', 'GetParameters', { names: ['a'], nextToken: 'x' })
    const decrypted = call('ssm', 'GetParameters', {
      names: ['a'],
      withDecryption: true,
      nextToken: 'y',
    })
    const answers = gathered([plain, decrypted]).calls.map(
      (known) => judgementOf(JSON.stringify(known), undefined, rules).answer,
    )
    expect(answers).toEqual(['allowed', 'reviewed'])
  })
  test('calls past the limit are widened, never narrowed, and counted; at the limit none is', () => {
    const tables = Array.from({ length: 4 }, (_, at) =>
      call('dynamodb', 'DeleteTable', { tableName: `t${at}` }),
    )
    expect(gathered(tables, 4).widened).toBe(0)
    const one = gathered([...tables, call('dynamodb', 'DescribeTable', { tableName: 'x' })], 2)
    expect(one.widened).toBe(3)
    const last = one.calls[2]
    expect(last?.is === 'call' && last.meaning.resources).toEqual([
      expect.objectContaining({
        arn: 'arn:aws:dynamodb:eu-west-1:111122223333:table/*',
        resolved: false,
      }),
    ])
    expect(judgementOf(JSON.stringify(last), undefined, rules).answer).toBe('reviewed')
  })
  test('sessions past the limit are their principal', () => {
    const session = (name: string) => ({
      ...call('dynamodb', 'DescribeTable', { tableName: 't' }),
      userIdentity: {
        type: 'AssumedRole',
        arn: `arn:aws:sts::111122223333:assumed-role/r/${name}`,
      },
    })
    const { whos } = gathered([session('a'), session('b'), session('c')], undefined, {
      ...LIMITS,
      whos: 1,
    })
    expect(whos.map((text) => (JSON.parse(text) as { session: string }).session)).toEqual([
      'arn:aws:sts::111122223333:assumed-role/r/a',
      'arn:aws:iam::111122223333:role/r',
    ])
  })
  test('two keys are never taken for each other, whatever their hash, and a full table begins anew', () => {
    const table = new ByteTable(7, 4)
    const key = (text: string) => {
      const bytes = Buffer.from(text)
      table.begin()
      table.add(bytes, 0, bytes.length)
      return table.find()
    }
    // One word of four is hashed: these differ where it is not.
    for (let at = 0; at < 1_000; at++) {
      const text = `0123456789ab${String(at).padStart(4, '0')}`
      expect(key(text)).toBe(-1)
      table.keep(at)
      const found = key(text)
      expect([at, -1]).toContain(found)
    }
    const plain = new ByteTable(7)
    for (let at = 0; at < 140_000; at++) {
      const bytes = Buffer.from(String(at))
      plain.begin()
      plain.add(bytes, 0, bytes.length)
      if (plain.find() !== -1) throw new Error('found what was never kept')
      plain.keep(at)
      plain.begin()
      plain.add(bytes, 0, bytes.length)
      if (plain.find() !== at) throw new Error('lost what was just kept')
    }
  })
})

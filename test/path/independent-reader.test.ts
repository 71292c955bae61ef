// A stranger's reader (examples/read-ledger.mjs, no code of ours) against the ledger of a real gate, and
// against the same files with one thing changed.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, requestIdIn } from './harness.ts'
import { dynamodbCall, rawCall } from './wire.ts'

const SCRIPT = join(import.meta.dirname, '..', '..', 'examples', 'read-ledger.mjs')
/** More than a bundle, so that there are full tiles, partial ones and a second level. */
const READS = 270

let upstream: FakeUpstream
let gate: Harness
let vkey = ''
let entries: readonly Record<string, unknown>[]

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gate = await Harness.start({ upstream: upstream.url })
  const keys = await gate.open('alice')
  const held = await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  await gate.review('bob', requestIdIn(new Error(held.body)))
  await rawCall(keys, dynamodbCall('DeleteTable', { TableName: 'orders' }))
  for (let read = 0; read < READS; read += 1) {
    await rawCall(keys, dynamodbCall('DescribeTable', { TableName: `t${read}` }))
  }
  await gate.running.close()
  entries = await gate.entries()
  vkey = readFileSync(join(gate.folder, 'ledger.vkey'), 'utf8').trim()
})

afterAll(async () => {
  rmSync(gate.folder, { recursive: true, force: true })
  await upstream.close()
})

function read(folder: string, key: string, index: string | number) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [SCRIPT, folder, key, String(index)],
    { encoding: 'utf8' },
  )
  return { status, stdout, stderr }
}

test('the reader has at most 60 lines and imports node:crypto and node:fs alone', () => {
  const text = readFileSync(SCRIPT, 'utf8')
  expect(text.split('\n').length - 1).toBeLessThanOrEqual(60)
  const imported = [...text.matchAll(/(?:from|import\(?|require\() ?'([^']+)'/g)].map(
    ([, it]) => it,
  )
  expect(imported).toEqual(['node:crypto', 'node:fs'])
})

test('it verifies entries at every place of the tree, and prints what they say', () => {
  const last = entries.length - 1
  expect(last).toBeGreaterThan(256)
  const review = entries.findIndex(({ type }) => type === 'review')
  for (const index of [0, review, 255, 256, last]) {
    const { status, stdout, stderr } = read(join(gate.folder, 'ledger'), vkey, index)
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const [verdict, entry = ''] = stdout.split('\n')
    expect(verdict).toMatch(new RegExp(`^verified: entry ${index} of the ${entries.length} `))
    expect(JSON.parse(entry)).toEqual(entries[index])
  }
})

test('it refuses a changed entry, a changed tile, a changed checkpoint, another key, no such entry', () => {
  const original = join(gate.folder, 'ledger')
  const note = readFileSync(join(original, 'checkpoint'), 'utf8')
  const cases: [what: string, file: string, change: (text: Buffer) => Buffer, said: RegExp][] = [
    [
      'entry',
      'tile/entries/000',
      (bytes) => flipped(bytes, 60),
      /does not lead to the signed root/,
    ],
    ['tile', 'tile/1/000.p/1', (bytes) => flipped(bytes, 3), /does not lead to the signed root/],
    ['size', 'checkpoint', () => replaced(note, `\n${entries.length}\n`, '\n9\n'), /not signed/],
    ['signature', 'checkpoint', (bytes) => flipped(bytes, bytes.length - 9), /not signed/],
    ['no signature', 'checkpoint', () => Buffer.from(`${note.split('\n\n')[0]}\n\n`), /not signed/],
    ['cut short', 'tile/entries/000', (bytes) => bytes.subarray(0, 40), /Error/],
  ]
  for (const [what, file, change, said] of cases) {
    const folder = mkdtempSync(join(tmpdir(), 'seconder-reader-'))
    cpSync(original, folder, { recursive: true })
    writeFileSync(join(folder, file), change(readFileSync(join(original, file))))
    // Entry 0 for what lies in its bundle; the last one for what the tiles say of all before it.
    const { status, stderr } = read(folder, vkey, what === 'tile' ? entries.length - 1 : 0)
    expect(stderr, what).toMatch(said)
    expect(status, what).toBe(1)
    rmSync(folder, { recursive: true })
  }
  const [name, id, key = ''] = vkey.split('+')
  const other = `${name}+${id}+${replaced(key, key.slice(5, 8), 'AAA').toString()}`
  expect(read(original, other, 0).stderr).toMatch(/not a verifier key/)
  for (const index of [entries.length, -1, 0.5, 'x']) {
    expect(read(original, vkey, index).stderr).toMatch(/no such entry/)
  }
})

function flipped(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[offset] = (copy[offset] ?? 0) ^ 1
  return copy
}

function replaced(text: string, from: string, to: string): Buffer {
  expect(text).toContain(from)
  return Buffer.from(text.replace(from, to))
}

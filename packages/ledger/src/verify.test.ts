import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  checkLedger,
  copyLedger,
  entryOf,
  fileNames,
  flipByte,
  ledgerOptions,
  seededRandom,
  signer,
  temporaryDirectory,
  verifierKey,
} from '../test/temporary-ledger.ts'
import { directorySource } from './directory.ts'
import { openLedger } from './ledger.ts'
import { nodeSigner } from './node.ts'
import { ROLLBACK_UNSEEN } from './report.ts'
import { entries, verifyLedger } from './verify.ts'

const ENTRIES = 600
const directory = temporaryDirectory().path
let earlier = '' // the checkpoint after 300 entries
let last = ''

beforeAll(async () => {
  const ledger = await openLedger(ledgerOptions(directory))
  for (let index = 0; index < ENTRIES; index += 100) {
    const appends = Array.from({ length: 100 }, (_, at) => ledger.append(entryOf(index + at)))
    await Promise.all(appends)
    if (ledger.size === 300) earlier = ledger.checkpoint().note
  }
  await ledger.putPayload(Buffer.from('a payload that is larger than an entry'))
  last = ledger.checkpoint().note
  await ledger.close()
  return () => rmSync(directory, { recursive: true, force: true })
})

/** All offsets of a small file, and as many of a larger one, chosen alike in every run. */
function offsetsOf(name: string, bytes: number): number[] {
  const small = 256
  if (bytes <= small) return Array.from({ length: bytes }, (_, offset) => offset)
  const random = seededRandom(name.length + bytes)
  const sampled = Array.from({ length: 60 }, () => Math.floor(random() * bytes))
  return [0, 1, bytes - 2, bytes - 1, ...sampled]
}

test('a ledger that nobody changed verifies, and its entries come in order', async () => {
  const report = await checkLedger(directory)
  expect(report).toMatchObject({ ok: true, size: ENTRIES, payloads: 1, problems: [], note: last })
  expect(report.rollback).toBe(ROLLBACK_UNSEEN)
  expect(ROLLBACK_UNSEEN).toBe('cannot be seen without --since')
  let next = 0
  for await (const { index, entry } of entries(directorySource(directory), { verifierKey })) {
    expect(index).toBe(next)
    expect(Buffer.from(entry)).toEqual(entryOf(next))
    next += 1
  }
  expect(next).toBe(ENTRIES)
})

test('the same report comes from the primitives that a browser has, entry by entry', async () => {
  const heard: number[] = []
  const progress: number[] = []
  const report = await verifyLedger(directorySource(directory), {
    verifierKey,
    onEntry: (index, entry) => {
      expect(Buffer.from(entry)).toEqual(entryOf(index))
      heard.push(index)
    },
    onProgress: (done) => progress.push(done.entries),
  })
  expect(report).toEqual(await checkLedger(directory))
  expect(heard).toEqual(Array.from({ length: ENTRIES }, (_, index) => index))
  expect(progress).toEqual([256, 512, 600])
})

test('any one byte changed in any file fails, and the report names that file alone', async () => {
  const names = fileNames(directory)
  expect(names).toEqual([
    'checkpoint',
    'lock',
    expect.stringMatching(/^payload\//),
    'tile/0/000',
    'tile/0/001',
    'tile/0/002.p/88',
    'tile/1/000.p/2',
    'tile/entries/000',
    'tile/entries/001',
    'tile/entries/002.p/88',
  ])
  let changes = 0
  for (const name of names) {
    const bytes = statSync(join(directory, name)).size
    for (const offset of offsetsOf(name, bytes)) {
      const bit = 1 << ((offset * 5) % 8)
      flipByte(directory, name, offset, bit)
      const report = await checkLedger(directory)
      flipByte(directory, name, offset, bit)
      expect(report.ok, `${name} at ${offset}`).toBe(false)
      const named = new Set(report.problems.map((problem) => problem.file))
      expect([...named], `${name} at ${offset}`).toEqual([name])
      changes += 1
    }
  }
  expect(changes).toBeGreaterThan(600)
  expect((await checkLedger(directory)).ok).toBe(true)
})

test('a changed byte in a bundle names the entry that holds it', async () => {
  for (const [name, first] of [
    ['tile/entries/000', 0],
    ['tile/entries/001', 256],
    ['tile/entries/002.p/88', 512],
  ] as const) {
    for (const position of [0, 1, 40, 87]) {
      for (const within of [0, 1, 2, 41]) {
        // Each entry has 40 bytes after the two of its length.
        const offset = position * 42 + within
        flipByte(directory, name, offset)
        const report = await checkLedger(directory)
        flipByte(directory, name, offset)
        expect(report.problems).toEqual([
          expect.objectContaining({ file: name, entry: first + position, code: 'wrong_content' }),
        ])
      }
    }
  }
})

test('a file that is missing, cut short or grown fails, and is named', async () => {
  for (const name of fileNames(directory)) {
    if (name === 'lock' || name.startsWith('payload/')) continue
    const path = join(directory, name)
    const bytes = readFileSync(path)
    for (const damage of [
      () => rmSync(path),
      () => truncateSync(path, bytes.length - 1),
      () => truncateSync(path, 0),
      () => writeFileSync(path, Buffer.concat([bytes, Buffer.from([0])])),
    ]) {
      damage()
      const report = await checkLedger(directory)
      writeFileSync(path, bytes)
      expect(report.ok).toBe(false)
      expect(report.problems.map((problem) => problem.file)).toContain(name)
    }
  }
})

test('a file that no ledger has is named, wherever it is', async () => {
  for (const name of [
    'notes.txt',
    'checkpoint.bak',
    'tile/0/003',
    'tile/0/002.p/89',
    'tile/0/02',
    'tile/2/000.p/1',
    'tile/entries/002.p/89',
    'tile/entries/003',
    'payload/00/README',
    `payload/aa/${'0'.repeat(64)}`,
  ]) {
    using copy = temporaryDirectory()
    copyLedger(directory, copy.path)
    const { mkdirSync } = await import('node:fs')
    const path = join(copy.path, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, Buffer.alloc(32 * 89))
    const report = await checkLedger(copy.path)
    expect(report.problems).toEqual([expect.objectContaining({ file: name, code: 'unknown_file' })])
  }
  writeFileSync(join(directory, 'lock'), 'x')
  const report = await checkLedger(directory)
  writeFileSync(join(directory, 'lock'), '')
  expect(report.problems).toEqual([expect.objectContaining({ file: 'lock' })])
})

test('an older partial tile may stay, and must be a prefix of the newer one', async () => {
  for (const [older, newer, bytes] of [
    ['tile/0/002.p/50', 'tile/0/002.p/88', 50 * 32],
    ['tile/0/001.p/7', 'tile/0/001', 7 * 32],
    ['tile/1/000.p/1', 'tile/1/000.p/2', 32],
    ['tile/entries/002.p/3', 'tile/entries/002.p/88', 3 * 42],
    ['tile/entries/000.p/255', 'tile/entries/000', 255 * 42],
  ] as const) {
    using copy = temporaryDirectory()
    copyLedger(directory, copy.path)
    const { mkdirSync } = await import('node:fs')
    mkdirSync(join(copy.path, older, '..'), { recursive: true })
    const prefix = readFileSync(join(copy.path, newer)).subarray(0, bytes)
    writeFileSync(join(copy.path, older), prefix)
    expect((await checkLedger(copy.path)).problems).toEqual([])
    flipByte(copy.path, older, bytes - 1)
    expect((await checkLedger(copy.path)).problems).toEqual([
      expect.objectContaining({ file: older, code: 'wrong_content' }),
    ])
  }
})

test('a rollback to an older signed ledger is seen with since only (H13)', async () => {
  using copy = temporaryDirectory()
  const short = await openLedger(ledgerOptions(copy.path))
  for (let index = 0; index < 300; index += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, at) => short.append(entryOf(index + at))))
  }
  await short.close()
  const unseen = await checkLedger(copy.path)
  expect(unseen).toMatchObject({ ok: true, size: 300, rollback: 'cannot be seen without --since' })
  const seen = await checkLedger(copy.path, last)
  expect(seen).toMatchObject({ ok: false, rollback: 'checked' })
  expect(seen.problems).toEqual([expect.objectContaining({ code: 'rollback', file: 'checkpoint' })])
  expect(await checkLedger(copy.path, earlier)).toMatchObject({ ok: true, rollback: 'checked' })
  expect(await checkLedger(directory, earlier)).toMatchObject({ ok: true, rollback: 'checked' })
  expect(await checkLedger(directory, last)).toMatchObject({ ok: true, rollback: 'checked' })
})

test('a fork after a checkpoint somebody saw is seen with since (H13)', async () => {
  using copy = temporaryDirectory()
  const fork = await openLedger(ledgerOptions(copy.path))
  const appends = Array.from({ length: 700 }, (_, at) => fork.append(entryOf(at === 299 ? -1 : at)))
  await Promise.all(appends)
  await fork.close()
  expect(await checkLedger(copy.path)).toMatchObject({ ok: true })
  const report = await checkLedger(copy.path, earlier)
  expect(report.problems).toEqual([expect.objectContaining({ code: 'fork' })])
})

test('a since that is not a checkpoint of this ledger is a problem, not ignored', async () => {
  const report = await checkLedger(directory, last.replace('600', '700'))
  expect(report).toMatchObject({ ok: false, rollback: 'cannot be seen without --since' })
  expect(report.problems).toEqual([expect.objectContaining({ code: 'since_invalid' })])
})

test('a ledger verifies under its own key only', async () => {
  const other = nodeSigner('seconder.example/other', signer).verifierKey
  const report = await verifyLedger(directorySource(directory), { verifierKey: other })
  expect(report.problems).toEqual([
    expect.objectContaining({ file: 'checkpoint', code: 'checkpoint_invalid' }),
  ])
  await expect(
    verifyLedger(directorySource(directory), { verifierKey: 'x' }),
  ).rejects.toMatchObject({ code: 'key_invalid' })
})

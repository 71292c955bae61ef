// Each named maximum, at the maximum and one past it; and proofs out of the tiles of a real ledger.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  checkLedger,
  copyLedger,
  entryOf,
  ledgerOptions,
  temporaryDirectory,
} from '../test/temporary-ledger.ts'
import { encodeRecord, journalPath, parseJournal, RECORD_ENTRIES_MAX } from './journal.ts'
import { PAYLOAD_BYTES_MAX } from './layout.ts'
import { openLedger } from './ledger.ts'
import { nodePrimitives } from './node.ts'
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './proof.ts'
import { PROBLEMS_MAX } from './report.ts'
import { JOURNALS_MAX } from './staged-journal.ts'
import { tileNodeReader } from './tile-reader.ts'
import { leafHash } from './tree.ts'
import { QUEUE_BYTES_MAX } from './writer.ts'

const { sha256 } = nodePrimitives

test('a payload of 32 MiB is stored, and one byte more is refused', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const digest = await ledger.putPayload(new Uint8Array(PAYLOAD_BYTES_MAX))
  expect((await ledger.readPayload(digest)).length).toBe(PAYLOAD_BYTES_MAX)
  await expect(ledger.putPayload(new Uint8Array(PAYLOAD_BYTES_MAX + 1))).rejects.toMatchObject({
    code: 'payload_too_large',
  })
  await ledger.append(entryOf(0)) // a refused payload stops nothing
  await ledger.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, payloads: 1 })
})

test('a queue of 64 MiB takes no more, and all of it becomes durable', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const entry = new Uint8Array(32 * 1024)
  const count = QUEUE_BYTES_MAX / entry.length
  const appends = Array.from({ length: count }, () => ledger.append(entry))
  await expect(ledger.append(new Uint8Array(1))).rejects.toMatchObject({ code: 'queue_full' })
  await Promise.all(appends)
  await ledger.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: count })
})

test('a record of 4,096 entries parses, and one of 4,097 does not', () => {
  for (const [count, isRight] of [
    [RECORD_ENTRIES_MAX, true],
    [RECORD_ENTRIES_MAX + 1, false],
  ] as const) {
    const entries = Array.from({ length: count }, () => new Uint8Array(0))
    const leaf = leafHash(sha256, new Uint8Array(0))
    const leafHashes = new Uint8Array(count * 32)
    for (let index = 0; index < count; index++) leafHashes.set(leaf, index * 32)
    const bytes = encodeRecord({ firstIndex: 0, entries, leafHashes, note: 'note\n' }, sha256)
    expect(bytes.length % 8).toBe(0)
    expect(parseJournal(bytes, 0, nodePrimitives).problem === null).toBe(isRight)
    expect(parseJournal(bytes, 1, nodePrimitives).problem).not.toBeNull()
  }
})

test('a report lists 1,000 problems and counts the rest', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await ledger.append(entryOf(0))
  await ledger.close()
  mkdirSync(join(directory.path, 'other'))
  for (let index = 0; index < PROBLEMS_MAX + 3; index++) {
    writeFileSync(join(directory.path, 'other', `file-${index}`), '')
  }
  const report = await checkLedger(directory.path)
  expect(report.problems).toHaveLength(PROBLEMS_MAX)
  expect(report).toMatchObject({ ok: false, problemsOmitted: 3 })
})

test('a ledger may have eight journal files, and a ninth is named', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const journals: [string, Buffer][] = []
  for (let index = 0; index < JOURNALS_MAX + 1; index++) {
    await ledger.append(entryOf(index))
    const name = journalPath(index)
    const journal = readFileSync(join(directory.path, journalPath(0)))
    const recordBytes = (journal.findLastIndex((byte) => byte !== 0) + 1) / (index + 1)
    journals.push([name, journal.subarray(index * recordBytes, (index + 1) * recordBytes)])
  }
  using copy = temporaryDirectory()
  copyLedger(directory.path, copy.path)
  await ledger.close()
  for (const [position, [name, record]] of journals.entries()) {
    writeFileSync(join(copy.path, name), record)
    const report = await checkLedger(copy.path)
    const isMost = position < JOURNALS_MAX
    expect(report.problems).toEqual(isMost ? [] : [expect.objectContaining({ file: name })])
  }
})

test('a file larger than any that a ledger writes is not read', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await ledger.append(entryOf(0))
  await ledger.close()
  writeFileSync(join(directory.path, 'tile/0/000.p/1'), new Uint8Array(256 * 32 + 1))
  const report = await checkLedger(directory.path)
  expect(report.problems[0]).toMatchObject({ file: 'tile/0/000.p/1', code: 'unreadable' })
})

test('inclusion and consistency proofs come out of the published tiles, and verify', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const count = 70_000 // three tile levels, as in the example of tlog-tiles
  let older = ledger.checkpoint()
  for (let first = 0; first < count; first += 10_000) {
    const appends = Array.from({ length: 10_000 }, (_, at) =>
      ledger.append(entryOf(first + at, 20)),
    )
    await Promise.all(appends)
    if (ledger.size === 20_000) older = ledger.checkpoint()
  }
  await ledger.close()
  const { size, rootHash } = ledger.checkpoint()
  const readFile = async (name: string) => readFileSync(join(directory.path, name))
  const reader = tileNodeReader(sha256, readFile, size)
  for (const index of [0, 255, 256, 65_535, 65_536, 69_999]) {
    const proof = await inclusionProof(sha256, reader, index, size)
    const leaf = leafHash(sha256, entryOf(index, 20))
    verifyInclusion(sha256, index, size, leaf, proof, rootHash)
    const other = leafHash(sha256, entryOf(index + 1, 20))
    expect(() => verifyInclusion(sha256, index, size, other, proof, rootHash)).toThrow()
  }
  const proof = await consistencyProof(sha256, reader, older.size, size)
  verifyConsistency(sha256, older.size, size, proof, older.rootHash, rootHash)
  expect(await checkLedger(directory.path, older.note)).toMatchObject({ ok: true, size })
})

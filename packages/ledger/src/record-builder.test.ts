import { expect, test } from 'vitest'
import {
  checkLedger,
  entryOf,
  ledgerOptions,
  temporaryDirectory,
} from '../test/temporary-ledger.ts'
import { encodeRecord, parseJournal, RECORD_ENTRIES_MAX } from './journal.ts'
import { openLedger } from './ledger.ts'
import { nodePrimitives } from './node.ts'
import { RecordBuilder } from './record-builder.ts'
import { ENTRY_BYTES_MAX, leafHash } from './tree.ts'
import { QUEUE_ENTRIES_MAX } from './writer.ts'

const { sha256 } = nodePrimitives

test.each([
  ['many at once', nodePrimitives],
  ['one by one', { sha256 }],
] as const)(
  'a record that was built, hashed %s, is the record that is encoded, byte for byte, and parses to its entries',
  (_, hasher) => {
    for (const lengths of [
      [0],
      [1, 0, 7],
      [65_535],
      [9, 65_535, 0, 600, 600],
      Array.from({ length: 300 }, (_, at) => at),
    ]) {
      const entries = lengths.map((length, at) => new Uint8Array(length).fill(at + 1))
      const built = new RecordBuilder(0)
      for (const entry of entries) built.add(entry, hasher)
      const leafHashes = Buffer.concat(entries.map((entry) => leafHash(sha256, entry)))
      expect(Buffer.from(built.leafHashes(hasher))).toEqual(leafHashes)
      const bytes = Buffer.from(built.seal(17, 'a note\n', hasher))
      const record = { firstIndex: 17, entries, leafHashes, note: 'a note\n' }
      expect(bytes).toEqual(Buffer.from(encodeRecord(record, sha256)))
      expect(entries.map((_, at) => built.at(at)?.length)).toEqual(lengths)
      expect(built.at(entries.length)).toBeUndefined()
      const parsed = parseJournal(bytes, 17, hasher)
      expect(parsed.problem).toBeNull()
      expect(parsed.records[0]?.entries.map((entry) => Buffer.from(entry))).toEqual(
        entries.map((entry) => Buffer.from(entry)),
      )
    }
  },
)

test('a record is full at its limit of entries and of bytes, and always takes one entry', () => {
  const many = new RecordBuilder(0)
  for (let count = 0; count < RECORD_ENTRIES_MAX; count++) {
    expect(many.hasRoomFor(new Uint8Array(0))).toBe(true)
    many.add(new Uint8Array(0), nodePrimitives)
  }
  expect(many.hasRoomFor(new Uint8Array(0))).toBe(false)
  const large = new RecordBuilder(0)
  const entry = new Uint8Array(ENTRY_BYTES_MAX)
  while (large.hasRoomFor(entry)) large.add(entry, nodePrimitives)
  expect(large.length).toBe(127) // 8 MiB over 65,535 + 10 bytes each
  expect(new RecordBuilder(0).hasRoomFor(entry)).toBe(true)
})

test('entries given together stand one after another, among those of others, and are durable at once', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const many = Array.from({ length: RECORD_ENTRIES_MAX + 10 }, (_, at) => entryOf(at))
  const [alone, together, after] = await Promise.all([
    ledger.append(entryOf(-1)),
    ledger.appendAll(many),
    ledger.append(entryOf(-2)),
  ])
  expect([alone.index, together.first, after.index]).toEqual([0, 1, many.length + 1])
  for (const at of [0, 1, RECORD_ENTRIES_MAX - 1, RECORD_ENTRIES_MAX, many.length - 1]) {
    expect(Buffer.from(await ledger.read(1 + at))).toEqual(many[at])
  }
  await ledger.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: many.length + 2 })
})

test('entries given together are taken whole or not at all', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const tooLarge = [entryOf(0), new Uint8Array(ENTRY_BYTES_MAX + 1)]
  await expect(ledger.appendAll(tooLarge)).rejects.toMatchObject({ code: 'entry_too_large' })
  await expect(ledger.appendAll([])).rejects.toMatchObject({ code: 'size_invalid' })
  const tooMany = Array.from({ length: QUEUE_ENTRIES_MAX + 1 }, () => new Uint8Array(0))
  await expect(ledger.appendAll(tooMany)).rejects.toMatchObject({ code: 'queue_full' })
  expect((await ledger.appendAll(tooMany.slice(1))).first).toBe(0)
  await ledger.close()
  await expect(ledger.appendAll([entryOf(0)])).rejects.toMatchObject({ code: 'ledger_closed' })
})

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  checkLedger,
  copyLedger,
  entryOf,
  fileNames,
  flipByte,
  ledgerOptions,
  signer,
  temporaryDirectory,
  verifierKey,
} from '../test/temporary-ledger.ts'
import { openLedger } from './ledger.ts'
import { nodePrimitives } from './node.ts'
import { ENTRY_BYTES_MAX, emptyRoot, leafHash } from './tree.ts'
import { QUEUE_ENTRIES_MAX } from './writer.ts'

const { sha256 } = nodePrimitives

test('a new ledger is the signed empty tree, and verifies', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  expect(ledger.size).toBe(0)
  expect(ledger.firstEntryHash()).toBeNull()
  expect(ledger.checkpoint().rootHash).toEqual(emptyRoot(sha256))
  expect(ledger.verifierKey).toBe(verifierKey)
  await ledger.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: 0 })
})

test('5,000 concurrent appends get 5,000 indexes in order, and all read back', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const appends = Array.from({ length: 5000 }, (_, index) => ledger.append(entryOf(index)))
  const indexes = (await Promise.all(appends)).map((appended) => appended.index)
  expect(indexes).toEqual(Array.from({ length: 5000 }, (_, index) => index))
  expect(ledger.size).toBe(5000)
  for (const index of [0, 255, 256, 4095, 4096, 4999]) {
    expect(Buffer.from(await ledger.read(index))).toEqual(entryOf(index))
  }
  await ledger.close()
  const reopened = await openLedger(ledgerOptions(directory.path))
  expect(reopened.checkpoint()).toEqual(ledger.checkpoint())
  for (const index of [0, 255, 256, 4095, 4096, 4999]) {
    expect(Buffer.from(await reopened.read(index))).toEqual(entryOf(index))
  }
  expect(reopened.firstEntryHash()).toEqual(leafHash(sha256, entryOf(0)))
  await reopened.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: 5000 })
})

test('an entry is what it was at append, whatever the caller does to its buffer', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const buffer = Buffer.from('first')
  const appended = ledger.append(buffer)
  buffer.write('other')
  await appended
  expect(Buffer.from(await ledger.read(0)).toString()).toBe('first')
  expect(ledger.firstEntryHash()).toEqual(leafHash(sha256, Buffer.from('first')))
  await ledger.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: 1 })
})

test('while a ledger is open, its files verify up to the last acknowledged entry', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  for (let index = 0; index < 10; index++) {
    await ledger.append(entryOf(index))
    const report = await checkLedger(directory.path, ledger.checkpoint().note)
    expect(report.problems).toEqual([])
    expect(report.size).toBe(index + 1)
  }
  await ledger.close()
})

test('an entry of 65,535 bytes is appended, and one of 65,536 is refused', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await ledger.append(new Uint8Array(ENTRY_BYTES_MAX))
  await expect(ledger.append(new Uint8Array(ENTRY_BYTES_MAX + 1))).rejects.toMatchObject({
    code: 'entry_too_large',
  })
  await ledger.append(new Uint8Array(0))
  expect((await ledger.read(0)).length).toBe(65_535)
  expect((await ledger.read(1)).length).toBe(0)
  await expect(ledger.read(2)).rejects.toMatchObject({ code: 'entry_unknown' })
  await ledger.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: 2 })
})

test('a full queue refuses one more append, and keeps all that it holds', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  const entry = Buffer.from('x')
  const appends = Array.from({ length: QUEUE_ENTRIES_MAX }, () => ledger.append(entry))
  await expect(ledger.append(entry)).rejects.toMatchObject({ code: 'queue_full' })
  await Promise.all(appends)
  expect(ledger.size).toBe(QUEUE_ENTRIES_MAX)
  await ledger.append(entry)
  await ledger.close()
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: QUEUE_ENTRIES_MAX + 1 })
})

test('a payload is stored under its digest, once however often it is put', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  // FIPS 180-4 example: the SHA-256 of "abc".
  const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(await ledger.putPayload(Buffer.from('abc'))).toBe(digest)
  expect(await ledger.putPayload(Buffer.from('abc'))).toBe(digest)
  expect(Buffer.from(await ledger.readPayload(digest)).toString()).toBe('abc')
  await expect(ledger.readPayload('0'.repeat(64))).rejects.toMatchObject({
    code: 'payload_unknown',
  })
  await expect(ledger.readPayload('../../x')).rejects.toMatchObject({ code: 'payload_unknown' })
  flipByte(directory.path, `payload/ba/${digest}`, 0)
  await expect(ledger.readPayload(digest)).rejects.toMatchObject({ code: 'ledger_corrupt' })
  await ledger.close()
})

test('a ledger that is open cannot be opened again until it is closed', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await expect(openLedger(ledgerOptions(directory.path))).rejects.toMatchObject({
    code: 'ledger_locked',
  })
  await ledger.close()
  await expect(ledger.append(entryOf(0))).rejects.toMatchObject({ code: 'ledger_closed' })
  const next = await openLedger(ledgerOptions(directory.path))
  await next.append(entryOf(0))
  await next.close()
})

test('a ledger older than its last acknowledged checkpoint is refused (H13)', async () => {
  using directory = temporaryDirectory()
  using older = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  for (let index = 0; index < 300; index++) await ledger.append(entryOf(index))
  await ledger.close()
  copyLedger(directory.path, older.path)
  const longer = await openLedger(ledgerOptions(directory.path))
  await longer.append(entryOf(300))
  const lastAcknowledged = longer.checkpoint().note
  await longer.close()
  const again = await openLedger({ ...ledgerOptions(directory.path), lastAcknowledged })
  await again.append(entryOf(301))
  await again.close()
  const newer = await openLedger({ ...ledgerOptions(directory.path), lastAcknowledged })
  await newer.close()
  await expect(
    openLedger({ ...ledgerOptions(older.path), lastAcknowledged }),
  ).rejects.toMatchObject({ code: 'ledger_older_than_acknowledged' })
})

test('a ledger with another past than was acknowledged is refused (H13)', async () => {
  using directory = temporaryDirectory()
  using fork = temporaryDirectory()
  for (const [path, tail] of [
    [directory.path, 'a'],
    [fork.path, 'b'],
  ] as const) {
    const ledger = await openLedger(ledgerOptions(path))
    await Promise.all([ledger.append(entryOf(0)), ledger.append(Buffer.from(tail))])
    await ledger.append(entryOf(2))
    await ledger.close()
  }
  const acknowledged = await openLedger(ledgerOptions(directory.path))
  const lastAcknowledged = acknowledged.checkpoint().note
  await acknowledged.close()
  await expect(openLedger({ ...ledgerOptions(fork.path), lastAcknowledged })).rejects.toMatchObject(
    { code: 'ledger_older_than_acknowledged' },
  )
})

test('a ledger whose checkpoint is gone or of another key is corrupt, not new', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await ledger.append(entryOf(0))
  await ledger.close()
  const other = { ...ledgerOptions(directory.path), origin: 'seconder.example/other' }
  await expect(openLedger(other)).rejects.toMatchObject({ code: 'ledger_corrupt' })
  rmSync(join(directory.path, 'checkpoint'))
  await expect(openLedger(ledgerOptions(directory.path))).rejects.toMatchObject({
    code: 'ledger_corrupt',
  })
})

test('a damaged right edge or journal is refused at open', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await ledger.append(entryOf(0))
  await ledger.close()
  for (const name of ['tile/0/000.p/1', 'tile/entries/000.p/1', 'checkpoint']) {
    flipByte(directory.path, name, 5)
    await expect(openLedger(ledgerOptions(directory.path))).rejects.toMatchObject({
      code: 'ledger_corrupt',
    })
    flipByte(directory.path, name, 5)
  }
  writeFileSync(join(directory.path, 'journal/0000000000000001'), 'SLJ1 a cut header')
  const reopened = await openLedger(ledgerOptions(directory.path))
  await reopened.close()
  expect(fileNames(directory.path)).not.toContain('journal/0000000000000001')
})

test('only an Ed25519 private key signs a ledger', async () => {
  using directory = temporaryDirectory()
  const { createPublicKey } = await import('node:crypto')
  const publicOnly = { ...ledgerOptions(directory.path), signer: createPublicKey(signer) }
  await expect(openLedger(publicOnly)).rejects.toMatchObject({ code: 'key_invalid' })
})

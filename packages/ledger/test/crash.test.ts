// "After restart the ledger verifies": a crash at every step of the writer, and kill -9 of a real
// process at random moments. After each, every acknowledged entry is there and appending goes on.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { HEADER_BYTES } from '../src/journal.ts'
import { type Ledger, openLedger } from '../src/ledger.ts'
import { type CrashingFiles, crashingFiles } from './crashing-files.ts'
import {
  checkLedger,
  copyLedger,
  entryOf,
  fileNames,
  flipByte,
  ledgerOptions,
  seededRandom,
  temporaryDirectory,
} from './temporary-ledger.ts'

/** Appends in batches until the files crash or all is done; what was acknowledged, and the note. */
async function appendUntilCrash(
  directory: string,
  files: CrashingFiles,
  batches: readonly number[],
): Promise<{ acknowledged: number; note: string | undefined }> {
  let acknowledged = 0
  let note: string | undefined
  let ledger: Ledger | undefined
  try {
    ledger = await openLedger(ledgerOptions(directory), files)
    acknowledged = ledger.size
    note = ledger.checkpoint().note
    for (const batch of batches) {
      const first = ledger.size
      await Promise.all(
        Array.from({ length: batch }, (_, at) => ledger?.append(entryOf(first + at))),
      )
      acknowledged = ledger.size
      note = ledger.checkpoint().note
    }
  } catch (error) {
    if (!files.isCrashed) throw error
  }
  // A close publishes, so crashes fall into publication too.
  await ledger?.close().catch((error: unknown) => {
    if (!files.isCrashed) throw error
  })
  files.releaseLocks()
  return { acknowledged, note }
}

async function checkGoesOn(directory: string, acknowledged: number, note?: string) {
  const ledger = await openLedger({
    ...ledgerOptions(directory),
    ...(note === undefined ? {} : { lastAcknowledged: note }),
  })
  expect(ledger.size).toBeGreaterThanOrEqual(acknowledged)
  const before = ledger.size
  for (let index = 0; index < before; index++) {
    if (!entryOf(index).equals(await ledger.read(index))) expect.fail(`entry ${index} is another`)
  }
  expect(await ledger.append(entryOf(before))).toEqual({ index: before })
  await ledger.close()
  const report = await checkLedger(directory, note)
  expect(report.problems).toEqual([])
  expect(report.unfinished).toEqual([])
  expect(report.size).toBe(before + 1)
}

const BATCHES = [1, 250, 10, 300]

test('a crash at every step of appending and publishing loses nothing acknowledged', async () => {
  let rounds = 0
  for (let crashAt = 1; ; crashAt++) {
    using directory = temporaryDirectory()
    // The first session leaves partial tiles, so that the second replaces and fills them.
    const first = await openLedger(ledgerOptions(directory.path))
    await Promise.all([0, 1, 2].map((index) => first.append(entryOf(index))))
    await first.close()
    const files = crashingFiles(crashAt)
    const { acknowledged, note } = await appendUntilCrash(directory.path, files, BATCHES)
    if (!files.isCrashed) break
    // A stranger who looks before the restart finds nothing wrong, and nothing acknowledged gone.
    const found = await checkLedger(directory.path, note)
    expect(found.problems, `crash at step ${crashAt}`).toEqual([])
    await checkGoesOn(directory.path, acknowledged, note)
    rounds += 1
  }
  expect(rounds).toBeGreaterThan(60)
})

test('a crash at every step of recovery is repaired by the next recovery', async () => {
  using crashed = temporaryDirectory()
  const files = crashingFiles(Number.POSITIVE_INFINITY)
  const ledger = await openLedger(ledgerOptions(crashed.path), files)
  await Promise.all(Array.from({ length: 300 }, (_, index) => ledger.append(entryOf(index))))
  const { note } = ledger.checkpoint()
  using copy = temporaryDirectory()
  copyLedger(crashed.path, copy.path) // as it is while open: all of it in the journal
  await ledger.close()
  files.releaseLocks()
  const journal = fileNames(copy.path).find((name) => name.startsWith('journal/')) ?? ''
  const bytes = readFileSync(join(copy.path, journal))
  // A record that was cut inside its header, as a stop between two pages leaves it.
  bytes.copy(bytes, writtenBytes(bytes), 0, 16)
  writeFileSync(join(copy.path, journal), bytes)
  let rounds = 0
  for (let crashAt = 1; ; crashAt++) {
    using directory = temporaryDirectory()
    copyLedger(copy.path, directory.path)
    const recovering = crashingFiles(crashAt)
    await appendUntilCrash(directory.path, recovering, [])
    if (!recovering.isCrashed) break
    expect((await checkLedger(directory.path, note)).problems).toEqual([])
    await checkGoesOn(directory.path, 300, note)
    rounds += 1
  }
  expect(rounds).toBeGreaterThan(25)
})

test('a crash while the first ledger is made leaves a directory that opens', async () => {
  for (let crashAt = 1; ; crashAt++) {
    using directory = temporaryDirectory()
    const files = crashingFiles(crashAt)
    await appendUntilCrash(directory.path, files, [])
    await checkGoesOn(directory.path, 0)
    if (!files.isCrashed) break
  }
})

test('after kill -9 at random moments every acknowledged entry is there', async () => {
  const random = seededRandom(9)
  const child = fileURLToPath(new URL('appending-child.ts', import.meta.url))
  using directory = temporaryDirectory()
  let acknowledged = 0
  for (let round = 0; round < 12; round++) {
    const batch = [1, 7, 100, 700][round % 4] ?? 1
    const process_ = spawn(process.execPath, [child, directory.path, String(batch)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    process_.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const ended = once(process_, 'close')
    await once(process_.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, random() * 300))
    process_.kill('SIGKILL')
    await ended
    const indexes = output.split('\n').slice(0, -1).map(Number)
    acknowledged = Math.max(acknowledged, (indexes.at(-1) ?? -1) + 1)
    const found = await checkLedger(directory.path)
    expect(found.problems).toEqual([])
    expect(found.size).toBeGreaterThanOrEqual(acknowledged)
  }
  expect(acknowledged).toBeGreaterThan(100)
  await checkGoesOn(directory.path, acknowledged)
})

/** The bytes before the zeros that a journal file ends with. */
function writtenBytes(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1
}

/** A ledger as kill -9 leaves it: 4 batches in the journal, nothing of them published. */
async function unpublished(path: string): Promise<{ journal: string; note: string }> {
  using open = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(open.path))
  for (let index = 0; index < 4; index++) await ledger.append(entryOf(index))
  copyLedger(open.path, path)
  const { note } = ledger.checkpoint()
  await ledger.close()
  return { journal: 'journal/0000000000000000', note }
}

test('one byte changed in a complete journal fails, names it, and is refused at open', async () => {
  using directory = temporaryDirectory()
  const { journal } = await unpublished(directory.path)
  expect(await checkLedger(directory.path)).toMatchObject({ ok: true, size: 4, unfinished: [] })
  const bytes = readFileSync(join(directory.path, journal))
  const written = writtenBytes(bytes)
  const random = seededRandom(4)
  const zeros = Array.from({ length: 40 }, () => Math.floor(random() * bytes.length))
  const offsets = [...Array(written + 40).keys(), ...zeros, bytes.length - 1]
  for (const offset of offsets) {
    for (const bit of [1 << (offset % 8), bytes[offset] || 1]) {
      flipByte(directory.path, journal, offset, bit) // the second makes the byte zero
      const report = await checkLedger(directory.path)
      expect(report.problems[0]?.file, `byte ${offset}`).toBe(journal)
      if (offset % 9 === 0) {
        await expect(openLedger(ledgerOptions(directory.path))).rejects.toMatchObject({
          code: 'ledger_corrupt',
        })
      }
      flipByte(directory.path, journal, offset, bit)
    }
  }
  flipByte(directory.path, journal, HEADER_BYTES + 12)
  expect((await checkLedger(directory.path)).problems[0]).toMatchObject({ entry: 0 })
})

test('a journal cut short verifies up to the last whole record, and since sees it', async () => {
  using directory = temporaryDirectory()
  const { journal, note } = await unpublished(directory.path)
  const path = join(directory.path, journal)
  const bytes = readFileSync(path)
  const written = writtenBytes(bytes)
  const record = written / 4
  expect(record % 8).toBe(0)
  for (let length = written - 1; length >= 0; length--) {
    // The file ends there; or, where a page can end, zeros follow.
    writeFileSync(path, bytes.subarray(0, length))
    if (length % 16 === 0) writeFileSync(path, Buffer.from(bytes).fill(0, length))
    const report = await checkLedger(directory.path)
    expect(report.problems, `cut at ${length}`).toEqual([])
    expect(report.size).toBe(Math.floor(length / record))
    const isTorn = length % record !== 0
    expect(report.unfinished.map(({ file }) => file)).toEqual(isTorn ? [journal] : [])
    if (length % 50 !== 0) continue
    const seen = await checkLedger(directory.path, note)
    expect(seen.problems).toEqual([expect.objectContaining({ code: 'rollback' })])
  }
})

test('a failed write stops the ledger: this append and every later one is refused', async () => {
  using directory = temporaryDirectory()
  const files = crashingFiles(Number.POSITIVE_INFINITY)
  const fatal: Error[] = []
  const options = { ...ledgerOptions(directory.path), onFatal: (error: Error) => fatal.push(error) }
  const counting = await openLedger(options, files)
  await counting.append(entryOf(0))
  const steps = files.steps
  await counting.close()
  files.releaseLocks()

  using again = temporaryDirectory()
  const failing = crashingFiles(steps) // the sync of the first record
  const ledger = await openLedger({ ...options, directory: again.path }, failing)
  const appends = [ledger.append(entryOf(0)), ledger.append(entryOf(1))]
  for (const append of appends) {
    await expect(append).rejects.toMatchObject({ code: 'ledger_stopped' })
  }
  expect(fatal).toHaveLength(1)
  await expect(ledger.append(entryOf(2))).rejects.toMatchObject({ code: 'ledger_stopped' })
  await expect(ledger.putPayload(entryOf(2))).rejects.toMatchObject({ code: 'ledger_stopped' })
  expect(ledger.size).toBe(0)
  await ledger.close()
  failing.releaseLocks()
  await checkGoesOn(again.path, 0)
})

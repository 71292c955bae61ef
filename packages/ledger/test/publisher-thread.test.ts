// A ledger under load publishes in a thread of its own. Every entry is readable at any moment, what the thread leaves
// when it or its process is killed is repaired, and a thread that fails or ends stops the ledger.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HEADER_BYTES } from '../src/journal.ts'
import { SEGMENT_ENTRIES_MAX } from '../src/layout.ts'
import { type FileLedger, openLedger } from '../src/ledger.ts'
import {
  checkLedger,
  entryOf,
  fileNames,
  flipByte,
  ledgerOptions,
  seededRandom,
  temporaryDirectory,
} from './temporary-ledger.ts'

const PATIENCE = { timeout: 30_000 }
const BATCH = 2_000

/** The threads that this process started during the test. */
let threads: Worker[] = []
const onWorker = (worker: Worker) => threads.push(worker)

beforeEach(() => {
  threads = []
  process.on('worker', onWorker)
})

afterEach(() => {
  process.off('worker', onWorker)
})

async function appendBatch(ledger: FileLedger, length = BATCH): Promise<void> {
  const first = ledger.size
  await ledger.appendAll(Array.from({ length }, (_, at) => entryOf(first + at)))
}

async function expectEntry(ledger: FileLedger, index: number): Promise<void> {
  if (!entryOf(index).equals(await ledger.read(index))) expect.fail(`entry ${index} is another`)
}

/** Opens it again, finds every acknowledged entry, appends one more, and verifies the files. */
async function checkGoesOn(directory: string, acknowledged: number): Promise<void> {
  const ledger = await openLedger(ledgerOptions(directory))
  expect(ledger.size).toBeGreaterThanOrEqual(acknowledged)
  for (let index = 0; index < ledger.size; index += 97) await expectEntry(ledger, index)
  if (ledger.size > 0) await expectEntry(ledger, ledger.size - 1)
  await appendBatch(ledger, 1)
  await ledger.close()
  const { size } = ledger
  expect(await checkLedger(directory)).toMatchObject({ problems: [], unfinished: [], size })
}

/** Appends until the ledger stops; what was acknowledged, and why it stopped. */
async function appendUntilStopped(
  ledger: FileLedger,
): Promise<{ acknowledged: number; cause: unknown }> {
  try {
    while (ledger.size < 20 * SEGMENT_ENTRIES_MAX) await appendBatch(ledger)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ledger_stopped' })
    const { cause } = error as Error
    return {
      acknowledged: ledger.size,
      cause: cause instanceof Error ? (cause.cause ?? cause) : cause,
    }
  }
  return expect.fail('the ledger did not stop')
}

test('every entry is readable at any moment while a thread publishes, and nothing is left behind', async () => {
  using directory = temporaryDirectory()
  const random = seededRandom(1)
  const ledger = await openLedger(ledgerOptions(directory.path))
  // Partial tiles that the thread supersedes and removes.
  await appendBatch(ledger, 40)
  await ledger.publish()
  await appendBatch(ledger, 30)
  await ledger.publish()
  expect(threads).toEqual([])
  let isDone = false
  const reader = async () => {
    let reads = 0
    for (; !isDone; reads++) {
      const below = reads % 2 === 0 ? ledger.size : 70
      await expectEntry(ledger, Math.floor(random() * below))
      await setImmediate() // a staged entry is read without a turn of the loop
    }
    return reads
  }
  const reading = reader()
  while (ledger.size < 6 * SEGMENT_ENTRIES_MAX) await appendBatch(ledger)
  await ledger.publish()
  isDone = true
  expect(await reading).toBeGreaterThan(100)
  for (let index = 0; index < ledger.size; index++) await expectEntry(ledger, index)
  expect(threads).toHaveLength(1)
  await appendBatch(ledger, 3)
  await ledger.close()
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1])
  const { size } = ledger
  expect(await checkLedger(directory.path)).toMatchObject({ problems: [], unfinished: [], size })
  const names = fileNames(directory.path)
  expect(names.filter((name) => /^(journal|staging)\//.test(name))).toEqual([])
  // A closed ledger has the partial tiles of its size, and of the size before it.
  const partials = names.filter((name) => name.startsWith('tile/entries/') && name.includes('.p/'))
  expect(partials.length).toBeLessThanOrEqual(2)
  await checkGoesOn(directory.path, size)
})

test('a ledger that is published because time passed has no thread', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  for (let round = 0; round < 3; round++) {
    await appendBatch(ledger, SEGMENT_ENTRIES_MAX / 4)
    await ledger.publish()
  }
  await ledger.close()
  expect(threads).toEqual([])
})

test('a thread with nothing to do keeps no process alive', () => {
  using directory = temporaryDirectory()
  const child = fileURLToPath(new URL('idle-child.ts', import.meta.url))
  const { status, stdout } = spawnSync(process.execPath, [child, directory.path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'thread\npublished\n' })
})

test('after kill -9 while a thread publishes every acknowledged entry is there', async () => {
  const child = fileURLToPath(new URL('appending-child.ts', import.meta.url))
  const random = seededRandom(11)
  using directory = temporaryDirectory()
  let acknowledged = 0
  let interrupted = 0
  for (let round = 0; round < 4 || (interrupted < 2 && round < 20); round++) {
    const appending = spawn(process.execPath, [child, directory.path, String(BATCH)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const before = acknowledged
    let output = ''
    appending.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const lastIndex = () => Number(output.split('\n').at(-2) ?? -1)
    const ended = once(appending, 'close')
    const full = before + SEGMENT_ENTRIES_MAX * (1 + Math.floor(random() * 3))
    await vi.waitFor(() => expect(lastIndex()).toBeGreaterThan(full), { ...PATIENCE, interval: 5 })
    appending.kill('SIGKILL')
    await ended
    acknowledged = lastIndex() + 1
    if (readdirSync(join(directory.path, 'journal')).length > 1) interrupted += 1
    const found = await checkLedger(directory.path)
    expect(found.problems).toEqual([])
    expect(found.size).toBeGreaterThanOrEqual(acknowledged)
  }
  expect(interrupted).toBeGreaterThan(0)
  await checkGoesOn(directory.path, acknowledged)
})

test('a thread that cannot place a file stops the ledger, and nothing acknowledged is lost', async () => {
  using directory = temporaryDirectory()
  const fatal: Error[] = []
  const onFatal = (error: Error) => fatal.push(error)
  const ledger = await openLedger({ ...ledgerOptions(directory.path), onFatal })
  const obstacle = join(directory.path, 'tile/entries/003')
  mkdirSync(obstacle, { recursive: true })
  const { acknowledged, cause } = await appendUntilStopped(ledger)
  expect(cause).toMatchObject({ code: 'EISDIR' })
  expect(fatal).toHaveLength(1)
  await expectEntry(ledger, 0)
  await expect(ledger.append(entryOf(0))).rejects.toMatchObject({ code: 'ledger_stopped' })
  await ledger.close()
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1])
  rmSync(obstacle, { recursive: true })
  await checkGoesOn(directory.path, acknowledged)
})

test('a thread publishes nothing but what was acknowledged', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  await appendBatch(ledger)
  flipByte(directory.path, 'journal/0000000000000000', HEADER_BYTES + 12)
  const { cause } = await appendUntilStopped(ledger)
  expect(cause).toMatchObject({ code: 'ledger_corrupt' })
  await ledger.close()
  const [, size] = readFileSync(join(directory.path, 'checkpoint'), 'utf8').split('\n')
  expect(size).toBe('0')
  expect(fileNames(directory.path).filter((name) => name.startsWith('tile/'))).toEqual([])
})

test('a thread that ends stops the ledger, and nothing acknowledged is lost', async () => {
  using directory = temporaryDirectory()
  const ledger = await openLedger(ledgerOptions(directory.path))
  while (threads.length === 0) await appendBatch(ledger)
  await threads[0]?.terminate()
  const { acknowledged } = await appendUntilStopped(ledger)
  await ledger.close()
  await checkGoesOn(directory.path, acknowledged)
})

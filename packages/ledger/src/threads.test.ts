import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  entryOf,
  flipByte,
  ledgerOptions,
  temporaryDirectory,
  verifierKey,
} from '../test/temporary-ledger.ts'
import { verifyDirectory } from './directory.ts'
import { openLedger } from './ledger.ts'

// More bundles than one run of a thread has, and a journal of none.
const ENTRIES = 256 * 40 + 7
const directory = temporaryDirectory().path

beforeAll(async () => {
  const ledger = await openLedger(ledgerOptions(directory))
  await Promise.all(Array.from({ length: ENTRIES }, (_, at) => ledger.append(entryOf(at))))
  await ledger.close()
  return () => rmSync(directory, { recursive: true, force: true })
})

/** The same report whether this thread hashes or two others do. */
async function reportOf(threads: number) {
  const heard: number[] = []
  const report = await verifyDirectory(directory, {
    verifierKey,
    threads,
    onEntry: (index, entry) => {
      heard.push(index)
      if (index % 1000 === 0) expect(Buffer.from(entry)).toEqual(entryOf(index))
    },
  })
  return { report, heard }
}

test('threads hear every entry in order, and come to the report of one thread', async () => {
  const { report, heard } = await reportOf(2)
  expect(report).toMatchObject({ ok: true, size: ENTRIES, problems: [] })
  expect(heard).toEqual(Array.from({ length: ENTRIES }, (_, index) => index))
  expect((await reportOf(0)).report).toEqual(report)
})

test('what is wrong is named alike by threads and by one thread', async () => {
  const length = 256 * 42
  const damages: [name: string, damage: () => void, mend: () => void][] = [
    ['tile/entries/033', ...flips('tile/entries/033', 9000)],
    ['tile/0/002', ...flips('tile/0/002', 100)],
    ['tile/1/000.p/40', ...flips('tile/1/000.p/40', 39 * 32)],
    [
      'tile/entries/001',
      () => truncateSync(join(directory, 'tile/entries/001'), length - 1),
      () => writeFileSync(join(directory, 'tile/entries/001'), bundleOf(1)),
    ],
  ]
  for (const [name, damage, mend] of damages) {
    damage()
    const [one, two] = [await reportOf(0), await reportOf(2)]
    mend()
    expect(two.report).toEqual(one.report)
    expect(new Set(two.report.problems.map(({ file }) => file))).toEqual(new Set([name]))
  }
  expect((await reportOf(2)).report.ok).toBe(true)
})

function flips(name: string, offset: number): [() => void, () => void] {
  return [() => flipByte(directory, name, offset), () => flipByte(directory, name, offset)]
}

function bundleOf(index: number): Buffer {
  const entries = Array.from({ length: 256 }, (_, at) => entryOf(index * 256 + at))
  return Buffer.concat(entries.flatMap((entry) => [Buffer.from([0, entry.length]), entry]))
}

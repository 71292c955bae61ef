// Several writers of one directory: the files are those that one writer alone makes, whoever wrote them
// and however they were cut; a directory that is not the one is refused.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { verifyDirectory } from './directory.ts'
import { openLedger } from './ledger.ts'
import { SharedLog } from './shared-log.ts'

const { privateKey: signer } = generateKeyPairSync('ed25519')
const origin = 'example.com/shared'
const folders: string[] = []
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'seconder-shared-'))
  folders.push(made)
  return made
}
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true })
})

const always = () => true
const entry = (index: number) => Buffer.from(JSON.stringify({ index }))
const entries = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, position) => entry(from + position))
const log = (directory: string, writer: string) =>
  SharedLog.open({ directory, origin, signer, writer })

/** The full tiles and bundles, which do not depend on where the log was cut. */
function fullTiles(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  const full = names.filter((name) => /^tile\/.*\d{3}$/.test(name) && !name.includes('.p/'))
  return Object.fromEntries(full.map((name) => [name, readFileSync(join(directory, name), 'hex')]))
}

test('writers in turn make the files that one alone makes', async () => {
  const directory = folder()
  const writers = [await log(directory, 'a'), await log(directory, 'b'), await log(directory, 'c')]
  let last = writers[0]?.empty()
  const cuts = [1, 2, 255, 256, 257, 600, 601, 1100, 1300]
  for (const [turn, cut] of cuts.entries()) {
    const writer = writers[turn % writers.length]
    if (!writer || !last) throw new Error('no writer')
    const publisher = await writer.publisher(last)
    last = await publisher.stage(entries(publisher.size, cut))
    await publisher.release(always)
    const report = await verifyDirectory(directory, { verifierKey: writer.verifierKey })
    expect(report.problems).toEqual([])
    expect(report.size).toBe(cut)
  }
  const alone = folder()
  const ledger = await openLedger({ directory: alone, origin, signer })
  for (const one of entries(0, 1300)) void ledger.append(one)
  await ledger.close()
  expect(fullTiles(directory)).toEqual(fullTiles(alone))
  expect(Object.keys(fullTiles(alone)).length).toBeGreaterThan(9)
  expect(last?.note).toBe(ledger.checkpoint().note)
  expect(await writers[2]?.read(700, 1300)).toEqual(new Uint8Array(entry(700)))
})

test('one that was deposed between staging and release shows nothing, and never a smaller tree over a larger', async () => {
  const directory = folder()
  const [one, other] = [await log(directory, 'one'), await log(directory, 'other')]
  const deposed = await one.publisher(one.empty())
  await deposed.stage(entries(0, 300))
  const publisher = await other.publisher(other.empty())
  const first = await publisher.stage(entries(0, 200))
  expect(await publisher.release(always)).toBe(true)
  // It wakes, and is told so before it touches anything; or while it was busy with the disk.
  expect(await deposed.release(() => false)).toBe(false)
  let asked = 0
  expect(await deposed.release(() => ++asked < 2)).toBe(false)
  expect(asked).toBeGreaterThan(1)
  expect(await other.published()).toEqual(first)
  expect(readdirSync(join(directory, 'staging'))).toEqual([])
  const second = await publisher.stage(entries(200, 700))
  expect(await publisher.release(always)).toBe(true)
  // Even where it believes that it still may.
  await expect(deposed.release(always)).rejects.toMatchObject({
    code: 'ledger_older_than_acknowledged',
  })
  expect(await other.published()).toEqual(second)
  const report = await verifyDirectory(directory, { verifierKey: other.verifierKey })
  expect(report.problems).toEqual([])
})

test('what was put over the checkpoint all the same is mended by who may: with and without a new entry', async () => {
  const directory = folder()
  const one = await log(directory, 'one')
  const publisher = await one.publisher(one.empty())
  const early = await publisher.stage(entries(0, 100))
  await publisher.release(always)
  const path = join(directory, 'checkpoint')
  const late = await publisher.stage(entries(100, 400))
  await publisher.release(always)
  for (const mending of [publisher, await one.publisher(late)]) {
    writeFileSync(path, early.note)
    expect(await mending.release(always)).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe(late.note)
  }
  const report = await verifyDirectory(directory, { verifierKey: one.verifierKey })
  expect(report.problems).toEqual([])
})

test('a directory that is behind, ahead or of another log is refused', async () => {
  const directory = folder()
  const one = await log(directory, 'one')
  const publisher = await one.publisher(one.empty())
  const early = await publisher.stage(entries(0, 100))
  await publisher.release(always)
  const later = await publisher.stage(entries(100, 400))
  await publisher.release(always)
  const elsewhere = await log(folder(), 'two')
  await expect(elsewhere.publisher(later)).rejects.toMatchObject({ code: 'ledger_corrupt' })
  await expect(one.publisher(early)).rejects.toMatchObject({
    code: 'ledger_older_than_acknowledged',
  })
  const { privateKey: otherKey } = generateKeyPairSync('ed25519')
  const foreign = await SharedLog.open({ directory, origin, signer: otherKey, writer: 'three' })
  await expect(foreign.publisher(foreign.empty())).rejects.toMatchObject({
    code: 'note_unverified',
  })
  writeFileSync(join(directory, 'tile', 'entries', '000'), 'short')
  await expect(one.read(5, 400)).rejects.toMatchObject({ code: 'ledger_corrupt' })
})

test('a payload of two writers is one file', async () => {
  const directory = folder()
  const [one, other] = [await log(directory, 'one'), await log(directory, 'other')]
  const bytes = Buffer.from('payload')
  const digests = await Promise.all([one, other, one].map((writer) => writer.putPayload(bytes)))
  expect(new Set(digests).size).toBe(1)
  expect(Buffer.from(await other.readPayload(digests[0] as string))).toEqual(bytes)
})

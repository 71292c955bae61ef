// The spool by itself: what a crash left, a disk that is full or cannot be written, and each limit at and
// one past it.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SPOOL_FILES_MAX, Spool, type SpoolFile } from './spool.ts'

let base: string
let folder: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'seconder-spool-'))
  folder = join(base, 'spool')
})

afterEach(() => rmSync(base, { recursive: true, force: true }))

const LIMITS = { bodyBytesMax: 100, totalBytesMax: 250, freeBytesMin: 0 }
const NONE = { files: 0, bytes: 0 }
const coded = (code: string) => expect.objectContaining({ code })

test('what is written is read back, as often as it is asked, until it is let go of', async () => {
  const spool = new Spool(folder, LIMITS)
  const file = await spool.begin(6)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(readdirSync(folder)).toEqual([])
  await file.write(Buffer.from('abc'))
  await file.write(Buffer.from('def'))
  for (let time = 0; time < 2; time++) expect((await buffer(file.read())).toString()).toBe('abcdef')
  await file.close()
  await file.close()
  expect(spool.held).toEqual(NONE)
  expect(() => file.read()).toThrow()
})

test('an empty body is one too', async () => {
  const file = await new Spool(folder, LIMITS).begin(0)
  expect((await buffer(file.read())).byteLength).toBe(0)
  await file.close()
})

test('a start removes what a crash left, and nothing that is not the spool’s own', () => {
  mkdirSync(folder)
  writeFileSync(join(folder, 'body-0abc'), 'left')
  writeFileSync(join(folder, 'README'), 'kept')
  new Spool(folder, LIMITS)
  expect(readdirSync(folder)).toEqual(['README'])
})

test('one body: the limit is taken, a byte past it is not, announced or not', async () => {
  const spool = new Spool(folder, LIMITS)
  await expect(spool.begin(101)).rejects.toEqual(coded('body_too_large'))
  expect(spool.held).toEqual(NONE)
  const announced = await spool.begin(100)
  await announced.close()
  const file = await spool.begin(0)
  await file.write(Buffer.alloc(100))
  await expect(file.write(Buffer.alloc(1))).rejects.toEqual(coded('body_too_large'))
  expect(file.byteLength).toBe(100)
  await file.close()
  expect(spool.held).toEqual(NONE)
})

test('all bodies: what is announced is taken at once, and given back', async () => {
  const spool = new Spool(folder, LIMITS)
  const files = [await spool.begin(100), await spool.begin(100), await spool.begin(50)]
  await expect(spool.begin(1)).rejects.toEqual(coded('spool_full'))
  const unannounced = await spool.begin(0)
  await expect(unannounced.write(Buffer.alloc(1))).rejects.toEqual(coded('spool_full'))
  await files.pop()?.close()
  await unannounced.write(Buffer.alloc(50))
  for (const file of [...files, unannounced]) await file.close()
  expect(spool.held).toEqual(NONE)
})

test('files have a limit of their own', async () => {
  const spool = new Spool(folder, LIMITS)
  const files: SpoolFile[] = []
  for (let count = 0; count < SPOOL_FILES_MAX; count++) files.push(await spool.begin(0))
  await expect(spool.begin(0)).rejects.toEqual(coded('spool_full'))
  for (const file of files) await file.close()
  expect(spool.held).toEqual(NONE)
})

test('a disk that would be left with too little is full, before anything is written', async () => {
  const { bavail, bsize } = statfsSync(base)
  const spool = new Spool(folder, { ...LIMITS, freeBytesMin: bavail * bsize * 2 })
  await expect(spool.begin(1)).rejects.toEqual(coded('spool_full'))
  expect(spool.held).toEqual(NONE)
})

test('a folder that cannot be written is a full spool, and what was reserved is given back', async () => {
  const spool = new Spool(folder, LIMITS)
  rmSync(folder, { recursive: true })
  await expect(spool.begin(10)).rejects.toEqual(coded('spool_full'))
  expect(spool.held).toEqual(NONE)
})

import { expect, test } from 'vitest'
import { ledgerFile } from './layout.ts'
import {
  encodeBundle,
  levelHashes,
  parseBundle,
  parseTilePath,
  tilePath,
  tileWidth,
} from './tiles.ts'
import { ENTRY_BYTES_MAX } from './tree.ts'

test('the example paths of tlog-tiles come out, and parse back', () => {
  const tile = { level: 0, index: 1_234_067, width: 256 }
  expect(tilePath(tile)).toBe('tile/0/x001/x234/067')
  expect(tilePath({ ...tile, width: 17 })).toBe('tile/0/x001/x234/067.p/17')
  expect(tilePath({ level: 'entries', index: 0, width: 1 })).toBe('tile/entries/000.p/1')
  for (const index of [0, 999, 1000, 999_999, 1_000_000, 1_234_067, 35_184_372_088_831]) {
    for (const width of [1, 255, 256]) {
      for (const level of [0, 1, 63, 'entries'] as const) {
        expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width })
      }
    }
  }
})

test('a path that is not the one spelling of a tile is refused', () => {
  for (const path of [
    'tile/0/1',
    'tile/0/0001',
    'tile/0/x001',
    'tile/0/001/002',
    'tile/0/x000/001',
    'tile/00/001',
    'tile/64/001',
    'tile/-1/001',
    'tile/0/001.p/0',
    'tile/0/001.p/256',
    'tile/0/001.p/01',
    'tile/0/001.p/1/2',
    'tile/0/001.p',
    'tile/0/',
    'tile/entries',
    'tiles/0/001',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
  ]) {
    expect(() => parseTilePath(path), path).toThrow(
      expect.objectContaining({ code: 'path_invalid' }),
    )
    expect(ledgerFile(path).kind, path).toBe('unknown')
  }
})

test('a tree of 70,000 and one of 256 have the tiles that tlog-tiles names', () => {
  expect(levelHashes(0, 70_000)).toBe(273 * 256 + 112)
  expect([0, 272, 273, 274].map((index) => tileWidth(0, index, 70_000))).toEqual([256, 256, 112, 0])
  expect([0, 1, 2].map((index) => tileWidth(1, index, 70_000))).toEqual([256, 17, 0])
  expect([0, 1].map((index) => tileWidth(2, index, 70_000))).toEqual([1, 0])
  expect([tileWidth(0, 0, 256), tileWidth(0, 1, 256), tileWidth(1, 0, 256)]).toEqual([256, 0, 1])
})

test('a bundle holds each entry after its big-endian uint16 length', () => {
  const entries = [Buffer.from(''), Buffer.from('ab'), Buffer.alloc(258, 7)]
  const bytes = encodeBundle(entries)
  expect(Buffer.from(bytes.subarray(0, 8)).toString('hex')).toBe('0000' + '0002' + '6162' + '0102')
  const parsed = parseBundle(bytes, 3)
  expect(parsed.isWhole).toBe(true)
  expect(parsed.entries.map((entry) => Buffer.from(entry))).toEqual(entries)
  expect(parseBundle(bytes, 2).isWhole).toBe(false)
  expect(parseBundle(bytes, 4).isWhole).toBe(false)
  expect(parseBundle(bytes.subarray(0, -1), 3).isWhole).toBe(false)
  expect(encodeBundle([new Uint8Array(ENTRY_BYTES_MAX)]).length).toBe(2 + ENTRY_BYTES_MAX)
  expect(() => encodeBundle([new Uint8Array(ENTRY_BYTES_MAX + 1)])).toThrow(
    expect.objectContaining({ code: 'entry_too_large' }),
  )
})

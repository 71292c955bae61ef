// The way to hash many at once says what NIST and node:crypto say, whatever the mix of lengths; a module in which
// one thing is wrong is not used; and without it every answer is the same.

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DATA, sourcesHash } from '../build/hasher-sources.ts'
import { FullBundle } from './full-bundle.ts'
import { FasterWay, laneHashing, oneByOne } from './lanes-file.ts'
import { leafHashes } from './leaf-hashes.ts'
import { nodePrimitives } from './node.ts'
import type { Messages, Sha256Many } from './primitives.ts'
import { growTree } from './segment.ts'
import { sha256Lanes } from './sha256-lanes.ts'
import { encodeBundle } from './tiles.ts'
import { CompactRange, leafHash, nodeHash } from './tree.ts'
import { webPrimitives } from './web.ts'

const { sha256 } = nodePrimitives
const MODULE = readFileSync(join(DATA, 'sha256-lanes.wasm'))
const lanes = sha256Lanes(MODULE) as Sha256Many

/** A generator of one cycle over 32 bits, so that failures repeat. Source: Numerical Recipes, ranqd1. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** The messages one after another, with `gap` bytes before each. */
function laid(messages: readonly Uint8Array[], gap: number, prefix: number | null): Messages {
  const bytes = Buffer.concat(messages.flatMap((message) => [Buffer.alloc(gap, 0xa5), message]))
  const [starts, ends] = [new Uint32Array(messages.length), new Uint32Array(messages.length)]
  let at = 0
  for (const [index, { length }] of messages.entries()) {
    starts[index] = at + gap
    at += gap + length
    ends[index] = at
  }
  return { bytes, starts, ends, count: messages.length, prefix }
}

function digests(many: Sha256Many, messages: Messages): string[] {
  const output = new Uint8Array(32 * messages.count)
  const before = hash('sha256', messages.bytes)
  many.hash(messages, output)
  expect(hash('sha256', messages.bytes)).toBe(before)
  return Array.from({ length: messages.count }, (_, at) =>
    Buffer.from(output.subarray(32 * at, 32 * at + 32)).toString('hex'),
  )
}

/** Messages of these lengths, and what node:crypto says of each. */
function expectRight(many: Sha256Many, lengths: readonly number[], seed: number): void {
  const next = random(seed)
  const messages = lengths.map((length) => {
    const message = Buffer.alloc(length)
    for (let at = 0; at < length; at++) message[at] = next(256)
    return message
  })
  expect(digests(many, laid(messages, 0, null))).toEqual(
    messages.map((message) => hash('sha256', message)),
  )
  const prefix = next(256)
  expect(digests(many, laid(messages, 1 + next(9), prefix))).toEqual(
    messages.map((message) => hash('sha256', Buffer.concat([Buffer.of(prefix), message]))),
  )
}

test('the module that is here was built from the sources that are here: `npm run hasher`', () => {
  expect(readFileSync(join(DATA, 'sha256-lanes.sources'), 'utf8').trim()).toBe(sourcesHash())
})

// Sources: FIPS 180-2 appendix B; NIST CAVP, SHA256ShortMsg.rsp; and
// https://csrc.nist.gov/CSRC/media/Projects/Cryptographic-Standards-and-Guidelines/documents/examples/SHA2_Additional.pdf
const VECTORS: readonly [message: Buffer, digest: string][] = [
  [Buffer.of(), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [Buffer.from('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    Buffer.from('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  [Buffer.of(0xd3), '28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1'],
  [Buffer.of(0x11, 0xaf), '5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98'],
  [Buffer.of(0xb4, 0x19, 0x0e), 'dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2'],
  [Buffer.of(0xbd), '68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b'],
  [
    Buffer.of(0xc9, 0x8c, 0x8e, 0x55),
    '7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504',
  ],
  [Buffer.alloc(55), '02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7'],
  [Buffer.alloc(56), 'd4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb'],
  [Buffer.alloc(57), '65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785'],
  [Buffer.alloc(64), 'f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b'],
  [Buffer.alloc(1000), '541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53'],
  [Buffer.alloc(1000, 'A'), 'c2e686823489ced2017f6059b8b239318b6364f6dcd835d0a519105a1eadd6e4'],
  [Buffer.alloc(1005, 'U'), 'f4d62ddec0f3dd90ea1380fa16a5ff8dc4c54b21740650f24afc4120903552b0'],
]

test('the vectors of NIST, in every lane and beside every other', () => {
  for (let turn = 0; turn < VECTORS.length; turn++) {
    const turned = [...VECTORS.slice(turn), ...VECTORS.slice(0, turn)]
    const messages = laid(
      turned.map(([message]) => message),
      0,
      null,
    )
    const expected = turned.map(([, digest]) => digest)
    expect(digests(lanes, messages)).toEqual(expected)
    expect(digests({ hash: oneByOne, climb: () => undefined }, messages)).toEqual(expected)
  }
})

test('every length from 0 to 300, alone and together', () => {
  const lengths = Array.from({ length: 301 }, (_, length) => length)
  expectRight(lanes, lengths, 1)
  expectRight(lanes, lengths.toReversed(), 2)
  for (const length of lengths) expectRight(lanes, [length], length)
})

test('any mix of lengths, from 1 message to 600, in pieces where they are too long for the memory', () => {
  const next = random(7)
  for (let turn = 0; turn < 60; turn++) {
    const longest = [64, 700, 5000, 70_000][turn % 4] ?? 0
    const count = 1 + next(longest > 5000 ? 40 : 600)
    expectRight(
      lanes,
      Array.from({ length: count }, () => next(longest + 1)),
      turn,
    )
  }
  expectRight(lanes, [3, 70_000, 0, 70_000, 1], 8)
  expectRight(lanes, Array(600).fill(70_000).fill(1, 4), 9)
  expectRight(lanes, Array(9000).fill(0), 10) // more than there is a place for at once
})

test('messages that lie in no order, over each other or behind the bytes are refused', () => {
  const of = (starts: number[], ends: number[], prefix: number | null = null) => ({
    bytes: new Uint8Array(300 * 1024),
    starts: Uint32Array.from(starts),
    ends: Uint32Array.from(ends),
    count: starts.length,
    prefix,
  })
  const output = new Uint8Array(64)
  lanes.hash(of([1, 6], [5, 9], 0), output)
  for (const messages of [
    of([5, 1], [9, 3]),
    of([0, 4], [5, 9]),
    of([1, 5], [5, 9], 0), // no byte is free between them
    of([0], [5], 0),
    of([5], [4]),
    of([0], [300 * 1024 + 1]),
    of([0], [300 * 1024]),
  ]) {
    expect(() => lanes.hash(messages, output)).toThrow(RangeError)
  }
})

/** RFC 6962 section 2.1, pair by pair, by node:crypto. */
function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0] ?? new Uint8Array(0)
  const half = hashes.length / 2
  return nodeHash(sha256, rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)))
}

test('a climb from any power of two comes to the root of RFC 6962, and from another number is refused', () => {
  for (let count = 2; count <= 256; count *= 2) {
    for (let turn = 0; turn < 8; turn++) {
      const hashes = Array.from({ length: count }, (_, at) => leafHash(sha256, Buffer.of(at, turn)))
      const level = Buffer.concat(hashes)
      lanes.climb(level, count)
      expect(level.subarray(0, 32)).toEqual(Buffer.from(rootOf(hashes)))
    }
  }
  for (const count of [0, 1, 3, 255, 512]) {
    expect(() => lanes.climb(new Uint8Array(512 * 32), count)).toThrow(RangeError)
  }
})

test('a tree grown by many at once is the tree grown by one after another', () => {
  const next = random(11)
  const [fast, slow] = [new CompactRange(sha256), new CompactRange(sha256)]
  for (let turn = 0; turn < 60; turn++) {
    const hashes = Buffer.alloc(32 * next(700))
    for (let at = 0; at < hashes.length; at++) hashes[at] = next(256)
    expect(growTree(fast, hashes, lanes)).toEqual(growTree(slow, hashes))
    expect(fast.root()).toEqual(slow.root())
  }
})

test('leaf hashes of a list are those of each entry, however many and long', () => {
  const next = random(13)
  for (const count of [0, 1, 2, 3, 255, 256, 257, 1000]) {
    const entries = Array.from({ length: count }, () =>
      new Uint8Array(next(50) === 0 ? 65_535 : next(900)).fill(next(256)),
    )
    const expected = Buffer.concat(
      entries.map((entry) => hash('sha256', Buffer.concat([Buffer.of(0), entry]), 'buffer')),
    )
    for (const hasher of [{ sha256 }, { sha256, many: lanes }, webPrimitives]) {
      expect(Buffer.compare(leafHashes(hasher, entries), expected)).toBe(0)
    }
  }
  expect(() => leafHashes({ sha256, many: lanes }, Array(3).fill(new Uint8Array(2 ** 18)))).toThrow(
    RangeError,
  )
})

test('a full bundle has one root, or none, whoever hashes it', () => {
  const entries = Array.from({ length: 256 }, (_, at) => new Uint8Array((at * 7) % 613).fill(at))
  const bundle = encodeBundle(entries)
  const tile = Buffer.concat(entries.map((entry) => leafHash(sha256, entry)))
  const ways = [nodePrimitives, { ...nodePrimitives, many: lanes }, webPrimitives]
  const all = [...ways, { ...nodePrimitives, many: undefined }].map((way) => new FullBundle(way))
  const root = Buffer.from(rootOf(entries.map((entry) => leafHash(sha256, entry))))
  const flipped = (bytes: Uint8Array, at: number) =>
    bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
  for (const full of all) {
    expect(Buffer.from(full.rootOf(bundle, tile) ?? [])).toEqual(root)
    for (const at of [0, 31, 32, 4096, tile.length - 1]) {
      expect(full.rootOf(bundle, flipped(tile, at))).toBeNull()
    }
    for (const at of [0, 1, 2, 10, 5000, bundle.length - 1]) {
      expect(full.rootOf(flipped(bundle, at), tile)).toBeNull()
    }
    expect(full.rootOf(bundle.subarray(0, bundle.length - 1), tile)).toBeNull()
    expect(full.rootOf(Buffer.concat([bundle, Buffer.of(0)]), tile)).toBeNull()
    expect(full.rootOf(bundle, tile.subarray(0, 255 * 32))).toBeNull()
    expect(full.rootOf(new Uint8Array(0), tile)).toBeNull()
  }
  expect(Buffer.compare(bundle, encodeBundle(entries))).toBe(0)
})

// Source: https://webassembly.github.io/spec/core/binary/instructions.html (i32.const; i32x4.shl, i32x4.shr_u)
const CONSTANT = 0x41
const SHIFTS = [
  [0xfd, 0xab, 0x01],
  [0xfd, 0xad, 0x01],
]

test('a module that shifts by one bit too many anywhere is found out when it is loaded', () => {
  const shifts = [...MODULE.keys()].filter(
    (at) =>
      MODULE[at] === CONSTANT &&
      SHIFTS.some((shift) => shift.every((byte, offset) => MODULE[at + 2 + offset] === byte)),
  )
  expect(shifts.length).toBeGreaterThan(200)
  for (const at of shifts.filter((_, index) => index % 9 === 0)) {
    const broken = new Uint8Array(MODULE)
    broken[at + 1] = (broken[at + 1] ?? 0) ^ 1
    expect(sha256Lanes(broken), `byte ${at}`).toBeUndefined()
  }
})

test('where WebAssembly is off or has no such module there is nothing for many at once', () => {
  expect(sha256Lanes(new Uint8Array(0))).toBeUndefined()
  expect(sha256Lanes(MODULE.subarray(0, MODULE.length - 1))).toBeUndefined()
  const { WebAssembly: there } = globalThis as { WebAssembly?: unknown }
  try {
    Object.assign(globalThis, { WebAssembly: undefined })
    expect(sha256Lanes(MODULE)).toBeUndefined()
  } finally {
    Object.assign(globalThis, { WebAssembly: there })
  }
  expect(webPrimitives.many).toBeUndefined()
  expect(laneHashing()).toBeDefined()
})

/** Lanes and a single way of which each takes as long as is said, by a clock that only they move. */
function race(lanesMs: number, singleMs: number) {
  let nowMs = 0
  const taken: string[] = []
  const fast: Sha256Many = {
    hash(messages, output) {
      nowMs += lanesMs
      taken.push('lanes')
      lanes.hash(messages, output)
    },
    climb: (hashes, count) => lanes.climb(hashes, count),
  }
  const single = (messages: Messages, output: Uint8Array) => {
    nowMs += singleMs
    taken.push('single')
    oneByOne(messages, output)
  }
  return { taken, many: new FasterWay(fast, single, () => nowMs) }
}

test('messages go the way that was the faster for their length, and a few go one by one', () => {
  for (const [lanesMs, singleMs, winner] of [
    [9, 10, 'lanes'],
    [10, 9, 'single'],
  ] as const) {
    const { taken, many } = race(lanesMs, singleMs)
    for (let turn = 0; turn < 60; turn++) expectRight(many, Array(20).fill(600), turn)
    expect(new Set(taken.splice(0).slice(-20))).toEqual(new Set([winner]))
    expectRight(many, [600, 600], 3)
    expect(taken).toEqual(['single', 'single'])
  }
})

test('two ways that differ in one bit are a fault and no answer', () => {
  const wrong = (messages: Messages, output: Uint8Array) => {
    oneByOne(messages, output)
    output[5] = (output[5] ?? 0) ^ 1
  }
  let nowMs = 0
  const many = new FasterWay(lanes, wrong, () => (nowMs += 300))
  const messages = laid(Array(20).fill(Buffer.alloc(10)), 0, null)
  expect(() => {
    for (let turn = 0; turn < 3; turn++) many.hash(messages, new Uint8Array(640))
  }).toThrow('differ')
})

// Known answers: Google's Certificate Transparency Merkle tests, as kept in transparency-dev/merkle
// proof/verify_test.go (commit 02194e9): eight leaves, the roots of all eight sizes, and paths.

import { expect, test } from 'vitest'
import { toHex } from './bytes.ts'
import { nodePrimitives } from './node.ts'
import type { Sha256 } from './primitives.ts'
import {
  consistencyProof,
  inclusionProof,
  type NodeReader,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts'
import { sha256 as plainSha256 } from './sha256.ts'
import { CompactRange, emptyRoot, leafHash, nodeHash } from './tree.ts'

const { sha256 } = nodePrimitives

const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** leaf (counted from 0), size, path */
const INCLUSION: [number, number, string[]][] = [
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
]

/** older size, newer size, proof */
const CONSISTENCY: [number, number, string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
  [
    6,
    7,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
]

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** MTH of RFC 6962 section 2.1, straight from its definition. */
function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return emptyRoot(sha256)
  if (leaves.length === 1) return first
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(sha256, definedRoot(leaves.slice(0, k)), definedRoot(leaves.slice(k)))
}

function readerOf(leaves: readonly Uint8Array[]): NodeReader {
  return async (height, index) => {
    const count = 2 ** height
    const subtree = leaves.slice(index * count, (index + 1) * count)
    expect(subtree.length).toBe(count)
    return definedRoot(subtree)
  }
}

function flipped(hash: Uint8Array, bit: number): Uint8Array {
  const copy = hash.slice()
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

const LEAF_HASHES = LEAVES.map((leaf) => leafHash(sha256, bytes(leaf)))

for (const [name, hash] of [
  ['node:crypto', sha256],
  ['plain TypeScript', plainSha256],
] as [string, Sha256][]) {
  test(`the published roots of all sizes up to eight come out (${name})`, () => {
    expect(toHex(emptyRoot(hash))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
    const range = new CompactRange(hash)
    const roots = LEAVES.map((leaf) => {
      range.append(leafHash(hash, bytes(leaf)))
      return toHex(range.root())
    })
    expect(roots).toEqual(ROOTS)
  })
}

test('the plain SHA-256 is that of node:crypto at every length around a block', () => {
  for (let length = 0; length < 300; length++) {
    const input = new Uint8Array(length).map((_, index) => index * 7 + length)
    const [plain, known] = [new Uint8Array(40), new Uint8Array(40)]
    plainSha256(input, plain, 5)
    sha256(input, known, 5)
    expect(plain).toEqual(known)
  }
})

test('the published inclusion paths are made, and verify', async () => {
  for (const [index, size, path] of INCLUSION) {
    const proof = await inclusionProof(sha256, readerOf(LEAF_HASHES), index, size)
    expect(proof.map(toHex)).toEqual(path)
    const [leaf, root] = [LEAF_HASHES[index] as Uint8Array, bytes(ROOTS[size - 1] as string)]
    verifyInclusion(sha256, index, size, leaf, proof, root)
  }
})

test('the published consistency proofs are made, and verify', async () => {
  for (const [older, newer, hashes] of CONSISTENCY) {
    const proof = await consistencyProof(sha256, readerOf(LEAF_HASHES), older, newer)
    expect(proof.map(toHex)).toEqual(hashes)
    const [root1, root2] = [bytes(ROOTS[older - 1] as string), bytes(ROOTS[newer - 1] as string)]
    verifyConsistency(sha256, older, newer, proof, root1, root2)
  }
})

const MANY = Array.from({ length: 130 }, (_, index) =>
  leafHash(sha256, Buffer.from(`leaf ${index}`)),
)
const MANY_ROOTS = Array.from({ length: 131 }, (_, size) => definedRoot(MANY.slice(0, size)))

test('the compact range has the root of the definition at every size up to 130', () => {
  const range = new CompactRange(sha256)
  for (const [size, leaf] of MANY.entries()) {
    expect(range.root()).toEqual(MANY_ROOTS[size])
    expect(range.size).toBe(size)
    range.append(leaf)
    expect(range.clone().root()).toEqual(range.root())
  }
})

test('leaf hashes appended as a run grow the tree as one by one, and name the same perfect subtrees', () => {
  const hashes = new Uint8Array(1_100 * 32)
  for (let index = 0; index < 1_100; index++) {
    hashes.set(leafHash(sha256, Uint8Array.of(index >> 8, index & 0xff)), index * 32)
  }
  const runs = [1, 255, 256, 3, 1, 508, 76] // the second ends, and the third begins, where a tile does
  const [range, whole] = [new CompactRange(sha256), new CompactRange(sha256)]
  const heard: string[] = []
  const expected: string[] = []
  let at = 0
  for (const run of runs) {
    range.appendAll(hashes.subarray(at * 32, (at + run) * 32), 8, (height, hash) => {
      heard.push(`${height} ${toHex(hash)}`)
    })
    for (const end = at + run; at < end; at++) {
      whole.append(hashes.subarray(at * 32, (at + 1) * 32), (height, hash) => {
        if (height >= 8) expected.push(`${height} ${toHex(hash)}`)
      })
    }
    expect(range.size).toBe(at)
    expect(toHex(range.root())).toBe(toHex(whole.root()))
  }
  expect(at).toBe(1_100)
  expect(heard).toEqual(expected)
  expect(heard.length).toBe(4 + 2 + 1)
})

test('every inclusion proof up to size 130 verifies, and one wrong bit fails', async () => {
  for (let size = 1; size <= 130; size += size < 20 ? 1 : 11) {
    const root = MANY_ROOTS[size] as Uint8Array
    const read = readerOf(MANY.slice(0, size))
    for (let index = 0; index < size; index++) {
      const leaf = MANY[index] as Uint8Array
      const proof = await inclusionProof(sha256, read, index, size)
      verifyInclusion(sha256, index, size, leaf, proof, root)
      const bit = (index * 37 + size) % 256
      const wrong: Parameters<typeof verifyInclusion>[] = [
        [sha256, index, size, flipped(leaf, bit), proof, root],
        [sha256, index, size, leaf, proof, flipped(root, bit)],
        [sha256, index, size, leaf, [...proof, root], root],
        [sha256, index, size, leaf, [root, ...proof], root],
        [sha256, size, size, leaf, proof, root],
        [sha256, -1, size, leaf, proof, root],
      ]
      if (proof.length > 0) wrong.push([sha256, index, size, leaf, proof.slice(1), root])
      if (size > 1) wrong.push([sha256, (index + 1) % size, size, leaf, proof, root])
      for (const [at, hash] of proof.entries()) {
        wrong.push([sha256, index, size, leaf, proof.with(at, flipped(hash, bit)), root])
      }
      for (const twin of wrong) expect(() => verifyInclusion(...twin)).toThrow()
    }
  }
})

test('every consistency proof up to size 130 verifies, and one wrong bit fails', async () => {
  for (let newer = 1; newer <= 130; newer += newer < 20 ? 1 : 11) {
    const root2 = MANY_ROOTS[newer] as Uint8Array
    const read = readerOf(MANY.slice(0, newer))
    for (let older = 0; older <= newer; older++) {
      const root1 = MANY_ROOTS[older] as Uint8Array
      const proof = await consistencyProof(sha256, read, older, newer)
      verifyConsistency(sha256, older, newer, proof, root1, root2)
      expect(await rootAt(sha256, read, older)).toEqual(root1)
      const bit = (older * 37 + newer) % 256
      const wrong: Parameters<typeof verifyConsistency>[] = [
        [sha256, older, newer, proof, flipped(root1, bit), root2],
        [sha256, older, newer, [...proof, root1], root1, root2],
        [sha256, older, newer, [root2, ...proof], root1, root2],
        [sha256, newer + 1, newer, proof, root1, root2],
      ]
      if (older > 0) wrong.push([sha256, older, newer, proof, root1, flipped(root2, bit)])
      if (proof.length > 0) wrong.push([sha256, older, newer, proof.slice(0, -1), root1, root2])
      if (proof.length > 0) wrong.push([sha256, older - 1, newer, proof, root1, root2])
      for (const [at, hash] of proof.entries()) {
        wrong.push([sha256, older, newer, proof.with(at, flipped(hash, bit)), root1, root2])
      }
      for (const twin of wrong) expect(() => verifyConsistency(...twin)).toThrow()
    }
  }
})

test('a hash that is not 32 bytes, or a proof of 65 hashes, is refused before hashing', () => {
  const [leaf] = MANY as [Uint8Array]
  const invalid = { code: 'proof_invalid' }
  const inclusion = (proof: Uint8Array[]) => () => verifyInclusion(sha256, 0, 1, leaf, proof, leaf)
  inclusion([])()
  expect(inclusion([new Uint8Array(31)])).toThrow(expect.objectContaining(invalid))
  expect(inclusion(new Array(65).fill(leaf))).toThrow(expect.objectContaining(invalid))
})

// Expected texts and orders are those of RFC 8785; digests of sha256sum.

import { runInNewContext } from 'node:vm'
import type { Json } from '@seconder/aws/call'
import { parseStrictJson } from '@seconder/aws/strict-json'
import { expect, test } from 'vitest'
import {
  CANONICAL_DEPTH_MAX,
  CANONICAL_LENGTH_MAX,
  CanonicalJsonError,
  type CanonicalJsonErrorCode,
  canonicalJson,
  digestOf,
  parseCanonicalJson,
  sha256Hex,
} from './canonical-json.ts'

function refused(value: unknown, code: CanonicalJsonErrorCode): void {
  for (const wrapped of [value, [value], { a: value }]) {
    let thrown: unknown
    try {
      canonicalJson(wrapped as Json)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(CanonicalJsonError)
    expect((thrown as CanonicalJsonError).code).toBe(code)
  }
}

test('keys are in the order of UTF-16 code units (RFC 8785 section 3.2.3)', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  const keys = [...canonicalJson(value).matchAll(/:"([^"]*)"/g)].map((match) => match[1])
  expect(keys).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

test('strings and literals are written as RFC 8785 section 3.2.2 prints them', () => {
  const value = {
    string: '\u20ac$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  }
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('equal values have one text, whatever the order and spacing they came in', () => {
  const one = parseStrictJson('{"b":[1,2,{"z":null,"y":-0}],"a":"\\u0061"}')
  const two = parseStrictJson('{ "a" : "a", "b" : [ 1, 2, { "y" : 0, "z" : null } ] }')
  expect(canonicalJson(one)).toBe('{"a":"a","b":[1,2,{"y":0,"z":null}]}')
  expect(canonicalJson(two)).toBe(canonicalJson(one))
})

test('values that differ have texts that differ', () => {
  const texts = [
    '1',
    '"1"',
    '1.0',
    '"1.0"',
    '1e0',
    '[1]',
    '[[1]]',
    '{"a":1}',
    '{"a":"1"}',
    '{"A":1}',
    '{"a":null}',
    '{}',
    '[]',
    'null',
    '"null"',
    '""',
    '"\u00e9"',
    '"e\u0301"',
    '"\\u0000"',
    '"\\\\u0000"',
    '0',
    '-0.0',
    'false',
  ]
  const canonical = texts.map((text) => canonicalJson(parseStrictJson(text)))
  expect(new Set(canonical).size).toBe(texts.length)
})

test('an absent prototype and an own `__proto__` are ordinary', () => {
  expect(canonicalJson(Object.create(null) as Json)).toBe('{}')
  expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}')
})

test('integers pass up to 2^53-1 and not one past it', () => {
  expect(canonicalJson([2 ** 53 - 1, -(2 ** 53 - 1), -0])).toBe(
    '[9007199254740991,-9007199254740991,0]',
  )
  refused(2 ** 53, 'unsafe_integer')
  refused(-(2 ** 53), 'unsafe_integer')
  refused(1e300, 'unsafe_integer')
})

test('numbers that are no integers are refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, 1e-7]) {
    refused(value, 'not_integer')
  }
})

test('what JSON has no word for is refused, never dropped', () => {
  for (const value of [
    undefined,
    () => 1,
    Symbol('a'),
    10n,
    new Date(0),
    new Map(),
    /a/,
    new Uint8Array(1),
    Buffer.from('a'),
    new (class Point {
      x = 1
    })(),
    Object.create({ inherited: 1 }),
    new String('a'),
    { [Symbol('a')]: 1 },
    Object.defineProperty({ a: 1 }, 'hidden', { value: 1 }),
    new (class List extends Array<number> {})(),
    runInNewContext('({})'),
  ]) {
    refused(value, 'not_json')
  }
  refused({ toJSON: () => 'x' }, 'not_json')
})

test('arrays with holes or names are refused', () => {
  const holed = [1, 2, 3]
  delete holed[1]
  refused(holed, 'sparse_array')
  refused(new Array(2), 'sparse_array')
  refused(Object.assign([1], { extra: 1 }), 'sparse_array')
  const swapped = Object.assign([1, 2], { extra: 1 })
  delete swapped[0]
  refused(swapped, 'sparse_array')
})

test('half a surrogate pair is refused in keys and values', () => {
  refused('\ud800', 'lone_surrogate')
  refused('a\udc00', 'lone_surrogate')
  refused({ '\ud800': 1 }, 'lone_surrogate')
  expect(canonicalJson('\ud83d\ude00')).toBe('"😀"')
})

test('depth passes at the limit, and one past it or a cycle is refused', () => {
  const nested = (depth: number): Json => {
    let value: Json = []
    for (let level = 1; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
    return value
  }
  expect(() => canonicalJson(nested(CANONICAL_DEPTH_MAX))).not.toThrow()
  refused(nested(CANONICAL_DEPTH_MAX + 1), 'too_deep')
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  refused(cycle, 'too_deep')
})

test('length passes at the limit, and one past it or an exploding tree is refused', () => {
  const filled = (count: number): Json => ['a'.repeat(count)]
  expect(canonicalJson(filled(CANONICAL_LENGTH_MAX - 4))).toHaveLength(CANONICAL_LENGTH_MAX)
  refused(filled(CANONICAL_LENGTH_MAX - 3), 'too_large')
  let tree: Json = 'a'.repeat(100_000)
  for (let level = 0; level < 100; level += 1) tree = [tree, tree]
  refused(tree, 'too_large')
})

test('digests are SHA-256 in hex of the UTF-8 text', () => {
  // printf '{}' | sha256sum; printf '{"a":"é"}' | sha256sum; FIPS 180-4 example `abc`.
  expect(digestOf({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  expect(digestOf({ a: 'é' })).toBe(
    'b3a092a6af48807fa9482b2ee140105575daa26d5b24b3c0e60a7e2dee6683b1',
  )
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(sha256Hex('abc')).toBe(abc)
  expect(sha256Hex(Uint8Array.of(0x61, 0x62, 0x63))).toBe(abc)
  expect(() => sha256Hex('\ud800')).toThrow(CanonicalJsonError)
})

test('a canonical text is read back, one with a second reading is refused', () => {
  const value = { a: [1, { decimal: '1.50' }], b: 'é' }
  expect(parseCanonicalJson(canonicalJson(value))).toEqual(value)
  for (const text of [
    '{"a":1,"a":1}',
    '{"b":1,"a":2}',
    '{ "a":1}',
    '{"a":1.0}',
    '[1',
    '"\\u0061"',
  ]) {
    expect(() => parseCanonicalJson(text)).toThrow(CanonicalJsonError)
  }
})

test('sorting and short strings are as sort() and JSON.stringify have them (2,000 random objects)', () => {
  let state = 20_261_126
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const units = [
    'a',
    'b',
    'Z',
    '0',
    '9',
    ' ',
    '"',
    '\\',
    '\n',
    '\u007f',
    '\u0080',
    'é',
    '€',
    '\ufb33',
  ]
  units.push('\u{1f600}', '\u2028', '/', '~', '_', '\u0000')
  const text = () =>
    Array.from(
      { length: random(4) === 0 ? 60 + random(9) : random(5) },
      () => units[random(units.length)],
    ).join('')
  const sorted = (value: Record<string, string>) =>
    `{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${JSON.stringify(value[key])}`)
      .join(',')}}`
  for (let count = 0; count < 2_000; count += 1) {
    const value = Object.fromEntries(Array.from({ length: random(40) }, () => [text(), text()]))
    expect(canonicalJson(value)).toBe(sorted(value))
  }
})

// The rules of RFC 8259 and RFC 7493, and JSON.parse as the other reader where both must agree.

import { expect, test } from 'vitest'
import {
  isDecimal,
  JSON_BYTES_MAX,
  JSON_DEPTH_CEILING,
  JSON_DEPTH_MAX,
  parseStrictJson,
  StrictJsonError,
  type StrictJsonErrorCode,
  type StrictJsonLimits,
} from './strict-json.ts'

function refusal(input: Uint8Array | string, limits?: StrictJsonLimits): StrictJsonError {
  try {
    parseStrictJson(input, limits)
  } catch (error) {
    if (error instanceof StrictJsonError) return error
    throw error
  }
  throw new Error('the text was accepted')
}

function refused(input: Uint8Array | string, code: StrictJsonErrorCode, position?: number): void {
  const texts = typeof input === 'string' && input.isWellFormed() ? [input, bytes(input)] : [input]
  for (const text of texts) {
    const error = refusal(text)
    expect(error.code, JSON.stringify(input)).toBe(code)
    if (position !== undefined) expect(error.position).toBe(position)
    expect(error.help).not.toBe('')
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('a text without fractions means what JSON.parse says it means', () => {
  const texts = [
    'null',
    ' \t\r\n true \n',
    'false',
    '0',
    '-1',
    '""',
    '"plain"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00"',
    '"é 😀 \u2028 \u007f"',
    '[]',
    '[ ]',
    '[1,[2,[]],{}]',
    '{}',
    '{ }',
    '{"":1,"a b":{"c":[null,true,false]},"é":"x"}',
    '{"TableName":"orders","Key":{"id":{"S":"\\u0061"}}}',
    '9007199254740991',
    '-9007199254740991',
    '{"2":1,"1":2}',
  ]
  for (const text of texts) {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text))
    expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text))
  }
})

test('random values come back as they were written', () => {
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  const letters = ['a', 'é', '"', '\\', '\n', '\u0000', '😀', '\u2028', '/', ' ']
  const text = (): string => Array.from({ length: random(6) }, () => letters[random(10)]).join('')
  const value = (depth: number): unknown => {
    const kind = random(depth > 4 ? 5 : 7)
    if (kind === 0) return null
    if (kind === 1) return random(2) === 0
    if (kind === 2) return random(2 ** 40) - 2 ** 39
    if (kind < 5) return text()
    if (kind === 5) return Array.from({ length: random(5) }, () => value(depth + 1))
    return Object.fromEntries(
      Array.from({ length: random(20) }, (_, at) => [text() + at, value(depth + 1)]),
    )
  }
  for (let round = 0; round < 500; round += 1) {
    const made = value(0)
    const written = JSON.stringify(made, null, random(3))
    expect(parseStrictJson(bytes(written))).toEqual(JSON.parse(written))
  }
})

test('what RFC 8259 does not allow is refused', () => {
  const texts = [
    '',
    ' ',
    '{',
    '[',
    '"',
    '[1',
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1 "b":2}',
    '{a:1}',
    "{'a':1}",
    '{1:1}',
    '[1]]',
    '{} {}',
    'nul',
    'True',
    'NaN',
    'Infinity',
    '-Infinity',
    'undefined',
    '+1',
    '-',
    '--1',
    '01',
    '-01',
    '00',
    '1.',
    '.5',
    '1.e1',
    '1e',
    '1e+',
    '1.5e',
    '0x10',
    '1_000',
    '"\\x41"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\',
    '"\\u',
    '"a\nb"',
    '"\u0000"',
    '"\u001f"',
    '// a\n1',
    '/* a */1',
    '1\u00a0',
    '\u000b1',
    '[1]\u0000',
  ]
  for (const text of texts) refused(text, 'invalid_json')
})

test('an error says where, and never what', () => {
  refused('{"a":1,}', 'invalid_json', 7)
  refused('[1,2]x', 'invalid_json', 5)
  refused('{"password":1,"password":2}', 'duplicate_key', 14)
  expect(refusal('{"password":1,"password":2}').message).toBe('duplicate key at character 14')
})

test('a byte order mark is refused', () => {
  refused('\ufeff{}', 'invalid_json', 0)
  refused(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), 'invalid_json', 0)
})

test('a key named twice is refused, also when one is written with escapes', () => {
  refused('{"a":1,"a":1}', 'duplicate_key', 7)
  refused('{"a":1,"\\u0061":2}', 'duplicate_key')
  refused('{"x":{"a":1,"b":2,"a":3}}', 'duplicate_key')
  const many = Array.from({ length: 40 }, (_, at) => `"k${at}":0`)
  for (const at of [0, 11, 12, 13, 39])
    refused(`{${[...many, `"k${at}":1`].join()}}`, 'duplicate_key')
  expect(Object.keys(parseStrictJson(`{${many.join()}}`) as object)).toHaveLength(40)
})

test('keys that differ in case, normal form or nesting are different keys', () => {
  expect(Object.keys(parseStrictJson('{"a":1,"A":2}') as object)).toHaveLength(2)
  expect(Object.keys(parseStrictJson('{"\u00e9":1,"e\u0301":2}') as object)).toHaveLength(2)
  expect(parseStrictJson('{"a":{"a":{"a":1}}}')).toEqual({ a: { a: { a: 1 } } })
})

test('names of Object.prototype are ordinary keys, and absent unless sent', () => {
  const empty = parseStrictJson('{}') as Record<string, unknown>
  expect(empty['constructor']).toBeUndefined()
  expect(empty['toString']).toBeUndefined()
  const sent = parseStrictJson('{"constructor":{"prototype":1},"toString":2}')
  expect(sent).toEqual({ constructor: { prototype: 1 }, toString: 2 })
})

test('the key `__proto__` is refused in every spelling and pollutes nothing', () => {
  refused('{"__proto__":{"polluted":1}}', 'reserved_key', 1)
  refused('{"a":[{"\\u005f_proto__":1}]}', 'reserved_key')
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  expect(parseStrictJson('"__proto__"')).toBe('__proto__')
})

test('an integer of 2^53-1 passes and the next one is refused', () => {
  expect(parseStrictJson('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
  refused('9007199254740992', 'unsafe_integer', 0)
  refused('-9007199254740992', 'unsafe_integer', 0)
  refused('[9007199254740993]', 'unsafe_integer', 1)
  refused('9999999999999999', 'unsafe_integer')
  refused('10000000000000000', 'unsafe_integer')
  refused('1'.repeat(5000), 'unsafe_integer')
})

test('minus zero is zero', () => {
  expect(Object.is(parseStrictJson('-0'), 0)).toBe(true)
  expect(parseStrictJson('-0.0')).toEqual({ decimal: '-0.0' })
})

test('a number with a fraction or an exponent keeps its letters, apart from every string', () => {
  for (const text of [
    '1.50',
    '1.5',
    '-0.0',
    '1e3',
    '1E+3',
    '0e-1',
    '12345678901234567890.5',
    '1e400',
  ]) {
    const value = parseStrictJson(text)
    expect(value).toEqual({ decimal: text })
    expect(isDecimal(value)).toBe(true)
    expect(parseStrictJson(`"${text}"`)).toBe(text)
  }
  expect(parseStrictJson('{"a":[0.1]}')).toEqual({ a: [{ decimal: '0.1' }] })
})

test('an object that would read as a tagged fraction is refused, and only that one', () => {
  refused('{"decimal":"1.50"}', 'reserved_key', 0)
  refused('[{"d\\u0065cimal":"1e3"}]', 'reserved_key', 1)
  for (const text of [
    '{"decimal":"1"}',
    '{"decimal":"x"}',
    '{"decimal":"1.5 "}',
    '{"decimal":2}',
    '{"decimal":"1.5","a":1}',
    '{"Decimal":"1.5"}',
  ]) {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text))
    expect(isDecimal(parseStrictJson(text))).toBe(false)
  }
})

test('half a surrogate pair is refused in keys and in values', () => {
  refused('"\\ud800"', 'lone_surrogate', 0)
  refused('"\\udc00\\ud800"', 'lone_surrogate')
  refused('"a\\ud83dz"', 'lone_surrogate')
  refused('{"\\ud83d":1}', 'lone_surrogate', 1)
  refused('{"a":"\ud83d"}', 'lone_surrogate', 6)
  refused('"\\ud83d\ude00"', 'lone_surrogate', 7)
  expect(parseStrictJson('{"\\ud83d\\ude00":"\\uD83D\\uDE00"}')).toEqual({ '😀': '😀' })
})

test('bytes that are not UTF-8 are refused where they go wrong', () => {
  const quoted = (...inner: number[]): Uint8Array => Uint8Array.of(0x22, ...inner, 0x22)
  refused(quoted(0xff), 'invalid_utf8', 1)
  refused(quoted(0x61, 0x80), 'invalid_utf8', 2)
  refused(quoted(0xc0, 0xaf), 'invalid_utf8')
  refused(quoted(0xe0, 0x80, 0xaf), 'invalid_utf8')
  refused(quoted(0xed, 0xa0, 0x80), 'invalid_utf8')
  refused(quoted(0xf4, 0x90, 0x80, 0x80), 'invalid_utf8')
  refused(Uint8Array.of(0x22, 0xc3), 'invalid_utf8', 2)
  expect(parseStrictJson(quoted(0xf0, 0x9f, 0x98, 0x80))).toBe('😀')
  expect(parseStrictJson(quoted(0xef, 0xbf, 0xbd))).toBe('\ufffd')
})

test('a view into a larger buffer is read within its own bounds', () => {
  expect(parseStrictJson(bytes('xx[1]yy').subarray(2, 5))).toEqual([1])
})

test('depth passes at the limit and is refused one past it', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  for (const make of [nested, objects]) {
    expect(() => parseStrictJson(make(JSON_DEPTH_MAX))).not.toThrow()
    expect(refusal(make(JSON_DEPTH_MAX + 1)).code).toBe('too_deep')
    expect(() => parseStrictJson(make(2), { maxDepth: 2 })).not.toThrow()
    expect(refusal(make(3), { maxDepth: 2 }).code).toBe('too_deep')
    const deepest = { maxDepth: JSON_DEPTH_CEILING }
    expect(() => parseStrictJson(make(JSON_DEPTH_CEILING), deepest)).not.toThrow()
  }
  expect(parseStrictJson(`[${'[],'.repeat(500)}[]]`)).toHaveLength(501)
  expect(() => parseStrictJson('1', { maxDepth: JSON_DEPTH_CEILING + 1 })).toThrow(RangeError)
})

test('size passes at the limit and is refused one past it, in bytes of UTF-8', () => {
  expect(parseStrictJson('"éé"', { maxBytes: 6 })).toBe('éé')
  expect(refusal('"éé"', { maxBytes: 5 }).code).toBe('too_large')
  expect(parseStrictJson(bytes('"éé"'), { maxBytes: 6 })).toBe('éé')
  expect(refusal(bytes('"éé"'), { maxBytes: 5 }).code).toBe('too_large')
  const spaces = (count: number): Uint8Array => new Uint8Array(count).fill(0x20)
  const full = spaces(JSON_BYTES_MAX)
  full[0] = 0x31
  expect(parseStrictJson(full)).toBe(1)
  expect(refusal(spaces(JSON_BYTES_MAX + 1)).code).toBe('too_large')
})

test('the deepest, widest and most escaped texts take time in proportion to their length', () => {
  const wide = `{${Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join()}}`
  expect(Object.keys(parseStrictJson(wide) as object)).toHaveLength(100_000)
  expect(parseStrictJson(`"${'\\u0061'.repeat(500_000)}"`)).toBe('a'.repeat(500_000))
  expect(refusal('['.repeat(1_000_000)).code).toBe('too_deep')
})

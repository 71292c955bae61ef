import { expect, test } from 'vitest'
import {
  escapeLines,
  escapeUntrusted,
  hasMixedScripts,
  oneLine,
  SHOWN_CHARS_MAX,
  SHOWN_CHARS_MIN,
} from './plain-text.ts'

test('text that shows as it is stays as it is', () => {
  for (const text of [
    '',
    'arn:aws:s3:::bucket/key with "quotes" & <tags>',
    'C:\\users\\name',
    'Grüße, naïve façade',
    'Привет мир',
    '本番環境を削除',
    'สวัสดี',
    'नमस्ते',
    '😀',
  ]) {
    expect(escapeUntrusted(text)).toBe(text)
  }
})

test('controls, ANSI escapes and line ends are visible escapes', () => {
  expect(escapeUntrusted('a\u001b[31mred\u001b[0m')).toBe('a\\u{1b}[31mred\\u{1b}[0m')
  expect(escapeUntrusted('\u009b2J')).toBe('\\u{9b}2J')
  expect(escapeUntrusted('a\r\nb\tc\u0000\u0007\u0008\u007f')).toBe(
    'a\\u{d}\\u{a}b\\u{9}c\\u{0}\\u{7}\\u{8}\\u{7f}',
  )
  expect(escapeUntrusted('\u2028\u2029\u0085')).toBe('\\u{2028}\\u{2029}\\u{85}')
})

test('every bidi control is a visible escape (UAX 9 section 2)', () => {
  for (const code of [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e]) {
    expect(escapeUntrusted(String.fromCodePoint(code))).toBe(`\\u{${code.toString(16)}}`)
  }
  for (const code of [0x2066, 0x2067, 0x2068, 0x2069]) {
    expect(escapeUntrusted(`prod${String.fromCodePoint(code)}`)).toBe(
      `prod\\u{${code.toString(16)}}`,
    )
  }
})

test('invisible and blank characters are visible escapes', () => {
  const codes = [
    ...[0xa0, 0xad, 0x34f, 0x115f, 0x1160, 0x17b4, 0x180e, 0x2000, 0x200b, 0x200c, 0x200d, 0x202f],
    ...[0x205f, 0x2060, 0x2800, 0x3000, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xe000, 0xe0041],
    ...[0x1d159, 0x1d173, 0xe0100, 0x10ffff],
  ]
  for (const code of codes) {
    expect(escapeUntrusted(`a${String.fromCodePoint(code)}b`)).toBe(`a\\u{${code.toString(16)}}b`)
  }
  expect(escapeUntrusted('a\ud800b')).toBe('a\\u{d800}b')
})

test('a text cannot feign an escape or a cut', () => {
  expect(escapeUntrusted('\\u{202e}')).toBe('\\u{5c}u{202e}')
  expect(escapeUntrusted('\\{9 characters cut}')).toBe('\\u{5c}{9 characters cut}')
  expect(escapeUntrusted('\\\\u{1b}')).toBe('\\\\u{5c}u{1b}')
  expect(escapeUntrusted('\\users \\n')).toBe('\\users \\n')
})

test('two spellings of one look are told apart', () => {
  expect(escapeUntrusted('caf\u00e9')).toBe('caf\u00e9')
  expect(escapeUntrusted('cafe\u0301')).toBe('cafe\\u{301}')
  expect(escapeUntrusted('\u212a')).toBe('\\u{212a}')
})

test('marks that pile up, or stand on nothing, are visible escapes', () => {
  expect(escapeUntrusted('x\u0335\u0336\u0337')).toBe('x\u0335\u0336\u0337')
  expect(escapeUntrusted('x\u0335\u0336\u0337\u0338')).toBe('x\u0335\u0336\u0337\\u{338}')
  expect(escapeUntrusted('\u0335')).toBe('\\u{335}')
  expect(escapeUntrusted('" \u0335')).toBe('" \\u{335}')
})

test('a text passes at the limit and is cut in the middle one past it', () => {
  const max = SHOWN_CHARS_MIN
  expect(escapeUntrusted('a'.repeat(max), max)).toBe('a'.repeat(max))
  const cut = escapeUntrusted(`start${'a'.repeat(max)}end`, max)
  expect(cut).toMatch(/^starta*\\\{\d+ characters cut\}a*end$/)
  expect(cut.length).toBeLessThanOrEqual(max)
  expect(escapeUntrusted('a'.repeat(SHOWN_CHARS_MAX))).toHaveLength(SHOWN_CHARS_MAX)
  expect(escapeUntrusted('a'.repeat(SHOWN_CHARS_MAX + 1))).toContain('characters cut}')
  expect(() => escapeUntrusted('', max - 1)).toThrow(RangeError)
})

test('the count of a cut and what is shown make the whole, however long', () => {
  for (const unit of ['a', 'é', '😀', '\u202e', '\\']) {
    for (const count of [41, 60, 79, 80, 81, 82, 161, 5000]) {
      const shown = escapeUntrusted(unit.repeat(count), 40)
      const match = /^(.*?)\\\{(\d+) characters cut\}(.*)$/u.exec(shown)
      const one = escapeUntrusted(unit)
      const seen = ((match?.[1] ?? '') + (match?.[3] ?? '')).length / one.length
      expect(shown.length).toBeLessThanOrEqual(40)
      expect(seen + Number(match?.[2])).toBe(count)
    }
  }
})

test('ten million characters take time in proportion to their length', () => {
  const shown = escapeUntrusted('\u202e'.repeat(10_000_000))
  expect(shown).toContain('\\{9999492 characters cut}')
  expect(shown.length).toBeLessThanOrEqual(SHOWN_CHARS_MAX)
})

test('one line has its white space folded, and nothing hidden in it', () => {
  expect(oneLine('  a\r\n\tb   c\n')).toBe('a b c')
  expect(oneLine('a\u2028b\u001b')).toBe('a\\u{2028}b\\u{1b}')
  expect(oneLine('\ufeff a\u00a0')).toBe('\\u{feff} a\\u{a0}')
})

test('lines are split only at line ends and escaped one by one', () => {
  expect(escapeLines('a\r\nb\n\u001bc\rd')).toEqual(['a', 'b', '\\u{1b}c\\u{d}d'])
})

test('scripts that are written together are not mixed', () => {
  for (const text of [
    '',
    'prod-db-1',
    'Grüße 5 µs',
    'Привет, мир 42',
    'שלום',
    'AWSの本番環境をデプロイ',
    'AWS 생산 환경',
    'देवनागरी',
    '2 × 3 → 6 😀',
  ]) {
    expect(hasMixedScripts(text), text).toBe(false)
  }
})

test('look-alike letters of another script, or styled ones, are mixed', () => {
  for (const text of [
    '\u0430dmin',
    'pr\u043ed',
    'prοd',
    'dev \u05d0',
    '\u{1d41d}\u{1d41e}\u{1d42f}',
    'Ꮯopy',
    'キрод',
  ]) {
    expect(hasMixedScripts(text), text).toBe(true)
  }
})

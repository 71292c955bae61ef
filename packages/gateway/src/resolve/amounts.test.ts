import { expect, test } from 'vitest'
import { bytesInWords, counted, grouped, isoTime, quoted } from './amounts.ts'

test('counts are grouped by thousands and agree in number', () => {
  expect([0, 999, 1000, 1204, 1234567].map(grouped)).toEqual([
    '0',
    '999',
    '1,000',
    '1,204',
    '1,234,567',
  ])
  expect(counted(1, 'item')).toBe('1 item')
  expect(counted(0, 'item')).toBe('0 items')
})

test('sizes are in decimal units, one digit below ten, and never 1000 of a unit', () => {
  const cases: [number, string][] = [
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [2_100_000, '2.1 MB'],
    [9_940, '9.9 kB'],
    [9_960, '10 kB'],
    [47_999_991, '48 MB'],
    [999_499, '999 kB'],
    [999_600, '1.0 MB'],
    [5_000_000_000_000, '5.0 TB'],
  ]
  for (const [bytes, words] of cases) expect(bytesInWords(bytes)).toBe(words)
})

test('a time is ISO to the millisecond; what is no time is null', () => {
  // 1421866952.062 is CreationDateTime in the DescribeTable example of the API reference.
  expect(isoTime('1421866952.062')).toBe('2015-01-21T19:02:32.062Z')
  expect(isoTime('1e30')).toBe(null)
  expect(isoTime(null)).toBe(null)
})

test('a chosen name cannot leave its backticks, turn the line round or go on for ever', () => {
  expect(quoted('orders')).toBe('`orders`')
  expect(quoted('a`b\nc\u202ed')).toBe('`a\\u{60}b\\u{a}c\\u{202e}d`')
  expect(quoted('x'.repeat(128))).toBe(`\`${'x'.repeat(128)}\``)
  expect(quoted('x'.repeat(129))).toMatch(/^`x+\\\{\d+ characters cut\}x+`$/)
})

import { expect, test } from 'vitest'
import { add, DECIMAL_DIGITS_MAX, formatDecimal, multiply, parseDecimal } from './decimal.ts'

const sum = (a: string, b: string) => formatDecimal(add(parseDecimal(a), parseDecimal(b)))
const product = (a: string, b: string) => formatDecimal(multiply(parseDecimal(a), parseDecimal(b)))

test('what a double cannot add is added exactly', () => {
  expect(sum('0.1', '0.2')).toBe('0.3')
  expect(sum('99999999999999999999.5', '0.000000000000000001')).toBe(
    '99999999999999999999.500000000000000001',
  )
  expect(sum('-0.5', '0.5')).toBe('0')
})

test('what a double cannot multiply is multiplied exactly', () => {
  expect(product('0.07', '100')).toBe('7')
  expect(product('-1.1', '1.1')).toBe('-1.21')
  expect(product('12345678.90123456', '1.0825')).toBe('13364197.4105864112')
})

test('trailing zeros go and digits stay', () => {
  for (const [text, shown] of [
    ['1500', '1500'],
    ['0.000000000000000000', '0'],
    ['-0', '0'],
    ['007.50', '7.5'],
    ['+1', '1'],
    ['-0.0000012', '-0.0000012'],
  ] as const) {
    expect(formatDecimal(parseDecimal(text))).toBe(shown)
  }
})

test('a number has as many digits as DECIMAL holds and no more', () => {
  expect(formatDecimal(parseDecimal('9'.repeat(DECIMAL_DIGITS_MAX)))).toHaveLength(38)
  expect(() => parseDecimal('9'.repeat(DECIMAL_DIGITS_MAX + 1))).toThrow(RangeError)
})

test.each(['', ' ', '1e3', 'NaN', 'Infinity', '.5', '1.', '1,5', '0x10', '1 ', '--1', '１'])(
  '%j is not a plain decimal number',
  (text) => {
    expect(() => parseDecimal(text)).toThrow(RangeError)
  },
)

// Exact decimal numbers as BigInt units and a scale. Money passes through here and through DuckDB's
// DECIMAL, never through a JavaScript number.

/** `units` times ten to the power of minus `scale`. */
export interface ExactDecimal {
  readonly units: bigint
  readonly scale: number
}

export const DECIMAL_DIGITS_MAX = 38
const FORM = /^([+-]?)([0-9]{1,38})(?:\.([0-9]{1,38}))?$/

/** The number that plain decimal text says, exactly. RangeError for any other text. */
export function parseDecimal(text: string): ExactDecimal {
  const match = FORM.exec(text)
  if (match === null) throw new RangeError('not a plain decimal number')
  const [, sign = '', whole = '', fraction = ''] = match
  const units = BigInt(whole + fraction)
  return { units: sign === '-' ? -units : units, scale: fraction.length }
}

/** The exact product. */
export function multiply(a: ExactDecimal, b: ExactDecimal): ExactDecimal {
  return { units: a.units * b.units, scale: a.scale + b.scale }
}

/** The exact sum. */
export function add(a: ExactDecimal, b: ExactDecimal): ExactDecimal {
  const scale = Math.max(a.scale, b.scale)
  return { units: atScale(a, scale) + atScale(b, scale), scale }
}

function atScale(value: ExactDecimal, scale: number): bigint {
  return value.units * 10n ** BigInt(scale - value.scale)
}

/** Plain text without an exponent and without trailing zeros: `0`, `-0.0000012`, `1500`. */
export function formatDecimal(value: ExactDecimal): string {
  const negative = value.units < 0n
  const digits = (negative ? -value.units : value.units).toString().padStart(value.scale + 1, '0')
  const whole = digits.slice(0, digits.length - value.scale)
  const fraction = digits.slice(digits.length - value.scale).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

// What the operator sets per month: a factor on its money amounts. It comes from outside at each
// question; what cannot be read exactly is an error and never a factor of one.

import { type ExactDecimal, multiply, parseDecimal } from './decimal.ts'

export interface Adjustment {
  /** Plain decimal text, e.g. `1.0825`. */
  readonly factor: string
}

/** Months `YYYY-MM` to what is set for them; a month that is not named stays as it is. */
export type Adjustments = ReadonlyMap<string, Adjustment>

export const ADJUSTMENTS_MAX = 1_200

/** The factors of `adjustments`, read exactly. RangeError for a month or factor that is none. */
export function readFactors(adjustments: Adjustments): ReadonlyMap<string, ExactDecimal> {
  if (adjustments.size > ADJUSTMENTS_MAX) throw new RangeError('too many adjustments')
  const factors = new Map<string, ExactDecimal>()
  for (const [month, { factor }] of adjustments) {
    if (!/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(month)) throw new RangeError('not a month')
    factors.set(month, parseDecimal(factor))
  }
  return factors
}

/** The amount of a month with its factor, exactly. */
export function adjusted(
  amount: ExactDecimal,
  day: string,
  factors: ReadonlyMap<string, ExactDecimal>,
): ExactDecimal {
  const factor = factors.get(day.slice(0, 7))
  return factor === undefined ? amount : multiply(amount, factor)
}

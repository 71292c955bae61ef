// The sum of a billing export's BilledCost, and the report that follows from it: another way to the
// same figures than the service takes, so that the demo can tell right answers from wrong ones.
import { formatDecimal, multiply, parseDecimal } from '@seconder/costs/decimal'
import { csvRows, sumOf } from '@seconder/costs/focus-sum.fixture'

/** The fixture sums in 10^-18. */
const SCALE = 18

/** Exact decimal text in the export's currency. */
export function billedTotal(csv: string): string {
  return formatDecimal({ units: sumOf(csvRows(csv), 'BilledCost'), scale: SCALE })
}

/** What a month's report must say: the sum of its export times its factor, exactly. */
export function reportTotal(csv: string, factor: string): string {
  return formatDecimal(multiply(parseDecimal(billedTotal(csv)), parseDecimal(factor)))
}

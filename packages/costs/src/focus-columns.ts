// Which column of a FOCUS export feeds which field of ours, and the SQL text for it. Column names
// of a file never reach SQL: the columns are called c0, c1, ... in the order of the file.
// Source: github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, specification/columns, v1.0-v1.3;
// x_ columns: https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-0-aws.html

import { CostStoreError } from './errors.ts'

/** Per field, the columns that may hold it; the first that is not null in a row is taken. */
const COLUMNS_OF_FIELD = {
  billed: ['BilledCost'],
  effective: ['EffectiveCost'],
  list: ['ListCost'],
  chargeStart: ['ChargePeriodStart'],
  billingStart: ['BillingPeriodStart'],
  category: ['ChargeCategory'],
  currency: ['BillingCurrency'],
  service: ['ServiceName'],
  subAccount: ['SubAccountId'],
  billingAccount: ['BillingAccountId'],
  region: ['RegionId'],
  zone: ['AvailabilityZone'],
  usageType: ['x_UsageType'],
  operation: ['x_Operation'],
  purchase: ['PricingCategory'],
  // v1.3 deprecates ProviderName and v1.4 removes it.
  provider: ['ServiceProviderName', 'ProviderName'],
  issuer: ['InvoiceIssuerName'],
  resource: ['ResourceId'],
  consumedQuantity: ['ConsumedQuantity'],
  consumedUnit: ['ConsumedUnit'],
  pricingQuantity: ['PricingQuantity'],
  pricingUnit: ['PricingUnit'],
  tags: ['Tags'],
  invoice: ['InvoiceId'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type FocusField = keyof typeof COLUMNS_OF_FIELD

const REQUIRED: readonly FocusField[] = ['billed', 'chargeStart']

export interface FocusColumns {
  /** How many columns the file has, wanted or not. */
  readonly count: number
  /** Names of FOCUS columns that we would have used and the file does not have. */
  readonly absent: readonly string[]
  has(field: FocusField): boolean
  /** SQL over c0, c1, ...: the field's text, or NULL where the file has no such column. */
  sql(field: FocusField): string
}

/** The columns of a header. Errors: `missing_column`, `malformed_header` for a repeated one. */
export function focusColumns(header: readonly string[]): FocusColumns {
  const positions = new Map<FocusField, readonly number[]>()
  const absent: string[] = []
  const lowered = header.map((name) => name.trim().toLowerCase())
  for (const [field, names] of Object.entries(COLUMNS_OF_FIELD)) {
    const found = names.flatMap((name) => positionOf(lowered, name))
    if (found.length === 0) absent.push(names[0] ?? field)
    positions.set(field as FocusField, found)
  }
  for (const field of REQUIRED) {
    if (positions.get(field)?.length === 0) {
      throw new CostStoreError(
        'missing_column',
        `the file has no column ${COLUMNS_OF_FIELD[field][0]}`,
      )
    }
  }
  return {
    count: header.length,
    absent,
    has: (field) => (positions.get(field)?.length ?? 0) > 0,
    sql: (field) => {
      const columns = (positions.get(field) ?? []).map((position) => `c${position}`)
      return columns.length === 0 ? 'NULL::VARCHAR' : `coalesce(${columns.join(', ')})`
    },
  }
}

function positionOf(lowered: readonly string[], name: string): readonly number[] {
  const wanted = name.toLowerCase()
  const first = lowered.indexOf(wanted)
  if (first < 0) return []
  if (lowered.includes(wanted, first + 1)) {
    throw new CostStoreError('malformed_header', `the file has two columns ${name}`)
  }
  return [first]
}

// Makes a billing export of an invented company: FOCUS 1.0 as CSV, the same text for the same
// options on every machine. For the demo and the tests; no figure in it is anyone's.
// Columns: github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec v1.0, specification/columns.

export interface SampleOptions {
  /** Billing months `YYYY-MM`. */
  readonly months: readonly string[]
  /** Account ids; the first pays. */
  readonly accounts?: readonly string[]
  readonly seed?: number
}

export const SAMPLE_MONTHS: readonly string[] = [
  '2026-05',
  '2026-06',
  '2026-07',
  '2026-08',
  '2026-09',
  '2026-10',
]
export const SAMPLE_ACCOUNTS: readonly string[] = ['123456789012', '210987654321', '345678901234']
export const SAMPLE_MONTHS_MAX = 120

const COLUMNS = `
  AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingCurrency
  BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeClass ChargeDescription
  ChargeFrequency ChargePeriodEnd ChargePeriodStart CommitmentDiscountCategory
  CommitmentDiscountId CommitmentDiscountName CommitmentDiscountStatus CommitmentDiscountType
  ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost
  InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingQuantity PricingUnit
  ProviderName PublisherName RegionId RegionName ResourceId ResourceName ResourceType
  ServiceCategory ServiceName SkuId SkuPriceId SubAccountId SubAccountName Tags x_UsageType
  x_Operation
`
  .trim()
  .split(/\s+/)

interface SampleResource {
  readonly service: string
  readonly category: string
  readonly region: string
  readonly usageType: string
  readonly operation: string
  readonly unit: string
  /** Price of one unit, in 10^-10 USD. */
  readonly price: bigint
  /** Units on an ordinary day, in thousandths. */
  readonly daily: number
  readonly resource: string
  readonly tags: string | null
}

const EC2 = 'Amazon Elastic Compute Cloud'
const RDS = 'Amazon Relational Database Service'
const S3 = 'Amazon Simple Storage Service'
const DYNAMODB = 'Amazon DynamoDB'
const LAMBDA = 'AWS Lambda'
const BEDROCK = 'Amazon Bedrock'
const CHECKOUT = '{"team":"checkout","environment":"production"}'
const REPORTS = '{"team":"reports","environment":"production"}'
const SANDBOX = '{"team":"reports","environment":"development"}'

type SampleLine = readonly [
  service: string,
  category: string,
  region: string,
  usageType: string,
  operation: string,
  unit: string,
  price: bigint,
  daily: number,
  resource: string,
  tags: string | null,
]

const LINES: readonly SampleLine[] = [
  [
    EC2,
    'Compute',
    'us-east-1',
    'BoxUsage:m7g.large',
    'RunInstances',
    'Hrs',
    816_000_000n,
    96_000,
    'i-0a1',
    CHECKOUT,
  ],
  [
    EC2,
    'Compute',
    'eu-west-1',
    'EU-BoxUsage:m7g.large',
    'RunInstances',
    'Hrs',
    911_000_000n,
    48_000,
    'i-0b2',
    REPORTS,
  ],
  [
    EC2,
    'Compute',
    'cn-north-1',
    'CNN1-BoxUsage:m6g.large',
    'RunInstances',
    'Hrs',
    1_070_000_000n,
    48_000,
    'i-0c3',
    CHECKOUT,
  ],
  [
    RDS,
    'Databases',
    'us-east-1',
    'Multi-AZUsage:db.r7g.large',
    'CreateDBInstance:0021',
    'Hrs',
    4_780_000_000n,
    24_000,
    'db-orders',
    CHECKOUT,
  ],
  [
    RDS,
    'Databases',
    'cn-north-1',
    'CNN1-InstanceUsage:db.r6g.large',
    'CreateDBInstance:0021',
    'Hrs',
    3_120_000_000n,
    24_000,
    'db-cn',
    CHECKOUT,
  ],
  [
    S3,
    'Storage',
    'us-east-1',
    'TimedStorage-ByteHrs',
    'StandardStorage',
    'GB-Mo',
    230_000_000n,
    41_667,
    'billing-exports',
    REPORTS,
  ],
  [
    S3,
    'Storage',
    'cn-north-1',
    'CNN1-TimedStorage-ByteHrs',
    'StandardStorage',
    'GB-Mo',
    277_000_000n,
    12_500,
    'archive-cn',
    null,
  ],
  [
    DYNAMODB,
    'Databases',
    'us-east-1',
    'ReadRequestUnits',
    'PayPerRequestThroughput',
    'ReadRequestUnits',
    1_250n,
    31_000_000_000,
    'cost-settings',
    REPORTS,
  ],
  [
    DYNAMODB,
    'Databases',
    'cn-north-1',
    'CNN1-WriteRequestUnits',
    'PayPerRequestThroughput',
    'WriteRequestUnits',
    7_140n,
    2_100_000_000,
    'cost-settings-cn',
    REPORTS,
  ],
  [
    LAMBDA,
    'Compute',
    'us-east-1',
    'Lambda-GB-Second',
    'Invoke',
    'Lambda-GB-Second',
    166_667n,
    190_000_000,
    'report-builder',
    REPORTS,
  ],
  [
    LAMBDA,
    'Compute',
    'eu-west-1',
    'EU-Request',
    'Invoke',
    'Request',
    2_000n,
    950_000_000,
    'report-builder-eu',
    SANDBOX,
  ],
  [
    BEDROCK,
    'AI and Machine Learning',
    'us-east-1',
    'USE1-InputTokenCount',
    'InvokeModel',
    '1K tokens',
    30_000_000n,
    2_400_000,
    'model/assistant',
    SANDBOX,
  ],
]

const RESOURCES: readonly SampleResource[] = LINES.map(
  ([service, category, region, usageType, operation, unit, price, daily, resource, tags]) => {
    return { service, category, region, usageType, operation, unit, price, daily, resource, tags }
  },
)

/**
 * The export as CSV with a header: for each day, account and resource of the invented company one
 * Usage row, and for each month and account a Tax and a Credit row. About 1,100 rows a month with
 * three accounts. RangeError for a month that is none, or for more than SAMPLE_MONTHS_MAX.
 */
export function sampleFocusCsv(options: SampleOptions): string {
  const accounts = options.accounts ?? SAMPLE_ACCOUNTS
  if (options.months.length > SAMPLE_MONTHS_MAX) throw new RangeError('too many months')
  const random = randomNumbers(options.seed ?? 1)
  const lines = [COLUMNS.join(',')]
  for (const month of options.months) {
    if (!/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(month))
      throw new RangeError('not a month: write YYYY-MM')
    for (const account of accounts) {
      lines.push(...monthLines(month, account, accounts[0] ?? account, random))
    }
  }
  return `${lines.join('\n')}\n`
}

function monthLines(month: string, account: string, payer: string, random: () => number): string[] {
  const first = Date.parse(`${month}-01`)
  const next = Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1)
  const shared = {
    BillingAccountId: payer,
    BillingAccountName: 'Example Corp',
    BillingCurrency: 'USD',
    BillingPeriodStart: time(first),
    BillingPeriodEnd: time(next),
    InvoiceIssuerName: 'Amazon Web Services, Inc.',
    ProviderName: 'AWS',
    PublisherName: 'Amazon Web Services, Inc.',
    SubAccountId: account,
    SubAccountName: `account-${account.slice(-4)}`,
  }
  const lines: string[] = []
  let total = 0n
  for (let day = first; day < next; day += 86_400_000) {
    for (const resource of RESOURCES) {
      const usage = usageOf(resource, account, day, random)
      total += usage.cost
      lines.push(line({ ...shared, ...usage.values }))
    }
  }
  const monthly = {
    ...shared,
    ChargePeriodStart: time(first),
    ChargePeriodEnd: time(next),
    ServiceName: 'Tax',
    ServiceCategory: 'Other',
  }
  lines.push(line({ ...monthly, ChargeCategory: 'Tax', ...costs(total / 10n) }))
  const credit = { ChargeCategory: 'Credit', ServiceName: EC2, ServiceCategory: 'Compute' }
  lines.push(line({ ...monthly, ...credit, ...costs(-(total / 40n)) }))
  return lines
}

function usageOf(
  resource: SampleResource,
  account: string,
  day: number,
  random: () => number,
): { values: Readonly<Record<string, string | null>>; cost: bigint } {
  // Whole thousandths of a unit, between 80 and 120 percent of an ordinary day.
  const thousandths = BigInt(Math.round(resource.daily * (0.8 + random() * 0.4)))
  const cost = (thousandths * resource.price) / 1_000n
  const quantity = scaled(thousandths, 3)
  const values = {
    ...costs(cost),
    ChargeCategory: 'Usage',
    ChargeDescription: `${resource.usageType} of ${resource.resource}, "on demand"`,
    ChargeFrequency: 'Usage-Based',
    ChargePeriodStart: time(day),
    ChargePeriodEnd: time(day + 86_400_000),
    ConsumedQuantity: quantity,
    ConsumedUnit: resource.unit,
    ListUnitPrice: scaled(resource.price, 10),
    PricingCategory: 'Standard',
    PricingQuantity: quantity,
    PricingUnit: resource.unit,
    RegionId: resource.region,
    ResourceId: `${resource.resource}-${account.slice(-4)}`,
    ServiceCategory: resource.category,
    ServiceName: resource.service,
    Tags: resource.tags,
    x_UsageType: resource.usageType,
    x_Operation: resource.operation,
  }
  return { values, cost }
}

/** The four costs of a row: nothing is discounted here, so they are one. */
function costs(cost: bigint): Readonly<Record<string, string>> {
  const text = scaled(cost, 10)
  return { BilledCost: text, EffectiveCost: text, ListCost: text, ContractedCost: text }
}

function scaled(units: bigint, scale: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

function line(values: Readonly<Record<string, string | null>>): string {
  return COLUMNS.map((column) => csvField(values[column] ?? null)).join(',')
}

function csvField(value: string | null): string {
  if (value === null) return ''
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** mulberry32, public domain: numbers from 0 to 1 that depend on the seed alone. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

// The question that GetCostAndUsage asks, read from its JSON input into a plain object. Every rule
// that the model or AWS's observed behaviour puts on the input is checked here and nowhere else.
// Source: botocore `botocore/data/ce/2017-10-25/service-2.json`, shape GetCostAndUsageRequest.

import type { Json } from '@seconder/aws/call'
import { dimensionNamed, HELD_DIMENSIONS, type HeldDimension } from './dimensions.ts'
import { CostApiError, quoted } from './errors.ts'
import { type Expression, readFilter, TAG_KEY_CHARACTERS_MAX } from './filter.ts'
import { choiceAt, invalid, listAt, objectAt, stringAt } from './input.ts'
import { type Granularity, type Interval, readInterval } from './period.ts'

export const METRICS = [
  'AmortizedCost',
  'BlendedCost',
  'NetAmortizedCost',
  'NetUnblendedCost',
  'NormalizedUsageAmount',
  'UnblendedCost',
  'UsageQuantity',
] as const
export type MetricName = (typeof METRICS)[number]

/** Where a metric comes from. FOCUS costs are net of discounts, so Net is the same number. */
export type MetricColumn = 'billed' | 'effective' | 'quantity'
const COLUMN_OF_METRIC: Readonly<Record<MetricName, MetricColumn | null>> = {
  UnblendedCost: 'billed',
  NetUnblendedCost: 'billed',
  AmortizedCost: 'effective',
  NetAmortizedCost: 'effective',
  UsageQuantity: 'quantity',
  BlendedCost: null,
  NormalizedUsageAmount: null,
}

export interface Metric {
  readonly name: MetricName
  readonly column: MetricColumn
}

export type Group =
  | { readonly type: 'DIMENSION'; readonly key: string; readonly dimension: HeldDimension }
  | { readonly type: 'TAG'; readonly key: string }

export interface CostQuery {
  readonly interval: Interval
  readonly granularity: Granularity
  readonly metrics: readonly Metric[]
  readonly groups: readonly Group[]
  readonly filter: Expression | null
  readonly nextPageToken: string | null
}

/** Source: service-2.json, GetCostAndUsageRequest.GroupBy, "up to two". */
export const GROUPS_MAX = 2
/** Shape NextPageToken. */
export const TOKEN_CHARACTERS_MAX = 8_192

const MEMBERS = [
  'TimePeriod',
  'Granularity',
  'Filter',
  'Metrics',
  'GroupBy',
  'BillingViewArn',
  'NextPageToken',
]

/**
 * The question. Errors: ValidationException for a broken rule; DataUnavailableException for what is
 * well asked and no FOCUS export can tell (BlendedCost, HOURLY, a dimension without a column).
 */
export function readCostQuery(input: Json, nowMs: number): CostQuery {
  const object = objectAt(input, 'input', MEMBERS)
  const granularity = choiceAt(object['Granularity'], 'granularity', ['DAILY', 'MONTHLY', 'HOURLY'])
  const metrics = readMetrics(object['Metrics'])
  const interval = readInterval(object['TimePeriod'], granularity, nowMs)
  if (granularity === 'HOURLY') {
    throw new CostApiError(
      'DataUnavailableException',
      'costs are kept by day here: ask for DAILY or MONTHLY granularity',
    )
  }
  const view = object['BillingViewArn'] ?? null
  if (view !== null) throw invalid("'billingViewArn' is not supported: there is one billing view")
  const token = object['NextPageToken'] ?? null
  const filter = object['Filter'] ?? null
  return {
    interval,
    granularity,
    metrics,
    groups: readGroups(object['GroupBy'] ?? null),
    filter: filter === null ? null : readFilter(filter),
    nextPageToken: token === null ? null : stringAt(token, 'nextPageToken', TOKEN_CHARACTERS_MAX),
  }
}

function readMetrics(value: Json | undefined): readonly Metric[] {
  const names = listAt(value, 'metrics', METRICS.length).map((each) =>
    choiceAt(each, 'metrics', METRICS),
  )
  return [...new Set(names)].map((name) => {
    const column = COLUMN_OF_METRIC[name]
    if (column === null) {
      throw new CostApiError(
        'DataUnavailableException',
        `${name} is not in a FOCUS export: ask for UnblendedCost, AmortizedCost or UsageQuantity`,
      )
    }
    return { name, column }
  })
}

function readGroups(value: Json): readonly Group[] {
  if (value === null || (Array.isArray(value) && value.length === 0)) return []
  const groups = listAt(value, 'groupBy', GROUPS_MAX).map(readGroup)
  const names = new Set(groups.map((group) => `${group.type} ${group.key}`))
  if (names.size < groups.length) throw invalid("'groupBy' names one group twice")
  return groups
}

function readGroup(value: Json): Group {
  const object = objectAt(value, 'groupBy', ['Type', 'Key'])
  const type = choiceAt(object['Type'], 'groupBy.type', ['DIMENSION', 'TAG', 'COST_CATEGORY'])
  const key = stringAt(object['Key'], 'groupBy.key', TAG_KEY_CHARACTERS_MAX)
  if (type === 'COST_CATEGORY') {
    throw new CostApiError(
      'DataUnavailableException',
      'the ingested exports hold no cost categories',
    )
  }
  if (type === 'TAG') {
    if (key === '') throw invalid("'groupBy.key' must not be empty")
    return { type, key }
  }
  const dimension = dimensionNamed(key)
  if (dimension?.held === true) return { type, key, dimension }
  if (dimension?.why === 'model') {
    throw new CostApiError(
      'DataUnavailableException',
      `the ingested exports hold no dimension ${quoted(key)}`,
    )
  }
  // The words: turbot/steampipe-plugin-aws#1342.
  throw invalid(
    `Group Definition dimension is invalid. Valid values are ${HELD_DIMENSIONS.join(', ')}`,
  )
}

// Answers GetCostAndUsage from one moment of the store: one aggregation in SQL, amounts as exact
// decimal text. It says DataUnavailable where the exports cannot tell, and never zero instead.

import { type Adjustments, adjusted, readFactors } from './adjustments.ts'
import type { CostQuery, Group, Metric } from './cost-query.ts'
import { type ExactDecimal, formatDecimal, parseDecimal } from './decimal.ts'
import { CostApiError } from './errors.ts'
import { filterSql } from './filter.ts'
import { type PageBinding, pageOffset, pageToken } from './page-token.ts'
import { bucketsOf, dayOf, type Interval, monthStart } from './period.ts'
import type { CostStore, Read, StoreRow } from './store.ts'
import { kindNumber } from './terms.ts'

export interface MetricValue {
  readonly Amount: string
  readonly Unit: string
}
type MetricValues = Readonly<Record<string, MetricValue>>

export interface ResultByTime {
  readonly TimePeriod: { readonly Start: string; readonly End: string }
  readonly Total: MetricValues
  readonly Groups: readonly { readonly Keys: readonly string[]; readonly Metrics: MetricValues }[]
  readonly Estimated: boolean
}

/** Shape GetCostAndUsageResponse of the model. */
export interface CostAnswer {
  readonly GroupDefinitions?: readonly { readonly Type: string; readonly Key: string }[]
  readonly ResultsByTime: readonly ResultByTime[]
  readonly DimensionValueAttributes: readonly never[]
  readonly NextPageToken?: string
}

export interface CostQueryContext {
  readonly nowMs: number
  readonly adjustments: Adjustments
  /** Who asks; a page token of one caller is of no use to another. */
  readonly caller: string
  /** Signs page tokens. */
  readonly tokenKey: Uint8Array
  /** Groups on one page. */
  readonly pageGroups?: number
}

/** Groups over all time periods of one question. */
export const RESULT_GROUPS_MAX = 250_000
export const PAGE_GROUPS = 2_000

/**
 * The answer, or one page of it: every time period of the question in order, zeros included.
 * Amounts are exact decimal text. Errors: DataUnavailableException, InvalidNextTokenException,
 * RequestChangedException, ValidationException past RESULT_GROUPS_MAX; those of CostStore.snapshot;
 * RangeError where an adjustment cannot be read.
 */
export async function answerCostQuery(
  store: Pick<CostStore, 'snapshot'>,
  query: CostQuery,
  context: CostQueryContext,
): Promise<CostAnswer> {
  const factors = readFactors(context.adjustments)
  return store.snapshot(async (read) => {
    const [revision] = await read('SELECT revision FROM revision')
    const { nextPageToken, ...question } = query
    const binding = {
      question: JSON.stringify([context.caller, question]),
      state: JSON.stringify([revision?.['revision'], [...context.adjustments]]),
    }
    const offset = nextPageToken === null ? 0 : pageOffset(context.tokenKey, binding, nextPageToken)
    const months = await readMonths(read, query.interval)
    const buckets = bucketsOf(query.interval, query.granularity)
    const cells = await readCells(read, query)
    const unit = await zeroUnit(read, cells)
    const results = buckets.map((bucket): ResultByTime => {
      const mine = cells.get(bucketKey(bucket, query)) ?? []
      const isGrouped = query.groups.length > 0
      const values = (row: StoreRow | undefined) =>
        metricValues(query.metrics, row, unit, (amount) => adjusted(amount, bucket.start, factors))
      return {
        TimePeriod: { Start: bucket.start, End: bucket.end },
        Total: isGrouped ? {} : values(mine[0]),
        Groups: isGrouped
          ? mine.map((row) => ({ Keys: groupKeys(query.groups, row), Metrics: values(row) }))
          : [],
        Estimated: isEstimated(bucket, months, context.nowMs),
      }
    })
    return page(query, results, offset, context, binding)
  })
}

function bucketKey(bucket: Interval, query: CostQuery): string {
  return query.granularity === 'MONTHLY' ? monthStart(bucket.start) : bucket.start
}

/** Months `YYYY-MM` that were delivered, and whether all their charges are invoiced. */
type Months = ReadonlyMap<string, boolean | null>

async function readMonths(read: Read, interval: Interval): Promise<Months> {
  const found = await read(
    `SELECT strftime(period, '%Y-%m') AS month, bool_and(invoiced) AS invoiced,
       count(invoiced) = count(*) AS known FROM delivery GROUP BY month ORDER BY month`,
  )
  const months = new Map(
    found.map((row) => [
      String(row['month']),
      row['known'] === true ? row['invoiced'] === true : null,
    ]),
  )
  const [first, last] = [found.at(0)?.['month'], found.at(-1)?.['month']]
  if (first === undefined || last === undefined) {
    throw new CostApiError('DataUnavailableException', 'no billing export has been ingested yet')
  }
  for (const bucket of bucketsOf(interval, 'MONTHLY')) {
    const month = bucket.start.slice(0, 7)
    // A month between two that were delivered had charges too: its zero would be a lie.
    if (month > String(first) && month < String(last) && !months.has(month)) {
      throw new CostApiError(
        'DataUnavailableException',
        `the billing export of ${month} has not been ingested`,
      )
    }
  }
  return months
}

function isEstimated(bucket: Interval, months: Months, nowMs: number): boolean {
  const invoiced = months.get(bucket.start.slice(0, 7)) ?? null
  // FOCUS before 1.2 has no InvoiceId; then a month counts as final when it is over.
  return invoiced === null ? monthStart(bucket.start, 1) > dayOf(nowMs) : !invoiced
}

async function readCells(
  read: Read,
  query: CostQuery,
): Promise<ReadonlyMap<string, readonly StoreRow[]>> {
  const values = [query.interval.start, query.interval.end]
  const groups = query.groups.map((group, n) => `${groupSql(group, values)} AS g${n}`)
  const filter = query.filter === null ? 'true' : filterSql(query.filter, values)
  const bucket = query.granularity === 'MONTHLY' ? `date_trunc('month', f.day)::DATE` : 'f.day'
  const currency = (name: string) =>
    `(SELECT value FROM term WHERE kind = ${kindNumber('currency')} AND code = ${name})`
  const names = query.groups.map((group, n) =>
    group.type === 'TAG'
      ? `g${n} AS k${n}`
      : `(SELECT value FROM term WHERE kind = ${group.dimension.kind} AND code = g${n}) AS k${n}`,
  )
  const found = await read(
    `WITH cell AS (
       SELECT ${[`${bucket} AS bucket`, ...groups].join(', ')},
         sum(f.billed)::VARCHAR AS billed, sum(f.effective)::VARCHAR AS effective,
         count(*) = count(f.effective) AS effective_whole,
         coalesce(sum(f.quantity), 0)::VARCHAR AS quantity,
         min(r.unit) FILTER (f.quantity IS NOT NULL) AS unit_first,
         max(r.unit) FILTER (f.quantity IS NOT NULL) AS unit_last,
         min(f.currency) AS currency_first, max(f.currency) AS currency_last
       FROM fact AS f JOIN resource AS r USING (rid)
       WHERE f.day >= $1::DATE AND f.day < $2::DATE AND ${filter}
       GROUP BY ${[bucket, ...groups.map((_, n) => `g${n}`)].join(', ')})
     SELECT ${['bucket::VARCHAR AS bucket', ...names].join(', ')}, billed, effective,
       effective_whole, quantity, currency_first = currency_last AS one_currency,
       ${currency('currency_first')} AS currency,
       CASE WHEN unit_first = unit_last THEN
         (SELECT value FROM term WHERE kind = ${kindNumber('unit')} AND code = unit_first)
         END AS unit
     FROM cell ORDER BY ${['bucket', ...names.map((_, n) => `k${n}`)].join(', ')}
     LIMIT ${RESULT_GROUPS_MAX + 1}`,
    values,
  )
  if (found.length > RESULT_GROUPS_MAX) {
    throw new CostApiError(
      'ValidationException',
      `the answer has more than ${RESULT_GROUPS_MAX} groups: shorten the period or add a filter`,
    )
  }
  return Map.groupBy(found, (row) => String(row['bucket']))
}

function groupSql(group: Group, values: string[]): string {
  if (group.type === 'DIMENSION') return group.dimension.column
  return `coalesce(r.tags[$${values.push(group.key)}], '')`
}

// Source: aws/aws-sdk-go#5112: a tag's group key is `key$value`, and `key$` without such a tag.
function groupKeys(groups: readonly Group[], row: StoreRow): readonly string[] {
  return groups.map((group, n) => {
    const value = String(row[`k${n}`])
    return group.type === 'TAG' ? `${group.key}$${value}` : value
  })
}

/** The currency in which a zero is said: that of the answer, else of the store. */
async function zeroUnit(
  read: Read,
  cells: ReadonlyMap<string, readonly StoreRow[]>,
): Promise<string> {
  for (const rows of cells.values()) {
    const [row] = rows
    if (row !== undefined) return String(row['currency'])
  }
  const found = await read(
    `SELECT value FROM term WHERE kind = ${kindNumber('currency')} ORDER BY code LIMIT 1`,
  )
  return String(found[0]?.['value'] ?? 'USD')
}

const ZERO: ExactDecimal = { units: 0n, scale: 0 }

function metricValues(
  metrics: readonly Metric[],
  row: StoreRow | undefined,
  unit: string,
  adjust: (amount: ExactDecimal) => ExactDecimal,
): MetricValues {
  const entries = metrics.map(({ name, column }): [string, MetricValue] => {
    if (column === 'quantity') return [name, quantityValue(row)]
    if (row === undefined) return [name, { Amount: formatDecimal(ZERO), Unit: unit }]
    checkCost(row, name, column)
    const amount = adjust(parseDecimal(String(row[column])))
    return [name, { Amount: formatDecimal(amount), Unit: String(row['currency']) }]
  })
  return Object.fromEntries(entries)
}

// Source: service-2.json, GetCostAndUsageRequest.Metrics: quantities of different units are summed
// without regard to the unit, so a unit is said only where all rows share it.
function quantityValue(row: StoreRow | undefined): MetricValue {
  const unit = row?.['unit'] ?? ''
  return {
    Amount: formatDecimal(row === undefined ? ZERO : parseDecimal(String(row['quantity']))),
    Unit: unit === '' ? 'N/A' : String(unit),
  }
}

function checkCost(row: StoreRow, name: string, column: 'billed' | 'effective'): void {
  if (row['one_currency'] !== true) {
    throw new CostApiError(
      'DataUnavailableException',
      'the costs asked for are in several currencies: filter by account or billing entity',
    )
  }
  if (column === 'effective' && row['effective_whole'] !== true) {
    throw new CostApiError(
      'DataUnavailableException',
      `the billing export has rows without EffectiveCost, so ${name} cannot be told`,
    )
  }
}

function page(
  query: CostQuery,
  results: readonly ResultByTime[],
  offset: number,
  context: CostQueryContext,
  binding: PageBinding,
): CostAnswer {
  const end = offset + (context.pageGroups ?? PAGE_GROUPS)
  const shown: ResultByTime[] = []
  let at = 0
  for (const result of results) {
    // A period without groups fills one place too, so that every period is on some page.
    const places = Math.max(result.Groups.length, 1)
    if (at + places > offset && at < end) {
      const Groups = result.Groups.slice(Math.max(offset - at, 0), end - at)
      shown.push({ ...result, Groups })
    }
    at += places
  }
  const definitions = query.groups.map(({ type, key }) => ({ Type: type, Key: key }))
  return {
    ...(definitions.length === 0 ? {} : { GroupDefinitions: definitions }),
    ResultsByTime: shown,
    DimensionValueAttributes: [],
    ...(end < at ? { NextPageToken: pageToken(context.tokenKey, binding, end) } : {}),
  }
}

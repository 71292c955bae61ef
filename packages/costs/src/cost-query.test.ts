// Every rule on the input of GetCostAndUsage, each with an input that keeps it beside the one that
// breaks it. Words and rules come from the sources named in period.ts, filter.ts and cost-query.ts.

import type { Json } from '@seconder/aws/call'
import { describe, expect, test } from 'vitest'
import { METRICS, readCostQuery, TOKEN_CHARACTERS_MAX } from './cost-query.ts'
import { DIMENSIONS } from './dimensions.ts'
import { CostApiError } from './errors.ts'
import {
  FILTER_DEPTH_MAX,
  FILTER_OPERANDS_MAX,
  FILTER_VALUES_MAX,
  VALUE_CHARACTERS_MAX,
} from './filter.ts'
import { PERIOD_DAYS_MAX } from './period.ts'

const NOW_MS = Date.parse('2026-11-23T12:00:00Z')
const QUESTION = {
  TimePeriod: { Start: '2026-10-01', End: '2026-11-01' },
  Granularity: 'MONTHLY',
  Metrics: ['UnblendedCost'],
}

/** The question with members set; undefined takes a member away. */
function asked(members: Record<string, Json | undefined>): Json {
  const all = { ...QUESTION, ...members }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Json
}

function refusal(input: Json): string {
  try {
    readCostQuery(input, NOW_MS)
  } catch (error) {
    if (error instanceof CostApiError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'accepted'
}

const period = (Start: string, End: string) => asked({ TimePeriod: { Start, End } })
const hourly = (Start: string, End: string) =>
  asked({ TimePeriod: { Start, End }, Granularity: 'HOURLY' })
const filtered = (Filter: Json) => asked({ Filter })
const grouped = (...GroupBy: Json[]) => asked({ GroupBy })
const dimension = (Key: string, ...Values: string[]) => ({ Dimensions: { Key, Values } })
const SERVICE = dimension('SERVICE', 'AWS Lambda')
const nested = (depth: number): Json => (depth === 1 ? SERVICE : { Not: nested(depth - 1) })
const values = (count: number) => Array.from({ length: count }, (_, n) => `v${n}`)

type Case = readonly [rule: string, kept: Json, broken: Json, words: RegExp]

const PERIOD_CASES: readonly Case[] = [
  [
    'the time period is required',
    asked({}),
    asked({ TimePeriod: undefined }),
    /ValidationException: .*'timePeriod' failed to satisfy constraint: Member must not be null/,
  ],
  [
    'a date is a date',
    period('2026-02-01', '2026-02-28'),
    period('2026-02-30', '2026-03-02'),
    /date/,
  ],
  ['a date is written with dashes', asked({}), period('20261001', '2026-11-01'), /YYYY-MM-DD/],
  [
    'the end is after the start',
    period('2026-10-01', '2026-10-02'),
    period('2026-10-01', '2026-10-01'),
    /Start date \(and hour\) should be before end date \(and hour\)/,
  ],
  [
    'the start is not in the future',
    period('2026-11-23', '2026-11-24'),
    period('2026-11-24', '2026-11-25'),
    /later than the current date/,
  ],
  [
    'the end is not past the beginning of next month',
    period('2026-11-01', '2026-12-01'),
    period('2026-11-01', '2026-12-02'),
    /end date past the beginning of next month/,
  ],
  [
    'a start more than 14 months ago is the first of a month',
    period('2025-08-01', '2026-01-01'),
    period('2025-08-02', '2026-01-01'),
    /To retrieve data beyond the past 14 months/,
  ],
  [
    'a start within 14 months is any day',
    period('2025-09-23', '2026-01-01'),
    period('2025-09-22', '2026-01-01'),
    /To retrieve data beyond the past 14 months/,
  ],
  [
    'a daily or monthly period has no hours',
    asked({}),
    period('2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z'),
    /Hourly timePeriod is not supported for this request/,
  ],
  [
    `a period has at most ${PERIOD_DAYS_MAX} days`,
    period('2023-09-01', '2026-11-22'),
    period('2023-09-01', '2026-11-23'),
    /longer than/,
  ],
]

const SHAPE_CASES: readonly Case[] = [
  [
    'the granularity is one of three',
    asked({ Granularity: 'DAILY' }),
    asked({ Granularity: 'WEEKLY' }),
    /enum value set: \[DAILY, MONTHLY, HOURLY\]/,
  ],
  ['the granularity is required', asked({}), asked({ Granularity: undefined }), /'granularity'/],
  ['metrics are required', asked({}), asked({ Metrics: undefined }), /'metrics'.*not be null/],
  ['metrics are not empty', asked({}), asked({ Metrics: [] }), /'metrics'.*greater than/],
  ['a metric is one of seven', asked({}), asked({ Metrics: ['Foo'] }), /'metrics'.*enum/],
  ['a metric is text', asked({}), asked({ Metrics: [7] }), /'metrics'.*string/],
  [
    'at most two groups',
    grouped({ Type: 'TAG', Key: 'a' }, { Type: 'TAG', Key: 'b' }),
    grouped({ Type: 'TAG', Key: 'a' }, { Type: 'TAG', Key: 'b' }, { Type: 'TAG', Key: 'c' }),
    /'groupBy'.*less than or equal to 2/,
  ],
  [
    'a group once',
    grouped({ Type: 'TAG', Key: 'SERVICE' }, { Type: 'DIMENSION', Key: 'SERVICE' }),
    grouped({ Type: 'TAG', Key: 'SERVICE' }, { Type: 'TAG', Key: 'SERVICE' }),
    /twice/,
  ],
  [
    'a group type is one of three',
    grouped({ Type: 'TAG', Key: 'a' }),
    grouped({ Type: 'AGENT', Key: 'a' }),
    /DIMENSION, TAG, COST_CATEGORY/,
  ],
  [
    'a dimension to group by exists',
    grouped({ Type: 'DIMENSION', Key: 'REGION' }),
    grouped({ Type: 'DIMENSION', Key: 'constructor' }),
    /Group Definition dimension is invalid. Valid values are AZ, /,
  ],
  [
    'a group has a key',
    grouped({ Type: 'TAG', Key: 'a' }),
    grouped({ Type: 'TAG', Key: '' }),
    /not be empty/,
  ],
  ['no member is unknown', asked({}), asked({ Filer: SERVICE }), /`Filer` is not a member/],
  [
    'there is one billing view',
    asked({ BillingViewArn: null }),
    asked({ BillingViewArn: 'arn:aws:billing::123456789012:billingview/primary' }),
    /billingViewArn/,
  ],
  [
    `a page token has at most ${TOKEN_CHARACTERS_MAX} characters`,
    asked({ NextPageToken: 'x'.repeat(TOKEN_CHARACTERS_MAX) }),
    asked({ NextPageToken: 'x'.repeat(TOKEN_CHARACTERS_MAX + 1) }),
    /8192/,
  ],
]

const FILTER_CASES: readonly Case[] = [
  [
    'one root',
    filtered(SERVICE),
    filtered({ ...SERVICE, And: [SERVICE] }),
    /more than one roots.* for each expression: And, Or, Not, Dimensions, Tags, CostCategories/,
  ],
  ['some root', filtered(SERVICE), filtered({}), /is empty/],
  ['no other root', filtered(SERVICE), filtered({ Xor: [SERVICE] }), /`Xor` is not a member/],
  ['And has operands', filtered({ And: [SERVICE] }), filtered({ And: [] }), /And/],
  ['Not has one', filtered({ Not: SERVICE }), filtered({ Not: [SERVICE] }), /structure/],
  [
    'a dimension has a known key',
    filtered(dimension('AZ', 'a')),
    filtered(dimension('Az', 'a')),
    /not a dimension/,
  ],
  [
    'a dimension belongs to this operation',
    filtered(SERVICE),
    filtered(dimension('SERVICE_CODE', 'x')),
    /ValidationException: .*not supported for GetCostAndUsage/,
  ],
  ['a dimension has values', filtered(SERVICE), filtered(dimension('SERVICE')), /Values/],
  ['a dimension has a key', filtered(SERVICE), filtered({ Dimensions: { Values: ['x'] } }), /Key/],
  [
    'a dimension matches by EQUALS and CASE_SENSITIVE alone',
    filtered({
      Dimensions: { Key: 'SERVICE', Values: ['x'], MatchOptions: ['EQUALS', 'CASE_SENSITIVE'] },
    }),
    filtered({ Dimensions: { Key: 'SERVICE', Values: ['x'], MatchOptions: ['STARTS_WITH'] } }),
    /STARTS_WITH is not supported/,
  ],
  [
    'ABSENT is for tags',
    filtered({ Tags: { Key: 'team', MatchOptions: ['ABSENT'] } }),
    filtered({ Dimensions: { Key: 'SERVICE', MatchOptions: ['ABSENT'] } }),
    /ABSENT is not supported/,
  ],
  [
    'ABSENT has no values',
    filtered({ Tags: { Key: 'team', Values: [], MatchOptions: ['ABSENT'] } }),
    filtered({ Tags: { Key: 'team', Values: ['x'], MatchOptions: ['ABSENT'] } }),
    /has values and is ABSENT/,
  ],
  [
    'ABSENT is not EQUALS',
    filtered({ Tags: { Key: 'team', MatchOptions: ['ABSENT', 'CASE_SENSITIVE'] } }),
    filtered({ Tags: { Key: 'team', MatchOptions: ['ABSENT', 'EQUALS'] } }),
    /both/,
  ],
  [
    'tag values have a key',
    filtered({ Tags: { Key: 'team', Values: ['x'] } }),
    filtered({ Tags: { Values: ['x'] } }),
    /Key/,
  ],
  [
    `a filter nests ${FILTER_DEPTH_MAX} deep`,
    filtered(nested(FILTER_DEPTH_MAX)),
    filtered(nested(FILTER_DEPTH_MAX + 1)),
    /nests deeper/,
  ],
  [
    `a filter has ${FILTER_OPERANDS_MAX} expressions`,
    filtered({ Or: Array.from({ length: FILTER_OPERANDS_MAX - 1 }, () => SERVICE) }),
    filtered({ Or: Array.from({ length: FILTER_OPERANDS_MAX }, () => SERVICE) }),
    /more than 100 expressions/,
  ],
  [
    `a filter has ${FILTER_VALUES_MAX} values`,
    filtered(dimension('SERVICE', ...values(FILTER_VALUES_MAX))),
    filtered({ Or: [SERVICE, dimension('SERVICE', ...values(FILTER_VALUES_MAX))] }),
    /more than 1000 values/,
  ],
  [
    `a value has ${VALUE_CHARACTERS_MAX} characters`,
    filtered(dimension('SERVICE', 'x'.repeat(VALUE_CHARACTERS_MAX))),
    filtered(dimension('SERVICE', 'x'.repeat(VALUE_CHARACTERS_MAX + 1))),
    /1024/,
  ],
]

describe('rules', () => {
  test.each([...PERIOD_CASES, ...SHAPE_CASES, ...FILTER_CASES])('%s', (_, kept, broken, words) => {
    expect(refusal(kept)).toBe('accepted')
    expect(refusal(broken)).toMatch(words)
    expect(refusal(broken)).toMatch(/^ValidationException: /)
  })
})

describe('well asked, and not in a FOCUS export', () => {
  test.each([
    ['BlendedCost', asked({ Metrics: ['UnblendedCost', 'BlendedCost'] })],
    ['NormalizedUsageAmount', asked({ Metrics: ['NormalizedUsageAmount'] })],
    ['costs are kept by day', hourly('2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z')],
    ['INSTANCE_TYPE', filtered(dimension('INSTANCE_TYPE', 'm7g.large'))],
    ['INSTANCE_TYPE', grouped({ Type: 'DIMENSION', Key: 'INSTANCE_TYPE' })],
    ['cost categories', filtered({ CostCategories: { Key: 'a', Values: ['b'] } })],
    ['cost categories', grouped({ Type: 'COST_CATEGORY', Key: 'a' })],
  ])('%s is said to be unavailable', (words, input) => {
    expect(refusal(input)).toMatch(/^DataUnavailableException: /)
    expect(refusal(input)).toContain(words)
  })

  test('an hourly question of more than 14 days ago is a mistake first', () => {
    expect(refusal(hourly('2026-11-08', '2026-11-10'))).toMatch(/more than 14 days ago for hourly/)
    expect(refusal(hourly('2026-11-09', '2026-11-10'))).toMatch(/DataUnavailable/)
  })
})

describe('what is read', () => {
  test('a metric asked for twice is answered once', () => {
    const query = readCostQuery(asked({ Metrics: ['UnblendedCost', 'UnblendedCost'] }), NOW_MS)
    expect(query.metrics).toEqual([{ name: 'UnblendedCost', column: 'billed' }])
  })

  test('the model has seven metrics and 35 dimensions', () => {
    expect(METRICS).toHaveLength(7)
    expect(Object.keys(DIMENSIONS)).toHaveLength(35)
  })
})

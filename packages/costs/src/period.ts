// The time of a question: its interval, the rules AWS puts on it, and the buckets it falls into.
// Dates are text `YYYY-MM-DD`, which compare as they read; all in UTC.

import type { Json } from '@seconder/aws/call'
import { invalid, objectAt, stringAt } from './input.ts'

export type Granularity = 'DAILY' | 'MONTHLY'

/** `start` is in it, `end` is not. */
export interface Interval {
  readonly start: string
  readonly end: string
}

/** Days in one question: 38 months is the longest history that AWS keeps. */
export const PERIOD_DAYS_MAX = 38 * 31
const HISTORY_MONTHS = 14
const HOURLY_DAYS = 14
const DAY_MS = 86_400_000
// Source: service-2.json, shape YearMonthDay.
const MOMENT = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$/

/** The day of a moment, in UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** The first day of the month `months` after the month of `day`. */
export function monthStart(day: string, months = 0): string {
  const year = Number(day.slice(0, 4))
  return dayOf(Date.UTC(year, Number(day.slice(5, 7)) - 1 + months, 1))
}

function readDay(value: Json | undefined, at: string, isHourly: boolean): string {
  const text = stringAt(value, at, 40)
  const match = MOMENT.exec(text)
  const day = match?.[1]
  if (day === undefined || Number.isNaN(Date.parse(text)) || dayOf(Date.parse(day)) !== day) {
    throw invalid(`'${at}' is not a date: write YYYY-MM-DD`)
  }
  // The words: aws/aws-sdk-net#3033.
  if (match?.[2] !== undefined && !isHourly) {
    throw invalid('Hourly timePeriod is not supported for this request')
  }
  return day
}

/** The interval of `TimePeriod`. Error: ValidationException, each rule with its source beside. */
export function readInterval(
  value: Json | undefined,
  granularity: Granularity | 'HOURLY',
  nowMs: number,
): Interval {
  const period = objectAt(value, 'timePeriod', ['Start', 'End'])
  const isHourly = granularity === 'HOURLY'
  const start = readDay(period['Start'], 'timePeriod.start', isHourly)
  const end = readDay(period['End'], 'timePeriod.end', isHourly)
  const today = dayOf(nowMs)
  // The words: zoph-io/instance-watcher#18, elC0mpa/aws-doctor#1.
  if (String(period['Start']) >= String(period['End'])) {
    throw invalid('Start date (and hour) should be before end date (and hour)')
  }
  // The rule: service-2.json, DateInterval.Start, "must be equal to or no later than the current
  // date to avoid a validation error".
  if (start > today) throw invalid(`start date ${start} is later than the current date`)
  // The words: aws/aws-sdk-js#2732.
  if (end > monthStart(today, 1)) throw invalid('end date past the beginning of next month')
  // The words: boto/boto3#2369.
  if (isHourly && Date.parse(today) - Date.parse(start) > HOURLY_DAYS * DAY_MS) {
    throw invalid('Start date is more than 14 days ago for hourly granularity')
  }
  checkHistory(start, today)
  const days = (Date.parse(end) - Date.parse(start)) / DAY_MS
  if (days > PERIOD_DAYS_MAX)
    throw invalid(`the time period is longer than ${PERIOD_DAYS_MAX} days`)
  return { start, end }
}

function checkHistory(start: string, today: string): void {
  const oldest = `${monthStart(today, -HISTORY_MONTHS).slice(0, 8)}${today.slice(8)}`
  if (start >= oldest || start.endsWith('-01')) return
  // The words: redhat-performance/cloud-governance#1011.
  throw invalid(
    'To retrieve data beyond the past 14 months, ' +
      'your start date needs to be the first day of the month.',
  )
}

/** The buckets of an interval in order; the first and the last may be cut short. */
export function bucketsOf(interval: Interval, granularity: Granularity): readonly Interval[] {
  const buckets: Interval[] = []
  let start = interval.start
  while (start < interval.end) {
    const next =
      granularity === 'MONTHLY' ? monthStart(start, 1) : dayOf(Date.parse(start) + DAY_MS)
    const isWhole = next <= interval.end
    buckets.push({ start, end: isWhole ? next : interval.end })
    start = next
  }
  return buckets
}

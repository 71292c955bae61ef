// The weeks of a report and its figures, as charts and rows: the page in one file and the console show the same.

import type { Bar } from '../page/bar-layout.ts'
import type { Report } from './report.ts'
import type { Column, Section } from './sections.ts'
import { number } from './words.ts'

export interface WeekChart {
  readonly bars: readonly Bar[]
  readonly caption: string
}

/** What is read first: a name, a number, and whether it is the main one. */
export function figuresOf(report: Report): readonly (readonly [string, number, boolean])[] {
  const { reviewsPerWeek, apart } = report
  return [
    ['reviews a week, grouped', reviewsPerWeek.grouped, true],
    ['reviewed calls a week', reviewsPerWeek.raw, false],
    ['allowed', report.allowed, false],
    ['reviewed', report.reviewed, false],
    ['denied', report.denied, false],
    ['failed at AWS', report.failed, false],
    ['made by AWS services', apart.serviceMade, false],
    ['not mapped', report.unmapped, false],
  ]
}

export function figureWords({ apart, window }: Report): string {
  const would = apart.failedWouldBe
  const grouped = 'Grouped: reviews of one session within ten minutes are one question to a person.'
  const failed = 'Of the calls that failed the gate would have'
  const answers = `allowed ${number(would.allowed)}, asked for ${number(would.reviewed)} and denied ${number(would.denied)}`
  return `${grouped} Over ${number(window.weeks)} weeks. ${failed} ${answers}.`
}

/** Empty where no event has a time. */
export function weekCharts({ weeks, recreated }: Report): WeekChart[] {
  const marked = new Set(recreated.map(({ deleted }) => mondayOf(deleted.at)))
  const timed = weeks.filter(({ week }) => week !== '')
  if (timed.length === 0) return []
  const sign =
    marked.size > 0 ? '; ▼ marks a week in which something was deleted and made again' : ''
  const asked = timed.map(
    (week): Bar => ({
      name: week.week,
      parts: [{ kind: 'review', value: week.groups }],
      words: `week from ${week.week}: ${number(week.groups)} reviews`,
      isMarked: marked.has(week.week),
    }),
  )
  const calls = timed.map(
    (week): Bar => ({
      name: week.week,
      parts: [
        { kind: 'deny', value: week.denied },
        { kind: 'review', value: week.reviewed },
        { kind: 'allow', value: week.allowed },
      ],
      words: `week from ${week.week}: ${number(week.allowed)} allowed, ${number(week.reviewed)} reviewed, ${number(week.denied)} denied`,
    }),
  )
  return [
    { bars: asked, caption: `Reviews a week, grouped${sign}` },
    { bars: calls, caption: 'Calls a week: denied (bottom), reviewed, allowed (top)' },
  ]
}

const COUNTED = ['allowed', 'reviewed', 'asked', 'denied', 'failed', 'by services', 'not mapped']

export function weekSection({ weeks }: Report): Section {
  const columns = COUNTED.map((name): Column => ({ name, is: 'n' }))
  const rows = weeks.map((week) => {
    const { allowed, reviewed, groups, denied, failed, serviceMade, unmapped } = week
    const numbers = [allowed, reviewed, groups, denied, failed, serviceMade, unmapped]
    return [week.week || 'no time', ...numbers.map(number)]
  })
  return { title: 'Weeks', columns: [{ name: 'week from' }, ...columns], rows, more: 0 }
}

/** Which week of the chart an event is in. */
function mondayOf(iso: string): string {
  if (iso === '') return ''
  const date = new Date(`${iso.slice(0, 10)}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return date.toISOString().slice(0, 10)
}

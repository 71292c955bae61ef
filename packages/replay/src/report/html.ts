// A report as one page: what cannot be proved, the deed, the price, the weeks, and every table. It can be
// sent to somebody who has nothing of Seconder.

import { requirementWords } from '@seconder/gateway/review/words'
import { type Bar, barChart } from '../page/bars.ts'
import { type Markup, markup, NOTHING, type Piece } from '../page/markup.ts'
import { type Column, page, table } from '../page/page.ts'
import { type CountsOf, type Recreated, type Report, total, type Week } from './report.ts'
import { decemberWords, duration, faultName, number, shortArn } from './words.ts'

/** Rows of one table; the JSON has all that are listed. */
export const ROWS_MAX = 100

const N = 'n' as const

export function htmlReport(report: Report): string {
  const { window, policy } = report
  const span =
    window.from === '' ? 'no event has a time' : `${day(window.from)} to ${day(window.to)}`
  const places = policy.configured
    ? 'environments from the configuration'
    : 'every account counts as production'
  return page('Seconder replay', [
    markup`<header><h1>Seconder replay</h1>
<p>${number(report.unique)} events, ${span}, under <code>${policy.from}</code></p>
<p class="soft">policies ${policy.version.slice(0, 12)}; ${places}</p></header>`,
    limits(report),
    deeds(report),
    figures(report),
    weeks(report.weeks, report),
    changes(report),
    section('By principal', asked('principal', report.principals, shortArn)),
    section(
      'By agent',
      asked('agent', report.agents, (name) => name),
    ),
    section('By action', counts('action', report.actions)),
    section('By environment', counts('environment', report.environments)),
    groups(report),
    denials(report),
    unmapped(report),
    faults(report),
    footer(report),
  ])
}

function limits({ cannotProve }: Report): Markup {
  const items = cannotProve.map(
    ({ what, count }) => markup`<li>${count === 0 ? '' : `${number(count)} `}${what}</li>`,
  )
  return markup`<section class="limits"><h2>What this trail cannot prove</h2>
<ul>${items.length === 0 ? [markup`<li>nothing is missing that replay knows of</li>`] : items}</ul></section>`
}

function deeds({ recreated, recreatedCount }: Report): Markup {
  if (recreatedCount === 0) {
    return markup`<section><h2>Deleted and made again</h2><p>Nothing was deleted and made again within seven days.</p></section>`
  }
  const shown = recreated.slice(0, ROWS_MAX)
  const more = recreatedCount - shown.length
  return markup`<section><h2>Deleted and made again: ${number(recreatedCount)}</h2>
${shown.map(deed)}${more > 0 ? markup`<p class="soft">and ${number(more)} more</p>` : ''}</section>`
}

function deed({ thing, deleted, created, secondsBetween }: Recreated): Markup {
  const { answer, requirement } = deleted
  const kind = answer === 'reviewed' ? 'asked' : answer === 'denied' ? 'denied' : 'passed'
  return markup`<div class="deed ${kind}"><strong>${decemberWords(answer, requirement)}</strong>
<p><code>■ ${deleted.operation}</code> ${deleted.at || 'at an unknown time'}, ${deleted.environment}</p>
<p><code>${thing}</code></p>
<p>by ${shortArn(deleted.principal)}, ${deleted.agent}; event <code>${deleted.eventId}</code></p>
<p class="soft">made again ${duration(secondsBetween)} later by ${shortArn(created.principal)} (<code>${created.operation}</code>)</p></div>
`
}

function figures(report: Report): Markup {
  const { reviewsPerWeek, apart } = report
  const all: readonly (readonly [string, number, string])[] = [
    ['reviews a week, grouped', reviewsPerWeek.grouped, 'main'],
    ['reviewed calls a week', reviewsPerWeek.raw, ''],
    ['allowed', report.allowed, ''],
    ['reviewed', report.reviewed, ''],
    ['denied', report.denied, ''],
    ['failed at AWS', report.failed, ''],
    ['made by AWS services', apart.serviceMade, ''],
    ['not mapped', report.unmapped, ''],
  ]
  const boxes = all.map(
    ([name, value, kind]) =>
      markup`<div class="${kind}"><dt>${name}</dt><dd>${number(value)}</dd></div>`,
  )
  const would = apart.failedWouldBe
  return markup`<dl class="figures">${boxes}</dl>
<p class="soft">Grouped: reviews of one session within ten minutes are one question to a person. Over ${number(report.window.weeks)} weeks.
Of the calls that failed the gate would have allowed ${number(would.allowed)}, asked for ${number(would.reviewed)} and denied ${number(would.denied)}.</p>`
}

const WEEK_COUNTS = [
  'allowed',
  'reviewed',
  'asked',
  'denied',
  'failed',
  'by services',
  'not mapped',
]

function weeks(all: readonly Week[], report: Report): Markup {
  const marked = new Set(report.recreated.map(({ deleted }) => mondayOf(deleted.at)))
  const timed = all.filter(({ week }) => week !== '')
  const askedBars = timed.map(
    (week): Bar => ({
      name: week.week,
      parts: [{ kind: 'review', value: week.groups }],
      words: `week from ${week.week}: ${number(week.groups)} reviews`,
      isMarked: marked.has(week.week),
    }),
  )
  const callBars = timed.map(
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
  const sign =
    marked.size > 0 ? '; ▼ marks a week in which something was deleted and made again' : ''
  const rows = all.map((week) => [
    week.week || 'no time',
    ...[
      week.allowed,
      week.reviewed,
      week.groups,
      week.denied,
      week.failed,
      week.serviceMade,
      week.unmapped,
    ].map(number),
  ])
  const charts = [
    barChart(askedBars, `Reviews a week, grouped${sign}`),
    barChart(callBars, 'Calls a week: denied (bottom), reviewed, allowed (top)'),
  ]
  const columns = WEEK_COUNTS.map((name): Column => ({ name, is: N }))
  return markup`<section><h2>Weeks</h2>
${timed.length === 0 ? NOTHING : charts}
${table([{ name: 'week from' }, ...columns], rows)}</section>`
}

function changes({ changes: all, changedCount, against }: Report): Markup {
  if (all === undefined || against === undefined) return NOTHING
  const rows = all
    .slice(0, ROWS_MAX)
    .map(({ count, operation, from, to, environment, principal }) => [
      number(count),
      operation,
      from,
      to,
      environment,
      shortArn(principal),
    ])
  const columns: Column[] = [
    { name: 'calls', is: N },
    { name: 'action', is: 'code' },
    { name: 'before' },
    { name: 'now' },
    { name: 'environment' },
    { name: 'principal' },
  ]
  return section(
    `What changes from ${against.from}: ${number(changedCount ?? 0)} calls`,
    rows.length === 0 ? markup`<p>Nothing changes.</p>` : table(columns, rows),
  )
}

const COUNTED = ['allowed', 'reviewed', 'denied', 'other']

function counts(what: string, all: readonly CountsOf[]): Markup {
  const rows = all.slice(0, ROWS_MAX).map((row) => [row.name, ...numbersOf(row)])
  const columns = COUNTED.map((name): Column => ({ name, is: N }))
  return markup`${table([{ name: what, is: 'code' }, ...columns], rows)}${moreOf(all.length)}`
}

function asked(what: string, all: Report['principals'], named: (name: string) => string): Markup {
  const rows = all
    .slice(0, ROWS_MAX)
    .map((row) => [named(row.name), number(row.groups), ...numbersOf(row)])
  const columns = ['asked', ...COUNTED].map((name): Column => ({ name, is: N }))
  return markup`${table([{ name: what, is: 'code' }, ...columns], rows)}${moreOf(all.length)}`
}

function numbersOf(row: CountsOf): string[] {
  const { allowed, reviewed, denied } = row
  return [allowed, reviewed, denied, total(row) - allowed - reviewed - denied].map(number)
}

function groups({ reviewGroups, reviewGroupCount }: Report): Markup {
  const rows = reviewGroups
    .slice(0, ROWS_MAX)
    .map(({ from, calls, principal, agent, operations, requirement }) => [
      from || 'no time',
      number(calls),
      requirementWords(requirement),
      shortArn(principal),
      agent,
      operations.join(', '),
    ])
  const columns: Column[] = [
    { name: 'from' },
    { name: 'calls', is: N },
    { name: 'it takes' },
    { name: 'principal', is: 'code' },
    { name: 'agent' },
    { name: 'actions', is: 'code' },
  ]
  return rows.length === 0
    ? NOTHING
    : section(`The largest of ${number(reviewGroupCount)} grouped reviews`, table(columns, rows))
}

function denials({ denials: all }: Report): Markup {
  const rows = all
    .slice(0, ROWS_MAX)
    .map(({ count, operation, environment, reason }) => [
      number(count),
      operation,
      environment,
      reason,
    ])
  const columns: Column[] = [
    { name: 'calls', is: N },
    { name: 'action', is: 'code' },
    { name: 'environment' },
    { name: 'why', is: 'why' },
  ]
  return rows.length === 0 ? NOTHING : section('Denied', table(columns, rows))
}

function unmapped({ unmappedCalls }: Report): Markup {
  const rows = unmappedCalls
    .slice(0, ROWS_MAX)
    .map(({ count, source, name, why }) => [number(count), source, name, why])
  const columns: Column[] = [
    { name: 'events', is: N },
    { name: 'source', is: 'code' },
    { name: 'name', is: 'code' },
    { name: 'why', is: 'why' },
  ]
  return rows.length === 0
    ? NOTHING
    : section('Not mapped', [table(columns, rows), moreOf(unmappedCalls.length)])
}

function faults({ trail }: Report): Markup {
  const rows = trail.faults
    .slice(0, ROWS_MAX)
    .map(({ path, fault, events, brokenLines }) => [
      faultName(fault, brokenLines),
      number(events),
      path,
    ])
  const columns: Column[] = [
    { name: 'fault' },
    { name: 'events read', is: N },
    { name: 'file', is: 'code' },
  ]
  return rows.length === 0 ? NOTHING : section('Files that are not whole', table(columns, rows))
}

function footer({ events, unique, notApiCalls, trail, apart }: Report): Markup {
  const copies = events - unique - apart.leftOut
  return markup`<footer>${number(trail.files)} files, ${number(events)} events read, ${number(copies)} copies dropped,
${number(apart.leftOut)} left out by --since or --principal, ${number(notApiCalls)} that are no API calls.
Made by seconder replay; nothing on this page is loaded from anywhere.</footer>`
}

function section(title: string, body: Piece): Markup {
  return markup`<section><h2>${title}</h2>${body}</section>`
}

function moreOf(rows: number): Markup {
  return rows > ROWS_MAX
    ? markup`<p class="soft">and ${number(rows - ROWS_MAX)} more in the JSON</p>`
    : NOTHING
}

function day(iso: string): string {
  return iso.slice(0, 10)
}

function mondayOf(iso: string): string {
  if (iso === '') return ''
  const date = new Date(`${iso.slice(0, 10)}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return date.toISOString().slice(0, 10)
}

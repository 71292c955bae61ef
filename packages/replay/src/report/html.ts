// A report as one page: what cannot be proved, the deed, the price, the weeks, and every table. It can be
// sent to somebody who has nothing of Seconder.

import { barChart } from '../page/bars.ts'
import { type Markup, markup, NOTHING, type Piece } from '../page/markup.ts'
import { page, table } from '../page/page.ts'
import type { Recreated, Report } from './report.ts'
import { ROWS_MAX, type Section, sections } from './sections.ts'
import { figuresOf, figureWords, weekCharts, weekSection } from './weeks.ts'
import { decemberWords, deedKind, duration, number, shortArn, spanWords } from './words.ts'

export function htmlReport(report: Report): string {
  const { policy } = report
  const places = policy.configured
    ? 'environments from the configuration'
    : 'every account counts as production'
  return page('Seconder replay', [
    markup`<header><h1>Seconder replay</h1>
<p>${number(report.unique)} events, ${spanWords(report)}, under <code>${policy.from}</code></p>
<p class="soft">policies ${policy.version.slice(0, 12)}; ${places}</p></header>`,
    limits(report),
    deeds(report),
    figures(report),
    weeks(report),
    unchanged(report),
    sections(report).map(sectionMarkup),
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
  return markup`<div class="deed ${deedKind(answer)}"><strong>${decemberWords(answer, requirement)}</strong>
<p><code>■ ${deleted.operation}</code> ${deleted.at || 'at an unknown time'}, ${deleted.environment}</p>
<p><code>${thing}</code></p>
<p>by ${shortArn(deleted.principal)}, ${deleted.agent}; event <code>${deleted.eventId}</code></p>
<p class="soft">made again ${duration(secondsBetween)} later by ${shortArn(created.principal)} (<code>${created.operation}</code>)</p></div>
`
}

function figures(report: Report): Markup {
  const boxes = figuresOf(report).map(
    ([name, value, isMain]) =>
      markup`<div class="${isMain ? 'main' : ''}"><dt>${name}</dt><dd>${number(value)}</dd></div>`,
  )
  return markup`<dl class="figures">${boxes}</dl>
<p class="soft">${figureWords(report)}</p>`
}

function weeks(report: Report): Markup {
  const { columns, rows } = weekSection(report)
  const charts = weekCharts(report).map(({ bars, caption }) => barChart(bars, caption))
  return markup`<section><h2>Weeks</h2>
${charts}
${table(columns, rows)}</section>`
}

function unchanged({ changedCount, against }: Report): Markup {
  if (against === undefined || changedCount !== 0) return NOTHING
  return section(`What changes from ${against.from}: 0 calls`, markup`<p>Nothing changes.</p>`)
}

function sectionMarkup({ title, columns, rows, more }: Section): Markup {
  const rest = more > 0 ? markup`<p class="soft">and ${number(more)} more in the JSON</p>` : ''
  return section(title, [table(columns, rows), rest])
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

// An audit as one page that needs nothing else: no script, no font, no address is loaded. Light and dark by
// the reader's system, and fit for paper. Everything from exports goes through `escaped`.

import type { Audit, Finding, PathStep, PrincipalRow, Rounder } from '../finding.ts'
import { SEVERITIES } from '../finding.ts'
import { RULES, type RuleId } from '../rules.ts'
import { type Drawing, drawingOf } from './drawing.ts'
import { escaped } from './escaped.ts'
import { graphHints } from './graph-layout.ts'
import { STYLE } from './page-style.ts'
import { adminWords, becomesWords, lastWords, MARKS, roundersWords } from './shown.ts'

/** Rows of a table; the JSON has all. */
export const ROWS_MAX = 500

/** `now`: ISO time, shown as when it was made. */
export function pageOf(audit: Audit, now: string): string {
  const drawing = drawingOf(audit)
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // Even if something got past the escaping, nothing could run or be sent.
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
    '<title>Roles: who can take down production</title>',
    `<style>${STYLE}</style></head><body>`,
    head(audit, now),
    limits(audit),
    section('What was found', 'findings', findings(audit)),
    drawing === null ? '' : section('Who can become whom', 'graph', graphHtml(drawing)),
    section('Who goes round the gate', 'rounders', rounders(audit)),
    section('Principals', 'principals', principals(audit)),
    '</body></html>',
    '',
  ].join('\n')
}

function head({ accounts, principals: all, counts, window }: Audit, now: string): string {
  const users = all.filter(({ kind }) => kind === 'user').length
  const trail = window ? ` · trail ${window.from ?? '?'} to ${window.to ?? '?'}` : ''
  const tiles = SEVERITIES.map(
    (each) =>
      `<a class="tile ${each}" href="#findings"><b>${counts[each]}</b><span>${MARKS[each]} ${each}</span></a>`,
  )
  return [
    '<header><h1>Who can take down production</h1>',
    `<p>${users} users and ${all.length - users} roles in ${accounts.map(code).join(', ')}`,
    ` · made ${escaped(now.slice(0, 16).replace('T', ' '))} UTC${escaped(trail)}</p>`,
    `<nav class="tiles">${tiles.join('')}</nav></header>`,
  ].join('\n')
}

function limits({ limits: all, faults, whole }: Audit): string {
  const cut = whole
    ? ''
    : `<p class="alarm"><b>The export is not whole.</b> Who stands behind a fault is in no answer below.</p>`
  const rows = faults
    .slice(0, ROWS_MAX)
    .map(({ where, what }) => `<li>${code(where)} ${escaped(what)}</li>`)
  const list = rows.length > 0 ? `<ul>${rows.join('')}</ul>` : ''
  const words = all.map((each) => `<li>${escaped(each)}</li>`).join('')
  const rests = `<details open><summary>What this rests on</summary><ul>${words}</ul></details>`
  return `<section class="limits">${cut}${list}${rests}</section>`
}

function graphHtml({ svg, left }: Drawing): string {
  return `<p class="hint">${graphHints(left).join(' ')}</p><div class="scroll">${svg}</div>`
}

function section(title: string, id: string, body: string): string {
  return `<section id="${id}"><h2>${title}</h2>${body}</section>`
}

function findings({ findings: all }: Audit): string {
  if (all.length === 0) return '<p>Nothing was found.</p>'
  const shown = all.slice(0, ROWS_MAX).map((finding, index) => findingHtml(finding, index < 3))
  const more = all.length - shown.length
  return `${shown.join('\n')}${more > 0 ? `<p>${more} more are in the JSON.</p>` : ''}`
}

function findingHtml(finding: Finding, isOpen: boolean): string {
  const { severity, subject, isAgent, rule, title, words, dependsOn, evidence, path } = finding
  const environments = finding.environments.map(
    (name) =>
      `<span class="environment ${name === 'production' ? 'production' : ''}">${escaped(name)}</span>`,
  )
  const parts = [
    `<details class="finding ${severity}"${isOpen ? ' open' : ''}><summary>`,
    `<span class="mark">${MARKS[severity]} ${severity}</span>`,
    `<span class="who">${code(subject)}${isAgent ? ' <span class="agent">agent</span>' : ''}</span>`,
    `<span class="title">${escaped(title)}</span></summary><div>`,
    words === title ? '' : `<p>${escaped(words)}</p>`,
    environments.length > 0 ? `<p>${environments.join(' ')}</p>` : '',
    path.length > 0 ? `<ol class="path">${path.map(stepHtml).join('')}</ol>` : '',
    dependsOn.length > 0 ? `<p>Depends on: ${dependsOn.map(code).join(', ')}</p>` : '',
    evidence.length > 0
      ? `<p class="evidence">By ${evidence.map((each) => `${code(each.policy)} statement ${code(each.statement)}`).join('; ')}</p>`
      : '',
    fixHtml(finding),
    ruleHtml(rule),
    '</div></details>',
  ]
  return parts.join('')
}

function ruleHtml(rule: RuleId): string {
  const { help, source } = RULES[rule]
  const link = `<a href="${escaped(source)}" rel="noreferrer">${escaped(source)}</a>`
  return `<p class="rule">${code(rule)} · ${escaped(help)} · ${link}</p>`
}

function stepHtml({ to, rows, about, truth, source }: PathStep): string {
  const certain = truth === 'yes' ? '' : ' <em>(may)</em>'
  const link = `<a href="${escaped(source)}" rel="noreferrer">${escaped(rows.slice(0, 5).join(', '))}</a>`
  return `<li>${escaped(about)}${certain}<br>${link} → ${code(to)}</li>`
}

function fixHtml({ fix }: Finding): string {
  const policy = fix.policy ? `<pre>${escapedLines(JSON.stringify(fix.policy, null, 2))}</pre>` : ''
  const command = fix.command ? `<pre>${escaped(fix.command)}</pre>` : ''
  const paste = `<details><summary>to paste</summary>${policy}${command}</details>`
  return `<div class="fix"><p><b>Fix.</b> ${escaped(fix.words)}</p>${policy || command ? paste : ''}</div>`
}

/** JSON of ours, whose line ends are ours too. */
function escapedLines(text: string): string {
  return text.split('\n').map(escaped).join('\n')
}

function rounders(audit: Audit): string {
  const rows = audit.rounders.slice(0, ROWS_MAX).map(rounderRow)
  const all = rows.length === 0 ? '' : table(['who', 'kind', 'certain', 'how'], rows)
  return `<p>${roundersWords(audit)}</p>${all}`
}

function rounderRow({ who, kind, certain, how, isAgent, excepted }: Rounder): string[] {
  const marks = `${isAgent ? ' <span class="agent">agent</span>' : ''}${excepted ? ' <em>exception</em>' : ''}`
  return [`${code(who)}${marks}`, kind, certain ? 'yes' : 'may', escaped(how)]
}

function principals({ principals: all }: Audit): string {
  const own = all.filter(({ serviceLinked }) => !serviceLinked)
  const rows = own.slice(0, ROWS_MAX).map(principalRow)
  const linked = all.length - own.length
  const note =
    linked > 0 ? `<p class="hint">${linked} roles of AWS's own services are left out.</p>` : ''
  const header = [
    'principal',
    'account',
    'admin',
    'becomes',
    'destroys',
    'environments',
    'last used',
  ]
  return `${table(header, rows, new Set([3, 4]))}${note}`
}

function principalRow(row: PrincipalRow): string[] {
  const marks = [
    row.isAgent ? '<span class="agent">agent</span>' : '',
    row.isGate ? '<em>the gate</em>' : '',
    row.behindGate ? '<em>behind the gate</em>' : '',
    row.unread.length > 0 ? '<em>not read whole</em>' : '',
  ].join(' ')
  return [
    `<span title="${escaped(row.arn)}">${row.kind} ${code(row.name)}</span> ${marks}`,
    code(row.account),
    adminWords(row),
    becomesWords(row),
    String(row.destroys.actions.length),
    row.environments.map(escaped).join(', ') || '–',
    escaped(lastWords(row)),
  ]
}

/** Cells are HTML already. */
function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: ReadonlySet<number> = new Set(),
): string {
  const cell = (text: string, column: number) =>
    `<td${numbers.has(column) ? ' class="number"' : ''}>${text}</td>`
  const lines = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`)
  return `<div class="scroll"><table><thead><tr>${header.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${lines.join('')}</tbody></table></div>`
}

function code(text: string): string {
  return `<code>${escaped(text)}</code>`
}

// A report as lines for a terminal: what cannot be proved first, then the deed, the price, and tables. What
// stands in a trail was written by anybody, so nothing of it reaches the terminal unescaped.

import { escapeUntrusted, flagged } from '@seconder/gateway/lib/plain-text'
import { CODING_AGENTS } from '../event/agent-name.ts'
import {
  type CountsOf,
  type Recreated,
  type Report,
  type ReviewGroup,
  total,
  type Week,
} from './report.ts'
import { decemberWords, duration, faultName, number, shortArn } from './words.ts'

export type Tone = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim'

export interface Terminal {
  /** Colours a text, or not. */
  readonly toned: (tone: Tone, text: string) => string
  /** Rows of each table. */
  readonly rows: number
}

const NAME_WIDTH = 44

export function terminalLines(report: Report, terminal: Terminal): string[] {
  const { toned } = terminal
  return [
    ...cannotProveLines(report, terminal),
    '',
    ...recreatedLines(report, terminal),
    toned('bold', reviewsLine(report)),
    ...agentsLines(report),
    answersLine(report),
    ...apartLines(report),
    '',
    ...changeLines(report, terminal),
    ...weekLines(report.weeks, terminal),
    ...countsLines('principal', report.principals, terminal, (name) => shortArn(name)),
    ...countsLines('agent', report.agents, terminal),
    ...countsLines('action', report.actions, terminal),
    ...countsLines('environment', report.environments, terminal),
    ...groupLines(report.reviewGroups, report.reviewGroupCount, terminal),
    ...denialLines(report, terminal),
    ...unmappedLines(report, terminal),
    ...faultLines(report, terminal),
  ]
}

function cannotProveLines({ cannotProve }: Report, { toned }: Terminal): string[] {
  return [
    toned('bold', 'What this trail cannot prove'),
    ...cannotProve.map(({ what, count }) => `  ${count === 0 ? '' : `${number(count)} `}${what}`),
    ...(cannotProve.length === 0 ? ['  nothing is missing that replay knows of'] : []),
  ]
}

function recreatedLines({ recreated, recreatedCount, policy }: Report, { toned, rows }: Terminal) {
  if (recreatedCount === 0) return ['Nothing was deleted and made again within seven days.', '']
  const shown = recreated.slice(0, rows).flatMap((one) => recreatedOne(one, toned))
  const more = recreatedCount - Math.min(rows, recreated.length)
  return [
    toned('bold', `Deleted and made again: ${number(recreatedCount)} under ${safe(policy.from)}`),
    ...shown,
    ...(more > 0 ? [`  and ${number(more)} more`] : []),
    '',
  ]
}

function recreatedOne(
  { thing, deleted, created, secondsBetween }: Recreated,
  toned: Terminal['toned'],
) {
  const when = deleted.at === '' ? 'at an unknown time' : deleted.at
  return [
    `  ${toned(deleted.answer === 'allowed' ? 'yellow' : 'green', decemberWords(deleted.answer, deleted.requirement))}`,
    `    ${when}  ${safe(deleted.operation)}  ${safe(thing)}`,
    `    by ${safe(shortArn(deleted.principal))}, ${safe(deleted.agent)}; event ${deleted.eventId}`,
    `    made again ${duration(secondsBetween)} later by ${safe(shortArn(created.principal))} (${safe(created.operation)})`,
  ]
}

export function reviewsLine({ reviewsPerWeek, window }: Report): string {
  const { raw, grouped } = reviewsPerWeek
  const span = window.from === '' ? 'no event has a time' : `${window.from} to ${window.to}`
  const asked = `${number(grouped)} reviews a week (${number(raw)} calls a week`
  const grouping = 'those of one session and ten minutes taken as one)'
  return `${asked}, ${grouping}; ${number(window.weeks)} weeks, ${span}`
}

/** Coding agents by the names of agent-name.ts, each with its own price. */
function agentsLines({ agents, window }: Report): string[] {
  const asked = agents.filter(({ name, groups }) => groups > 0 && CODING_AGENTS.has(name))
  if (asked.length === 0) return []
  const words = asked.map(({ name, groups }) => `${name} ${number(groups / window.weeks)}`)
  return [`of these by agents: ${words.join(', ')}`]
}

function answersLine(report: Report): string {
  const { unique, allowed, reviewed, denied } = report
  const words = `${number(unique)} events: ${number(allowed)} allowed, ${number(reviewed)} reviewed, ${number(denied)} denied`
  return `${words}, ${number(report.unmapped)} not mapped`
}

function apartLines({ events, unique, failed, notApiCalls, apart }: Report): string[] {
  const { failedWouldBe: would } = apart
  const copies = events - unique - apart.leftOut
  return [
    `apart: ${number(apart.serviceMade)} made by AWS services, ${number(notApiCalls)} no API calls, ${number(failed)} failed`,
    `       of those that failed the gate would have allowed ${number(would.allowed)}, asked for ${number(would.reviewed)}, denied ${number(would.denied)}`,
    ...(copies > 0 ? [`       ${number(copies)} copies of events were dropped`] : []),
    ...(apart.leftOut > 0
      ? [`       ${number(apart.leftOut)} left out by --since or --principal`]
      : []),
  ]
}

function changeLines(
  { changes, changedCount, against }: Report,
  { toned, rows }: Terminal,
): string[] {
  if (changes === undefined || against === undefined) return []
  if (changedCount === 0) return [toned('bold', `Nothing changes from ${safe(against.from)}`), '']
  const lines = changes
    .slice(0, rows)
    .map(({ from, to, operation, environment, principal, count }) => [
      number(count),
      safe(operation),
      `${from} -> ${to}`,
      environment,
      safe(shortArn(principal)),
    ])
  return [
    toned(
      'bold',
      `${number(changedCount ?? 0)} calls are answered otherwise than under ${safe(against.from)}`,
    ),
    ...columns(['calls', 'action', 'answer', 'environment', 'principal'], lines, toned),
    '',
  ]
}

const BAR = 24

function weekLines(weeks: readonly Week[], { toned, rows }: Terminal): string[] {
  const shown = weeks.slice(-Math.max(rows, 12))
  const most = Math.max(1, ...shown.map(({ groups }) => groups))
  const lines = shown.map((week) => [
    week.week || 'no time',
    number(week.allowed),
    number(week.reviewed),
    number(week.denied),
    number(week.groups),
    '#'.repeat(Math.ceil((week.groups / most) * BAR)),
  ])
  const earlier = weeks.length - shown.length
  return [
    ...columns(['week from', 'allowed', 'reviewed', 'denied', 'asked', ''], lines, toned),
    ...(earlier > 0 ? [`  and ${number(earlier)} earlier weeks`] : []),
    '',
  ]
}

function countsLines(
  what: string,
  all: readonly (CountsOf & { readonly groups?: number })[],
  { toned, rows }: Terminal,
  named = (name: string) => name,
): string[] {
  const asks = all.some(({ groups }) => groups !== undefined)
  const lines = all.slice(0, rows).map((row) => {
    const { allowed, reviewed, denied } = row
    const other = total(row) - allowed - reviewed - denied
    const groups = asks ? [row.groups ?? 0] : []
    const numbers = [allowed, reviewed, ...groups, denied, other].map(number)
    return [cut(safe(named(row.name))), ...numbers]
  })
  const head = [what, 'allowed', 'reviewed', ...(asks ? ['asked'] : []), 'denied', 'other']
  const more = all.length - lines.length
  return [
    ...columns(head, lines, toned),
    ...(more > 0 ? [`  and ${number(more)} more (--json or --html has them)`] : []),
    '',
  ]
}

function groupLines(
  groups: readonly ReviewGroup[],
  count: number,
  { toned, rows }: Terminal,
): string[] {
  if (count === 0) return []
  const lines = groups
    .slice(0, Math.min(rows, 5))
    .map(({ from, calls, principal, agent, operations }) => [
      from || 'no time',
      number(calls),
      cut(safe(shortArn(principal)), 28),
      cut(safe(agent), 16),
      cut(safe(operations.join(' ')), 40),
    ])
  return [
    toned('bold', `The largest of ${number(count)} grouped reviews`),
    ...columns(['from', 'calls', 'principal', 'agent', 'actions'], lines, toned),
    '',
  ]
}

function denialLines({ denials }: Report, { toned, rows }: Terminal): string[] {
  if (denials.length === 0) return []
  const lines = denials
    .slice(0, rows)
    .map(({ operation, environment, reason, count }) => [
      number(count),
      safe(operation),
      environment,
      safe(reason),
    ])
  return [...columns(['denied', 'action', 'environment', 'why'], lines, toned), '']
}

function unmappedLines({ unmappedCalls }: Report, { toned, rows }: Terminal): string[] {
  if (unmappedCalls.length === 0) return []
  const lines = unmappedCalls
    .slice(0, rows)
    .map(({ source, name, why, count }) => [number(count), safe(source), safe(name), safe(why)])
  const more = unmappedCalls.length - lines.length
  return [
    ...columns(['not mapped', 'source', 'name', 'why'], lines, toned),
    ...(more > 0 ? [`  and ${number(more)} more (--json has them)`] : []),
    '',
  ]
}

function faultLines({ trail }: Report, { toned, rows }: Terminal): string[] {
  if (trail.faults.length === 0) return []
  const lines = trail.faults
    .slice(0, rows)
    .map(({ path, fault, events, brokenLines }) => [
      faultName(fault, brokenLines),
      number(events),
      safe(path),
    ])
  const more = trail.faults.length + trail.moreFaults - lines.length
  return [
    ...columns(['fault', 'events read', 'file'], lines, toned),
    ...(more > 0 ? [`  and ${number(more)} more`] : []),
    '',
  ]
}

function columns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  toned: Terminal['toned'],
): string[] {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const isNumber = (column: number) =>
    rows.length > 0 && rows.every((row) => /^[\d,.]*$/.test(row[column] ?? ''))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        if (isNumber(column)) return cell.padStart(width)
        return column === cells.length - 1 ? cell : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [toned('dim', line(head)), ...rows.map(line)]
}

function safe(text: string): string {
  return flagged(escapeUntrusted(text, 300))
}

function cut(text: string, width = NAME_WIDTH): string {
  if (text.length <= width) return text
  const head = Math.ceil((width - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`
}

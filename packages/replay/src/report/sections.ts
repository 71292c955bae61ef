// The tables of a report, in their order, as names and texts: the page in one file and the console show the same.
// Nothing is escaped here; whoever shows them does that.

import { requirementWords } from '@seconder/gateway/review/words'
import { type CountsOf, type Report, total } from './report.ts'
import { faultName, number, shortArn } from './words.ts'

/** Rows of one table; the JSON has all that are listed. */
export const ROWS_MAX = 100

export interface Column {
  readonly name: string
  /** `n` numbers, `code` facts from the wire, `why` sentences. */
  readonly is?: 'n' | 'code' | 'why'
}

export interface Section {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** Rows that there are beyond those. */
  readonly more: number
}

const N = 'n' as const
const COUNTED = ['allowed', 'reviewed', 'denied', 'other']

/** Those that have rows. */
export function sections(report: Report): Section[] {
  const all = [
    changes(report),
    asked('principal', report.principals, shortArn),
    asked('agent', report.agents, (name) => name),
    counts('action', report.actions),
    counts('environment', report.environments),
    groups(report),
    denials(report),
    unmapped(report),
    faults(report),
  ]
  return all.filter(({ rows }) => rows.length > 0)
}

function sectionOf<T>(
  title: string,
  columns: readonly Column[],
  all: readonly T[],
  row: (one: T) => readonly string[],
): Section {
  const rows = all.slice(0, ROWS_MAX).map(row)
  return { title, columns, rows, more: all.length - rows.length }
}

function changes({ changes: all = [], changedCount = 0, against }: Report): Section {
  const columns: Column[] = [
    { name: 'calls', is: N },
    { name: 'action', is: 'code' },
    { name: 'before' },
    { name: 'now' },
    { name: 'environment' },
    { name: 'principal' },
  ]
  const title = `What changes from ${against?.from ?? ''}: ${number(changedCount)} calls`
  return sectionOf(
    title,
    columns,
    all,
    ({ count, operation, from, to, environment, principal }) => [
      number(count),
      operation,
      from,
      to,
      environment,
      shortArn(principal),
    ],
  )
}

function counts(what: string, all: readonly CountsOf[]): Section {
  const columns = COUNTED.map((name): Column => ({ name, is: N }))
  return sectionOf(`By ${what}`, [{ name: what, is: 'code' }, ...columns], all, (row) => [
    row.name,
    ...numbersOf(row),
  ])
}

function asked(what: string, all: Report['principals'], named: (name: string) => string): Section {
  const columns = ['asked', ...COUNTED].map((name): Column => ({ name, is: N }))
  return sectionOf(`By ${what}`, [{ name: what, is: 'code' }, ...columns], all, (row) => [
    named(row.name),
    number(row.groups),
    ...numbersOf(row),
  ])
}

function numbersOf(row: CountsOf): string[] {
  const { allowed, reviewed, denied } = row
  return [allowed, reviewed, denied, total(row) - allowed - reviewed - denied].map(number)
}

function groups({ reviewGroups, reviewGroupCount }: Report): Section {
  const columns: Column[] = [
    { name: 'from' },
    { name: 'calls', is: N },
    { name: 'it takes' },
    { name: 'principal', is: 'code' },
    { name: 'agent' },
    { name: 'actions', is: 'code' },
  ]
  const title = `The largest of ${number(reviewGroupCount)} grouped reviews`
  return sectionOf(
    title,
    columns,
    reviewGroups,
    ({ from, calls, principal, agent, operations, requirement }) => [
      from || 'no time',
      number(calls),
      requirementWords(requirement),
      shortArn(principal),
      agent,
      operations.join(', '),
    ],
  )
}

function denials({ denials: all }: Report): Section {
  const columns: Column[] = [
    { name: 'calls', is: N },
    { name: 'action', is: 'code' },
    { name: 'environment' },
    { name: 'why', is: 'why' },
  ]
  return sectionOf('Denied', columns, all, ({ count, operation, environment, reason }) => [
    number(count),
    operation,
    environment,
    reason,
  ])
}

function unmapped({ unmappedCalls }: Report): Section {
  const columns: Column[] = [
    { name: 'events', is: N },
    { name: 'source', is: 'code' },
    { name: 'name', is: 'code' },
    { name: 'why', is: 'why' },
  ]
  return sectionOf('Not mapped', columns, unmappedCalls, ({ count, source, name, why }) => [
    number(count),
    source,
    name,
    why,
  ])
}

function faults({ trail }: Report): Section {
  const columns: Column[] = [
    { name: 'fault' },
    { name: 'events read', is: N },
    { name: 'file', is: 'code' },
  ]
  return sectionOf(
    'Files that are not whole',
    columns,
    trail.faults,
    ({ path, fault, events, brokenLines }) => [faultName(fault, brokenLines), number(events), path],
  )
}

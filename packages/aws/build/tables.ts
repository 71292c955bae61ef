// Reads our tables about AWS (data/tables/*.json), checks every row against the IAM data, and cuts
// them down to one IAM prefix. A row that names an action or type that does not exist stops the
// build.

import { readFileSync } from 'node:fs'
import { FORM_NAMES } from '../src/describe/normalise.ts'
import type {
  AccessLevel,
  ActionRow,
  ActsRow,
  ArnRow,
  ControlledType,
  EffectRow,
  RecoverableRow,
  RevealsRow,
  Tables,
  TagActionRow,
} from '../src/index/model.ts'
import { READER_NAMES } from '../src/index/model.ts'
import type { IamData } from './iam-facts.ts'
import { type Positions, readPositions } from './positions.ts'

type Rows<Row> = Readonly<Record<string, readonly Row[]>>

interface AllTables {
  readonly positions: Positions
  readonly actions: Rows<ActionRow>
  readonly arns: Rows<ArnRow>
  readonly writes: Rows<string>
  readonly effects: Rows<EffectRow>
  readonly reveals: Rows<RevealsRow>
  readonly recoverable: Rows<RecoverableRow>
  readonly acts: Rows<ActsRow>
  readonly types: Readonly<Record<string, ControlledType>>
}

function file(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../data/tables/${name}.json`, import.meta.url), 'utf8'))
}

function read<Row>(name: string): Rows<Row> {
  return (file(name) as { services: Rows<Row> }).services
}

export function readTables(iam: IamData): AllTables {
  const tables: AllTables = {
    positions: readPositions(),
    actions: joined(read('actions'), tagActions(read('tag-actions'))),
    arns: read('arn-members'),
    writes: read('writes'),
    effects: read('effects'),
    reveals: read('reveals'),
    recoverable: read('recoverable'),
    acts: read('acts-for-others'),
    types: (file('acts-for-others') as Pick<AllTables, 'types'>).types,
  }
  const wrong = [
    ...wrongActions(tables.actions, iam),
    ...wrongTypes(tables.arns, iam),
    ...wrongReaders(tables.acts),
  ]
  if (wrong.length > 0) throw new Error(`rows that do not fit the IAM data:\n${wrong.join('\n')}`)
  return tables
}

/** A row for each operation: the action joins where the member is sent. */
function tagActions(rows: Rows<TagActionRow>): Rows<ActionRow> {
  return Object.fromEntries(
    Object.entries(rows).map(([prefix, list]) => [
      prefix,
      list.flatMap(({ action, member, operations, source }) =>
        operations.map((operation): ActionRow => {
          return {
            operation,
            add: [action],
            when: [{ path: `${member}.*`, is: 'present' }],
            source,
          }
        }),
      ),
    ]),
  )
}

function joined<Row>(first: Rows<Row>, second: Rows<Row>): Rows<Row> {
  const prefixes = new Set([...Object.keys(first), ...Object.keys(second)])
  return Object.fromEntries(
    [...prefixes].map((prefix) => [prefix, [...(first[prefix] ?? []), ...(second[prefix] ?? [])]]),
  )
}

/** The access level of each action of another prefix that the rows of `prefix` name. */
export function levelsOfOthers(
  { actions }: Pick<AllTables, 'actions'>,
  prefix: string,
  iam: IamData,
): Record<string, AccessLevel> {
  const levels: Record<string, AccessLevel> = {}
  const named = (actions[prefix] ?? []).flatMap((row) => [
    ...(row.actions ?? []),
    ...(row.add ?? []),
  ])
  for (const action of [...new Set(named)].sort()) {
    const [service = '', name = ''] = action.split(':')
    const level = iam.facts.get(service)?.actions[name]?.level
    if (service !== prefix && level !== undefined) levels[action] = level
  }
  return levels
}

/** Rows that name an operation which no model of the prefix has. */
export function strayRows(
  tables: AllTables,
  operations: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const stray: string[] = []
  const look = (table: string, prefix: string, name: string): void => {
    if (operations.get(prefix)?.has(name) !== true) stray.push(`${table}: ${prefix}:${name}`)
  }
  for (const table of ['actions', 'effects', 'reveals', 'recoverable', 'acts'] as const) {
    for (const [prefix, rows] of Object.entries(tables[table])) {
      for (const row of rows) look(table, prefix, row.operation)
    }
  }
  for (const [prefix, names] of Object.entries(tables.writes)) {
    for (const name of names) look('writes', prefix, name)
  }
  for (const [prefix, rows] of Object.entries(tables.arns)) {
    for (const name of rows.flatMap((row) => [...(row.operations ?? []), ...(row.except ?? [])])) {
      look('arn-members', prefix, name)
    }
  }
  return [...new Set(stray)]
}

export function tablesOf(tables: AllTables, prefix: string): Tables {
  return {
    actions: tables.actions[prefix] ?? [],
    arns: tables.arns[prefix] ?? [],
    writes: tables.writes[prefix] ?? [],
    effects: tables.effects[prefix] ?? [],
    reveals: tables.reveals[prefix] ?? [],
    recoverable: tables.recoverable[prefix] ?? [],
    acts: tables.acts[prefix] ?? [],
    ...(prefix === 'cloudformation' && { types: tables.types }),
  }
}

function* wrongActions(rows: Rows<ActionRow>, iam: IamData): Generator<string> {
  for (const [prefix, list] of Object.entries(rows)) {
    for (const row of list) {
      for (const action of [...(row.actions ?? []), ...(row.add ?? [])]) {
        const [service = '', name = ''] = action.split(':')
        if (iam.facts.get(service)?.actions[name] === undefined) {
          yield `actions: ${prefix}:${row.operation}: no action \`${action}\``
        }
      }
    }
  }
}

function* wrongReaders(rows: Rows<ActsRow>): Generator<string> {
  for (const [prefix, list] of Object.entries(rows)) {
    for (const { operation, reads } of list) {
      if (reads !== undefined && !READER_NAMES.includes(reads)) {
        yield `acts-for-others: ${prefix}:${operation}: no reader \`${reads}\``
      }
    }
  }
}

function* wrongTypes(rows: Rows<ArnRow>, iam: IamData): Generator<string> {
  for (const [prefix, list] of Object.entries(rows)) {
    for (const row of list) {
      const format = row.format ?? iam.facts.get(prefix)?.resourceTypes[row.type]
      if (format === undefined) {
        yield `arn-members: ${prefix}: no resource type \`${row.type}\``
        continue
      }
      for (const source of Object.values(row.fill).flat()) {
        const form = source.startsWith('=') ? undefined : source.split('|')[1]
        if (form !== undefined && !FORM_NAMES.includes(form)) {
          yield `arn-members: ${prefix}/${row.type}: no form \`${form}\``
        }
      }
      for (const [, variable = ''] of format.matchAll(/\$\{(\w+)\}/g)) {
        const known = ['Partition', 'Region', 'Account'].includes(variable)
        if (!known && row.none !== true && row.fill[variable] === undefined) {
          yield `arn-members: ${prefix}/${row.type}: \`${variable}\` is not filled in ${format}`
        }
      }
    }
  }
}

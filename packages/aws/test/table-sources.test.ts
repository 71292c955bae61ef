// Every row of our tables about AWS names a source that is written out: a key of its file's `sources`, or
// an address. `{operation}` in one stands for the operation of the row.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const TABLES = new URL('../data/tables/', import.meta.url)

interface Row {
  readonly operation?: string
  readonly effect?: string
  readonly why?: string
  readonly source?: string
}

interface Table {
  readonly sources: Readonly<Record<string, string>>
}

function table(name: string): Table {
  return JSON.parse(readFileSync(new URL(name, TABLES), 'utf8')) as Table
}

/** Every object with a `source` in a table, however deep. */
function rowsIn(value: unknown): Row[] {
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.values(value).flatMap(rowsIn)
  return 'source' in value ? [value as Row, ...inside] : inside
}

const NAMES = readdirSync(TABLES).filter((name) => name.endsWith('.json'))

test.each(NAMES)('%s: the source of each row is written out', (name) => {
  const { sources, ...rest } = table(name)
  const rows = rowsIn(rest)
  const lost = rows.filter(
    ({ source = '' }) =>
      !Object.hasOwn(sources, source) && !source.startsWith('https://docs.aws.amazon.com/'),
  )
  expect(lost).toEqual([])
  for (const [key, text] of Object.entries(sources)) {
    if (key.startsWith('API:')) expect(text, key).toMatch(/^https:\/\/\S+\/\{operation\}$/)
  }
})

test('H6 what sounds harmless and is not has an address for each row', () => {
  const rows = rowsIn(table('effects.json')).filter(({ source = '' }) =>
    source.startsWith('https:'),
  )
  expect(rows.length).toBeGreaterThanOrEqual(46)
  for (const { operation = '', source = '', why } of rows) {
    expect(why, operation).toBeTruthy()
    if (source.includes('/goto/WebAPI/')) expect(source.endsWith(`/${operation}`)).toBe(true)
  }
})

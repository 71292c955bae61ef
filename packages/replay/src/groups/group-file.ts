// Reads the result of the grouping SQL: CSV as Athena writes it, or one JSON object a line, plain or gzip.
// Source: https://docs.aws.amazon.com/athena/latest/ug/querying.html (every field quoted, an empty one null), RFC 4180.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { ReplayError } from '../errors.ts'
import { COLUMNS, type GroupColumn } from './sql.ts'

/** Bytes of a result, unpacked. */
export const RESULT_BYTES_MAX = 1024 * 1024 * 1024

export type Group = Readonly<Record<GroupColumn, string>>

const NAMES: readonly GroupColumn[] = [
  ...(Object.keys(COLUMNS) as (keyof typeof COLUMNS)[]),
  'firsttime',
  'events',
]

/** Errors: `bad_export`, naming the line. */
export function* readGroups(path: string): Generator<Group> {
  const text = textOf(path)
  if (/^\s*\{/.test(text)) yield* fromLines(path, text)
  else yield* fromCsv(path, text)
}

function textOf(path: string): string {
  try {
    const bytes = readFileSync(path)
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
    return (isGzip ? gunzipSync(bytes, { maxOutputLength: RESULT_BYTES_MAX }) : bytes).toString()
  } catch (cause) {
    throw new ReplayError('bad_export', `\`${path}\` cannot be read`, { cause })
  }
}

function* fromLines(path: string, text: string): Generator<Group> {
  let number = 0
  for (const line of text.split('\n')) {
    number++
    if (line.trim() === '') continue
    let row: unknown
    try {
      row = JSON.parse(line)
    } catch (cause) {
      throw wrong(path, number, 'it is no JSON', cause)
    }
    if (row === null || typeof row !== 'object') throw wrong(path, number, 'it is no object')
    yield groupOf(path, number, (name) => (row as Record<string, unknown>)[name])
  }
}

function* fromCsv(path: string, text: string): Generator<Group> {
  let places: Map<string, number> | null = null
  let number = 0
  for (const cells of csvRows(text)) {
    number++
    if (places === null) {
      places = new Map(cells.map((name, place) => [name.toLowerCase(), place]))
      continue
    }
    const at = places
    yield groupOf(path, number, (name) => cells[at.get(name) ?? -1])
  }
}

function groupOf(path: string, line: number, value: (name: GroupColumn) => unknown): Group {
  const group: Partial<Record<GroupColumn, string>> = {}
  for (const name of NAMES) {
    const given = value(name)
    if (given === undefined) throw wrong(path, line, `it has no \`${name}\``)
    group[name] = given === null ? '' : String(given)
  }
  if (!/^[1-9]\d{0,14}$/.test(group.events ?? '')) throw wrong(path, line, '`events` is no count')
  return group as Group
}

/** The rows of a CSV text; a quote that is never closed ends with the text. */
export function* csvRows(text: string): Generator<string[]> {
  let cells: string[] = []
  let at = 0
  while (at < text.length) {
    let cell: string
    if (text[at] === '"') {
      let end = text.indexOf('"', at + 1)
      while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2)
      if (end === -1) end = text.length
      cell = text.slice(at + 1, end).replaceAll('""', '"')
      at = end + 1
    } else {
      const comma = text.indexOf(',', at)
      const line = text.indexOf('\n', at)
      const ends = [comma, line].filter((place) => place !== -1)
      const end = ends.length === 0 ? text.length : Math.min(...ends)
      cell = text.slice(at, end).replace(/\r$/, '')
      at = end
    }
    cells.push(cell)
    if (text[at] === '\r') at++
    if (text[at] === ',') {
      at++
      // A comma at the very end has an empty cell behind it.
      if (at === text.length || text[at] === '\n') cells.push('')
      if (text[at] !== '\n' && at !== text.length) continue
    }
    yield cells
    cells = []
    at++
  }
}

function wrong(path: string, line: number, why: string, cause?: unknown): ReplayError {
  return new ReplayError('bad_export', `\`${path}\` row ${line}: ${why}`, { cause })
}

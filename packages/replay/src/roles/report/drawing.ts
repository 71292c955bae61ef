// Draws who can become whom as inline SVG: columns by how many steps a principal is from an administrator,
// the worst at the top. Drawn without a clock, a script or chance, so that one audit has one drawing.

import type { Audit, PrincipalRow } from '../finding.ts'
import { compare } from '../finding.ts'
import { escaped } from './escaped.ts'

/** Boxes drawn; more are a list, not a picture. */
export const DRAWN_MAX = 48
const BOX = { width: 250, height: 34, gapX: 96, gapY: 12 }
const NAME_MAX = 28

interface Box {
  readonly row: PrincipalRow
  readonly column: number
  readonly x: number
  readonly y: number
}

export interface Drawing {
  readonly svg: string
  readonly drawn: number
  readonly left: number
}

/** null where nobody becomes anybody. */
export function drawingOf({ principals, edges }: Audit): Drawing | null {
  const lines = edges.filter(({ from, to }) => from !== to)
  const widening = new Set(edges.filter(({ from, to }) => from === to).map(({ from }) => from))
  const touched = new Set([...widening, ...lines.flatMap(({ from, to }) => [from, to])])
  const rows = principals.filter(({ arn, serviceLinked }) => touched.has(arn) && !serviceLinked)
  if (rows.length === 0) return null
  const distance = distances(rows, lines, widening)
  const chosen = [...rows]
    .sort((a, b) => weight(b) - weight(a) || compare(a.arn, b.arn))
    .slice(0, DRAWN_MAX)
  const boxes = placed(chosen, distance)
  const byArn = new Map(boxes.map((box) => [box.row.arn, box]))
  const paths = lines.flatMap(({ from, to, truth, rows: ids }) => {
    const start = byArn.get(from)
    const end = byArn.get(to)
    // Who may become his like gains nothing by it; such lines would only hide the others.
    return start && end && end.column > start.column ? [arrow(start, end, truth, ids)] : []
  })
  const width = Math.max(...boxes.map(({ x }) => x)) + BOX.width + 12
  const height = Math.max(...boxes.map(({ y }) => y)) + BOX.height + 12
  const svg = [
    `<svg role="img" aria-label="who can become whom" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
    '<path d="M0 0 8 4 0 8z" class="tip"/></marker></defs>',
    ...paths,
    ...boxes.map((each) => box(each, widening.has(each.row.arn))),
    '</svg>',
  ].join('\n')
  return { svg, drawn: boxes.length, left: rows.length - boxes.length }
}

type Lines = readonly { readonly from: string; readonly to: string }[]

/** Steps to an administrator; who reaches none stands in the last column. */
function distances(
  rows: readonly PrincipalRow[],
  lines: Lines,
  widening: ReadonlySet<string>,
): Map<string, number> {
  const back = Map.groupBy(lines, ({ to }) => to)
  const found = new Map(
    rows.flatMap(({ arn, rules }) => (rules === 'yes' ? [[arn, 0] as [string, number]] : [])),
  )
  // Who widens himself needs nobody else.
  for (const { arn, reachesAdmin } of rows) {
    if (widening.has(arn) && reachesAdmin !== 'no' && !found.has(arn)) found.set(arn, 1)
  }
  // A Map hands out what is added while it is walked: breadth first.
  for (const [arn, steps] of found) {
    for (const { from } of back.get(arn) ?? []) if (!found.has(from)) found.set(from, steps + 1)
  }
  return found
}

function placed(rows: readonly PrincipalRow[], distance: ReadonlyMap<string, number>): Box[] {
  const last = Math.max(0, ...rows.map(({ arn }) => distance.get(arn) ?? 0)) + 1
  const columnOf = ({ arn }: PrincipalRow) => distance.get(arn) ?? last
  const used = [...new Set(rows.map(columnOf))].sort((a, b) => b - a)
  const heights = new Map<number, number>()
  return rows.map((row) => {
    // Administrators stand on the right: that is where the arrows go.
    const column = used.indexOf(columnOf(row))
    const place = heights.get(column) ?? 0
    heights.set(column, place + 1)
    return {
      row,
      column,
      x: 6 + column * (BOX.width + BOX.gapX),
      y: 6 + place * (BOX.height + BOX.gapY),
    }
  })
}

function weight({ isAgent, rules, reachesAdmin, destroys }: PrincipalRow): number {
  const reach =
    rules === 'yes' ? 3 : reachesAdmin === 'yes' ? 2 : reachesAdmin === 'unknown' ? 1 : 0
  return Number(isAgent) * 1e6 + reach * 1e5 + destroys.actions.length
}

function box({ row, x, y }: Box, widens: boolean): string {
  const kind =
    row.rules === 'yes'
      ? 'admin'
      : row.isAgent
        ? 'agent'
        : row.reachesAdmin === 'yes'
          ? 'reaches'
          : 'plain'
  const word = row.rules === 'yes' ? '■ admin' : row.isAgent ? '◆ agent' : row.kind
  const name =
    row.name.length > NAME_MAX
      ? `${row.name.slice(0, NAME_MAX - 10)}…${row.name.slice(-9)}`
      : row.name
  const facts = `${word} · ${row.destroys.actions.length} destructive${widens ? ' · ↻ widens itself' : ''}`
  return [
    `<g class="box ${kind}"><title>${escaped(row.arn)}</title>`,
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="4"/>`,
    `<text x="${x + 8}" y="${y + 15}" class="name">${escaped(name)}</text>`,
    `<text x="${x + 8}" y="${y + 28}" class="kind">${escaped(facts)}</text></g>`,
  ].join('')
}

function arrow(from: Box, to: Box, truth: 'yes' | 'unknown', ids: readonly string[]): string {
  const startX = from.x + BOX.width
  const endX = to.x
  const [startY, endY] = [from.y + BOX.height / 2, to.y + BOX.height / 2]
  const bend = BOX.gapX / 2
  const d = `M${startX} ${startY}C${startX + bend} ${startY} ${endX - bend} ${endY} ${endX} ${endY}`
  const words = `${from.row.name} -> ${to.row.name}: ${ids.slice(0, 4).join(', ')}${truth === 'yes' ? '' : ' (may)'}`
  return `<path d="${d}" class="edge ${truth === 'yes' ? 'sure' : 'may'}" marker-end="url(#tip)"><title>${escaped(words)}</title></path>`
}

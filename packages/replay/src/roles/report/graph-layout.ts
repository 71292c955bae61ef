// Where the boxes and arrows of "who can become whom" stand: columns by how many steps a principal is from an
// administrator, the worst at the top. Without a clock or chance, so that one audit has one drawing; the page
// in one file and the console both draw from it.

import type { Audit, PrincipalRow } from '../finding.ts'
import { compare } from '../finding.ts'

/** Boxes drawn; more are a list, not a picture. */
export const DRAWN_MAX = 48
export const BOX = { width: 250, height: 34, gapX: 96, gapY: 12 }
const NAME_MAX = 28

interface Box {
  readonly row: PrincipalRow
  readonly column: number
  readonly x: number
  readonly y: number
}

export interface DrawnBox {
  readonly arn: string
  readonly kind: 'admin' | 'agent' | 'reaches' | 'plain'
  readonly name: string
  readonly facts: string
  readonly x: number
  readonly y: number
}

export interface DrawnArrow {
  readonly path: string
  readonly isSure: boolean
  readonly words: string
}

export interface GraphLayout {
  readonly width: number
  readonly height: number
  readonly boxes: readonly DrawnBox[]
  readonly arrows: readonly DrawnArrow[]
  /** Principals that are not drawn. */
  readonly left: number
}

/** null where nobody becomes anybody. */
export function graphLayout({ principals, edges }: Audit): GraphLayout | null {
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
  const arrows = lines.flatMap(({ from, to, truth, rows: ids }) => {
    const start = byArn.get(from)
    const end = byArn.get(to)
    // Who may become his like gains nothing by it; such lines would only hide the others.
    return start && end && end.column > start.column ? [arrowOf(start, end, truth, ids)] : []
  })
  const width = Math.max(...boxes.map(({ x }) => x)) + BOX.width + 12
  const height = Math.max(...boxes.map(({ y }) => y)) + BOX.height + 12
  return {
    width,
    height,
    boxes: boxes.map((box) => boxOf(box, widening.has(box.row.arn))),
    arrows,
    left: rows.length - boxes.length,
  }
}

/** What stands beside the drawing. */
export function graphHints(left: number): string[] {
  return [
    'An arrow is one step; a broken one depends on something that an export does not say.',
    'Administrators stand on the right; steps to one who is no nearer to that are not drawn.',
    ...(left > 0 ? [`${left} principals are left out; all are in the table.`] : []),
  ]
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

function boxOf({ row, x, y }: Box, widens: boolean): DrawnBox {
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
  return { arn: row.arn, kind, name, facts, x, y }
}

function arrowOf(from: Box, to: Box, truth: 'yes' | 'unknown', ids: readonly string[]): DrawnArrow {
  const startX = from.x + BOX.width
  const endX = to.x
  const [startY, endY] = [from.y + BOX.height / 2, to.y + BOX.height / 2]
  const bend = BOX.gapX / 2
  const path = `M${startX} ${startY}C${startX + bend} ${startY} ${endX - bend} ${endY} ${endX} ${endY}`
  const words = `${from.row.name} -> ${to.row.name}: ${ids.slice(0, 4).join(', ')}${truth === 'yes' ? '' : ' (may)'}`
  return { path, isSure: truth === 'yes', words }
}

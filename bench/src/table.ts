// Makes the printed table of a section: plain text, aligned, the same on a terminal and in a file.
import type { Figure, Row, Section, Unit } from './result.ts'

const HEAD = ['', 'ours', 'peer', 'ratio', 'aim', 'reached']

/** The section as lines: title, table and notes. */
export function sectionLines({ name, title, rows, notes }: Section): string[] {
  const cells = [HEAD, ...rows.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => width(row[column]))))
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  )
  const rule = widths.map((count) => '-'.repeat(count)).join('  ')
  return [
    `${name}: ${title}`,
    '',
    lines[0] ?? '',
    rule,
    ...lines.slice(1),
    ...(notes.length > 0 ? [''] : []),
    ...notes.map((note) => `note: ${note}`),
    '',
  ]
}

function cellsOf({ what, ours, peer, peerName, ratio, aim, reached }: Row): string[] {
  const peerText = peer === null ? peerName : `${figureText(peer)} (${peerName})`
  return [
    what,
    ours === null ? '-' : figureText(ours),
    peerText === '' ? '-' : peerText,
    ratio === null ? '-' : ratio.toFixed(ratio < 0.1 ? 3 : ratio < 10 ? 2 : 0),
    aim === '' ? '-' : aim,
    reached === null ? '-' : reached ? 'yes' : 'no',
  ]
}

/** The median with its unit, and the range of the rounds: `2,410/s [2,300..2,520]`. */
export function figureText({ value, unit, range: [least, most] }: Figure): string {
  return `${withUnit(value, unit)} [${numberText(least)}..${numberText(most)}]`
}

function withUnit(value: number, unit: Unit): string {
  return unit === '/s' ? `${numberText(value)}/s` : `${numberText(value)} ${unit}`
}

/** Three digits that mean something, and no more. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return '?'
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
  const text = value.toFixed(digits)
  return size >= 1000 ? Number(text).toLocaleString('en-US') : text
}

function width(text: string | undefined): number {
  return text?.length ?? 0
}

// Draws who can become whom as inline SVG, for the page in one file.

import type { Audit } from '../finding.ts'
import { escaped } from './escaped.ts'
import { BOX, type DrawnArrow, type DrawnBox, graphLayout } from './graph-layout.ts'

export interface Drawing {
  readonly svg: string
  readonly drawn: number
  readonly left: number
}

/** null where nobody becomes anybody. */
export function drawingOf(audit: Audit): Drawing | null {
  const layout = graphLayout(audit)
  if (layout === null) return null
  const { width, height, boxes, arrows, left } = layout
  const svg = [
    `<svg role="img" aria-label="who can become whom" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
    '<path d="M0 0 8 4 0 8z" class="tip"/></marker></defs>',
    ...arrows.map(arrow),
    ...boxes.map(box),
    '</svg>',
  ].join('\n')
  return { svg, drawn: boxes.length, left }
}

function box({ arn, kind, name, facts, x, y }: DrawnBox): string {
  return [
    `<g class="box ${kind}"><title>${escaped(arn)}</title>`,
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="4"/>`,
    `<text x="${x + 8}" y="${y + 15}" class="name">${escaped(name)}</text>`,
    `<text x="${x + 8}" y="${y + 28}" class="kind">${escaped(facts)}</text></g>`,
  ].join('')
}

function arrow({ path, isSure, words }: DrawnArrow): string {
  return `<path d="${path}" class="edge ${isSure ? 'sure' : 'may'}" marker-end="url(#tip)"><title>${escaped(words)}</title></path>`
}

// Bars over weeks as SVG within a page: stacked parts, each bar with its words, weeks that are marked with a
// sign and not by colour alone.

import { type Bar, barLayout, markPath } from './bar-layout.ts'
import { Markup as Made, type Markup, markup } from './markup.ts'

export function barChart(all: readonly Bar[], caption: string): Markup {
  const { width, height, left, bars, lines } = barLayout(all)
  const drawn = bars.map((placed) => {
    const { bar, middle, isNamed, parts } = placed
    const rects = parts.map(
      ({ kind, ...at }) =>
        markup`<rect class="${kind}" x="${at.x}" y="${at.y}" width="${at.width}" height="${at.height}"/>`,
    )
    const name = isNamed
      ? markup`<text x="${middle}" y="${height - 10}" text-anchor="middle">${bar.name}</text>`
      : ''
    const mark = bar.isMarked ? markup`<path class="mark" d="${markPath(placed)}"/>` : ''
    return markup`<g><title>${bar.words}</title>${rects}${mark}${name}</g>\n`
  })
  const grid = lines.map(({ y, name }) => {
    const words = markup`<text x="${left - 8}" y="${y}" dy="4" text-anchor="end">${name}</text>`
    return markup`<line class="grid" x1="${left}" x2="${width}" y1="${y}" y2="${y}"/>${words}`
  })
  return markup`<figure><div class="wide"><svg viewBox="0 0 ${new Made(String(width))} ${new Made(String(height))}" role="img" aria-label="${caption}">
${grid}
${drawn}</svg></div><figcaption>${caption}</figcaption></figure>`
}

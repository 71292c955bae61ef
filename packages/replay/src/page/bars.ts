// Bars over weeks as SVG within a page: stacked parts, each bar with its words, weeks that are marked with a
// sign and not by colour alone.

import { Markup as Made, type Markup, markup } from './markup.ts'

export interface Bar {
  readonly name: string
  /** From the bottom up. */
  readonly parts: readonly { readonly kind: 'allow' | 'review' | 'deny'; readonly value: number }[]
  /** What is said where the pointer rests, and to who does not see. */
  readonly words: string
  readonly isMarked?: boolean
}

const WIDTH = 1040
const HEIGHT = 220
const LEFT = 56
const BOTTOM = 28
const TOP = 22
/** Names of weeks that fit beneath. */
const NAMES_MAX = 9

export function barChart(bars: readonly Bar[], caption: string): Markup {
  const sums = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0))
  const most = niceMost(Math.max(1, ...sums))
  const step = (WIDTH - LEFT) / Math.max(1, bars.length)
  const wide = Math.max(1, Math.min(48, step * 0.7))
  const high = HEIGHT - BOTTOM - TOP
  const every = Math.ceil(bars.length / NAMES_MAX)
  const drawn = bars.map((bar, at) => {
    const x = LEFT + at * step + (step - wide) / 2
    let y = HEIGHT - BOTTOM
    const parts = bar.parts.map(({ kind, value }) => {
      // What is there is seen, however small beside the rest.
      const tall = value === 0 ? 0 : Math.max(1.5, (value / most) * high)
      y -= tall
      return markup`<rect class="${kind}" x="${fixed(x)}" y="${fixed(y)}" width="${fixed(wide)}" height="${fixed(tall)}"/>`
    })
    const middle = fixed(x + wide / 2)
    const name =
      at % every === 0
        ? markup`<text x="${middle}" y="${HEIGHT - 10}" text-anchor="middle">${bar.name}</text>`
        : ''
    const mark = bar.isMarked
      ? markup`<path class="mark" d="M${middle} ${fixed(y - 3)}l-6 -10h12z"/>`
      : ''
    return markup`<g><title>${bar.words}</title>${parts}${mark}${name}</g>\n`
  })
  const lines = [0, 0.5, 1].map((part) => {
    const y = fixed(HEIGHT - BOTTOM - part * high)
    const name = markup`<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end">${(most * part).toLocaleString('en-US')}</text>`
    return markup`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/>${name}`
  })
  return markup`<figure><div class="wide"><svg viewBox="0 0 ${new Made(String(WIDTH))} ${new Made(String(HEIGHT))}" role="img" aria-label="${caption}">
${lines}
${drawn}</svg></div><figcaption>${caption}</figcaption></figure>`
}

/** The next of these times a power of ten; half of it is whole too. */
function niceMost(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 3, 4, 6, 8, 10].find((one) => one * power >= value) ?? 10
  return Math.max(2, step * power === 1 || step * power === 3 ? step * power + 1 : step * power)
}

function fixed(value: number): string {
  return value.toFixed(1)
}

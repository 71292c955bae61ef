// Where the bars of a chart stand: weeks side by side, parts on one another. The page in one file and the console
// both draw from it.

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

/** A chart in units of its own: `width` by `height`. */
export interface BarLayout {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly bars: readonly PlacedBar[]
  readonly lines: readonly { readonly y: string; readonly name: string }[]
}

export interface PlacedBar {
  readonly bar: Bar
  readonly middle: string
  /** Whether there is room for its name. */
  readonly isNamed: boolean
  readonly top: number
  readonly parts: readonly {
    readonly kind: Bar['parts'][number]['kind']
    readonly x: string
    readonly y: string
    readonly width: string
    readonly height: string
  }[]
}

export function barLayout(bars: readonly Bar[]): BarLayout {
  const sums = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0))
  const most = niceMost(Math.max(1, ...sums))
  const step = (WIDTH - LEFT) / Math.max(1, bars.length)
  const wide = Math.max(1, Math.min(48, step * 0.7))
  const high = HEIGHT - BOTTOM - TOP
  const every = Math.ceil(bars.length / NAMES_MAX)
  const placed = bars.map((bar, at): PlacedBar => {
    const x = LEFT + at * step + (step - wide) / 2
    let y = HEIGHT - BOTTOM
    const parts = bar.parts.map(({ kind, value }) => {
      // What is there is seen, however small beside the rest.
      const tall = value === 0 ? 0 : Math.max(1.5, (value / most) * high)
      y -= tall
      return { kind, x: fixed(x), y: fixed(y), width: fixed(wide), height: fixed(tall) }
    })
    return { bar, middle: fixed(x + wide / 2), isNamed: at % every === 0, top: y, parts }
  })
  const lines = [0, 0.5, 1].map((part) => ({
    y: fixed(HEIGHT - BOTTOM - part * high),
    name: (most * part).toLocaleString('en-US'),
  }))
  return { width: WIDTH, height: HEIGHT, left: LEFT, bars: placed, lines }
}

/** The sign above a bar that is marked, as a path. */
export function markPath({ middle, top }: PlacedBar): string {
  return `M${middle} ${fixed(top - 3)}l-6 -10h12z`
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

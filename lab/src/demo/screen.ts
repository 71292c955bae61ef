// The demo's screen: one row a step, who did it, what it was, and beside it how the customers fared
// meanwhile. On a terminal the row under way is drawn again as it grows; in a pipe it is printed when
// it is over. Nothing is wider than 79 columns, and nothing is told by colour alone.
import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

const WIDTH = 79
const ACTOR_WIDTH = 10
const MARKS_WIDTH = 14
const TEXT_WIDTH = WIDTH - 2 - ACTOR_WIDTH - 1 - MARKS_WIDTH
const INDENT = ' '.repeat(2 + ACTOR_WIDTH)
/** Marks kept for one row; it shows groups of them. */
const MARKS_MAX = 18_000

type Style = Parameters<typeof styleText>[0]

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

interface Row {
  readonly actor: string
  text: string
  readonly below: string[]
  /** True for each question that was answered right. */
  readonly marks: boolean[]
}

export class Screen {
  readonly #output: Output
  readonly #isLive: boolean
  #row: Row | null = null

  constructor(output: Output) {
    this.#output = output
    this.#isLive = output.isTTY === true && (output.columns ?? 0) > WIDTH
  }

  /** Plain lines, after the row under way. */
  print(...lines: readonly string[]): void {
    this.end()
    for (const line of lines) this.#output.write(`${line}\n`)
  }

  heading(text: string): void {
    this.print(this.#styled('bold', `${text.padEnd(WIDTH - MARKS_WIDTH)}customers`))
  }

  /** Begins a row; `below` are lines under it, wrapped. */
  step(actor: string, text: string, below: readonly string[] = []): void {
    this.end()
    const [first = '', ...rest] = wrapped(text, TEXT_WIDTH)
    const lines = [...rest, ...below.flatMap((line) => wrapped(line, WIDTH - INDENT.length))]
    this.#row = { actor, text: first, below: lines, marks: [] }
    if (this.#isLive) this.#draw(this.#row)
  }

  /** Changes the text of the row under way, where it is the one of `actor`. */
  amend(actor: string, change: (text: string) => string): void {
    if (this.#row === null || this.#row.actor !== actor) return
    this.#row.text = change(this.#row.text).slice(0, TEXT_WIDTH)
    this.#redraw(this.#row)
  }

  /** One question of a customer was answered. */
  mark(isRight: boolean): void {
    if (this.#row === null || this.#row.marks.length >= MARKS_MAX) return
    this.#row.marks.push(isRight)
    this.#redraw(this.#row)
  }

  /** Ends the row under way. */
  end(): void {
    if (this.#row !== null && !this.#isLive) this.#draw(this.#row)
    this.#row = null
  }

  #draw(row: Row): void {
    const below = row.below.map((line) => `${INDENT}${this.#styled('dim', line)}`)
    this.#output.write([this.#line(row), ...below, ''].join('\n'))
  }

  #redraw(row: Row): void {
    if (!this.#isLive) return
    const up = row.below.length + 1
    this.#output.write(`\u001b[${up}A\r\u001b[2K${this.#line(row)}\u001b[${up}B\r`)
  }

  #line({ actor, text, marks }: Row): string {
    const who = this.#styled('bold', actor.padEnd(ACTOR_WIDTH))
    const beside = grouped(marks)
      .map((isRight) => (isRight ? this.#styled('green', '·') : this.#styled('red', 'x')))
      .join('')
    return `  ${who}${text.padEnd(TEXT_WIDTH + 1)}${beside}`.trimEnd()
  }

  #styled(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#output })
  }
}

/** At most MARKS_WIDTH marks; one that stands for several is right only if all of them were. */
function grouped(marks: readonly boolean[]): readonly boolean[] {
  const size = Math.ceil(marks.length / MARKS_WIDTH)
  const groups: boolean[] = []
  for (let at = 0; at < marks.length; at += size) {
    groups.push(marks.slice(at, at + size).every((isRight) => isRight))
  }
  return groups
}

/** Wraps at word ends; a line that begins with spaces keeps them. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<=\S) /)) {
    const joined = line === '' ? word : `${line} ${word}`
    if (joined.length <= width || line === '') line = joined
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}

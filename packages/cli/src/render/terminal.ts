// Words and tables on a terminal or in a pipe: colour only where a person looks at it, nothing by
// colour alone, nothing wider than it must be.
import { styleText } from 'node:util'
import { withoutHidden } from '@seconder/gateway/lib/plain-text'

export type Tone = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim'

/** Colours `text` on a terminal that wants it; elsewhere returns it as it is. */
export function toned(tone: Tone | readonly Tone[], text: string): string {
  return styleText(tone as Parameters<typeof styleText>[0], text, { stream: process.stdout })
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/**
 * A plain table: two spaces between columns, the header dim. Cells hold no colour codes, nor anything else that a
 * terminal obeys: a ledger or a gate of somebody else may hold what it likes.
 */
export function table(header: readonly string[], given: readonly (readonly string[])[]): string {
  const rows = given.map((cells) => cells.map(withoutHidden))
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [toned('dim', line(header)), ...rows.map(line)].join('\n')
}

/**
 * Wraps plain text at word ends, and a longer word where it must be: else the terminal would begin a line of its
 * own with it, beside what marks the others.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  const longest = new RegExp(`.{1,${width}}`, 'gsu')
  for (const word of text.split(' ').flatMap((each) => each.match(longest) ?? [each])) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

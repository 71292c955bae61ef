// Words and tables on a terminal or in a pipe: colour only where a person looks at it, nothing by
// colour alone, nothing wider than it must be.
import { styleText } from 'node:util'

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

/** A plain table: two spaces between columns, the header dim. Cells hold no colour codes. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
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

/** Wraps plain text at word ends. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

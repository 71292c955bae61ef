// What a new epoch would change, on a terminal: each line that goes and comes, with what is hidden in it visible.
import type { Difference, DifferingLine } from '@seconder/gateway/epoch/difference'
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import { type Tone, toned } from './terminal.ts'

/** A line of a policy is shown whole: what a cut hides would be signed unseen. */
const LINE_CHARS_MAX = 4 * 1024 * 1024
const TONES: Readonly<Record<DifferingLine['mark'], Tone | null>> = {
  '-': 'red',
  '+': 'green',
  '…': 'dim',
  ' ': null,
}

export function differenceLines(differences: readonly Difference[]): string[] {
  return differences.flatMap(({ what, lines }) => [
    toned('bold', escapeUntrusted(what)),
    ...lines.map(({ mark, text }) => {
      const line = `${mark} ${escapeUntrusted(text, LINE_CHARS_MAX)}`
      const tone = TONES[mark]
      return tone === null ? line : toned(tone, line)
    }),
    '',
  ])
}

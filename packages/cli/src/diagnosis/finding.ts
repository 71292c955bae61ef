// The noun of `seconder doctor`: one thing that was looked at, how it stands, and what to do next.
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import { type Tone, toned } from '../render/terminal.ts'

/** `unknown`: could not look; never counted as well. */
export type State = 'ok' | 'unknown' | 'warning' | 'broken'

export interface Finding {
  readonly state: State
  readonly what: string
  readonly found: string
  /** What to do; null where nothing needs to be done. */
  readonly next: string | null
}

export const ok = (what: string, found: string): Finding => ({
  state: 'ok',
  what,
  found,
  next: null,
})
export const unknown = (what: string, found: string, next: string): Finding => ({
  state: 'unknown',
  what,
  found,
  next,
})
export const warning = (what: string, found: string, next: string): Finding => ({
  state: 'warning',
  what,
  found,
  next,
})
export const broken = (what: string, found: string, next: string): Finding => ({
  state: 'broken',
  what,
  found,
  next,
})

const WORST_FIRST: readonly State[] = ['broken', 'warning', 'unknown', 'ok']
const WORD: Record<State, string> = {
  broken: 'BROKEN',
  warning: 'warning',
  unknown: 'unseen',
  ok: 'ok',
}
const TONE: Record<State, Tone> = { broken: 'red', warning: 'yellow', unknown: 'cyan', ok: 'green' }

/** One line a finding, worst first, and below it what to do next. */
export function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ what }) => what.length))
  return WORST_FIRST.flatMap((state) => findings.filter((one) => one.state === state)).flatMap(
    ({ state, what, found, next }) => {
      const head = `${toned(TONE[state], WORD[state].padEnd(8))}${what.padEnd(width + 2)}`
      const below = next === null ? [] : [`${' '.repeat(8 + width + 2)}-> ${safe(next)}`]
      return [`${head}${safe(found)}`, ...below]
    },
  )
}

/** `3 broken, 1 warning, 2 unseen, 9 ok`. */
export function countWords(findings: readonly Finding[]): string {
  return WORST_FIRST.map((state) => ({
    state,
    count: findings.filter((one) => one.state === state).length,
  }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${WORD[state].toLowerCase()}`)
    .join(', ')
}

function safe(text: string): string {
  return escapeUntrusted(text, 500)
}

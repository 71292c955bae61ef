// A right-sized role in words: what was recorded, what the new policies add beyond it, what stays and why,
// what goes and when it was last used, and that the proof holds.

import { escapeUntrusted, flagged } from '@seconder/gateway/lib/plain-text'
import { QUARTER_DAYS } from '../kept.ts'
import type { RightSized } from '../right-size.ts'
import { CHARS_MAX } from '../sized.ts'
import type { PrincipalUse, TrailUse } from '../trail-use.ts'
import { dayOf } from '../trail-use.ts'
import type { TerminalOptions } from './terminal.ts'

export interface Removed {
  readonly action: string
  readonly destructive: boolean
}

export interface Sizing {
  readonly sized: RightSized
  readonly use: PrincipalUse
  readonly trail: Omit<TrailUse, 'principals'>
  /** Changes that the role may do now and did not in the window. */
  readonly removed: readonly Removed[]
  /** Actions of the new policy that take something down. */
  readonly destroyed: readonly string[]
}

const SHOWN = 12

export function sizingLines(
  { sized, use, trail, removed, destroyed }: Sizing,
  { toned }: Pick<TerminalOptions, 'toned'>,
): string[] {
  const window = `${trail.from ?? '?'} to ${trail.to ?? '?'}, ${trail.days} days`
  const lines = [
    toned('bold', shown(sized.role)),
    `${use.events} events from ${window}: ${sized.needs.length} rights used${use.refused > 0 ? `, ${use.refused} refusals left out` : ''}`,
  ]
  if (trail.days < QUARTER_DAYS) {
    lines.push(
      toned(
        'yellow',
        'The window is shorter than a quarter: what runs once a quarter, and restores, are not in it.',
      ),
    )
  }
  if (trail.faults > 0)
    lines.push(toned('yellow', `${trail.faults} files of the trail could not be read whole`))
  for (const [name, count] of use.unmapped) {
    lines.push(toned('yellow', `${count} events of ${shown(name)}: nobody knows what they need`))
  }
  lines.push('')
  for (const { name, kind, chars } of [...sized.policies, sized.boundary, sized.scp]) {
    lines.push(`${kind.padEnd(8)} ${shown(name)}  ${chars} of ${CHARS_MAX[kind]} characters`)
  }
  for (const note of sized.notes) lines.push(toned('yellow', shown(note)))
  lines.push('', ...collapseLines(sized, toned))
  for (const { policy, statement, because } of sized.kept) {
    const sid = typeof statement['Sid'] === 'string' ? statement['Sid'] : 'without a Sid'
    lines.push(`kept: ${shown(sid)} of ${shown(policy)}, because ${shown(because)}`)
  }
  if (destroyed.length > 0) {
    lines.push(
      toned('yellow', `Destructive, and allowed because used: ${destroyed.map(shown).join(', ')}`),
      toned(
        'dim',
        '  leave them out with --without PATTERN, and let a second person decide at the gate',
      ),
    )
  }
  for (const { action, resource } of sized.leftOut) {
    lines.push(`left out, as you said: ${shown(action)} on ${shown(resource)}`)
  }
  lines.push('', ...removedLines(removed, toned), '', ...lastLines(use, toned), '')
  lines.push(
    sized.failing.length === 0
      ? toned(
          'green',
          `Proved: all ${sized.proved} recorded rights pass under the new policies, boundary and SCP.`,
        )
      : toned('red', `${sized.failing.length} recorded rights would not pass: do not apply this.`),
  )
  for (const { action, resource } of sized.failing.slice(0, SHOWN)) {
    lines.push(`  ${shown(action)} on ${shown(resource)}`)
  }
  return lines
}

function collapseLines({ collapses }: RightSized, toned: TerminalOptions['toned']): string[] {
  if (collapses.length === 0) return ['Nothing was widened: every right is one that was used.']
  return collapses.flatMap(({ pattern, instead, adds, because }) => [
    `${shown(pattern)} instead of ${instead.length} ${instead.length === 1 ? 'name' : 'names'}, because ${because}; it adds:`,
    toned(
      'dim',
      `  ${adds.slice(0, SHOWN).map(shown).join(', ')}${adds.length > SHOWN ? ` and ${adds.length - SHOWN} more` : ''}`,
    ),
  ])
}

function removedLines(removed: readonly Removed[], toned: TerminalOptions['toned']): string[] {
  const worst = removed.filter(({ destructive }) => destructive)
  const names = [...worst, ...removed.filter(({ destructive }) => !destructive)]
  return [
    `${removed.length} kinds of changes go, ${worst.length} of them destructive; none was used in the window:`,
    toned(
      'dim',
      `  ${names
        .slice(0, SHOWN)
        .map(({ action }) => action)
        .join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more (--json)` : ''}`,
    ),
  ]
}

function lastLines({ lastByAction }: PrincipalUse, toned: TerminalOptions['toned']): string[] {
  const oldest = [...lastByAction.values()].sort((a, b) => a.last - b.last).slice(0, SHOWN)
  return [
    'Used longest ago:',
    ...oldest.map(({ action, last }) =>
      toned('dim', `  ${last === 0 ? '????-??-??' : dayOf(last)}  ${shown(action)}`),
    ),
  ]
}

function shown(text: string): string {
  return flagged(escapeUntrusted(text))
}

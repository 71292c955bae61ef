// Words and signs of an audit that the page in one file and the console both show.

import type { Audit, PrincipalRow, Severity } from '../finding.ts'

export const MARKS: Readonly<Record<Severity, string>> = {
  critical: '■',
  high: '◆',
  medium: '▲',
  low: '●',
  note: '○',
}

export function adminWords({ rules, reachesAdmin }: PrincipalRow): string {
  if (rules === 'yes') return '■ is'
  if (reachesAdmin === 'yes') return '◆ reaches'
  return reachesAdmin === 'unknown' ? '▲ may reach' : 'no'
}

/** Behind an administrator nobody is named: that is everybody. */
export function becomesWords({ rules, reachesAdmin, reaches }: PrincipalRow): string {
  return rules === 'yes' || reachesAdmin === 'yes' ? 'everybody' : String(reaches.length)
}

/** The day of the last use, of the trail where there is one. */
export function lastWords({ trail, lastUsed }: PrincipalRow): string {
  return trail?.last ?? lastUsed?.slice(0, 10) ?? '–'
}

/** How many go round the gate; that nobody was found is no proof where not everybody was read. */
export function roundersWords({ rounders, whole, principals }: Audit): string {
  if (rounders.length > 0) {
    const count = rounders.filter(({ excepted }) => !excepted).length
    return `${count} can act on production and nobody is asked.`
  }
  return whole && principals.every(({ unread }) => unread.length === 0)
    ? 'Nobody was found.'
    : 'Nobody was found, but not everybody could be read: this proves nothing.'
}

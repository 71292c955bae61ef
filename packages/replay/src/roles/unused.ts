// What a principal may take down and, in the whole of a trail, did not; what is for emergencies or comes once
// a quarter is said to be so, and left alone.

import { PRODUCTION } from '@seconder/gateway/describe/environments'
import type { Destruction } from './destruction.ts'
import type { Identity } from './estate.ts'
import type { Finding, PrincipalRow, TrailFacts } from './finding.ts'
import { trimFix } from './fixes.ts'
import { QUARTER_DAYS, seldomUsed } from './kept.ts'
import { dayOf, type TrailUse, useOfPrincipal } from './trail-use.ts'
import { weightOf } from './words.ts'

export function trailFacts(trail: TrailUse, arn: string, destroys: Destruction): TrailFacts {
  const use = useOfPrincipal(trail, arn)
  const last = Math.max(0, ...[...(use?.lastByAction.values() ?? [])].map((each) => each.last))
  const destroyed = destroys.actions.flatMap(({ action }) => {
    const used = use?.lastByAction.get(action.toLowerCase())
    return used === undefined ? [] : [{ action, last: dayOf(used.last) }]
  })
  return {
    events: use?.events ?? 0,
    last: last === 0 ? null : dayOf(last),
    destroyed,
    unused: destroys.actions.length - destroyed.length,
  }
}

/** null where it used some of it, may do nothing of the kind, or no trail was given. */
export function unusedFinding(
  row: PrincipalRow,
  identity: Identity,
  trail: TrailUse | null,
): Finding | null {
  if (trail === null || row.trail === null || row.destroys.actions.length === 0) return null
  if (row.trail.destroyed.length > 0) return null
  const seldom = seldomUsed(identity)
  const isProduction = row.destroys.certain.includes(PRODUCTION)
  const window = `${trail.from ?? '?'} to ${trail.to ?? '?'} (${trail.days} days)`
  const short =
    trail.days < QUARTER_DAYS ? ' The window is shorter than a quarter: ask before you trim.' : ''
  const seen =
    row.trail.events === 0
      ? 'It does not appear in the trail at all'
      : `It appears with ${row.trail.events} events and none of them is of that kind`
  return {
    rule: 'roles/unused',
    severity: seldom ? 'note' : isProduction ? 'medium' : 'low',
    subject: row.arn,
    account: row.account,
    isAgent: row.isAgent,
    dependsOn: [],
    title: `It may take down ${row.trail.unused} kinds of things and did not, from ${window}`,
    words: `${seen}.${seldom ? ` It is kept, because ${seldom}.` : short}`,
    evidence: row.destroys.actions[0]?.answer.evidence ?? [],
    path: [],
    environments: row.environments,
    fix: trimFix(row),
    weight: weightOf(row.destroys),
  }
}

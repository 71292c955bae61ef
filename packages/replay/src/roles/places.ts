// Which environments a pattern of ARNs may lie in, by the rows of seconder.yaml and nothing else; what no
// row holds is production, as at the gate.

import { globOf, relation } from '@seconder/aws/iam/glob'
import type { EnvironmentRow } from '@seconder/gateway/config'
import { PRODUCTION } from '@seconder/gateway/describe/environments'

/** Every environment that something of the pattern may be in, in the order of the rows. */
export function environmentsTouched(
  rows: readonly EnvironmentRow[],
  pattern: string,
  account: string,
): string[] {
  const found = new Set<string>()
  for (const row of rows) {
    if (!row.accounts.includes(account)) continue
    // A bucket's name is global and says no account: only a row that names it holds it.
    if (row.arns === undefined && /^arn:[^:]*:s3:::/.test(pattern)) continue
    const related = row.arns === undefined ? 'yes' : held(row.arns, pattern)
    if (related === 'no') continue
    found.add(row.name)
    if (related === 'yes') return [...found]
  }
  return [...found.add(PRODUCTION)]
}

function held(arns: readonly string[], pattern: string): 'yes' | 'no' | 'unknown' {
  let sum: 'no' | 'unknown' = 'no'
  for (const arn of arns) {
    const related = arnRelation(arn, pattern)
    if (related === 'yes') return 'yes'
    if (related === 'unknown') sum = 'unknown'
  }
  return sum
}

/** Parts of an ARN before that of the resource, in which no `:` can stand. */
const PARTS = 5

/**
 * As `relation`, but a `*` in one part of an ARN does not reach into the next: no name of a thing holds what
 * looks like an ARN. Patterns that are shorter than an ARN are compared as texts.
 */
export function arnRelation(pattern: string, subject: string): 'yes' | 'no' | 'unknown' {
  const whole = relation(globOf(pattern), globOf(subject))
  if (whole !== 'unknown') return whole
  const left = partsOf(pattern)
  const right = partsOf(subject)
  if (left === null || right === null) return whole
  const apart = left.some((part, at) => relation(globOf(part), globOf(right[at] ?? '')) === 'no')
  return apart ? 'no' : 'unknown'
}

function partsOf(arn: string): string[] | null {
  const parts = arn.split(':')
  if (parts.length <= PARTS) return null
  return [...parts.slice(0, PARTS), parts.slice(PARTS).join(':')]
}

/** Production first, then in the order of the rows, the rest by name. */
export function inOrder(rows: readonly EnvironmentRow[], names: Iterable<string>): string[] {
  const place = (name: string) => {
    const at = rows.findIndex((row) => row.name === name)
    return name === PRODUCTION ? -1 : at === -1 ? rows.length : at
  }
  return [...new Set(names)].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
}

// Where an environment comes from: operator configuration, keyed by account and ARN pattern, and from
// nothing else. Tags, names and what a session could have written are not read here (red team C6).
import type { EnvironmentRow } from '../config.ts'

export const PRODUCTION = 'production'

/** Returns the environment of a resource: the first row that certainly holds it, else production. */
export function environmentOf(
  rows: readonly EnvironmentRow[],
  resource: { readonly arn: string; readonly account: string },
): string {
  for (const row of rows) {
    if (!row.accounts.includes(resource.account)) continue
    // A bucket's name is global and says no account: only a row that names the bucket can hold it.
    if (row.arns === undefined && isBucket(resource.arn)) continue
    if (row.arns === undefined || row.arns.some((pattern) => covers(pattern, resource.arn)))
      return row.name
    // An ARN that is itself a pattern may reach into this row; if the row is production, it does.
    if (row.name === PRODUCTION && /[*?]/.test(resource.arn)) return PRODUCTION
  }
  return PRODUCTION
}

function isBucket(arn: string): boolean {
  return /^arn:[^:]*:s3:::/.test(arn)
}

/**
 * True when every ARN that `arn` may stand for matches `pattern`. A `*` in `arn` must meet a `*` in the
 * pattern, so that an unresolved ARN is never taken for the narrower one. Linear in the input.
 */
export function covers(pattern: string, arn: string): boolean {
  let p = 0
  let a = 0
  let star = -1
  let starAt = 0
  while (a < arn.length) {
    const want = pattern[p]
    const have = arn[a]
    if (want === '*') {
      star = p++
      starAt = a
    } else if (want !== undefined && have !== '*' && (want === have || want === '?')) {
      p++
      a++
    } else if (star !== -1) {
      p = star + 1
      a = ++starAt
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

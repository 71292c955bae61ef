// Where an environment comes from: operator configuration, keyed by account and ARN pattern, and from
// nothing else. Tags, names and what a session could have written are not read here (red team C6).
import type { CallResource } from '@seconder/aws/call'
import type { EnvironmentRow } from '../config.ts'
import type { Resource } from './action.ts'
import type { GuardRules } from './guarded.ts'

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

/** Which environments each role reaches, by ARN: data of operator configuration (red team H8). */
export type RoleReach = Readonly<Record<string, { readonly environments: readonly string[] }>>

/** What says which environment a thing is in, and what is not the agent's to change lightly. */
export interface PlaceRules extends GuardRules {
  readonly environments: readonly EnvironmentRow[]
  readonly roleReach: RoleReach
}

/**
 * Every environment that a role counts as when it is lent, edited or run under: its own and those it
 * reaches. A role that is not in the data, and one that nobody could name, reach production.
 */
export function environmentsOfRole(
  { environments, roleReach }: PlaceRules,
  role: { readonly arn: string; readonly account: string },
): readonly string[] {
  const own = environmentOf(environments, role)
  const reached = Object.hasOwn(roleReach, role.arn) ? roleReach[role.arn] : undefined
  return [...new Set([own, ...(reached?.environments ?? [PRODUCTION])])]
}

/** A resource of a call, once for each environment it counts as: policy then meets the strictest. */
export function placed(
  rules: PlaceRules,
  call: { readonly account: string; readonly region: string },
  resource: CallResource,
): Resource[] {
  const { arn, type } = resource
  const account = accountOf(arn, call.account)
  const environments =
    type === 'role' && (arn === '*' || /^arn:[^:]*:iam::/.test(arn))
      ? environmentsOfRole(rules, { arn, account })
      : [environmentOf(rules.environments, { arn, account })]
  return environments.map((environment) => ({
    ...resource,
    account,
    region: call.region,
    environment,
  }))
}

/** The account an ARN names; S3's and `*` name none, and then the caller's own account is meant. */
function accountOf(arn: string, caller: string): string {
  const named = arn.split(':')[4]
  return named !== undefined && /^\d{12}$/.test(named) ? named : caller
}

// What a trail is tried on: a policy set, and where there is a configuration its environments, roles and
// protected things. Portable: `load-rules.ts` reads them from files, a browser has them from its gate.

import type { DecideContext } from '@seconder/gateway/decide/decision'
import { loadPolicySet, type PolicySet } from '@seconder/gateway/decide/policy-set'
import type { PlaceRules } from '@seconder/gateway/describe/environments'
import type { EpochContent } from '@seconder/gateway/epoch/content'

export interface Rules {
  /** What they were loaded from, for the report. */
  readonly from: string
  readonly policySet: PolicySet
  readonly places: PlaceRules
  /** Role ARN to the name that policies know it by. */
  readonly roleNames: ReadonlyMap<string, string>
  /** True where environments come from a configuration; else all is production. */
  readonly isConfigured: boolean
  readonly isolation: DecideContext['isolation']
  /** Files that, changed, make other rules. */
  readonly watched: readonly string[]
}

/** What a gate decides with, as its API and its epochs have it. */
export type RulesContent = Pick<
  EpochContent,
  'schema' | 'policies' | 'environments' | 'roles' | 'roleReach' | 'protect' | 'ownAccounts'
>

/**
 * The rules of a gate's epoch; `from` is what the report calls them. Errors: PolicyError.
 */
export async function rulesOf(
  content: RulesContent,
  from: string,
  isolation: DecideContext['isolation'] = 'user',
): Promise<Rules> {
  const { schema, policies, environments, roles, roleReach = {}, protect, ownAccounts } = content
  return {
    from,
    policySet: await loadPolicySet({ schema, policies }),
    places: {
      environments,
      roleReach,
      ...(protect && { protect }),
      ...(ownAccounts && { accounts: ownAccounts }),
    },
    roleNames: new Map(Object.entries(roles).map(([name, { arn }]) => [arn, name])),
    isConfigured: true,
    isolation,
    watched: [],
  }
}

/**
 * Whether the answer to a call can depend on the names of what it touches. Where it cannot, calls that
 * differ in nothing else have one answer.
 */
export function readsNames({ policySet, isConfigured }: Rules): boolean {
  return (
    isConfigured ||
    [...policySet.slices.values()].some(({ resourceFacts }) => resourceFacts.has('arn'))
  )
}

/** Whether it can depend on who calls. */
export function readsPrincipal({ policySet }: Rules): boolean {
  return [...policySet.slices.values()].some(({ principalFacts }) => principalFacts.length > 0)
}

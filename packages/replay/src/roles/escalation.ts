// The nouns of escalation: a row says which actions together let a principal act as somebody else, or as
// more than it is. The rows are knowledge in own words; each names where it is described.
// `lend`: a new thing of a service runs under any role that may be passed to it. `existing`: a thing that
// runs under a role already does the caller's bidding. `self`: the principal changes what its own policies
// say. `take`: it becomes a user or a role, for `as: 'any-policy'` after widening it.

interface Row {
  /** The id at pathfinding.cloud, or `seconder-...` for rows of our own. */
  readonly id: string
  readonly about: string
  readonly source: string
}

export interface LendRow extends Row {
  readonly kind: 'lend'
  /** Service principals, of which the role must trust one. */
  readonly services: readonly string[]
  /** Beside iam:PassRole on the role. */
  readonly actions: readonly string[]
  /** The role must be in an instance profile. */
  readonly throughProfile?: boolean
  /** What must exist and an export of IAM does not say. */
  readonly needs?: string
}

export interface ExistingRow extends Row {
  readonly kind: 'existing'
  readonly services: readonly string[]
  readonly actions: readonly string[]
  readonly throughProfile?: boolean
  /** What must exist under the role; an export of IAM does not say it. */
  readonly needs: string
}

/** On which thing of the principal's own the action must be allowed. */
export type OwnThing = 'self' | 'own-policy' | 'own-group' | 'other-group' | 'own-boundary'

export interface SelfRow extends Row {
  readonly kind: 'self'
  readonly of: readonly ('user' | 'role')[]
  readonly action: string
  readonly on: OwnThing
  /** `policy-version`: only what an older version of the policy allows. */
  readonly gives: 'any-policy' | 'group' | 'unbounded' | 'policy-version'
  /** The action takes an ARN of a policy that iam:PolicyARN can hold to. */
  readonly attaches?: boolean
}

export type TakeStep =
  | {
      readonly action: string
      readonly on: 'target' | 'target-policy'
      readonly attaches?: boolean
    }
  /** By the trust of the role as it is. */
  | { readonly on: 'trust' }
  /** By a trust that the principal writes itself. */
  | { readonly on: 'new-trust' }

export interface TakeRow extends Row {
  readonly kind: 'take'
  readonly target: 'user' | 'role'
  readonly steps: readonly TakeStep[]
  readonly as: 'nothing' | 'any-policy'
  readonly needs?: string
}

/** Where pathfinding.cloud describes one of its paths. */
export function pathfinding(id: string): string {
  return `https://pathfinding.cloud/paths/${id}`
}

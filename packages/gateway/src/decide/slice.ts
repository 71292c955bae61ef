// Slices: for one effect in one environment, the policies that could match, so that Cedar (which is
// linear in the number of policies) is asked about few. A slice may hold too much, never too
// little: a missing forbid would be an allow. Whatever a scope does not exclude for certain is in.
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Effect } from '../describe/action.ts'
import { type Expression, partsOf, type Variable } from './expression.ts'

/** What slicing knows of one policy: what its scope excludes, and what it reads of the resource. */
export interface Reach {
  /** Actions and action groups the scope names; null when the scope names none. */
  readonly actions: readonly string[] | null
  /** The one environment the resource must be in; null when it may be in any. */
  readonly environment: string | null
  /** Every environment that the policy names, in its scope or in a condition. */
  readonly environmentsNamed: readonly string[]
  /** Attributes of the resource that the policy reads; `arn` stands for the entity itself too. */
  readonly resourceFacts: readonly string[]
  /** Members of the context that the policy reads; EVERYTHING where it takes the context as a whole. */
  readonly contextFacts: readonly string[]
  /** Attributes of the principal that it reads; EVERYTHING where it asks who the principal is. */
  readonly principalFacts: readonly string[]
}

/** Stands for every environment that no policy of the set names. */
export const OTHER_ENVIRONMENT = '*'

/** Stands for all that there is to read. */
export const EVERYTHING = '*'

/** The name of the slice that answers for an effect in an environment. */
export function sliceName(effect: Effect, environment: string): string {
  return `${effect} in ${environment}`
}

/** For each effect the action itself and every group it is in, directly or through another. */
export function actionGroups(schema: Cedar.SchemaJson<string>): ReadonlyMap<string, Set<string>> {
  const parents = new Map<string, string[]>()
  for (const { actions } of Object.values(schema)) {
    for (const [name, { memberOf }] of Object.entries(actions)) {
      const groups = (memberOf ?? []).map((group) => group.id)
      parents.set(name, [...(parents.get(name) ?? []), ...groups])
    }
  }
  return new Map([...parents.keys()].map((name) => [name, closure(name, parents)]))
}

/** Whether a policy of this reach could match the effect in the environment. */
export function couldMatch(
  reach: Reach,
  groups: ReadonlySet<string>,
  environment: string,
): boolean {
  if (reach.environment !== null && reach.environment !== environment) return false
  return reach.actions === null || reach.actions.some((name) => groups.has(name))
}

/** The reach of a policy, from its scope and from what its conditions read. */
export function reachOf(policy: Cedar.PolicyJson, conditions: readonly Expression[]): Reach {
  const facts = new Set<string>()
  const named = new Set<string>()
  for (const condition of conditions) {
    readResource(condition, facts)
    nameEnvironments(condition, named)
  }
  const resource = policy.resource
  const inside = 'in' in resource ? resource.in : resource
  const holder = resource.op === 'All' || inside === undefined ? null : entityOf(inside)
  const scoped = resource.op !== 'All' && inside !== undefined && 'entity' in inside
  const isEnvironment = resource.op !== '==' && holder?.type === 'Environment'
  if (scoped && !isEnvironment) facts.add('arn')
  if (isEnvironment && holder !== null) named.add(holder.id)
  return {
    actions: actionsOf(policy.action),
    environment: isEnvironment ? (holder?.id ?? null) : null,
    environmentsNamed: [...named].sort(),
    resourceFacts: [...facts].sort(),
    contextFacts: factsRead('context', conditions),
    principalFacts: scopesPrincipal(policy) ? [EVERYTHING] : factsRead('principal', conditions),
  }
}

function closure(name: string, parents: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set([name])
  // A Set hands out what is added while it is walked, so this reaches every ancestor once.
  for (const at of found) for (const parent of parents.get(at) ?? []) found.add(parent)
  return found
}

function actionsOf(action: Cedar.ActionConstraint): string[] | null {
  if (action.op === 'All') return null
  if ('entities' in action) return action.entities.map((uid) => plain(uid).id)
  // A slot cannot stand here: templates are refused before.
  return 'entity' in action ? [plain(action.entity).id] : null
}

function entityOf(constraint: object): Cedar.TypeAndId | null {
  if (!('entity' in constraint)) return null
  return plain(constraint.entity as Cedar.EntityUidJson)
}

function plain(uid: Cedar.EntityUidJson): Cedar.TypeAndId {
  return '__entity' in uid ? uid.__entity : uid
}

function readResource(node: Expression, facts: Set<string>): void {
  if (node.kind === 'attribute' && isResource(node.left)) {
    facts.add(node.attr)
    return
  }
  if (node.kind === 'call' && isResource(node.args[0])) {
    // The environment is always part of what tells two resources apart; anything else is not.
    if (node.name === 'is') return
    if ((node.name === 'in' || node.name === 'is in') && isEnvironments(node.args[1])) return
  }
  if (isResource(node)) facts.add('arn')
  for (const part of partsOf(node)) readResource(part, facts)
}

/** The members of a variable that conditions read, sorted; EVERYTHING for any other use of it. */
function factsRead(name: Variable, conditions: readonly Expression[]): string[] {
  const facts = new Set<string>()
  for (const condition of conditions) readVariable(condition, name, facts)
  return [...facts].sort()
}

function readVariable(node: Expression, name: Variable, facts: Set<string>): void {
  if (node.kind === 'attribute' && node.left.kind === 'variable' && node.left.name === name) {
    facts.add(node.attr)
    return
  }
  if (node.kind === 'variable' && node.name === name) facts.add(EVERYTHING)
  for (const part of partsOf(node)) readVariable(part, name, facts)
}

/** `principal` and `principal is TYPE` ask nothing: whom this gate asks about is always an Agent. */
function scopesPrincipal({ principal }: Cedar.PolicyJson): boolean {
  return !(principal.op === 'All' || (principal.op === 'is' && !('in' in principal)))
}

function nameEnvironments(node: Expression, named: Set<string>): void {
  if (node.kind === 'entity' && node.type === 'Environment') named.add(node.id)
  for (const part of partsOf(node)) nameEnvironments(part, named)
}

function isResource(node: Expression | undefined): boolean {
  return node?.kind === 'variable' && node.name === 'resource'
}

function isEnvironments(node: Expression | undefined): boolean {
  if (node?.kind === 'entity') return node.type === 'Environment'
  return node?.kind === 'call' && node.name === 'Set' && node.args.every(isEnvironments)
}

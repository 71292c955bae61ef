// Whether the statements of policies match a request: what they allow and what they deny, each with
// the keys it depends on. Statements are looked up by action once and kept.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

import { holds, validity } from './condition.ts'
import { type Glob, globOf, relation } from './glob.ts'
import { asciiLower } from './operators.ts'
import type { Policy, PolicyKind, Statement } from './policy.ts'
import { applies, type Naming, PRINCIPAL } from './principals.ts'
import type { IamRequest } from './request.ts'
import { type Expanded, expand } from './template.ts'
import { and, not, or, type Truth } from './truth.ts'

/** Actions whose statements are kept for one policy; past it they are looked up each time. */
export const KEPT_ACTIONS_MAX = 20_000

/** The key that stands for a resource that is not fully known. */
export const RESOURCE = 'resource'

export interface Matched {
  readonly policy: string
  /** What the policy hangs on. */
  readonly kind: PolicyKind
  readonly statement: string
  /** Place of the statement in its policy, from 0; two may have one Sid. */
  readonly index: number
  readonly effect: 'allow' | 'deny'
  readonly truth: Truth
}

/** What some policies say about a request. */
export interface Said {
  readonly truth: Truth
  /** Statements that match, or may. */
  readonly matched: readonly Matched[]
  /** Keys that a `unknown` depends on. */
  readonly missing: ReadonlySet<string>
}

export interface AskedOf {
  readonly request: IamRequest
  /** The resource, compiled once for all policies. */
  readonly resource: Glob
  readonly action: string
  readonly hasBoundary: boolean
}

export function askedOf(request: IamRequest, hasBoundary: boolean): AskedOf {
  const { resource, resourceIsPattern = false } = request
  return {
    request,
    resource: resourceIsPattern ? globOf(resource) : new Literal(resource),
    action: asciiLower(request.action),
    hasBoundary,
  }
}

/** The resource as it stands, with its own `*` and `?`; its units are seldom asked for. */
class Literal implements Glob {
  readonly literal: string

  constructor(text: string) {
    this.literal = text
  }

  get units() {
    return Array.from(this.literal)
  }

  test(text: string): boolean {
    return text === this.literal
  }
}

const keptByPolicy = new WeakMap<Policy, Map<string, readonly Statement[]>>()

/** The statements of the policy whose Action or NotAction takes the action, in order. */
export function statementsFor(policy: Policy, action: string): readonly Statement[] {
  let byAction = keptByPolicy.get(policy)
  if (byAction === undefined) {
    byAction = new Map()
    keptByPolicy.set(policy, byAction)
  }
  const kept = byAction.get(action)
  if (kept !== undefined) return kept
  const found = policy.statements.filter(({ actions }) => {
    return actions.patterns.some((pattern) => pattern.test(action)) !== actions.not
  })
  if (byAction.size < KEPT_ACTIONS_MAX) byAction.set(action, found)
  return found
}

/**
 * What the statements with this effect say together. `namings`: only those that name the principal
 * so; statements without a principal always count.
 */
export function saidBy(
  policies: readonly Policy[],
  effect: 'allow' | 'deny',
  asked: AskedOf,
  namings?: readonly Naming[],
): Said {
  let sum: Truth = 'no'
  let matched: Matched[] | undefined
  let missing: Set<string> | undefined
  let needs: Set<string> | undefined
  for (const policy of policies) {
    for (const statement of statementsFor(policy, asked.action)) {
      if (statement.effect !== effect) continue
      needs ??= new Set()
      needs.clear()
      const one = matches(statement, asked, needs, namings)
      if (one === 'no') continue
      if (one === 'unknown') {
        missing ??= new Set()
        for (const key of needs) missing.add(key)
      }
      const { name, index } = statement
      matched ??= []
      matched.push({
        policy: policy.name,
        kind: policy.kind,
        statement: name,
        index,
        effect,
        truth: one,
      })
      sum = or(sum, one)
    }
  }
  if (matched === undefined) return NOTHING
  return { truth: sum, matched, missing: missing ?? NONE }
}

const NONE: ReadonlySet<string> = new Set()

/** What policies say that say nothing of the request. */
export const NOTHING: Said = { truth: 'no', matched: [], missing: NONE }

/** Whether the statement is about who asks. */
export function principalMatches(
  { principals, effect }: Statement,
  { request, hasBoundary }: AskedOf,
  needs: Set<string>,
  namings?: readonly Naming[],
): Truth {
  if (principals === null) return 'yes'
  const said = applies(principals, effect, request.principal, hasBoundary, namings)
  if (said === 'unknown') needs.add(PRINCIPAL)
  return said
}

function matches(
  statement: Statement,
  asked: AskedOf,
  needs: Set<string>,
  namings: readonly Naming[] | undefined,
): Truth {
  let sum = principalMatches(statement, asked, needs, namings)
  if (sum === 'no') return 'no'
  sum = and(sum, resourceMatches(statement, asked, needs))
  for (const condition of statement.conditions) {
    if (sum === 'no') return 'no'
    sum = and(sum, holds(condition, asked.request.context, needs))
  }
  return sum
}

/** Whether the statement is about the resource. */
export function resourceMatches(
  { resources }: Statement,
  { request, resource }: AskedOf,
  needs: Set<string>,
): Truth {
  if (resources === null) return 'yes'
  let found: Truth = 'no'
  const open: Expanded[] = []
  for (const template of resources.patterns) {
    if (found === 'yes' && template.fixed !== null) continue
    const expanded = expand(template, request.context)
    if (expanded.is !== 'known') open.push(expanded)
    if (expanded.is === 'void') continue
    const pattern = expanded.is === 'known' ? expanded.glob : expanded.atMost
    const related = relation(pattern, resource)
    if (related === 'no') continue
    if (expanded.is === 'unknown') needs.add(expanded.key)
    else if (related === 'unknown') needs.add(RESOURCE)
    found = or(found, expanded.is === 'known' ? related : 'unknown')
  }
  const said = resources.not ? not(found) : found
  return said === 'no' ? 'no' : and(said, validity(open, needs))
}

// Whether the statements of policies match a request: what they allow and what they deny, each with
// the keys it depends on. Statements are looked up by action once and kept.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

import { holds } from './condition.ts'
import { type Glob, globOf, relation } from './glob.ts'
import type { Policy, Statement } from './policy.ts'
import { excludes, type Naming, namingOf } from './principals.ts'
import type { IamRequest } from './request.ts'
import { expand } from './template.ts'
import { and, any, not, or, type Truth, truth } from './truth.ts'

/** Actions whose statements are kept for one policy; past it they are looked up each time. */
export const KEPT_ACTIONS_MAX = 20_000

/** The key that stands for a resource that is not fully known. */
export const RESOURCE = 'resource'

export interface Matched {
  readonly policy: string
  readonly statement: string
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
  const literal: Glob = {
    units: Array.from(resource),
    literal: resource,
    test: (text) => text === resource,
  }
  return {
    request,
    resource: resourceIsPattern ? globOf(resource) : literal,
    action: request.action.toLowerCase(),
    hasBoundary,
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
  const matched: Matched[] = []
  const missing = new Set<string>()
  for (const policy of policies) {
    for (const statement of statementsFor(policy, asked.action)) {
      if (statement.effect !== effect || !namesPrincipal(statement, asked, namings)) continue
      const needs = new Set<string>()
      const one = matches(statement, asked, needs)
      if (one === 'no') continue
      if (one === 'unknown') for (const key of needs) missing.add(key)
      matched.push({ policy: policy.name, statement: statement.name, effect, truth: one })
      sum = or(sum, one)
    }
  }
  return { truth: sum, matched, missing }
}

function namesPrincipal(
  { principals }: Statement,
  { request, hasBoundary }: AskedOf,
  namings: readonly Naming[] | undefined,
): boolean {
  if (principals === null) return true
  if (principals.not) return !excludes(principals, request.principal, hasBoundary)
  const naming = namingOf(principals, request.principal)
  return naming !== null && (namings === undefined || namings.includes(naming))
}

function matches(statement: Statement, asked: AskedOf, needs: Set<string>): Truth {
  let sum = resourceMatches(statement, asked, needs)
  for (const condition of statement.conditions) {
    if (sum === 'no') return 'no'
    sum = and(sum, holds(condition, asked.request.context, needs))
  }
  return sum
}

function resourceMatches(
  { resources }: Statement,
  { request, resource }: AskedOf,
  needs: Set<string>,
): Truth {
  if (resources === null) return 'yes'
  let isVoid = false
  const found = any(resources.patterns, (template) => {
    const expanded = expand(template, request.context)
    if (expanded.is === 'void') isVoid = true
    if (expanded.is === 'unknown') needs.add(expanded.key)
    if (expanded.is !== 'known') return expanded.is === 'void' ? 'no' : 'unknown'
    const related = relation(expanded.glob, resource)
    if (related === 'unknown') needs.add(RESOURCE)
    return related
  })
  if (!resources.not) return found
  // A NotResource with a variable that has no value leaves nothing certain to except.
  return isVoid ? truth(false) : not(found)
}

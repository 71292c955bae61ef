// Writes the least policy from recorded use: what the trail shows, within the size limits of IAM, with a
// boundary and an SCP for agents; and proves by evaluation that all recorded use still passes.

import type { JsonObject } from '@seconder/aws/call'
import { authorize, NO_POLICIES } from '@seconder/aws/iam/authorize'
import { parsePolicy } from '@seconder/aws/iam/policy'
import { byStart, type Collapse, type Collapsed, withinLevel, withoutAdding } from './collapse.ts'
import { destroysOrGrants, type Grant, grantsOf, type Need, needsOf } from './grants.ts'
import { guardsOf } from './guards.ts'
import type { Kept } from './kept.ts'
import { CHARS_MAX, charsOf, documentOf, type SizedPolicy, sized } from './sized.ts'
import type { Subject } from './subject.ts'
import type { PrincipalUse } from './trail-use.ts'

/**
 * Managed policies on one role, by the default quota. Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const POLICIES_MAX = 10

export interface RightSized {
  readonly role: string
  readonly policies: readonly SizedPolicy[]
  readonly boundary: SizedPolicy
  readonly scp: SizedPolicy
  readonly needs: readonly Need[]
  /** Used, and left out because the operator said so. */
  readonly leftOut: readonly Need[]
  readonly collapses: readonly Collapse[]
  readonly kept: readonly Kept[]
  /** What the guards leave out, and why. */
  readonly notes: readonly string[]
  /** Needs that the new policies do not certainly allow: empty, or nothing may be applied. */
  readonly failing: readonly Need[]
  readonly proved: number
}

export type Sized = RightSized | { readonly tooLarge: number }

export interface SizeQuestion {
  readonly subject: Subject
  readonly use: PrincipalUse
  readonly as: 'managed' | 'inline'
  /** Statements that stay whatever the trail says. */
  readonly kept: readonly Kept[]
  /** Actions that shall not be allowed although they were used. */
  readonly without: (action: string) => boolean
  /** ARNs of the gate's limbs that no agent may touch. */
  readonly limbs: readonly string[]
}

/** `tooLarge`: characters that are left over; nothing short enough keeps access levels. */
export function rightSized(question: SizeQuestion): Sized {
  const used = needsOf(question.use.calls)
  const needs = used.filter(({ action }) => !question.without(action))
  const keptStatements = question.kept.map(({ statement }) => statement)
  const fitted = fit(grantsOf(needs), keptStatements, question.as)
  if ('tooLarge' in fitted) return fitted
  const { identity } = question.subject
  const policies = fitted.documents.map((document, index): SizedPolicy => {
    const part = fitted.documents.length > 1 ? `-${index + 1}` : ''
    return sized(`seconder-${identity.name}${part}`, question.as, document)
  })
  const { boundary, scp, notes } = guardsOf(identity, needs, keptStatements, question.limbs)
  const failing = needs.filter((need) => !passes(question.subject, need, policies, boundary, scp))
  return {
    role: identity.arn,
    policies,
    boundary,
    scp,
    needs,
    leftOut: used.filter((need) => !needs.includes(need)),
    collapses: fitted.collapses,
    kept: question.kept,
    notes,
    failing,
    proved: needs.length - failing.length,
  }
}

interface Fitted {
  readonly documents: readonly JsonObject[]
  readonly collapses: readonly Collapse[]
}

const TOO_LONG = 'the policy would be longer than IAM takes'
const MANY = 'more names than anybody would read'

/** Each step only where the one before does not fit; what widens most comes last. */
function fit(
  exact: readonly Grant[],
  kept: readonly JsonObject[],
  as: 'managed' | 'inline',
): Fitted | { tooLarge: number } {
  const count = as === 'inline' ? 1 : POLICIES_MAX
  const harmless = ({ actions }: Grant) => !actions.some(destroysOrGrants)
  const steps: ((grants: readonly Grant[]) => Collapsed)[] = [
    (grants) => byStart(grants, MANY, harmless),
    withoutAdding,
    (grants) => withinLevel(grants, TOO_LONG),
    (grants) => byStart(grants, TOO_LONG, harmless, 3),
    (grants) => byStart(grants, TOO_LONG, () => true, 3),
  ]
  let grants = exact
  const collapses: Collapse[] = []
  for (const [index, step] of steps.entries()) {
    const done = step(grants)
    grants = merged(done.grants)
    collapses.push(...done.collapses)
    if (index === 0) continue
    // One policy is read by people: several come only when nothing else helps.
    const documents = packed(grants, kept, CHARS_MAX[as], index < steps.length - 1 ? 1 : count)
    if (documents) return { documents, collapses }
  }
  const over = charsOf(documentOf(grants.map(statementOf))) - CHARS_MAX[as] * count
  return { tooLarge: Math.max(1, over) }
}

/** Statements that came to have the same resources. */
function merged(grants: readonly Grant[]): Grant[] {
  const byResources = Map.groupBy(grants, ({ resources, actions }) =>
    [actions.some(destroysOrGrants), ...resources].join('\n'),
  )
  return [...byResources.values()].map((list) => ({
    resources: list[0]?.resources ?? [],
    actions: [...new Set(list.flatMap(({ actions }) => actions))].sort(),
  }))
}

function statementOf({ actions, resources }: Grant): JsonObject {
  const one = (list: readonly string[]) => (list.length === 1 ? (list[0] ?? '') : [...list])
  return { Effect: 'Allow', Action: one(actions), Resource: one(resources) }
}

/** As many documents as it takes, each within the limit; null where it takes more than `count`. */
function packed(
  grants: readonly Grant[],
  kept: readonly JsonObject[],
  max: number,
  count: number,
): JsonObject[] | null {
  const documents: JsonObject[][] = [[]]
  const statements = grants.flatMap((grant) => parted(grant, max / 2)).map(statementOf)
  for (const statement of [...statements, ...kept]) {
    if (charsOf(documentOf([statement])) > max) return null
    const last = documents.at(-1) ?? []
    if (charsOf(documentOf([...last, statement])) > max) documents.push([statement])
    else last.push(statement)
  }
  return documents.length > count ? null : documents.map(documentOf)
}

/** A grant in halves, until each fits: the same rights in more statements. */
function parted(grant: Grant, max: number): Grant[] {
  const { actions, resources } = grant
  if (charsOf(documentOf([statementOf(grant)])) <= max) return [grant]
  if (actions.length > 1) {
    const half = Math.ceil(actions.length / 2)
    const halves = [actions.slice(0, half), actions.slice(half)]
    return halves.flatMap((some) => parted({ ...grant, actions: some }, max))
  }
  if (resources.length < 2) return [grant]
  const half = Math.ceil(resources.length / 2)
  const halves = [resources.slice(0, half), resources.slice(half)]
  return halves.flatMap((some) => parted({ ...grant, resources: some }, max))
}

/** The new policies alone, under the new boundary and SCP: a certain yes, whatever the context. */
function passes(
  { principal }: Subject,
  { action, resource }: Need,
  policies: readonly SizedPolicy[],
  boundary: SizedPolicy,
  scp: SizedPolicy,
): boolean {
  const verdict = authorize(
    {
      principal,
      action,
      resource,
      resourceIsPattern: /[*?]/.test(resource),
      resourceAccount: principal.account,
      context: { keys: new Map([['aws:principalarn', [principal.arn]]]), others: 'unknown' },
    },
    {
      ...NO_POLICIES,
      identity: policies.map(({ document, name }) => compiled(document, 'identity', name)),
      boundary: compiled(boundary.document, 'boundary', boundary.name),
      scps: [[FULL, compiled(scp.document, 'scp', scp.name)]],
    },
  )
  return verdict.answer === 'allow'
}

const keptCompiled = new WeakMap<JsonObject, ReturnType<typeof parsePolicy>>()

function compiled(document: JsonObject, kind: 'identity' | 'boundary' | 'scp', name: string) {
  const before = keptCompiled.get(document)
  if (before) return before
  const policy = parsePolicy(document, kind, name)
  keptCompiled.set(document, policy)
  return policy
}

const FULL = parsePolicy(
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
  'scp',
  'FullAWSAccess',
)

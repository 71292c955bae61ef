// Makes the session policy of one call: Allow of the actions and resources at hand, explicit Deny of
// everything else (red team H9). It is never left out; where the names do not fit it widens and says so,
// and where not even the actions fit there is no policy and no call. Pure.
import type { Action, JsonObject } from '../describe/action.ts'
import { GatewayError } from '../errors.ts'
import { canonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import { quotedName } from '../lib/plain-text.ts'
import type { Evidence } from '../resolve/evidence.ts'
import {
  accountPinned,
  actsAsCaller,
  type Forwarded,
  keysUsedFor,
  readsAsCaller,
} from './callers-rights.ts'
import { fittedPatterns, iamPattern, listChars, policyText } from './pattern-list.ts'

/** Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, Policy. */
export const SESSION_POLICY_CHARS_MAX = 2048
/** Patterns that are named in the words for a reviewer. */
const NAMED_PATTERNS = 3
const NAME_CHARS_MAX = 160

export interface SessionPolicy {
  /** Canonical JSON in ASCII, at most `charsMax` characters. */
  readonly policy: string
  /** SHA-256 of `policy`, hex. */
  readonly digest: string
  /** One sentence each, for the reviewer: where the credentials reach further than the call. */
  readonly wider: readonly string[]
}

export interface PolicyFacts {
  /** Accounts of the configuration: where a name that has no account (S3) may lie. */
  readonly accounts: readonly string[]
  /** Less than SESSION_POLICY_CHARS_MAX where STS said that the packed policy is too large. */
  readonly charsMax?: number
}

/** What is asked for, before it is made to fit. */
interface Group {
  readonly actions: readonly string[]
  readonly patterns: readonly string[]
  readonly condition?: JsonObject
}

/**
 * The policy of a call, its digest and what is wider in it.
 * Errors: `not_narrowed` where not even the actions fit, none is known, or a service would act with
 * rights that cannot be named (callers-rights.ts).
 */
export function sessionPolicy(
  action: Action,
  evidence: Evidence,
  facts: PolicyFacts,
): SessionPolicy {
  requireActions(action)
  const own = ownGroups(action)
  const forwarded = [...actsAsCaller(action, evidence), keysUsedFor(action.service)].filter(
    (one) => one !== null,
  )
  const unproved = own
    .filter(({ patterns }) => patterns.includes('*'))
    .map(({ actions }) => `${someOf(actions)} on every resource, because no name was proved`)
  return fitted(action, [...own, ...forwarded.map(groupOf)], unproved, facts)
}

/**
 * The policy of a read: its actions on every resource, so that one session serves many reads of a kind.
 * Errors: as sessionPolicy.
 */
export function readPolicy(
  action: Pick<Action, 'iamActions' | 'service' | 'account' | 'operation' | 'resources'>,
  facts: PolicyFacts,
): SessionPolicy {
  requireActions(action)
  const through = [keysUsedFor(action.service), readsAsCaller(action.operation)]
  const groups = [
    { actions: sorted(action.iamActions), patterns: ['*'] },
    ...through.filter((one) => one !== null).map(groupOf),
  ]
  return fitted(action, groups, [], facts)
}

function requireActions({ iamActions, operation }: Pick<Action, 'iamActions' | 'operation'>): void {
  const named = iamActions.every((name) => /^[a-z0-9-]+:[A-Za-z0-9]+$/.test(name))
  if (iamActions.length > 0 && named) return
  throw new GatewayError(
    'not_narrowed',
    `no IAM action is known for ${operation}, so no credentials can be narrowed to it; nothing was done`,
    'let the operator do this one',
  )
}

/**
 * iam:PassRole goes with the roles that are passed, an action of another service with what the call names
 * of that service, everything else with everything else.
 */
function ownGroups(action: Action): Group[] {
  const { service, iamActions: all, ownActions: iamActions = all } = action
  // What an inner call will need is for the role that it runs under, not for this call.
  const resources = action.resources.filter(({ inner }) => inner !== true)
  const patternsOf = (wanted: typeof resources) => wanted.map(({ arn }) => iamPattern(arn))
  const passes = service !== 'iam' && iamActions.includes('iam:PassRole')
  const others = othersOf(service, iamActions)
  const actions = iamActions.filter(
    (name) => !others.includes(name) && !(passes && name === 'iam:PassRole'),
  )
  const roles = resources.filter(({ type }) => passes && type === 'role')
  const things = resources.filter(({ type }) => !passes || type !== 'role')
  const groups: Group[] = []
  if (actions.length > 0) {
    groups.push({
      actions: sorted(actions),
      patterns: things.length > 0 ? patternsOf(things) : ['*'],
    })
  }
  for (const [prefix, names] of Map.groupBy(others, prefixOf)) {
    const named = things.filter(({ arn }) => arn.split(':')[2] === prefix)
    groups.push({
      actions: sorted(names),
      patterns: named.length > 0 ? patternsOf(named) : ['*'],
    })
  }
  if (passes) {
    groups.push({
      actions: ['iam:PassRole'],
      patterns: roles.length > 0 ? patternsOf(roles) : ['*'],
    })
  }
  return groups
}

/** Actions that are another service's, where the call has some of its own (redteam H9). */
function othersOf(service: string, iamActions: readonly string[]): string[] {
  const isOwn = (name: string) => prefixOf(name) === service
  if (!iamActions.some(isOwn)) return []
  return iamActions.filter((name) => !isOwn(name) && name !== 'iam:PassRole')
}

function prefixOf(action: string): string {
  return action.split(':', 1)[0] ?? ''
}

function groupOf({ actions, arns, condition }: Forwarded): Group {
  return { actions: sorted(actions), patterns: arns.map(iamPattern), condition }
}

function fitted(
  action: Pick<Action, 'account' | 'resources' | 'operation'>,
  groups: readonly Group[],
  unproved: readonly string[],
  facts: PolicyFacts,
): SessionPolicy {
  const charsMax = Math.min(facts.charsMax ?? SESSION_POLICY_CHARS_MAX, SESSION_POLICY_CHARS_MAX)
  const pinned = pinOf(action, groups, facts.accounts)
  for (const pin of pinned === null ? [null] : [pinned, null]) {
    const bare = render(
      groups.map((group) => ({ ...group, patterns: ['*'] })),
      pin,
    )
    if (bare.length > charsMax) continue
    const lists = shared(groups, charsMax - bare.length)
    const policy = render(
      groups.map((group, index) => ({ ...group, patterns: lists[index] ?? ['*'] })),
      pin,
    )
    const words = [...unproved, ...groups.flatMap((group, index) => widened(group, lists[index]))]
    if (pin !== pinned) words.push('no account is pinned, because the configured ones do not fit')
    const wider = words.map((text) => `credentials wider than the call: ${text}`)
    return { policy, digest: sha256Hex(policy), wider }
  }
  throw new GatewayError(
    'not_narrowed',
    `the actions of ${action.operation} do not fit into a session policy of ${charsMax} characters; nothing was done`,
    'split the call into smaller ones, then run it again',
  )
}

/** Shares the characters that are left: the shortest lists first, each as exact as it can be. */
function shared(groups: readonly Group[], charsLeft: number): string[][] {
  const lists: string[][] = groups.map(() => ['*'])
  const order = groups.map((_, index) => index)
  const charsOf = (index: number) => listChars(groups[index]?.patterns ?? [])
  order.sort((a, b) => charsOf(a) - charsOf(b))
  let left = charsLeft
  order.forEach((index, place) => {
    const star = listChars(['*'])
    const share = Math.floor(left / (order.length - place))
    const wanted = groups[index]?.patterns ?? ['*']
    const list = fittedPatterns(wanted, share + star) ?? ['*']
    left -= listChars(list) - star
    lists[index] = list
  })
  return lists
}

/** The words for a list that is wider than what was asked for; none where it is exactly that. */
function widened({ actions, patterns }: Group, list: readonly string[] = ['*']): string[] {
  const wanted = [...new Set(patterns)]
  if (wanted.includes('*') || list.every((pattern) => wanted.includes(pattern))) return []
  const count = `${wanted.length} ${wanted.length === 1 ? 'name does' : 'names do'} not fit`
  if (list.includes('*')) return [`${someOf(actions)} on every resource, because ${count}`]
  const names = list.slice(0, NAMED_PATTERNS).map(quoted).join(', ')
  const more = list.length > NAMED_PATTERNS ? ` and ${list.length - NAMED_PATTERNS} more` : ''
  return [`${someOf(actions)} on ${names}${more}, because ${count}`]
}

function someOf(actions: readonly string[]): string {
  const more = actions.length > 3 ? ` and ${actions.length - 3} more` : ''
  return `${actions.slice(0, 3).join(', ')}${more}`
}

function quoted(pattern: string): string {
  return quotedName(pattern, NAME_CHARS_MAX)
}

interface Pin {
  readonly prefixes: readonly string[]
  readonly accounts: readonly string[]
}

/** Accounts that resources may belong to; null where no service of the call can say (red team M8). */
function pinOf(
  { account, resources }: Pick<Action, 'account' | 'resources'>,
  groups: readonly Group[],
  configured: readonly string[],
): Pin | null {
  const called = groups.filter(({ condition }) => condition === undefined)
  const prefixes = accountPinned(called.flatMap(({ actions }) => actions))
  const own = resources.filter(({ inner }) => inner !== true)
  const named = [account, ...own.map((resource) => resource.account)]
  const known = named.filter((text) => /^\d{12}$/.test(text))
  if (prefixes.length === 0 || known.length === 0) return null
  return { prefixes, accounts: sorted([...new Set([...known, ...configured])]) }
}

function render(groups: readonly Group[], pin: Pin | null): string {
  const statements: JsonObject[] = groups.map(({ actions, patterns, condition }) => ({
    Effect: 'Allow',
    Action: actions,
    Resource: patterns,
    ...(condition && { Condition: condition }),
  }))
  // A resource policy that names a role session is not limited by an implicit deny; this one is explicit.
  // Source: IAM User Guide, reference_policies_evaluation-logic_policy-eval-denyallow.
  const allowed = sorted([...new Set(groups.flatMap(({ actions }) => actions))])
  statements.push({ Effect: 'Deny', NotAction: allowed, Resource: '*' })
  if (pin) {
    statements.push({
      Effect: 'Deny',
      Action: pin.prefixes.map((prefix) => `${prefix}:*`),
      Resource: '*',
      Condition: {
        StringNotEquals: { 'aws:ResourceAccount': pin.accounts },
        // Absent (ListAllMyBuckets), a negated operator would be true and deny.
        Null: { 'aws:ResourceAccount': 'false' },
      },
    })
  }
  return policyText(canonicalJson({ Version: '2012-10-17', Statement: statements }))
}

function sorted(texts: readonly string[]): string[] {
  return [...texts].sort()
}

// Whether IAM would let a request through: explicit denies first, then RCPs, SCPs, the resource's own
// policy, the identity's, its boundary and the session's, within one account and across two. The answer
// has three values and says what it depends on.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// and reference_policies_evaluation-logic-cross-account.html

import { type AskedOf, askedOf, type Matched, NOTHING, type Said, saidBy } from './match.ts'
import { asciiLower } from './operators.ts'
import type { Policy } from './policy.ts'
import type { IamRequest, Principal } from './request.ts'
import { or, type Truth } from './truth.ts'

export interface PolicySet {
  /** Inline, managed and of groups: their union. */
  readonly identity: readonly Policy[]
  readonly boundary: Policy | null
  /** Passed when the session was made; null = none was. */
  readonly session: readonly Policy[] | null
  /** SCPs by level, root first: each level must allow. Empty where none holds. */
  readonly scps: readonly (readonly Policy[])[]
  /** RCPs of the resource's account by level, root first. */
  readonly rcps: readonly (readonly Policy[])[]
  /** The policy on the resource; null = it has none; `unknown` = nobody looked. */
  readonly resource: Policy | null | 'unknown'
  /**
   * `trust` (of a role, for sts:AssumeRole...) and `kms-key`: the resource's policy must allow.
   * Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
   */
  readonly resourceKind: 'ordinary' | 'trust' | 'kms-key'
}

export const NO_POLICIES: PolicySet = {
  identity: [],
  boundary: null,
  session: null,
  scps: [],
  rcps: [],
  resource: null,
  resourceKind: 'ordinary',
}

/** Which step decided. */
export type Step =
  | 'explicit-deny'
  | 'rcp'
  | 'scp'
  | 'resource-policy'
  | 'identity-policy'
  | 'boundary'
  | 'session-policy'
  | 'allowed'

export interface Verdict {
  readonly answer: 'allow' | 'deny' | 'unknown'
  /** The first step that was not a yes, or `allowed`. */
  readonly step: Step
  /** Condition keys, `resource` or `resource-policy`, in the order of the alphabet. */
  readonly dependsOn: readonly string[]
  /** Statements that match or may, denies first. */
  readonly matched: readonly Matched[]
}

/** What a step found: a truth, and from which statements. */
interface Passed {
  readonly step: Step
  readonly said: Said
}

const CERTAIN: Said = { truth: 'yes', matched: [], missing: new Set() }
const NOT_LOOKED: Said = { truth: 'unknown', matched: [], missing: new Set(['resource-policy']) }

/** Answers one request. Pure; the policies are compiled once and may be used for any number. */
export function authorize(request: IamRequest, policies: PolicySet): Verdict {
  const asked = askedOf(request, policies.boundary !== null)
  const found = saidBy(allPolicies(request, policies), 'deny', asked)
  // A resource's policy that nobody looked at may deny whatever the others say.
  const notLooked = policies.resource === 'unknown' && !isBeyondItsPolicy(request)
  const denied = notLooked ? union(found, NOT_LOOKED) : found
  if (denied.truth === 'yes') {
    return { answer: 'deny', step: 'explicit-deny', dependsOn: [], matched: denied.matched }
  }
  const steps = allowing(request, policies, asked)
  const refusing = steps.find(({ said }) => said.truth === 'no')
  if (refusing) {
    return { answer: 'deny', step: refusing.step, dependsOn: [], matched: [] }
  }
  const open = steps.filter(({ said }) => said.truth === 'unknown')
  const matched = [...denied.matched, ...steps.flatMap(({ said }) => said.matched)]
  if (denied.truth === 'unknown' || open.length > 0) {
    const missing = new Set(
      [denied, ...open.map(({ said }) => said)].flatMap((s) => [...s.missing]),
    )
    const step = denied.truth === 'unknown' ? 'explicit-deny' : (open[0]?.step ?? 'allowed')
    return { answer: 'unknown', step, dependsOn: [...missing].sort(), matched }
  }
  return { answer: 'allow', step: 'allowed', dependsOn: [], matched }
}

/**
 * Neither SCPs nor RCPs hold for a service-linked role, and SCPs only for an account's own principals.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
 */
function levels({ principal, action }: IamRequest, { scps, rcps }: PolicySet) {
  if (principal.serviceLinked === true) return { scps: [], rcps: [] }
  return {
    scps: isOfAccount(principal) ? scps : [],
    rcps: rcps.length > 0 && isBeyondRcps(action) ? [] : rcps,
  }
}

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html */
function isBeyondRcps(action: string): boolean {
  return asciiLower(action) === 'kms:retiregrant'
}

/**
 * The root user of its owner can always read and mend a bucket's policy, so that it locks nobody out.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 */
function isBeyondItsPolicy({ principal, action, resourceAccount }: IamRequest): boolean {
  if (principal.kind !== 'root' || principal.account !== resourceAccount) return false
  return /^s3:(get|put|delete)bucketpolicy$/.test(asciiLower(action))
}

/**
 * A root user cannot assume a role, whoever the role trusts.
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
function isAssumingRole({ action }: IamRequest, { resourceKind }: PolicySet): boolean {
  return resourceKind === 'trust' && asciiLower(action) === 'sts:assumerole'
}

function isOfAccount({ kind }: Principal): boolean {
  return kind !== 'service' && kind !== 'web-identity' && kind !== 'anonymous'
}

function allPolicies(request: IamRequest, policies: PolicySet): Policy[] {
  const { scps, rcps } = levels(request, policies)
  const { identity, boundary, session, resource } = policies
  const none = resource === null || resource === 'unknown' || isBeyondItsPolicy(request)
  return [
    ...scps.flat(),
    ...rcps.flat(),
    ...(none ? [] : [resource]),
    ...identity,
    ...(boundary === null ? [] : [boundary]),
    ...(session ?? []),
  ]
}

function allowing(request: IamRequest, policies: PolicySet, asked: AskedOf): Passed[] {
  const { scps, rcps } = levels(request, policies)
  const organization: Passed[] = [
    ...rcps.map((level): Passed => ({ step: 'rcp', said: saidBy(level, 'allow', asked) })),
    ...scps.map((level): Passed => ({ step: 'scp', said: saidBy(level, 'allow', asked) })),
  ]
  if (request.principal.kind === 'root' && isAssumingRole(request, policies)) {
    return [...organization, { step: 'identity-policy', said: NOTHING }]
  }
  const { account } = request.principal
  if (!isOfAccount(request.principal)) {
    return [...organization, { step: 'resource-policy', said: ofResource(policies, asked) }]
  }
  const own = request.resourceAccount
  if (own === account) return [...organization, ...withinAccount(request, policies, asked)]
  const across = acrossAccounts(request, policies, asked)
  if (own !== null) return [...organization, ...across]
  // Whose resource it is, is not known: what both ways say is certain, else it depends.
  const within = withinAccount(request, policies, asked)
  return [...organization, either(sum(within), sum(across))]
}

function either(within: Passed, across: Passed): Passed {
  if (within.said.truth === across.said.truth) return within
  const missing = new Set([...within.said.missing, ...across.said.missing, 'aws:resourceaccount'])
  const matched = [...within.said.matched, ...across.said.matched]
  return { step: across.step, said: { truth: 'unknown', matched, missing } }
}

function sum(steps: readonly Passed[]): Passed {
  const [only, second] = steps
  if (only && second === undefined) return only
  const first = steps.find(({ said }) => said.truth === 'no')
  if (first) return first
  const open = steps.find(({ said }) => said.truth === 'unknown')
  const matched = steps.flatMap(({ said }) => said.matched)
  const missing = new Set(steps.flatMap(({ said }) => [...said.missing]))
  const truth: Truth = open ? 'unknown' : 'yes'
  return { step: (open ?? steps.at(-1))?.step ?? 'allowed', said: { truth, matched, missing } }
}

/** The identity's own policies, what bounds them, and a session's. A root user starts allowed. */
function ofIdentity({ principal }: IamRequest, policies: PolicySet, asked: AskedOf): Passed[] {
  const steps: Passed[] = [
    {
      step: 'identity-policy',
      said: principal.kind === 'root' ? CERTAIN : saidBy(policies.identity, 'allow', asked),
    },
  ]
  steps.push(...bounds(policies, asked))
  return steps
}

/**
 * What bounds an identity. A federated user's session without a policy may do nothing of its user's.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
function bounds({ boundary, session }: PolicySet, asked: AskedOf): Passed[] {
  const steps: Passed[] = []
  if (boundary) steps.push({ step: 'boundary', said: saidBy([boundary], 'allow', asked) })
  const isFederated = asked.request.principal.kind === 'federated-user'
  if (session || isFederated) {
    steps.push({ step: 'session-policy', said: saidBy(session ?? [], 'allow', asked) })
  }
  return steps
}

function ofResource({ resource }: PolicySet, asked: AskedOf): Said {
  if (resource === 'unknown') return NOT_LOOKED
  return resource === null ? NOTHING : saidBy([resource], 'allow', asked)
}

/**
 * Within one account either side suffices; of a trust policy or a key policy the resource's side must
 * allow. An allow for the session or the user is not bounded by implicit denies, one for the role is,
 * and one for the account only hands on to the identity's policies.
 */
function withinAccount(request: IamRequest, policies: PolicySet, asked: AskedOf): Passed[] {
  const identity = ofIdentity(request, policies, asked)
  const { resource, resourceKind } = policies
  if (resource === 'unknown') return throughUnknown(identity, resourceKind)
  if (resource === null && resourceKind === 'ordinary') return [sum(identity)]
  const owned = resource === null ? [] : [resource]
  const direct = saidBy(owned, 'allow', asked, ['direct'])
  const role = sum([
    { step: 'resource-policy', said: saidBy(owned, 'allow', asked, ['role']) },
    ...bounds(policies, asked),
  ])
  const byItself = union(direct, role.said)
  if (resourceKind === 'ordinary') {
    const whole = sum(identity)
    return [{ step: whole.step, said: union(byItself, whole.said) }]
  }
  const handedOn = sum([
    { step: 'resource-policy', said: saidBy(owned, 'allow', asked, ['account']) },
    ...identity,
  ])
  return [{ step: handedOn.step, said: union(byItself, handedOn.said) }]
}

/** A policy nobody looked at may allow what the identity does not; where it must, nothing is certain. */
function throughUnknown(identity: Passed[], kind: PolicySet['resourceKind']): Passed[] {
  if (kind !== 'ordinary') return [{ step: 'resource-policy', said: NOT_LOOKED }]
  const whole = sum(identity)
  return [{ step: whole.step, said: union(whole.said, NOT_LOOKED) }]
}

function union(left: Said, right: Said): Said {
  if (left === NOTHING) return right
  if (right === NOTHING) return left
  return {
    truth: or(left.truth, right.truth),
    matched: [...left.matched, ...right.matched],
    missing: new Set([...left.missing, ...right.missing]),
  }
}

/** Both accounts must allow: the identity's side whole, the resource's by any naming. */
function acrossAccounts(request: IamRequest, policies: PolicySet, asked: AskedOf): Passed[] {
  return [
    { step: 'resource-policy', said: ofResource(policies, asked) },
    ...ofIdentity(request, policies, asked),
  ]
}

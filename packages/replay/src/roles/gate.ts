// What is known of the gate: the roles it lends, who it is itself, and its limbs; and who can change them.

import { globOf } from '@seconder/aws/iam/glob'
import type { EnvironmentRow } from '@seconder/gateway/config'
import type { ProtectedRow } from '@seconder/gateway/describe/guarded'
import type { Answer } from './asking.ts'
import { catalogue } from './catalogue.ts'
import { accountIn, type Identity } from './estate.ts'
import type { Node } from './graph.ts'
import type { Subjects } from './subject.ts'
import { keysOn } from './taking.ts'

export interface GateFacts {
  /** A seconder.yaml was given. */
  readonly configured: boolean
  readonly environments: readonly EnvironmentRow[]
  /** ARNs of the roles that the gate lends to agents. */
  readonly roles: readonly string[]
  /** The gate's own role or user; null = nobody said. */
  readonly own: string | null
  readonly protect: readonly ProtectedRow[]
  /** Accounts that may be trusted beside those of the exports. */
  readonly accounts: readonly string[]
}

export const NO_GATE: GateFacts = {
  configured: false,
  environments: [],
  roles: [],
  own: null,
  protect: [],
  accounts: [],
}

/** One way in which a limb can be changed. */
export interface LimbChange {
  readonly action: string
  readonly resource: string
  readonly what: string
  readonly answer: Answer
}

/** Actions of IAM that change a role so that it is no longer what was reviewed. */
const ON_ROLES = [
  'iam:UpdateAssumeRolePolicy',
  'iam:PutRolePolicy',
  'iam:AttachRolePolicy',
  'iam:DetachRolePolicy',
  'iam:DeleteRolePolicy',
  'iam:DeleteRole',
  'iam:PutRolePermissionsBoundary',
  'iam:DeleteRolePermissionsBoundary',
]
const ON_USERS = [
  'iam:CreateAccessKey',
  'iam:PutUserPolicy',
  'iam:AttachUserPolicy',
  'iam:DeleteUser',
  'iam:DeleteUserPermissionsBoundary',
]
const ON_POLICIES = ['iam:CreatePolicyVersion', 'iam:SetDefaultPolicyVersion', 'iam:DeletePolicy']
const ON_RAILS = [
  'organizations:UpdatePolicy',
  'organizations:DetachPolicy',
  'organizations:DeletePolicy',
]
/** Of one limb; past it enough is known. */
const CHANGES_MAX = 3

interface Limb {
  readonly arn: string
  readonly what: string
  readonly actions: readonly string[]
  readonly identity: Identity | null
}

export class Limbs {
  readonly #limbs: readonly Limb[]
  readonly #kept = new Map<Node, readonly LimbChange[]>()
  readonly #management: string | undefined

  constructor(facts: GateFacts, subjects: Subjects) {
    const rows = new Map(facts.protect.map((row) => [row.arn, row]))
    if (facts.own) rows.set(facts.own, { arn: facts.own, what: "the gate's own identity" })
    for (const arn of facts.roles) {
      rows.set(arn, rows.get(arn) ?? { arn, what: 'a role that the gate lends' })
    }
    this.#management = subjects.organization?.managementAccount
    this.#limbs = [...rows.values()].flatMap((row) => limbsOf(row, subjects))
  }

  get size(): number {
    return this.#limbs.length
  }

  /** What the node can change of them, certain ones first. */
  changesBy(node: Node): readonly LimbChange[] {
    const kept = this.#kept.get(node)
    if (kept) return kept
    const found = this.#limbs.flatMap((limb) => this.#changesOf(node, limb))
    found.sort((a, b) => Number(b.answer.truth === 'yes') - Number(a.answer.truth === 'yes'))
    this.#kept.set(node, found)
    return found
  }

  #changesOf(node: Node, limb: Limb): LimbChange[] {
    const { asked } = node
    const owner = accountIn(limb.arn)
    // What another account owns is not changed by policies of this one alone.
    if (owner !== '' && owner !== asked.subject.identity.account) return []
    const found: LimbChange[] = []
    for (const action of limb.actions) {
      if (found.length >= CHANGES_MAX) break
      if (!asked.mentions(action)) continue
      const keys = limb.identity === null ? {} : { keys: keysOn(limb.identity) }
      const answer = this.#inPlace(node, asked.ask({ action, resource: limb.arn, ...keys }), action)
      if (answer.truth !== 'no') found.push({ action, resource: limb.arn, what: limb.what, answer })
    }
    return found
  }

  /**
   * Policies of an organization are changed from its management account, or from one that it delegates to.
   * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
   */
  #inPlace(node: Node, answer: Answer, action: string): Answer {
    if (!action.startsWith('organizations:') || answer.truth === 'no') return answer
    if (this.#management === node.asked.subject.identity.account) return answer
    const needs = 'that its account manages the organization, or is delegated to'
    return { ...answer, truth: 'unknown', dependsOn: [...new Set([...answer.dependsOn, needs])] }
  }
}

function limbsOf({ arn, what }: ProtectedRow, { byArn }: Subjects): Limb[] {
  const isPattern = /[*?]/.test(arn)
  const actions = actionsOn(arn)
  if (!isPattern) return [{ arn, what, actions, identity: byArn.get(arn)?.identity ?? null }]
  // A pattern of roles stands for those that are there; of anything else for itself.
  const glob = globOf(arn)
  const there = [...byArn.values()].filter(({ identity }) => glob.test(identity.arn))
  if (there.length === 0 || /:role\/|:user\//.test(arn) === false) {
    return [{ arn, what, actions, identity: null }]
  }
  return there.map(({ identity }) => ({
    arn: identity.arn,
    what,
    actions: actionsOn(identity.arn),
    identity,
  }))
}

/** What changes a thing with this ARN: every action of the catalogue that is about ARNs of its service. */
function actionsOn(arn: string): readonly string[] {
  const [, , service = '', , , rest = ''] = arn.split(':')
  if (service === 'organizations') return ON_RAILS
  if (service !== 'iam') {
    return [...catalogue().byAction.values()].flatMap(({ action, formats }) =>
      formats.some((format) => format.split(':')[2] === service) ? [action] : [],
    )
  }
  if (rest.startsWith('user/')) return ON_USERS
  if (rest.startsWith('policy/')) return ON_POLICIES
  if (rest.startsWith('role/')) return ON_ROLES
  if (rest === '*') return [...ON_ROLES, ...ON_USERS, ...ON_POLICIES]
  return (catalogue().byService.get('iam') ?? []).flatMap(({ action, formats }) =>
    formats.some((format) => format.includes(`:${rest.split('/')[0]}/`)) ? [action] : [],
  )
}

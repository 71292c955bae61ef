// Makes a Subject of a user or role: its policies compiled, with groups, boundary and what holds above the
// account, and all that is known of the context of its requests. A policy that cannot be read makes its
// answers unknown, never a no.

import type { Json } from '@seconder/aws/call'
import { PolicyError } from '@seconder/aws/iam/errors'
import { ANY, type Glob } from '@seconder/aws/iam/glob'
import { type Policy, type PolicyKind, parsePolicy, type Statement } from '@seconder/aws/iam/policy'
import type { ContextValue, Principal } from '@seconder/aws/iam/request'
import type { Estate, Group, Identity } from './estate.ts'
import type { Levels, Organization } from './organization.ts'

export interface Subject {
  readonly identity: Identity
  readonly principal: Principal
  readonly policies: readonly Policy[]
  readonly boundary: Policy | null
  readonly levels: Levels
  /** Compiled trust of a role; null where it has none that can be read. */
  readonly trust: Policy | null
  /** What of its own could not be read, in words: its answers are then never certain. */
  readonly unread: readonly string[]
  /** Known context of its requests, one for each kind of credentials that it can have. */
  readonly contexts: readonly ReadonlyMap<string, ContextValue>[]
}

export interface Subjects {
  readonly byArn: ReadonlyMap<string, Subject>
  /** Groups compiled, by `ACCOUNT/NAME`. */
  readonly groups: ReadonlyMap<string, readonly Policy[]>
  /** ARNs of groups, by the same key. */
  readonly groupArns: ReadonlyMap<string, string>
  /** Managed policies compiled, by ARN; those that cannot be read are not in it. */
  readonly managed: ReadonlyMap<string, Policy>
  readonly organization: Organization | null
  /** Policies that have an older version with statements of its own. */
  readonly widerVersions: ReadonlySet<string>
  /** Policies of customers that allow everything on everything. */
  readonly wideCustomerPolicies: readonly string[]
  /** ARNs of managed policies that it has itself or by a group. */
  attachedTo(identity: Identity): readonly string[]
}

const NO_LEVELS: Levels = { scps: [], rcps: [] }

/** Compiles everything once. `now`: ISO time at which the requests would be made. */
export function subjectsOf(
  estate: Estate,
  organization: Organization | null,
  now: string,
): Subjects {
  const compiler = new Compiler(estate)
  const groups = new Map<string, readonly Policy[]>()
  for (const [key, group] of estate.groups) groups.set(key, compiler.ofGroup(group).policies)
  const byArn = new Map<string, Subject>()
  for (const identity of estate.identities.values()) {
    byArn.set(identity.arn, compiler.subject(identity, organization, now))
  }
  return {
    byArn,
    groups,
    groupArns: new Map([...estate.groups].map(([key, { arn }]) => [key, arn])),
    managed: compiler.managed,
    organization,
    widerVersions: new Set(
      [...estate.policies.values()].flatMap(({ arn, others }) => (others.length > 0 ? [arn] : [])),
    ),
    wideCustomerPolicies: [...compiler.managed.values()]
      .filter(({ name, statements }) => !name.includes(':iam::aws:') && statements.some(allowsAll))
      .map(({ name }) => name),
    attachedTo: ({ account, attached, groups: names }) => [
      ...attached,
      ...names.flatMap((name) => estate.groups.get(`${account}/${name}`)?.attached ?? []),
    ],
  }
}

function allowsAll({ effect, actions, resources, conditions }: Statement): boolean {
  const every = (glob: Glob) => glob.units.length > 0 && glob.units.every((unit) => unit === ANY)
  return (
    effect === 'allow' &&
    conditions.length === 0 &&
    !actions.not &&
    actions.patterns.some(every) &&
    resources?.not === false &&
    resources.patterns.some(({ fixed }) => fixed !== null && every(fixed))
  )
}

interface Compiled {
  readonly policies: Policy[]
  readonly unread: string[]
}

class Compiler {
  readonly managed = new Map<string, Policy>()
  readonly #estate: Estate
  readonly #failed = new Map<string, string>()
  readonly #groups = new Map<Group, Compiled>()

  constructor(estate: Estate) {
    this.#estate = estate
    for (const { arn, json } of estate.policies.values()) {
      if (json === null) continue
      const policy = this.#compile(json, 'identity', arn)
      if (typeof policy === 'string') this.#failed.set(arn, policy)
      else this.managed.set(arn, policy)
    }
  }

  subject(identity: Identity, organization: Organization | null, now: string): Subject {
    const own = this.#ofHolder(identity)
    const unread = [...identity.unread, ...own.unread]
    const policies = [...own.policies]
    for (const name of identity.groups) {
      const group = this.#estate.groups.get(`${identity.account}/${name}`)
      if (group === undefined) {
        unread.push(`its group \`${name}\` is not in the export`)
        continue
      }
      const of = this.ofGroup(group)
      policies.push(...of.policies)
      unread.push(...of.unread)
    }
    const { arn, account, serviceLinked } = identity
    const principal: Principal = {
      kind: identity.kind,
      arn,
      account,
      ...(serviceLinked && { serviceLinked }),
    }
    const boundary = this.#boundary(identity, unread)
    const levels = organization?.levels.get(account) ?? NO_LEVELS
    const trust = this.#trust(identity, unread)
    const keys = keysRead([
      ...policies,
      ...(boundary ? [boundary] : []),
      ...levels.scps.flat(),
      ...levels.rcps.flat(),
      ...this.#estateTrusts(),
    ])
    return {
      identity,
      principal,
      policies,
      boundary,
      levels,
      trust,
      unread,
      contexts: contextsOf(identity, organization, now, keys),
    }
  }

  ofGroup(group: Group): Compiled {
    let compiled = this.#groups.get(group)
    if (compiled === undefined) {
      compiled = this.#ofHolder(group)
      compiled.unread.push(...group.unread)
      this.#groups.set(group, compiled)
    }
    return compiled
  }

  #trusts: readonly Policy[] | undefined

  /** All trust policies: whom a subject may become is asked with its own context too. */
  #estateTrusts(): readonly Policy[] {
    this.#trusts ??= [...this.#estate.identities.values()].flatMap(({ trust, arn }) => {
      const policy = trust === null ? '' : this.#compile(trust, 'trust', `trust of ${arn}`)
      return typeof policy === 'string' ? [] : [policy]
    })
    return this.#trusts
  }

  #ofHolder(holder: Identity | Group): Compiled {
    const policies: Policy[] = []
    const unread: string[] = []
    for (const { name, json } of holder.inline) {
      const policy = this.#compile(json, 'identity', name)
      if (typeof policy === 'string') unread.push(`its inline policy \`${name}\`: ${policy}`)
      else policies.push(policy)
    }
    for (const arn of holder.attached) {
      const policy = this.managed.get(arn)
      if (policy) policies.push(policy)
      else unread.push(`its policy ${arn}: ${this.#failed.get(arn) ?? 'not in the export'}`)
    }
    return { policies, unread }
  }

  #boundary({ boundary }: Identity, unread: string[]): Policy | null {
    if (boundary === null) return null
    const json = this.#estate.policies.get(boundary)?.json
    const policy = json ? this.#compile(json, 'boundary', boundary) : 'not in the export'
    if (typeof policy !== 'string') return policy
    unread.push(`its boundary ${boundary}: ${policy}`)
    return null
  }

  #trust({ kind, trust, arn }: Identity, unread: string[]): Policy | null {
    if (kind === 'user' || trust === null) return null
    const policy = this.#compile(trust, 'trust', `trust of ${arn}`)
    if (typeof policy !== 'string') return policy
    unread.push(`its trust policy: ${policy}`)
    return null
  }

  readonly #kept = new Map<Json, Map<PolicyKind, Policy | string>>()

  /** The policy, or why it cannot be read. One object for one document, which keeps its look-ups. */
  #compile(json: Json, kind: PolicyKind, name: string): Policy | string {
    const kinds = this.#kept.get(json) ?? new Map<PolicyKind, Policy | string>()
    this.#kept.set(json, kinds)
    const kept = kinds.get(kind)
    if (kept !== undefined) return kept
    let made: Policy | string
    try {
      made = parsePolicy(json, kind, name)
    } catch (cause) {
      if (!(cause instanceof PolicyError)) throw cause
      made = `${cause.message} (${cause.code})`
    }
    kinds.set(kind, made)
    return made
  }
}

/** Condition keys and variables that the policies read, in lower case. */
export function keysRead(policies: readonly Policy[]): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const policy of policies) for (const key of keysOf(policy)) keys.add(key)
  return keys
}

const keptKeys = new WeakMap<Policy, ReadonlySet<string>>()

function keysOf(policy: Policy): ReadonlySet<string> {
  const kept = keptKeys.get(policy)
  if (kept) return kept
  const keys = new Set<string>()
  for (const { conditions, resources } of policy.statements) {
    const templates = [
      ...(resources?.patterns ?? []),
      ...conditions.flatMap(({ values }) => values),
    ]
    for (const { key } of conditions) keys.add(key)
    for (const { parts } of templates) {
      for (const part of parts) if ('key' in part) keys.add(part.key)
    }
  }
  keptKeys.set(policy, keys)
  return keys
}

/**
 * Known keys. A user may call with keys of its own, or with a session of its own making; a role only with
 * a session. What is not among them is unknown.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
function contextsOf(
  identity: Identity,
  organization: Organization | null,
  now: string,
  read: ReadonlySet<string>,
): ReadonlyMap<string, ContextValue>[] {
  const { arn, account, kind, name, tags } = identity
  const keys = new Map<string, ContextValue>([
    ['aws:principalarn', [arn]],
    ['aws:principalaccount', [account]],
    ['aws:principaltype', [kind === 'user' ? 'User' : 'AssumedRole']],
    ['aws:principalisawsservice', ['false']],
    ['aws:principalservicename', null],
    ['aws:viaawsservice', ['false']],
    ['aws:calledvia', null],
    ['aws:calledviafirst', null],
    ['aws:calledvialast', null],
    ['aws:securetransport', ['true']],
    ['aws:currenttime', [now]],
    ['aws:epochtime', [String(Math.floor(Date.parse(now) / 1000))]],
    ['aws:username', kind === 'user' ? [name] : null],
  ])
  if (organization?.id && organization.levels.has(account)) {
    keys.set('aws:principalorgid', [organization.id])
  }
  if (kind === 'user') keys.set('aws:sourceidentity', null)
  for (const key of read) {
    if (!key.startsWith('aws:principaltag/')) continue
    const tag = key.slice('aws:principaltag/'.length)
    const value = [...tags].find(([each]) => each.toLowerCase() === tag)?.[1]
    // Whoever assumes a role may tag the session over the role's own tags, where its trust allows that.
    if (kind === 'user' || !mayTagSessions(identity))
      keys.set(key, value === undefined ? null : [value])
  }
  const inSession = new Map(keys).set('aws:tokenissuetime', [now])
  if (kind === 'role') return [inSession]
  return [keys.set('aws:tokenissuetime', null), inSession]
}

/** Read from the text: any mention counts. */
function mayTagSessions({ trust }: Identity): boolean {
  return (
    trust !== null && /"sts:(TagSession|\*|Tag\*)"|"\*"|"NotAction"/i.test(JSON.stringify(trust))
  )
}

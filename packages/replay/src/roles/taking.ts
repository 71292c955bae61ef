// Edges inside IAM: a principal that changes its own policies, joins a group or takes its boundary off, and
// one that becomes a user or a role, in its own account or across the border.

import { type Policy, parsePolicy } from '@seconder/aws/iam/policy'
import type { ContextValue } from '@seconder/aws/iam/request'
import { type Answer, Asked, type Gained, hasAnyPolicy, isUnbounded, NO } from './asking.ts'
import type { SelfRow, TakeRow, TakeStep } from './escalation.ts'
import { type Identity, partitionIn } from './estate.ts'
import type { Found, Use } from './graph.ts'
import { ASSUMING, SELF, TAKING } from './identity-rows.ts'
import type { Subject, Subjects } from './subject.ts'
import { Trusting } from './trusting.ts'

export type Add = (subject: Subject, gained: Gained, found: Found) => void

interface Step {
  readonly answer: Answer
  readonly use: Use
}

/** Policies of AWS that give all, or the means to give oneself all. */
const WIDE = ['policy/AdministratorAccess', 'policy/IAMFullAccess']

export class Taking {
  readonly #subjects: Subjects
  readonly #users: readonly Subject[]
  readonly #roles: readonly Subject[]
  readonly #trusting: Trusting
  readonly #bridges = new Map<string, readonly Subject[]>()

  constructor(subjects: Subjects) {
    this.#subjects = subjects
    const all = [...subjects.byArn.values()]
    this.#users = all.filter(({ identity }) => identity.kind === 'user')
    this.#roles = all.filter(({ identity }) => identity.kind === 'role' && !identity.serviceLinked)
    this.#trusting = new Trusting(this.#roles)
  }

  from(asked: Asked, add: Add): void {
    for (const row of SELF) this.#self(asked, row, add)
    for (const row of TAKING) {
      const [first] = row.steps
      if (first && 'action' in first && !asked.mentions(first.action)) continue
      for (const target of this.#targets(asked, row)) this.#take(asked, row, target, add)
    }
  }

  /** Where the trust must let the caller in as it is, only roles whose trust may. */
  #targets({ subject }: Asked, row: TakeRow): readonly Subject[] {
    if (row.target === 'user') return this.#users
    return row.steps.some(({ on }) => on === 'trust') ? this.#trusting.of(subject) : this.#roles
  }

  /** Roles of other accounts, by their trust; and who of the own account gets to one, to become him. */
  acrossAccounts(asked: Asked, add: Add): void {
    const own = asked.subject.identity.account
    for (const target of this.#trusting.of(asked.subject)) {
      if (target.identity.account !== own) this.#take(asked, ASSUMING, target, add)
    }
    for (const bridge of this.#bridgesOf(own)) {
      for (const row of TAKING) {
        if (row.target === bridge.identity.kind) this.#take(asked, row, bridge, add)
      }
    }
  }

  /** Principals of an account whom a role of another account lets in, or may. */
  #bridgesOf(account: string): readonly Subject[] {
    const kept = this.#bridges.get(account)
    if (kept) return kept
    const found = [...this.#users, ...this.#roles].filter((subject) => {
      if (subject.identity.account !== account) return false
      const asked = new Asked({ subject, gained: 'nothing' }, this.#subjects.groups)
      return this.#trusting.of(subject).some((target) => {
        const isAway = target.identity.account !== account
        return isAway && assuming(asked, target, target.trust).answer.truth !== 'no'
      })
    })
    this.#bridges.set(account, found)
    return found
  }

  #self(asked: Asked, row: SelfRow, add: Add): void {
    const { subject, standing } = asked
    const { identity } = subject
    if (!row.of.includes(identity.kind) || !asked.mentions(row.action)) return
    const { gained: before } = standing
    if (row.gives === 'unbounded') {
      if (subject.boundary === null || isUnbounded(before)) return
      const answer = asked.ask({ action: row.action, resource: identity.arn })
      const gained = hasAnyPolicy(before) ? 'any-policy-unbounded' : 'unbounded'
      put(add, subject, gained, row, [{ answer, use: useOf(row, identity.arn) }])
      return
    }
    if (hasAnyPolicy(before)) return
    for (const { resource, gained } of this.#own(asked, row)) {
      const keys = row.attaches ? this.#attachable(identity) : [undefined]
      const answer = best(
        keys.map((each) =>
          asked.ask({
            action: row.action,
            resource,
            keys: keysOn(identity, each),
          }),
        ),
      )
      const kept = isUnbounded(before) && gained === 'any-policy' ? 'any-policy-unbounded' : gained
      put(add, subject, kept, row, [{ answer, use: useOf(row, resource) }])
    }
  }

  /** The things of its own that the row is about, each with what a change of it gives. */
  #own({ subject }: Asked, row: SelfRow): { resource: string; gained: Gained }[] {
    const { identity } = subject
    const { account, arn } = identity
    const any = (resource: string) => ({ resource, gained: 'any-policy' as const })
    switch (row.on) {
      case 'self':
        return [any(arn)]
      case 'own-policy':
        return this.#policiesOf(identity)
          .filter((policy) => row.gives !== 'policy-version' || this.#hasWiderVersion(policy))
          .map(any)
      case 'own-group':
        return identity.groups.flatMap((name) => {
          const group = this.#subjects.groupArns.get(`${account}/${name}`)
          return group === undefined ? [] : [any(group)]
        })
      case 'other-group':
        return [...this.#subjects.groupArns].flatMap(([key, resource]) => {
          const [owner, name = ''] = key.split('/')
          if (owner !== account || identity.groups.includes(name)) return []
          return [{ resource, gained: { group: key } }]
        })
      default:
        return []
    }
  }

  /** Policies of customers that it has itself or by a group; those of AWS nobody can change. */
  #policiesOf(identity: Identity): string[] {
    return this.#subjects.attachedTo(identity).filter((arn) => !/^arn:[^:]+:iam::aws:/.test(arn))
  }

  #hasWiderVersion(arn: string): boolean {
    return this.#subjects.widerVersions.has(arn)
  }

  /** Values of iam:PolicyARN that would give more: AdministratorAccess, and what is as wide in the account. */
  #attachable({ arn }: Identity): string[] {
    const wide = WIDE.map((name) => `arn:${partitionIn(arn)}:iam::aws:${name}`)
    return [...wide, ...this.#subjects.wideCustomerPolicies]
  }

  #take(asked: Asked, row: TakeRow, target: Subject, add: Add): void {
    const { identity } = target
    if (identity.arn === asked.subject.identity.arn) return
    const needsSameAccount = row.steps.some((step) => 'action' in step)
    if (needsSameAccount && identity.account !== asked.subject.identity.account) return
    const steps: Step[] = []
    for (const step of row.steps) {
      const done = this.#step(asked, step, target)
      if (done.answer.truth === 'no') return
      steps.push(done)
    }
    put(add, target, row.as, row, steps, row.needs)
  }

  #step(asked: Asked, step: TakeStep, target: Subject): Step {
    const { identity } = target
    if (step.on === 'trust') return assuming(asked, target, target.trust)
    if (step.on === 'new-trust') return assuming(asked, target, trustOf(asked.subject))
    if (step.on === 'target-policy') {
      const answers = this.#policiesOf(identity).map((resource): Step => {
        const answer = asked.ask({ action: step.action, resource })
        return { answer, use: { action: step.action, resource } }
      })
      return answers.find(({ answer }) => answer.truth === 'yes') ?? answers.at(0) ?? NOTHING
    }
    const keys = step.attaches ? this.#attachable(identity) : [undefined]
    const answer = best(
      keys.map((each) =>
        asked.ask({
          action: step.action,
          resource: identity.arn,
          account: identity.account,
          keys: keysOn(identity, each),
        }),
      ),
    )
    return { answer, use: { action: step.action, resource: identity.arn } }
  }
}

const NOTHING: Step = { answer: NO, use: { action: '', resource: '' } }

function useOf({ action }: SelfRow, resource: string): Use {
  return { action, resource }
}

function best(answers: readonly Answer[]): Answer {
  return (
    answers.find(({ truth }) => truth === 'yes') ??
    answers.find(({ truth }) => truth === 'unknown') ??
    NO
  )
}

/**
 * What IAM knows of the user or role that is changed: its tags, and the boundary that it has.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */
export function keysOn(target: Identity, policyArn?: string): ReadonlyMap<string, ContextValue> {
  const keys = new Map<string, ContextValue>([
    ['iam:permissionsboundary', target.boundary === null ? null : [target.boundary]],
  ])
  for (const [key, value] of target.tags) {
    keys.set(`aws:resourcetag/${key.toLowerCase()}`, [value])
    keys.set(`iam:resourcetag/${key.toLowerCase()}`, [value])
  }
  if (policyArn !== undefined) keys.set('iam:policyarn', [policyArn])
  return keys
}

/** What a principal would write into a trust: itself, and nothing more. */
function trustOf({ identity }: Subject): Policy {
  const statement = {
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal: { AWS: identity.arn },
  }
  return parsePolicy(
    { Version: '2012-10-17', Statement: [statement] },
    'trust',
    'a trust of its own making',
  )
}

function assuming(
  asked: Asked,
  { identity, levels, trust: own }: Subject,
  trust: Policy | null,
): Step {
  const use = { action: 'sts:AssumeRole', resource: identity.arn }
  if (trust === null) {
    const dependsOn = [`the trust policy of ${identity.arn}`]
    return own === null && identity.unread.length > 0
      ? { answer: { ...NO, truth: 'unknown', dependsOn }, use }
      : { answer: NO, use }
  }
  const answer = asked.ask({
    action: 'sts:AssumeRole',
    resource: identity.arn,
    account: identity.account,
    keys: new Map([...keysOn(identity)].filter(([key]) => key.startsWith('aws:resourcetag/'))),
    trust,
    rcps: levels.rcps,
  })
  return { answer, use }
}

function put(
  add: Add,
  to: Subject,
  gained: Gained,
  row: SelfRow | TakeRow,
  steps: readonly Step[],
  needs?: string,
): void {
  if (steps.length === 0 || steps.some(({ answer }) => answer.truth === 'no')) return
  const isCertain = steps.every(({ answer }) => answer.truth === 'yes')
  const open = steps.flatMap(({ answer }) => answer.dependsOn)
  // A password that is there or not can be told by no export; a key can always be tried.
  const dependsOn = [...new Set(needs === undefined ? open : [...open, needs])].sort()
  add(to, gained, {
    row: row.id,
    truth: isCertain && needs === undefined ? 'yes' : 'unknown',
    about: row.about,
    dependsOn,
    evidence: steps.flatMap(({ answer }) => answer.evidence),
    uses: steps.map(({ use }) => use),
  })
}

// Asks whether a node of the graph may do something, and on what: yes with the patterns it holds for,
// no, or what it depends on; with the statements as evidence. The answers are those of the evaluator of
// packages/aws; here the questions are put so that "on some of them" is a yes.

import { authorize, NO_POLICIES, type PolicySet, type Verdict } from '@seconder/aws/iam/authorize'
import { ANY, globOf, ONE, relation, type Unit } from '@seconder/aws/iam/glob'
import { RESOURCE, statementsFor } from '@seconder/aws/iam/match'
import { type Policy, parsePolicy } from '@seconder/aws/iam/policy'
import type { ContextValue } from '@seconder/aws/iam/request'
import type { Template } from '@seconder/aws/iam/template'
import type { Truth } from '@seconder/aws/iam/truth'
import type { Subject } from './subject.ts'

/** A principal with what it has gained on its way. */
export interface Standing {
  readonly subject: Subject
  readonly gained: Gained
}

/**
 * `any-policy`: it can give itself every identity policy; `unbounded`: it took its boundary off; or the
 * key of a group that it can join.
 */
export type Gained =
  | 'nothing'
  | 'any-policy'
  | 'unbounded'
  | 'any-policy-unbounded'
  | { readonly group: string }

export function isUnbounded(gained: Gained): boolean {
  return gained === 'unbounded' || gained === 'any-policy-unbounded'
}

export function hasAnyPolicy(gained: Gained): boolean {
  return gained === 'any-policy' || gained === 'any-policy-unbounded'
}

export interface Evidence {
  readonly policy: string
  readonly statement: string
}

export interface Answer {
  readonly truth: Truth
  /** Patterns for all of which it is certain. */
  readonly on: readonly string[]
  /** Patterns for some of which it is: an example of each was allowed. */
  readonly partly: readonly string[]
  /** Patterns for which it depends on something. */
  readonly may: readonly string[]
  /** Condition keys and facts, sorted; empty unless `unknown`. */
  readonly dependsOn: readonly string[]
  readonly evidence: readonly Evidence[]
}

export interface Question {
  readonly action: string
  /** An ARN or a pattern. */
  readonly resource: string
  /** Account that owns it; null = that of who asks. */
  readonly account?: string
  readonly keys?: ReadonlyMap<string, ContextValue>
  /** Trust policy of the role that is asked about. */
  readonly trust?: Policy
  readonly rcps?: PolicySet['rcps']
  /** The resource is `*` itself, as for an action without resource types: a narrower one does not match. */
  readonly isLiteral?: boolean
  /** Patterns to be told apart from the rest, such as those of environments. */
  readonly places?: readonly string[]
}

export const NO: Answer = { truth: 'no', on: [], partly: [], may: [], dependsOn: [], evidence: [] }

/** Statements of one action whose resources are tried one by one; past it the answer stays unknown. */
const TRIED_MAX = 60

const ALL = parsePolicy(
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
  'identity',
  'a policy of its own making',
)

/** The identity policies that count for a standing. */
export function policiesOf(
  { subject, gained }: Standing,
  groups: ReadonlyMap<string, readonly Policy[]>,
): readonly Policy[] {
  if (hasAnyPolicy(gained)) return [...subject.policies, ALL]
  if (typeof gained === 'object') {
    return [...subject.policies, ...(groups.get(gained.group) ?? [])]
  }
  return subject.policies
}

/** One who can be asked; keeps the policies that count. */
export class Asked {
  readonly standing: Standing
  readonly #set: PolicySet
  readonly #allowing: readonly Policy[]

  constructor(standing: Standing, groups: ReadonlyMap<string, readonly Policy[]>) {
    this.standing = standing
    const { subject, gained } = standing
    const identity = policiesOf(standing, groups)
    const boundary = isUnbounded(gained) ? null : subject.boundary
    const { scps, rcps } = subject.levels
    this.#set = { ...NO_POLICIES, identity, boundary, scps, rcps }
    this.#allowing = [...identity, ...(boundary ? [boundary] : []), ...scps.flat()]
  }

  get subject(): Subject {
    return this.standing.subject
  }

  get policySet(): PolicySet {
    return this.#set
  }

  /** Whether anything at all narrows it: a boundary, an SCP beside AWS's own, or a deny of its own. */
  isHeld(): boolean {
    const { boundary, scps, identity } = this.#set
    return (
      boundary !== null ||
      scps.flat().some(({ name }) => name !== 'p-FullAWSAccess') ||
      identity.some(({ statements }) => statements.some(({ effect }) => effect === 'deny'))
    )
  }

  /** False where no statement allows the action on anything; then nothing need be asked. */
  mentions(action: string): boolean {
    const name = action.toLowerCase()
    if (this.subject.unread.length > 0) return true
    const prefix = name.split(':', 1)[0] ?? ''
    return this.#set.identity.some(
      (policy) =>
        mayBeAbout(policy, prefix) &&
        statementsFor(policy, name).some(({ effect }) => effect === 'allow'),
    )
  }

  /** Whether it may, on the whole of the pattern. */
  whole(question: Question): Verdict {
    let best: Verdict | undefined
    for (const context of this.subject.contexts) {
      const verdict = this.#inRegions(question, context)
      if (best === undefined || RANK[verdict.answer] > RANK[best.answer]) best = verdict
      if (best.answer === 'allow') break
    }
    return this.#asUnread(best as Verdict)
  }

  /** Whether it may on any of it, and where. */
  ask(question: Question): Answer {
    if (question.trust === undefined && !this.mentions(question.action)) return NO
    const verdict = this.whole(question)
    if (verdict.answer === 'allow') return yes([question.resource], verdict)
    if (verdict.answer === 'deny') return NO
    if (!verdict.dependsOn.includes(RESOURCE)) return depends(verdict, [question.resource])
    return this.#onParts(question, verdict)
  }

  /** The whole is not all one: the patterns that statements name are tried, and one example of each. */
  #onParts(question: Question, whole: Verdict): Answer {
    const wanted = globOf(question.resource)
    const parts = new Set<string>([question.resource])
    for (const text of [...(question.places ?? []), ...this.#patterns(question.action)]) {
      if (parts.size > TRIED_MAX) break
      const part = globOf(text)
      const related = relation(wanted, part)
      if (related === 'yes') parts.add(text)
      else if (relation(part, wanted) === 'yes') continue
      else if (related === 'unknown') {
        const narrow = narrower(question.resource, text)
        if (narrow !== null) parts.add(narrow)
      }
    }
    let found: Verdict | undefined
    let open: Verdict | undefined
    const on: string[] = []
    const partly: string[] = []
    const may: string[] = []
    for (const part of parts) {
      const { verdict, isWhole } = this.#part(question, part)
      if (verdict.answer === 'deny') continue
      if (verdict.answer === 'allow') {
        found ??= verdict
        const list = isWhole ? on : partly
        list.push(part)
        continue
      }
      // The whole is all of its parts, where nothing allows more than they: they say it better.
      if (part !== question.resource || this.#allowsAll(question)) may.push(part)
      if (!verdict.dependsOn.includes(RESOURCE)) open ??= verdict
    }
    if (found) return { ...yes(on, found), partly, may }
    return depends(open ?? whole, may.length > 0 ? may : [question.resource])
  }

  /** Whether some statement allows the action on all that is asked about, denies apart. */
  #allowsAll({ action, resource }: Question): boolean {
    const wanted = globOf(resource)
    const name = action.toLowerCase()
    return this.#set.identity.some((policy) =>
      statementsFor(policy, name).some(({ effect, resources }) => {
        if (effect !== 'allow' || resources === null) return false
        if (resources.not) return true
        return resources.patterns.some(
          ({ fixed }) => fixed !== null && relation(fixed, wanted) === 'yes',
        )
      }),
    )
  }

  /** Of the part as a whole, else of one example of it. */
  #part(question: Question, resource: string): { verdict: Verdict; isWhole: boolean } {
    const whole = this.whole({ ...question, resource })
    if (whole.answer !== 'unknown' || !whole.dependsOn.includes(RESOURCE)) {
      return { verdict: whole, isWhole: true }
    }
    const example = this.whole({ ...question, resource: exampleOf(resource) })
    return { verdict: example.answer === 'deny' ? whole : example, isWhole: false }
  }

  /** Resource patterns of statements that allow the action, boundaries and SCPs included. */
  #patterns(action: string): Set<string> {
    const texts = new Set<string>()
    for (const policy of this.#allowing) {
      for (const { effect, resources } of statementsFor(policy, action.toLowerCase())) {
        if (effect !== 'allow' || resources === null || resources.not) continue
        for (const template of resources.patterns) texts.add(textOfTemplate(template, this.subject))
      }
    }
    return texts
  }

  /** The caller chooses the region: one in which it may is enough. */
  #inRegions(question: Question, context: ReadonlyMap<string, ContextValue>): Verdict {
    const verdict = this.#once(question, context)
    if (verdict.answer !== 'unknown' || !verdict.dependsOn.includes(REGION)) return verdict
    let best = verdict
    for (const region of this.#regions()) {
      const there = this.#once(question, new Map(context).set(REGION, [region]))
      if (there.answer === 'allow') return there
      if (there.answer === 'unknown' && there.dependsOn.length < best.dependsOn.length) best = there
    }
    return best
  }

  #regions(): Set<string> {
    const regions = new Set<string>()
    for (const policy of [...this.#allowing, ...this.subject.levels.rcps.flat()]) {
      for (const { conditions } of policy.statements) {
        for (const { key, values } of conditions) {
          if (key !== REGION) continue
          for (const { fixed } of values) if (fixed?.literal) regions.add(fixed.literal)
        }
      }
    }
    return regions.add('us-east-1')
  }

  #once(question: Question, context: ReadonlyMap<string, ContextValue>): Verdict {
    const { action, resource, trust } = question
    const account = question.account ?? this.subject.principal.account
    const keys = new Map(context).set('aws:resourceaccount', [account])
    for (const [key, value] of question.keys ?? []) keys.set(key, value)
    return authorize(
      {
        principal: this.subject.principal,
        action,
        resource,
        resourceIsPattern: question.isLiteral !== true && /[*?]/.test(resource),
        resourceAccount: account,
        context: { keys, others: 'unknown' },
      },
      trust === undefined
        ? { ...this.#set, ...(question.rcps && { rcps: question.rcps }) }
        : {
            ...this.#set,
            resource: trust,
            resourceKind: 'trust',
            rcps: question.rcps ?? this.#set.rcps,
          },
    )
  }

  /** Where something of it could not be read, neither yes nor an implicit no is certain. */
  #asUnread(verdict: Verdict): Verdict {
    const { unread } = this.subject
    if (unread.length === 0 || verdict.step === 'explicit-deny' || verdict.step === 'scp') {
      return verdict
    }
    const dependsOn = [...new Set([...verdict.dependsOn, ...unread])].sort()
    return { ...verdict, answer: 'unknown', dependsOn }
  }
}

const keptPrefixes = new WeakMap<Policy, ReadonlySet<string> | null>()

/** Whether a policy can allow anything of a service; the evaluator keeps what it looks up, so ask it less. */
function mayBeAbout(policy: Policy, prefix: string): boolean {
  let prefixes = keptPrefixes.get(policy)
  if (prefixes === undefined) {
    prefixes = prefixesOf(policy)
    keptPrefixes.set(policy, prefixes)
  }
  return prefixes === null || prefixes.has(prefix)
}

/** Services of the allowed actions; null where they may be any. */
function prefixesOf({ statements }: Policy): ReadonlySet<string> | null {
  const prefixes = new Set<string>()
  for (const { effect, actions } of statements) {
    if (effect !== 'allow') continue
    if (actions.not) return null
    for (const { units } of actions.patterns) {
      const [prefix = ''] = textOfUnits(units).split(':', 1)
      if (/[*?]/.test(prefix)) return null
      prefixes.add(prefix)
    }
  }
  return prefixes
}

const REGION = 'aws:requestedregion'
const RANK = { deny: 0, unknown: 1, allow: 2 } as const

function yes(on: readonly string[], verdict: Verdict): Answer {
  return { truth: 'yes', on, partly: [], may: [], dependsOn: [], evidence: evidenceOf(verdict) }
}

function depends(verdict: Verdict, may: readonly string[]): Answer {
  return {
    truth: 'unknown',
    on: [],
    partly: [],
    may,
    dependsOn: verdict.dependsOn,
    evidence: evidenceOf(verdict),
  }
}

function evidenceOf({ matched }: Verdict): Evidence[] {
  const allows = matched.filter(({ effect, kind }) => effect === 'allow' && kind !== 'scp')
  return allows.slice(0, 8).map(({ policy, statement }) => ({ policy, statement }))
}

function textOfTemplate({ parts, fixed }: Template, { contexts }: Subject): string {
  const [context] = contexts
  if (fixed !== null) return textOfUnits(fixed.units)
  return parts
    .map((part) => ('key' in part ? (context?.get(part.key)?.[0] ?? '*') : textOfUnits(part)))
    .join('')
}

export function textOfUnits(units: readonly Unit[]): string {
  return units.map((unit) => (unit === ANY ? '*' : unit === ONE ? '?' : unit)).join('')
}

/** What both patterns have in common, where one is the other with a longer start; else null. */
function narrower(wanted: string, text: string): string | null {
  const head = (pattern: string) => pattern.split(/[*?]/, 1)[0] ?? ''
  const parts = wanted.split(':')
  const others = text.split(':')
  if (others.length < 6 || parts.length < 6) return text.includes('*') ? text : null
  const merged = parts.slice(0, 5).map((part, index) => {
    const other = others[index] ?? '*'
    return part === '*' || part === '' ? other : part
  })
  const rest = others.slice(5).join(':')
  const wantedRest = parts.slice(5).join(':')
  const longer = head(rest).length >= head(wantedRest).length ? rest : wantedRest
  return [...merged, longer].join(':')
}

/** One thing that the pattern stands for and that no statement is likely to name. */
export function exampleOf(pattern: string): string {
  if (!/[*?]/.test(pattern)) return pattern
  const parts = pattern.split(':')
  const filled = parts.map((part, index) => {
    if (part !== '*' || index > 4) return part.replaceAll('*', 'x9-example').replaceAll('?', 'x')
    return index === 3 ? 'us-east-1' : index === 1 ? 'aws' : '000000000000'
  })
  return filled.join(':')
}

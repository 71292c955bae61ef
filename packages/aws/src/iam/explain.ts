// Says why IAM would answer as `authorize` says: the level that decided, its statements by policy and
// place, the keys it depends on, and for an implicit deny the statements that came near. Pure, like
// the answer itself; names from documents are shown cut and without control characters.

import { authorize, type PolicySet, type Step, type Verdict } from './authorize.ts'
import { holds } from './condition.ts'
import {
  type AskedOf,
  askedOf,
  type Matched,
  principalMatches,
  resourceMatches,
  saidBy,
  statementsFor,
} from './match.ts'
import type { Policy, PolicyKind, Statement } from './policy.ts'
import type { IamRequest } from './request.ts'

/** A statement that allows the action and is not for this request. */
export interface Near {
  readonly policy: string
  readonly kind: PolicyKind
  readonly statement: string
  readonly index: number
  readonly because: 'principal' | 'resource' | 'condition'
  /** Keys of the conditions that do not hold. */
  readonly keys: readonly string[]
}

export interface Explanation {
  readonly answer: Verdict['answer']
  readonly step: Step
  /** Of SCPs and RCPs the level that refused, root first from 0; else null. */
  readonly level: number | null
  /** What decided: the denies, the allows, or what may be either. Empty for an implicit deny. */
  readonly statements: readonly Matched[]
  readonly near: readonly Near[]
  /** As `dependsOn` of the verdict. */
  readonly missing: readonly string[]
  /** One to three sentences for a person. */
  readonly words: string
}

/** Statements named in words; the rest is counted. */
export const NAMED_MAX = 3

/** Answers as `authorize` does, and why. */
export function explain(request: IamRequest, policies: PolicySet): Explanation {
  const verdict = authorize(request, policies)
  const { answer, step, dependsOn: missing } = verdict
  const statements = decidingOf(verdict)
  const implicit = answer === 'deny' && step !== 'explicit-deny'
  const asked = askedOf(request, policies.boundary !== null)
  const level = implicit ? refusingLevel(step, policies, asked) : null
  const near = implicit ? nearOf(policiesOf(step, policies, request, level), asked) : []
  const said = { answer, step, level, statements, near, missing }
  return { ...said, words: wordsOf(said, request, policies) }
}

/** The statements that decided; of an allow first those that grant, then those that let it pass. */
function decidingOf({ answer, step, matched }: Verdict): Matched[] {
  switch (answer) {
    case 'deny':
      return step === 'explicit-deny' ? matched.filter(({ truth }) => truth === 'yes') : []
    case 'unknown':
      return matched.filter(({ truth }) => truth === 'unknown')
    case 'allow': {
      const allows = matched.filter(({ effect, truth }) => effect === 'allow' && truth === 'yes')
      return [...allows.filter(isGrant), ...allows.filter((one) => !isGrant(one))]
    }
  }
}

function isGrant({ kind }: Matched): boolean {
  return kind === 'identity' || kind === 'resource' || kind === 'trust'
}

function refusingLevel(step: Step, { scps, rcps }: PolicySet, asked: AskedOf): number | null {
  if (step !== 'scp' && step !== 'rcp') return null
  const levels = step === 'scp' ? scps : rcps
  return levels.findIndex((level) => saidBy(level, 'allow', asked).truth === 'no')
}

function policiesOf(
  step: Step,
  policies: PolicySet,
  request: IamRequest,
  level: number | null,
): readonly Policy[] {
  const { identity, boundary, session, scps, rcps, resource } = policies
  const owned = resource === null || resource === 'unknown' ? [] : [resource]
  switch (step) {
    case 'scp':
      return scps[level ?? 0] ?? []
    case 'rcp':
      return rcps[level ?? 0] ?? []
    case 'boundary':
      return boundary === null ? [] : [boundary]
    case 'session-policy':
      return session ?? []
    case 'resource-policy':
      return owned
    case 'identity-policy':
      return request.resourceAccount === request.principal.account
        ? [...identity, ...owned]
        : identity
    case 'explicit-deny':
    case 'allowed':
      return []
  }
}

function nearOf(policies: readonly Policy[], asked: AskedOf): Near[] {
  return policies.flatMap((policy) =>
    statementsFor(policy, asked.action)
      .filter(({ effect }) => effect === 'allow')
      .map((statement): Near => {
        const { name, index } = statement
        const { name: named, kind } = policy
        return { policy: named, kind, statement: name, index, ...missedBy(statement, asked) }
      }),
  )
}

function missedBy(statement: Statement, asked: AskedOf): Pick<Near, 'because' | 'keys'> {
  const needs = new Set<string>()
  if (principalMatches(statement, asked, needs) === 'no') return { because: 'principal', keys: [] }
  if (resourceMatches(statement, asked, needs) === 'no') return { because: 'resource', keys: [] }
  const { context } = asked.request
  const failing = statement.conditions.filter((each) => holds(each, context, needs) !== 'yes')
  // Nothing of it fails: it names the role or the account only, which another level did not follow.
  if (failing.length === 0) return { because: 'principal', keys: [] }
  return { because: 'condition', keys: [...new Set(failing.map(({ key }) => key))].sort() }
}

const LEVELS: Readonly<Record<Step, string>> = {
  'explicit-deny': 'an explicit deny',
  rcp: 'the resource control policies',
  scp: 'the service control policies',
  'resource-policy': "the resource's policy",
  'identity-policy': 'the policies of the identity',
  boundary: 'the permissions boundary',
  'session-policy': "the session's policy",
  allowed: 'every level',
}

const KINDS: Readonly<Record<PolicyKind, string>> = {
  identity: 'identity policy',
  boundary: 'boundary',
  session: 'session policy',
  scp: 'SCP',
  rcp: 'RCP',
  resource: 'resource policy',
  trust: 'trust policy',
}

const BECAUSE: Readonly<Record<Near['because'], string>> = {
  principal: 'names another principal, or only its account or role',
  resource: 'names other resources',
  condition: 'has a condition that does not hold',
}

function wordsOf(
  { answer, step, level, statements, near, missing }: Omit<Explanation, 'words'>,
  request: IamRequest,
  policies: PolicySet,
): string {
  const what = `${shown(request.action)} on ${shown(request.resource)}`
  if (answer === 'allow') {
    if (statements.length === 0) return `allowed: a root user starts with ${what} allowed`
    return `allowed: ${what}, by ${list(statements.map(nameOf))}`
  }
  if (answer === 'unknown') {
    const keys = list(missing.map((key) => `\`${shown(key)}\``))
    const open = statements.map((one) => `${nameOf(one)} may ${one.effect} it`)
    return `depends on ${keys}: ${what}${open.length > 0 ? `; ${list(open)}` : ''}`
  }
  if (step === 'explicit-deny') return `denied: ${what}, by ${list(statements.map(nameOf))}`
  const of = step === 'scp' ? policies.scps.length : policies.rcps.length
  const where = level === null ? LEVELS[step] : `level ${level + 1} of ${of} of ${LEVELS[step]}`
  const missed = near.map((one) => {
    const keys = one.keys.length > 0 ? ` (${list(one.keys.map((key) => `\`${shown(key)}\``))})` : ''
    return `${nameOf(one)} allows the action but ${BECAUSE[one.because]}${keys}`
  })
  return `denied: nothing in ${where} allows ${what}${missed.length > 0 ? `; ${list(missed)}` : ''}`
}

function nameOf({ policy, kind, statement, index }: Matched | Near): string {
  const name = statement === String(index) ? `${index}` : `\`${shown(statement)}\` (${index})`
  return `statement ${name} of ${KINDS[kind]} \`${shown(policy)}\``
}

function list(items: readonly string[]): string {
  if (items.length <= NAMED_MAX) return items.join(', ')
  return `${items.slice(0, NAMED_MAX).join(', ')} and ${items.length - NAMED_MAX} more`
}

/** Longest name from a document in words. */
const SHOWN_MAX = 200

/** Without what a terminal would obey or a reader could not see. */
function shown(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
  return plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}...` : plain
}

// The policy change that would have stopped what happened, as Cedar with cases: written from the record, loaded
// and run before it is shown. Nothing here is in force; people review it and activate it like any other.

import type { SeatCount } from '@seconder/gateway/decide/decision'
import {
  loadPolicySet,
  type PolicySet,
  type PolicySources,
} from '@seconder/gateway/decide/policy-set'
import { parseCases, runCases } from '@seconder/gateway/decide/policy-test'
import { decided, type Recorded } from './candidates.ts'
import type { Proposal } from './incident.ts'
import { seats } from './words.ts'

/** Rules, and cases, of one proposal. */
const RULES_MAX = 20

export interface Proposed {
  readonly proposal: Proposal
  /** The base with the change in it; null where the change is only cases. */
  readonly policySet: PolicySet | null
}

export interface Base {
  /** `epoch 3`, `the shipped policies`. */
  readonly name: string
  readonly sources: PolicySources
  readonly policySet: PolicySet
}

/**
 * Null where no policy would make a difference: nothing harmful is on record, or what is proposed does not load
 * or does not hold, and then it is not shown.
 */
export async function proposalFor(
  calls: readonly Recorded[],
  base: Base,
  at: string,
): Promise<Proposed | null> {
  const passed = calls.filter(({ wentOn }) => wentOn)
  const open = distinct(passed.filter((call) => decided(call, base.policySet).answer === 'allow'))
  const name = `incident-${at.slice(0, 10)}`
  if (open.length === 0) return casesOnly(calls, base, name)
  const rules = open.slice(0, RULES_MAX).map((call) => ruleOf(call, name, base))
  const text = [
    `// Proposed after ${name}, from the record of what happened. Each rule is one call that went on and`,
    `// would not again without more people. It only adds to ${base.name}; it opens nothing.`,
    '',
    rules.map(({ text }) => text).join('\n\n'),
    '',
  ].join('\n')
  const sources = {
    ...base.sources,
    policies: [...base.sources.policies, { file: `${name}.cedar`, text }],
  }
  const policySet = await loaded(sources)
  if (policySet === null) return null
  const cases = rules.map(({ call, requirement }) => ({
    name: `${call.action.operation} waits for ${seats(requirement)}`,
    request: requestOf(call),
    expect: expectation(call, policySet),
  }))
  const proposal = checked(name, text, [...cases, lookCase(open, policySet)], policySet)
  if (proposal === null || open.some((call) => decided(call, policySet).answer === 'allow'))
    return null
  const few = rules.length === 1 ? 'One rule' : `${rules.length} rules`
  const says = `${few} beside ${base.name}: what went on would wait for more people than signed it. It only forbids; it opens nothing.`
  return { proposal: { ...proposal, says }, policySet }
}

/** What held is kept so: cases that fail if a later change of policy lets it pass. */
function casesOnly(calls: readonly Recorded[], base: Base, name: string): Proposed | null {
  const held = distinct(calls).filter((call) => decidedAlone(call, base).answer !== 'allow')
  if (held.length === 0) return null
  const cases = held.slice(0, RULES_MAX).map((call) => ({
    name: `${call.action.operation} does not pass alone`,
    request: requestOf(call),
    expect: expectation(call, base.policySet),
  }))
  const proposal = checked(name, null, cases, base.policySet)
  if (proposal === null) return null
  const says = `No rule is missing: under ${base.name} it is held. The cases keep it so; \`seconder policy test\` fails if a later change lets it pass.`
  return { proposal: { ...proposal, says }, policySet: null }
}

function checked(
  name: string,
  policy: string | null,
  cases: readonly object[],
  policySet: PolicySet,
): Omit<Proposal, 'says'> | null {
  const text = `${JSON.stringify(cases, null, 2)}\n`
  const results = runCases(policySet, parseCases(`${name}.case.json`, text))
  const passed = results.filter((result) => result.passed).length
  return passed === results.length ? { name, policy, cases: text, casesPassed: passed } : null
}

async function loaded(sources: PolicySources): Promise<PolicySet | null> {
  try {
    return await loadPolicySet(sources)
  } catch {
    return null // it does not fit what is there: then nothing is proposed
  }
}

interface Rule {
  readonly call: Recorded
  readonly requirement: readonly SeatCount[]
  readonly text: string
}

function ruleOf(call: Recorded, name: string, base: Base): Rule {
  const { action } = call
  const effects = effectsOf(call)
  const requirement = moreThan(call, base)
  const id = `${name}-${action.operation.replace(/[^A-Za-z0-9]+/g, '-').toLowerCase()}`.slice(
    0,
    120,
  )
  const environments = [...new Set(action.resources.map(({ environment }) => environment))]
  const scope =
    environments.length === 1
      ? `resource in Environment::${quoted(environments[0] ?? '')}`
      : 'resource'
  const groups = effects.map((effect) => `Action::${quoted(effect)}`)
  const text = [
    `@id(${quoted(id)})`,
    `@reason(${quoted(`${action.operation} did harm before: ${seats(requirement)}`)})`,
    `forbid (principal is Agent, action in [${groups.join(', ')}], ${scope})`,
    `when { context.operation == ${quoted(action.operation)} }`,
    `unless { context.approvedBy.containsAll([${requirement.map(quoted).join(', ')}]) };`,
  ].join('\n')
  return { call, requirement, text }
}

/** One person more than signed, with the teams that policy knows. */
function moreThan({ signed }: Recorded, { policySet }: Base): SeatCount[] {
  const teams = [...policySet.teams].sort()
  const [team] = teams.includes('sre') ? ['sre'] : teams
  const people = signed.length + 1
  if (team === undefined) return [`any:${people}`]
  return people === 1 ? [`${team}:1`] : [`any:${people}`, `${team}:1`]
}

/** A text of Cedar; JSON's escapes but `\uXXXX` are Cedar's too. Names of operations hold nothing else. */
function quoted(text: string): string {
  return JSON.stringify(text.replace(/[^\x20-\x7e]/g, '?'))
}

function effectsOf({ action, looked }: Recorded) {
  const all = [...new Set([...action.effects, ...looked.addedEffects])]
  const changes = all.filter((effect) => effect !== 'read' && effect !== 'list')
  return changes.length === 0 ? all : changes
}

/** The form of a case, see policies/README.md. No parameter is in it, so no value of anybody. */
function requestOf({ action, context, looked }: Recorded) {
  const { operation, service, account, region, door, reveals, recoverable, iamActions } = action
  return {
    door,
    operation,
    service,
    account,
    region,
    iamActions,
    effects: [...new Set([...action.effects, ...looked.addedEffects])],
    reveals,
    recoverable,
    resources: action.resources.slice(0, 50).map(({ inner: _, ...resource }) => resource),
    ...(action.ownLimbs !== undefined && { ownLimbs: true }),
    ...(action.outside !== undefined && { outsideAccounts: true }),
    context: { role: context.role, isolation: context.isolation, breakGlass: context.breakGlass },
  }
}

function decidedAlone(call: Recorded, { policySet }: Base) {
  return decided({ ...call, signed: [] }, policySet)
}

/** What must hold: whatever else, it does not pass alone. */
function expectation(call: Recorded, policySet: PolicySet) {
  const decision = decided({ ...call, signed: [] }, policySet)
  if (decision.answer === 'review') return { answer: 'review', requirement: decision.requirement }
  if (decision.answer === 'deny') return { answer: 'deny', code: decision.code }
  return { answer: 'review' }
}

/** Its twin: a look at the same things still passes, where it did. */
function lookCase(calls: readonly Recorded[], policySet: PolicySet) {
  const [call] = calls
  const looking = call as Recorded
  const action = { ...looking.action, effects: ['read' as const], reveals: 'data' as const }
  const bare = { ...looking, action, looked: { ...looking.looked, addedEffects: [] }, signed: [] }
  const decision = decided(bare, policySet)
  return {
    name: 'a look at the same things is answered as before',
    request: requestOf(bare),
    expect: { answer: decision.answer },
  }
}

/** One of each operation and environment. */
function distinct(calls: readonly Recorded[]): Recorded[] {
  const seen = new Map<string, Recorded>()
  for (const call of calls) {
    const { operation, resources } = call.action
    const key = JSON.stringify([operation, [...new Set(resources.map((one) => one.environment))]])
    if (!seen.has(key)) seen.set(key, call)
  }
  return [...seen.values()]
}

// What the policies in force would say to a call that nobody has made, and what it would take: the gate's own
// describe and decide on a question of a person. Reads the loaded epoch, changes nothing, records nothing.
import { randomBytes } from 'node:crypto'
import { CallError } from '@seconder/aws/call-errors'
import { meaningOf } from '@seconder/aws/describe-call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import {
  type Operation,
  operationOf,
  type Service,
  serviceOf,
  signingNameOf,
  signingNames,
} from '@seconder/aws/index/service-index'
import { grammarFor } from '@seconder/aws/sql/stated'
import type { DecideContext, Decision, SeatCount } from '../decide/decision.ts'
import type { LoadedPolicy } from '../decide/policy-set.ts'
import { type ExplainedPart, explain } from '../decide/policy-test.ts'
import { waysThrough } from '../decide/ways.ts'
import type { Action } from '../describe/action.ts'
import { actionOf } from '../describe/describe.ts'
import { covers } from '../describe/environments.ts'
import { type ActiveEpoch, observes, placeRules } from '../epoch/active.ts'
import { NO_EVIDENCE } from '../resolve/evidence.ts'
import { invalid, type Question } from './question.ts'

export interface CitedPolicy extends Pick<LoadedPolicy, 'id' | 'file' | 'effect' | 'reason'> {
  readonly text: string
}

export interface WhatItTakes {
  readonly epoch: number
  readonly operation: string
  readonly action: Pick<Action, 'effects' | 'iamActions' | 'resources' | 'reveals' | 'recoverable'>
  readonly role: string
  readonly decision: Decision
  /** Each alone would do; empty where nobody is asked or nothing would do. */
  readonly ways: readonly (readonly SeatCount[])[]
  readonly parts: readonly ExplainedPart[]
  readonly policies: readonly CitedPolicy[]
  /** What the answer does not count, one sentence each. */
  readonly notes: readonly string[]
}

/** Errors: `question_invalid`. */
export async function whatItTakes(
  epoch: ActiveEpoch,
  question: Question,
  nowMs: number,
): Promise<WhatItTakes> {
  const { content, policySet } = epoch
  const { service, operation } = operationNamed(question.operation)
  await grammarFor(service.prefix)
  const role = roleOf(content.roles, question.role)
  const action = actionAsked(epoch, question, service, operation, accountOf(question, role.arn))
  const context: DecideContext = {
    agent: 'agent',
    operator: 'operator',
    role: role.name,
    isolation: question.isolation,
    breakGlass: false,
  }
  const { decision, parts } = explain(action, NO_EVIDENCE, context, policySet)
  const { ways, isCut } =
    decision.answer === 'review'
      ? waysThrough(action, NO_EVIDENCE, context, policySet)
      : { ways: [], isCut: false }
  const { effects, iamActions, resources, reveals, recoverable } = action
  const cited = new Set([decision, ...parts.map((part) => part.decision)].flatMap(policiesOf))
  return {
    epoch: epoch.number,
    operation: action.operation,
    action: { effects, iamActions, resources, reveals, recoverable },
    role: role.name,
    decision,
    ways,
    parts,
    policies: [...cited]
      .sort()
      .flatMap((id) => policySet.policies.get(id) ?? [])
      .map(shown),
    notes: [
      ...(isCut ? [`There may be more ways than these ${ways.length}.`] : []),
      ...notesOn(
        action,
        decision,
        question.environment,
        observes(epoch, action, decision, { role: role.name, nowMs }),
      ),
    ],
  }
}

function shown({ id, file, effect, reason, text }: LoadedPolicy): CitedPolicy {
  return { id, file, effect, reason, text }
}

function policiesOf({ policies }: Decision): readonly string[] {
  return policies
}

/** Names of the operations of a service, by its IAM prefix, SDK or signing name. Errors: `question_invalid`. */
export function operationNames(name: string): string[] {
  const service = serviceNamed(name)
  const names = service.models.flatMap(({ operations }) => Object.keys(operations))
  return [...new Set(names)].sort()
}

function serviceNamed(name: string): Service {
  // A prefix that is a signing name is meant as one: `sso` is another service's name in the SDK.
  const signingName = signingNames().includes(name) ? name : signingNameOf(name)
  try {
    if (signingName !== undefined) return serviceOf(signingName)
  } catch (cause) {
    if (!(cause instanceof CallError)) throw cause
  }
  throw invalid(`\`operation\`: there is no service \`${name}\` in the index`)
}

function operationNamed(asked: string): { service: Service; operation: Operation } {
  const [prefix = '', name = ''] = asked.split(':')
  const service = serviceNamed(prefix)
  for (const model of service.models) {
    const operation = operationOf(model, name)
    if (operation !== undefined) return { service, operation }
  }
  throw invalid(`\`operation\`: \`${prefix}\` has no operation \`${name}\``)
}

interface NamedRole {
  readonly name: string
  readonly arn: string
}

function roleOf(
  roles: Readonly<Record<string, { readonly arn: string }>>,
  asked: string,
): NamedRole {
  const name = asked === '' ? (Object.keys(roles)[0] ?? '') : asked
  const role = Object.hasOwn(roles, name) ? roles[name] : undefined
  if (role === undefined)
    throw invalid(`\`role\`: there is no role \`${name}\` in the configuration`)
  return { name, arn: role.arn }
}

/** Of the first thing that names one, else of the role. */
function accountOf({ resources }: Question, roleArn: string): string {
  const named = [...resources, roleArn].map((arn) => arn.split(':')[4] ?? '')
  return named.find((account) => /^\d{12}$/.test(account)) ?? '000000000000'
}

function regionOf({ resources, region }: Question): string {
  const named = resources.map((arn) => arn.split(':')[3] ?? '')
  return named.find((one) => /^[a-z]{2}(-[a-z]+)+-\d+$/.test(one)) ?? region
}

function actionAsked(
  epoch: ActiveEpoch,
  question: Question,
  service: Service,
  operation: Operation,
  account: string,
): Action {
  const region = regionOf(question)
  const here = { partition: partitionOf(region) ?? 'aws', region, account }
  const meaning = meaningFor(question, service, operation, here)
  const named = question.resources.map((arn) => ({
    arn,
    type: typeOf(arn, meaning.resources),
    resolved: !/[*?]/.test(arn),
  }))
  // What its parameters name beside that is touched too; what is named stands for its own kind alone.
  const kinds = new Set(named.map(({ type }) => type))
  const others = meaning.resources.filter(({ arn, type, resolved }) =>
    resolved ? !question.resources.includes(arn) : !kinds.has(type),
  )
  const resources = named.length > 0 ? [...named, ...others] : meaning.resources
  const rules = placeRules(epoch)
  const maskKey = randomBytes(32).toString('hex')
  const action = actionOf({ ...meaning, resources }, null, { ...rules, maskKey })
  const { environment } = question
  if (environment === null) return action
  const known = [...rules.environments.map(({ name }) => name), ...epoch.policySet.environments]
  if (!known.includes(environment) && environment !== 'production') {
    throw invalid(`\`environment\`: neither configuration nor policies know \`${environment}\``)
  }
  // Supposed is that all of it lies there, so nothing unnamed may lie elsewhere; a role counts once.
  const supposed = action.resources.map((one) => [one.arn, { ...one, environment, resolved: true }])
  return { ...action, resources: Object.values(Object.fromEntries(supposed)) }
}

function meaningFor(
  { parameters }: Question,
  service: Service,
  operation: Operation,
  here: Parameters<typeof meaningOf>[3],
) {
  try {
    return meaningOf(service, operation, parameters, here)
  } catch (cause) {
    if (!(cause instanceof CallError)) throw cause
    throw invalid(`\`parameters\`: not those of the operation: ${cause.message}`)
  }
}

/** As the operation knows things of this form; a role is one by its ARN alone. */
function typeOf(
  arn: string,
  known: readonly { readonly arn: string; readonly type: string }[],
): string {
  if (/^arn:[^:]*:iam::[^:]*:role\//.test(arn)) return 'role'
  return known.find((one) => covers(one.arn, arn))?.type ?? '*'
}

function notesOn(
  action: Action,
  decision: Decision,
  supposed: string | null,
  isObserved: boolean,
): string[] {
  const notes: string[] = []
  if (supposed !== null) notes.push(`Supposed is that all it touches lies in ${supposed}.`)
  if (action.resources.some(({ resolved }) => !resolved)) {
    notes.push('Not everything it touches is named: what is not counts as anything of its kind.')
  }
  if (action.ownLimbs !== undefined) {
    notes.push(`It touches what the gate stands on: ${action.ownLimbs.join(', ')}.`)
  }
  if (action.outside !== undefined) {
    notes.push(`It reaches accounts outside of the configuration: ${action.outside.join(', ')}.`)
  }
  if (action.effects.some((effect) => effect !== 'read' && effect !== 'list')) {
    notes.push(
      'Before it decides, the gate looks up what the call would meet, and can only be stricter.',
    )
  }
  if (decision.answer === 'deny' && decision.code === 'credential_answer') {
    notes.push(
      'An AssumeRole of a role of the configuration is answered with a session of the gate itself.',
    )
  }
  if (isObserved) notes.push('Its environment only observes now: it would pass, and be recorded.')
  return notes
}

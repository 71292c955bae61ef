// Calls as API Activity (6003): what was asked, what the gate did about it, and how it ended. An intent and its
// outcome are two events with one correlation id.
// Source: https://schema.ocsf.io/1.9.0/classes/api_activity, profiles security_control and ai_operation
import type { CallFacts, Entry } from '@seconder/gateway/record/entry'
import {
  CLASSES,
  type CONTROL,
  type EventParts,
  type OcsfObject,
  type SEVERITY,
} from './ocsf-event.ts'

type Of<Type extends Entry['type']> = Extract<Entry, { type: Type }>

const OF = CLASSES.apiActivity
const READ = [2, 'Read'] as const
const UPDATE = [3, 'Update'] as const
const DELETE = [4, 'Delete'] as const
const UNKNOWN = [0, 'Unknown'] as const

/** What is destroyed is deleted, also where something takes its place; what nobody knows is unknown. */
function activityOf(effects: readonly string[]): EventParts['activity'] {
  if (effects.includes('destroy') || effects.includes('replace')) return DELETE
  if (effects.length === 0 || effects.includes('unknown') || effects.includes('opaque')) {
    return UNKNOWN
  }
  return effects.every((effect) => effect === 'read' || effect === 'list') ? READ : UPDATE
}

/** Who acts for whom: the operator is the user, the agent what acts under that delegation. */
export function actorOf(of: Pick<CallFacts, 'session' | 'operator' | 'agent' | 'role'>) {
  const { session, operator, agent, role } = of
  return {
    actor: {
      user: { name: operator, uid: operator },
      session: { uid: session, issuer: 'seconder' },
      iam_role: { name: role },
      app_name: agent,
    },
    ai_agent: { uid: agent, name: agent, instance_uid: session },
    delegation: { uid: session },
  }
}

function apiOf(operation: string, request: string, response?: OcsfObject): OcsfObject {
  const colon = operation.indexOf(':')
  const [service, name] =
    colon < 1 ? ['unknown', operation] : [operation.slice(0, colon), operation.slice(colon + 1)]
  return {
    operation: name === '' ? 'unknown' : name,
    service: { name: service },
    request: { uid: request },
    ...(response && { response }),
  }
}

/** The ledger holds no address of a caller: the endpoint is the session. */
function callOf(facts: CallFacts, request: string, response?: OcsfObject): OcsfObject {
  return {
    ...actorOf(facts),
    api: apiOf(facts.operation, request, response),
    resources: facts.resources.map((uid) => ({ uid })),
    src_endpoint: { uid: facts.session, name: facts.agent },
  }
}

function unmappedOf({ environments, effects, digest, epoch }: CallFacts): OcsfObject {
  return { environments, effects, digest, epoch }
}

/** Policies that made an answer, with what they said. */
function authorizations(policies: readonly string[], decision: string, epoch: number) {
  return policies.map((uid) => ({ decision, policy: { uid, version: String(epoch) } }))
}

interface Answer {
  readonly control: keyof typeof CONTROL
  readonly severity: keyof typeof SEVERITY
  readonly status: EventParts['status']
  readonly message: string
  readonly decision: string
}

/** Null for an entry that is about no call. */
export function callEvent(entry: Entry): EventParts | null {
  switch (entry.type) {
    case 'read':
      return answered(entry, entry.digest, readAnswer(entry))
    case 'intent':
      return answered(entry, entry.request ?? entry.effect, intentAnswer(entry))
    case 'denied':
      return answered(entry, entry.digest, deniedAnswer(entry))
    case 'request-opened':
    case 'plan-opened':
      return answered(entry, entry.request, heldAnswer(entry))
    case 'plan-step':
      return answered({ ...entry, policies: [] }, entry.plan, stepAnswer(entry))
    case 'refused':
      return refused(entry)
    case 'unverified':
      return unverified(entry)
    default:
      return null
  }
}

function answered(
  entry: CallFacts & { readonly policies: readonly string[] },
  request: string,
  { control, severity, status, message, decision }: Answer,
): EventParts {
  return {
    of: OF,
    activity: activityOf(entry.effects),
    severity,
    status,
    control,
    message,
    correlation: request,
    more: {
      ...callOf(entry, request),
      ...(entry.policies.length > 0 && {
        authorizations: authorizations(entry.policies, decision, entry.epoch),
      }),
    },
    unmapped: unmappedOf(entry),
  }
}

function said(entry: CallFacts, what: string): string {
  return `${entry.operation} of ${entry.agent} for ${entry.operator} ${what}`
}

/** The ledger has a read before its answer, so it never says how that ended. */
function readAnswer(entry: Of<'read'>): Answer {
  const message = said(entry, 'passed')
  return {
    control: 'allowed',
    severity: 'informational',
    status: 'unknown',
    message,
    decision: 'allow',
  }
}

function intentAnswer(entry: Of<'intent'>): Answer {
  const isGlass = entry.breakGlass !== undefined
  const isApproved = entry.grant !== null && !isGlass
  const how = isGlass ? 'by break-glass' : isApproved ? 'with approval' : 'without a review'
  const message = said(entry, `is begun ${how}${entry.observed === null ? '' : ', only observed'}`)
  return {
    control: isApproved ? 'approved' : entry.observed === null ? 'allowed' : 'observed',
    severity: isGlass ? 'high' : activityOf(entry.effects) === DELETE ? 'low' : 'informational',
    status: 'unknown',
    message,
    decision: 'allow',
  }
}

function deniedAnswer(entry: Of<'denied'>): Answer {
  const message = said(entry, `was denied (${entry.code})`)
  return { control: 'blocked', severity: 'medium', status: 'failure', message, decision: 'deny' }
}

function heldAnswer(entry: Of<'request-opened' | 'plan-opened'>): Answer {
  const message = said(entry, `waits for ${entry.requirement.join(', ')}`)
  return {
    control: 'held',
    severity: 'low',
    status: { other: 'Pending' },
    message,
    decision: 'review',
  }
}

function stepAnswer(entry: Of<'plan-step'>): Answer {
  const message = said(entry, `is step ${entry.step} of a plan`)
  return {
    control: 'held',
    severity: 'informational',
    status: { other: 'Pending' },
    message,
    decision: 'review',
  }
}

function refused({ session, operator, code, operation }: Of<'refused'>): EventParts {
  const name = operation ?? 'unknown'
  return {
    of: OF,
    activity: UNKNOWN,
    severity: 'low',
    status: 'failure',
    control: 'rejected',
    message: `${name} for ${operator} was refused (${code})`,
    correlation: session,
    more: {
      actor: {
        user: { name: operator, uid: operator },
        session: { uid: session, issuer: 'seconder' },
      },
      api: apiOf(name, session, { code: 0, error: code }),
      src_endpoint: { uid: session },
    },
  }
}

/** Whoever sent it is not known: its signature was nobody's. */
function unverified({ code }: Of<'unverified'>): EventParts {
  return {
    of: OF,
    activity: UNKNOWN,
    severity: 'medium',
    status: 'failure',
    control: 'unauthorized',
    message: `a call without a caller was refused (${code})`,
    more: {
      actor: { app_name: 'unknown' },
      api: { operation: 'unknown', response: { code: 0, error: code } },
      src_endpoint: { name: 'unknown' },
    },
  }
}

/** What the outcome of an intent needs of it later. */
export function keptFacts(entry: Of<'intent'>): CallFacts & { readonly request: string | null } {
  const { session, operator, agent, role, operation, resources, environments, effects } = entry
  const { digest, epoch, request } = entry
  const who = { session, operator, agent, role }
  return { ...who, operation, resources, environments, effects, digest, epoch, request }
}

/** An outcome names its effect only; one whose intent is long gone has no caller here. */
export function outcomeEvent(
  { effect, outcome }: Of<'outcome'>,
  facts: (CallFacts & { readonly request?: string | null }) | undefined,
): EventParts {
  const [status, severity] = outcomeStatus(outcome)
  const correlation = facts?.request ?? effect
  const response = responseOf(outcome)
  const more =
    facts === undefined
      ? {
          actor: { app_name: 'unknown' },
          api: apiOf('unknown', correlation, response),
          src_endpoint: { name: 'unknown' },
        }
      : callOf(facts, correlation, response)
  const name = facts?.operation ?? 'a call'
  const detail = 'detail' in outcome ? { status_detail: outcome.detail } : {}
  return {
    of: OF,
    activity: activityOf(facts?.effects ?? []),
    severity,
    status,
    control: outcome.result === 'withheld' ? 'blocked' : 'allowed',
    message: `${name}: ${outcome.result === 'confirmed' ? `confirmed ${outcome.confirmed}` : outcome.result}`,
    correlation,
    more: { ...more, ...detail },
    unmapped: { effect, result: outcome.result, ...(facts && unmappedOf(facts)) },
  }
}

type Outcome = Of<'outcome'>['outcome']

function outcomeStatus(outcome: Outcome): [EventParts['status'], keyof typeof SEVERITY] {
  switch (outcome.result) {
    case 'succeeded':
      return ['success', 'informational']
    case 'failed':
    case 'withheld':
      return ['failure', 'low']
    case 'partial':
      return [{ other: 'Partial' }, 'medium']
    case 'accepted':
      return [{ other: 'Accepted' }, 'informational']
    case 'confirmed':
      if (outcome.confirmed === 'succeeded') return ['success', 'informational']
      return outcome.confirmed === 'failed' ? ['failure', 'low'] : ['unknown', 'medium']
    case 'unknown':
      return ['unknown', 'medium']
    default:
      return ['unknown', 'medium']
  }
}

function responseOf(outcome: Outcome): OcsfObject | undefined {
  if (!('status' in outcome)) return undefined
  return {
    code: outcome.status,
    ...('errorCode' in outcome && { error: outcome.errorCode }),
  }
}

// From an Action to the questions put to Cedar: one for each effect on each resource that policy
// can tell apart. Nothing is defaulted: a fact that is missing or malformed is a refusal, and
// nothing that an agent wrote becomes anything in Cedar but a text.
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import type { Action, Effect, Resource } from '../describe/action.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { DecideContext, SeatCount } from './decision.ts'
import type { CedarCall } from './engine.ts'
import { EVERYTHING } from './slice.ts'

/** One question: this effect on this resource, in the environment that counts. */
export interface Question {
  readonly effect: Effect
  readonly resource: Resource
  readonly environment: string
  /** True where the gate itself asks for a person, whatever the policies say (design 2.2). */
  readonly uncertain: boolean
}

/** What cannot be asked, and why; the caller turns it into a deny. */
export interface Refusal {
  readonly code: 'invalid_request' | 'too_many_resources' | 'reserved_key'
  readonly reason: string
}

/** Distinct resources one Action may be decided for. */
export const DISTINCT_RESOURCES_MAX = 1_000
/** Resources one Action may list, before those that policy cannot tell apart are joined. */
export const LISTED_RESOURCES_MAX = 100_000
/** UTF-16 units of any one text handed to Cedar. */
export const TEXT_LENGTH_MAX = 8_192
/** IAM actions one Action may need. */
export const IAM_ACTIONS_MAX = 1_000
/** Values in the parameters that are searched for reserved keys. */
export const PARAMETER_VALUES_MAX = 200_000

export const PRODUCTION = 'production'

const EFFECTS: ReadonlySet<string> = new Set(EFFECTS_BY_STRICTNESS)
const LOOKS: ReadonlySet<string> = new Set<Effect>(['read', 'list'])
const REVEALS: ReadonlySet<string> = new Set(['nothing', 'data', 'secret', 'credential'])
const RECOVERABLE: ReadonlySet<string> = new Set(['yes', 'from-backup', 'no', 'unknown'])
const ISOLATIONS: ReadonlySet<string> = new Set(['host', 'user', 'sandbox', 'none'])
const DOORS: ReadonlySet<string> = new Set(['aws', 'mcp', 'shell', 'plan'])
/** What stands for an environment that nobody could tell. */
const NO_ENVIRONMENT: ReadonlySet<string> = new Set(['', '*', 'unknown'])

/** Why the Action cannot be decided at all, or null. */
export function refusalOf(
  action: Action,
  evidence: Evidence,
  context: DecideContext,
): Refusal | null {
  if (action.resources.length === 0) return invalid('the action names no resource')
  if (action.effects.length === 0) return invalid('the action names no effect')
  if (action.resources.length > LISTED_RESOURCES_MAX) {
    return tooMany(`the action lists more than ${LISTED_RESOURCES_MAX} resources`)
  }
  if (action.iamActions.length > IAM_ACTIONS_MAX) {
    return invalid(`the action needs more than ${IAM_ACTIONS_MAX} IAM actions`)
  }
  const unknownEffect = effectsOf(action, evidence).find((effect) => !EFFECTS.has(effect))
  if (unknownEffect !== undefined) return invalid('the action names an effect that is not one')
  const closed: readonly (readonly [string, unknown, ReadonlySet<string>])[] = [
    ['door', action.door, DOORS],
    ['reveals', action.reveals, REVEALS],
    ['recoverable', action.recoverable, RECOVERABLE],
    ['isolation', context.isolation, ISOLATIONS],
  ]
  for (const [name, value, values] of closed) {
    if (typeof value !== 'string' || !values.has(value)) return invalid(`\`${name}\` is not known`)
  }
  if (typeof context.breakGlass !== 'boolean') return invalid('`breakGlass` is not known')
  return textRefusal(action, context) ?? reservedKeyRefusal(action.parameters)
}

/**
 * The questions an Action asks, strictest effect first. Resources that differ in nothing the
 * policies of the effect read are asked about once; null past `DISTINCT_RESOURCES_MAX`.
 *
 * The environment is the resource's own field, which comes from operator configuration alone
 * (redteam C6). An unresolved resource on a non-read, an environment nobody could tell and one that
 * no policy names count as production.
 */
export function questionsOf(
  action: Action,
  evidence: Evidence,
  environmentsNamed: ReadonlySet<string>,
  factsRead: (effect: Effect, environment: string) => ReadonlySet<string>,
): Question[] | null {
  const questions: Question[] = []
  const resourcesSeen = new Set<string>()
  for (const effect of effectsOf(action, evidence)) {
    const asked = new Set<string>()
    for (const resource of action.resources) {
      const unknown = NO_ENVIRONMENT.has(resource.environment)
      const uncertain = !LOOKS.has(effect) && (unknown || !resource.resolved)
      const named = environmentsNamed.has(resource.environment)
      const environment = uncertain || unknown || !named ? PRODUCTION : resource.environment
      const facts = factsRead(effect, environment)
      const key = JSON.stringify([environment, uncertain, ...seen(resource, facts)])
      if (asked.has(key)) continue
      asked.add(key)
      resourcesSeen.add(key)
      if (resourcesSeen.size > DISTINCT_RESOURCES_MAX) return null
      questions.push({ effect, resource, environment, uncertain })
    }
  }
  return questions
}

/** All effects of an Action with those its Evidence added, each once, strictest first. */
export function effectsOf(action: Action, evidence: Evidence): Effect[] {
  const rank = (effect: Effect) => EFFECTS_BY_STRICTNESS.indexOf(effect)
  const effects = new Set([...action.effects, ...evidence.addedEffects])
  return [...effects].sort((a, b) => rank(b) - rank(a))
}

/** The part of a Cedar call that is the same for every question of one Action. */
export function requestFacts(action: Action, context: DecideContext): CedarCall['context'] {
  return {
    operation: action.operation,
    service: action.service,
    iamActions: [...action.iamActions],
    account: action.account,
    region: action.region,
    door: action.door,
    recoverable: action.recoverable,
    reveals: action.reveals,
    unresolved: action.resources.some((resource) => !resource.resolved),
    isolation: context.isolation,
    breakGlass: context.breakGlass,
    ownLimbs: action.ownLimbs !== undefined,
    outsideAccounts: action.outside !== undefined,
  }
}

/** What the policies are told about approvals. */
export interface Approvals {
  readonly approvedBy: readonly SeatCount[]
  readonly strength: 'none' | 'software' | 'hardware'
}

/** The Cedar call for one question, with these approvals. */
export function cedarCall(
  question: Question,
  facts: CedarCall['context'],
  context: DecideContext,
  approvals: Approvals,
): CedarCall {
  const { resource, environment } = question
  const principal = { type: 'Agent', id: context.agent }
  const target = { type: 'Resource', id: resource.arn }
  const holder = { type: 'Environment', id: environment }
  return {
    principal,
    action: { type: 'Action', id: question.effect },
    resource: target,
    context: {
      ...facts,
      approvedBy: [...approvals.approvedBy],
      approvalStrength: approvals.strength,
    },
    entities: [
      {
        uid: principal,
        attrs: { name: context.agent, operator: context.operator, role: context.role },
        parents: [],
      },
      {
        uid: target,
        attrs: {
          arn: resource.arn,
          type: resource.type,
          account: resource.account,
          region: resource.region,
          resolved: resource.resolved,
        },
        parents: [holder],
      },
      { uid: holder, attrs: {}, parents: [] },
    ],
  }
}

/** What the policies of a slice read, by name; see Reach in slice.ts. */
interface FactNames {
  readonly resourceFacts: ReadonlySet<string>
  readonly contextFacts: readonly string[]
  readonly principalFacts: readonly string[]
}

/**
 * Everything of the call that a policy of the slice reads, as one text: two questions of one effect with
 * the same text have the same answer. The environment is always part of it.
 */
export function factsRead(
  { resource, environment }: Question,
  facts: CedarCall['context'],
  { agent, operator, role }: DecideContext,
  { approvedBy, strength }: Approvals,
  { resourceFacts, contextFacts, principalFacts }: FactNames,
): string {
  const all: Readonly<Record<string, unknown>> = {
    ...facts,
    approvedBy,
    approvalStrength: strength,
  }
  const own: Readonly<Record<string, unknown>> = { name: agent, operator, role }
  return JSON.stringify([
    environment,
    seen(resource, resourceFacts),
    picked(own, principalFacts),
    picked(all, contextFacts),
  ])
}

/** A name that is no member is in the text too, as null: what is read there is that it is absent. */
function picked(
  values: Readonly<Record<string, unknown>>,
  names: readonly string[],
): readonly unknown[] {
  if (names.includes(EVERYTHING)) return Object.values(values)
  return names.map((name) => values[name] ?? null)
}

function seen(resource: Resource, facts: ReadonlySet<string>): unknown[] {
  return [
    facts.has('arn') && resource.arn,
    facts.has('type') && resource.type,
    facts.has('account') && resource.account,
    facts.has('region') && resource.region,
    facts.has('resolved') && resource.resolved,
  ]
}

function textRefusal(action: Action, context: DecideContext): Refusal | null {
  const { operation, service, account, region, iamActions } = action
  const texts: unknown[] = [operation, service, account, region, ...iamActions]
  texts.push(context.agent, context.operator, context.role)
  for (const { arn, type, account, region, environment, resolved } of action.resources) {
    texts.push(arn, type, account, region, environment)
    if (typeof resolved !== 'boolean') return invalid('`resolved` of a resource is not known')
  }
  for (const text of texts) {
    // A lone surrogate makes the WASM glue throw; an object could carry `__entity` (hazards 3, 6).
    if (typeof text !== 'string') return invalid('the action holds a value that must be a text')
    if (!text.isWellFormed()) return invalid('the action holds a text that is not Unicode')
    if (text.length > TEXT_LENGTH_MAX) {
      return invalid(`the action holds a text longer than ${TEXT_LENGTH_MAX}`)
    }
  }
  return null
}

/** Parameters never reach Cedar; the reserved keys in them are refused all the same (hazard 3). */
function reservedKeyRefusal(parameters: unknown): Refusal | null {
  const open: unknown[] = [parameters]
  for (let count = 0; open.length > 0; count += 1) {
    if (count >= PARAMETER_VALUES_MAX) {
      return invalid(`the parameters hold more than ${PARAMETER_VALUES_MAX} values`)
    }
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    for (const [key, inner] of Object.entries(value)) {
      if (key === '__entity' || key === '__extn') {
        return { code: 'reserved_key', reason: `the parameters hold the reserved key \`${key}\`` }
      }
      open.push(inner)
    }
  }
  return null
}

function invalid(reason: string): Refusal {
  return { code: 'invalid_request', reason }
}

function tooMany(reason: string): Refusal {
  return { code: 'too_many_resources', reason }
}

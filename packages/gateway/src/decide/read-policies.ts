// Reads policy sources into what decides: parsed, validated, checked, and tried once for every
// slice. Runs inside the throw-away worker (policy-reader.ts), because policy text can kill the
// WASM instance that parses it (hazard 1); nothing of that instance leaves, only texts and tables.

import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { ApprovalFault, type Condition, mentionedSeatCounts } from './approvals.ts'
import type { DecideContext, SeatCount } from './decision.ts'
import { askSlice, type CedarModule, preparse } from './engine.ts'
import { PolicyError } from './errors.ts'
import { ExpressionFault, expressionOf } from './expression.ts'
import { cedarCall, requestFacts } from './request.ts'
import {
  actionGroups,
  couldMatch,
  OTHER_ENVIRONMENT,
  type Reach,
  reachOf,
  sliceName,
} from './slice.ts'

export interface PolicySources {
  readonly schema: string
  readonly policies: readonly { readonly file: string; readonly text: string }[]
}

/** One policy as it decides. */
export interface LoadedPolicy {
  readonly id: string
  readonly file: string
  readonly effect: 'permit' | 'forbid'
  /** What `@reason` says to people, or null. */
  readonly reason: string | null
  readonly text: string
  readonly seatCounts: readonly SeatCount[]
  readonly reach: Reach
}

/** The policies of one effect in one environment. */
export interface SliceTable {
  readonly name: string
  readonly effect: Effect
  readonly environment: string
  readonly policyIds: readonly string[]
}

export interface ReadPolicies {
  readonly policies: readonly LoadedPolicy[]
  readonly slices: readonly SliceTable[]
}

const SCHEMA_FILE = 'schema.cedarschema'
/** Policies validated by one call; Cedar's validation grows faster than the number of policies. */
const VALIDATED_TOGETHER = 200
const REASON_LENGTH_MAX = 300
const ID = /^[a-z0-9][a-z0-9-]{0,79}$/
// Letters, digits, punctuation, symbols and spaces: no control, format or bidi characters.
const PLAIN = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u

/**
 * Every policy of the sources with its slices; throws PolicyError with any code but the size's.
 * `onFile` hears of each file before it is parsed: what kills the instance lies in the last one.
 */
export function readPolicies(
  cedar: CedarModule,
  sources: PolicySources,
  onFile: (file: string) => void,
): ReadPolicies {
  onFile(SCHEMA_FILE)
  const schema = readSchema(cedar, sources.schema)
  const policies = sources.policies.flatMap((source) => {
    onFile(source.file)
    return readFile(cedar, source)
  })
  refuseDuplicates(policies)
  for (let from = 0; from < policies.length; from += VALIDATED_TOGETHER) {
    validate(cedar, sources.schema, policies.slice(from, from + VALIDATED_TOGETHER))
  }
  const slices = slicesOf(policies, actionGroups(schema))
  tryOut(cedar, sources.schema, policies, slices)
  return { policies, slices }
}

/** The texts of each slice by id, as the engine wants them. */
export function sliceTexts(
  policies: readonly LoadedPolicy[],
  slices: readonly SliceTable[],
): Map<string, Record<string, string>> {
  const texts = new Map(policies.map((policy) => [policy.id, policy.text]))
  const bySlice = new Map<string, Record<string, string>>()
  /** Slices of the same policies have one object, and are parsed once. */
  const byIds = new Map<string, Record<string, string>>()
  for (const { name, policyIds } of slices) {
    const ids = policyIds.join(' ')
    const made =
      byIds.get(ids) ?? Object.fromEntries(policyIds.map((id) => [id, texts.get(id) ?? '']))
    byIds.set(ids, made)
    bySlice.set(name, made)
  }
  return bySlice
}

function readSchema(cedar: CedarModule, schema: string): Cedar.SchemaJson<string> {
  const answer = cedar.schemaToJson(schema)
  if (answer.type === 'success' && answer.warnings.length === 0) return answer.json
  const errors = answer.type === 'success' ? answer.warnings : answer.errors
  throw new PolicyError({
    code: 'schema_invalid',
    file: SCHEMA_FILE,
    message: messageOf(errors),
    help: helpOf(errors, 'see https://docs.cedarpolicy.com/schema/human-readable-schema.html'),
  })
}

function readFile(
  cedar: CedarModule,
  { file, text }: { readonly file: string; readonly text: string },
): LoadedPolicy[] {
  const parts = cedar.policySetTextToParts(text)
  if (parts.type === 'failure') {
    const line = lineOf(text, parts.errors[0]?.sourceLocations?.[0]?.start)
    throw new PolicyError({
      code: 'policy_unparsable',
      file,
      message: `line ${line}: ${messageOf(parts.errors)}`,
      help: helpOf(parts.errors, 'see https://docs.cedarpolicy.com/policies/syntax-policy.html'),
    })
  }
  const template = parts.policy_templates[0]
  if (template !== undefined) {
    throw new PolicyError({
      code: 'template_refused',
      file,
      message: `line ${lineOf(text, text.indexOf(template))}: templates are not used here`,
      help: 'write the principal and the resource in place of `?principal` and `?resource`',
    })
  }
  return parts.policies.map((policy) => readPolicy(cedar, file, policy, text))
}

function readPolicy(
  cedar: CedarModule,
  file: string,
  text: string,
  fileText: string,
): LoadedPolicy {
  const parsed = cedar.policyToJson(text)
  const place = { file, line: lineOf(fileText, fileText.indexOf(text)) }
  if (parsed.type === 'failure') {
    throw fault(place, null, 'policy_unparsable', messageOf(parsed.errors), helpOf(parsed.errors))
  }
  const { id, reason } = annotationsOf(parsed.json.annotations ?? {}, place)
  try {
    const conditions: Condition[] = parsed.json.conditions.map(({ kind, body }) => ({
      kind,
      body: expressionOf(body),
    }))
    const seatCounts = mentionedSeatCounts(parsed.json.effect, conditions)
    const reach = reachOf(
      parsed.json,
      conditions.map((condition) => condition.body),
    )
    return { id, file, effect: parsed.json.effect, reason, text, seatCounts, reach }
  } catch (error) {
    if (!(error instanceof ExpressionFault || error instanceof ApprovalFault)) throw error
    throw fault(place, id, error.code, error.message, error.help)
  }
}

function annotationsOf(
  annotations: Cedar.Annotations,
  place: Place,
): { id: string; reason: string | null } {
  const { id, reason, ...rest } = annotations
  const stranger = Object.keys(rest)[0]
  if (id === undefined) {
    throw fault(
      place,
      null,
      'annotation_missing',
      'a policy has no `@id`',
      'write @id("production-destroy") above it: decisions and reviews name policies by their id',
    )
  }
  if (!ID.test(id)) {
    const help = 'use lower-case letters, digits and hyphens, at most 80'
    throw fault(place, null, 'annotation_invalid', 'an `@id` has not the form of an id', help)
  }
  if (stranger !== undefined) {
    const help = 'only `@id` and `@reason` are known'
    throw fault(place, id, 'annotation_invalid', `\`@${stranger}\` is not known`, help)
  }
  if (reason !== undefined && (!PLAIN.test(reason) || reason.length > REASON_LENGTH_MAX)) {
    const help = `write one line of visible characters, at most ${REASON_LENGTH_MAX}`
    throw fault(place, id, 'annotation_invalid', 'the `@reason` is not plain text', help)
  }
  return { id, reason: reason ?? null }
}

function refuseDuplicates(policies: readonly LoadedPolicy[]): void {
  const files = new Map<string, string>()
  for (const { id, file } of policies) {
    const first = files.get(id)
    if (first !== undefined) {
      throw new PolicyError({
        code: 'duplicate_id',
        file,
        policyId: id,
        message: `\`${id}\` is the id of another policy already, in \`${first}\``,
        help: 'give one of them another id',
      })
    }
    files.set(id, file)
  }
}

/** Strict validation. A warning is a fault too: a forbid that can never match protects nothing. */
function validate(cedar: CedarModule, schema: string, policies: readonly LoadedPolicy[]): void {
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
  const answer = cedar.validate({ schema, policies: { staticPolicies } })
  const faults =
    answer.type === 'failure'
      ? answer.errors.map((error) => ({ policyId: policies[0]?.id ?? '', error }))
      : [
          ...answer.validationErrors,
          ...answer.validationWarnings,
          ...answer.otherWarnings.map((error) => ({ policyId: policies[0]?.id ?? '', error })),
        ]
  const first = faults[0]
  if (first === undefined) return
  throw new PolicyError({
    code: 'policy_invalid',
    file: byId.get(first.policyId)?.file ?? '',
    policyId: first.policyId,
    message: messageOf([first.error]),
    help: helpOf([first.error], 'compare the policy with the schema'),
  })
}

function slicesOf(
  policies: readonly LoadedPolicy[],
  groups: ReadonlyMap<string, ReadonlySet<string>>,
): SliceTable[] {
  const named = policies.flatMap(({ reach }) => reach.environment ?? [])
  const environments = [...new Set([...named, OTHER_ENVIRONMENT])].sort()
  return EFFECTS_BY_STRICTNESS.flatMap((effect) =>
    environments.map((environment) => ({
      name: sliceName(effect, environment),
      effect,
      environment,
      policyIds: policies
        .filter(({ reach }) => couldMatch(reach, groups.get(effect) ?? new Set(), environment))
        .map(({ id }) => id),
    })),
  )
}

/**
 * Puts one whole request to every slice. A schema without one of our effects or attributes, and a
 * text that parses but cannot be evaluated, are found here and not at the first request of an
 * agent.
 */
function tryOut(
  cedar: CedarModule,
  schema: string,
  policies: readonly LoadedPolicy[],
  slices: readonly SliceTable[],
): void {
  const alikes = preparse(cedar, { schema, slices: sliceTexts(policies, slices) })
  for (const { name, effect, environment } of slices) {
    const question = { effect, resource: SAMPLE_RESOURCE, environment, uncertain: false }
    const facts = requestFacts(SAMPLE_ACTION, SAMPLE_CONTEXT)
    const approvals = { approvedBy: ['any:1'], strength: 'hardware' } as const
    const answer = askSlice(
      cedar,
      alikes,
      name,
      cedarCall(question, facts, SAMPLE_CONTEXT, approvals),
    )
    if (answer.type === 'success') continue
    throw new PolicyError({
      code: 'schema_invalid',
      file: SCHEMA_FILE,
      message: `the schema does not fit the requests of the gate: ${messageOf(answer.errors)}`,
      help: 'keep the entities, the ten effects and the context of the schema that is shipped',
    })
  }
}

const SAMPLE_RESOURCE = {
  arn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/sample',
  type: 'table',
  account: '123456789012',
  region: 'eu-west-1',
  environment: OTHER_ENVIRONMENT,
  resolved: true,
}

const SAMPLE_ACTION: Action = {
  door: 'aws',
  operation: 'dynamodb:DeleteTable',
  iamActions: ['dynamodb:DeleteTable'],
  resources: [SAMPLE_RESOURCE],
  effects: ['destroy'],
  reveals: 'nothing',
  recoverable: 'no',
  service: 'dynamodb',
  account: '123456789012',
  region: 'eu-west-1',
  parameters: {},
  body: null,
}

const SAMPLE_CONTEXT: DecideContext = {
  agent: 'sample-agent',
  operator: 'sample-operator',
  role: 'sample-role',
  isolation: 'user',
  breakGlass: false,
}

interface Place {
  readonly file: string
  readonly line: number
}

function fault(
  { file, line }: Place,
  policyId: string | null,
  code: PolicyError['code'],
  message: string,
  help: string,
): PolicyError {
  const named = policyId === null ? {} : { policyId }
  return new PolicyError({ code, file, ...named, message: `line ${line}: ${message}`, help })
}

function lineOf(text: string, offset: number | undefined): number {
  return text.slice(0, Math.max(0, offset ?? 0)).split('\n').length
}

function messageOf(errors: readonly Cedar.DetailedError[]): string {
  return errors[0]?.message ?? 'cedar gave no reason'
}

function helpOf(
  errors: readonly Cedar.DetailedError[],
  otherwise = 'see https://docs.cedarpolicy.com/policies/syntax-policy.html',
): string {
  return errors[0]?.help ?? otherwise
}

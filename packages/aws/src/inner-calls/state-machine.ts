// Reads an Amazon States Language definition: every task of every branch and map becomes the call it
// would make. What is dynamic stays in the parameters under its own name; sdk-call.ts judges it.
// Source: https://states-language.net/spec.html and
// https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html

import type { Json, JsonObject } from '../call.ts'
import { isObject } from '../describe/decode-json.ts'
import { type Drafts, listAt, memberIn, objectAt, objectIn, textIn } from './drafts.ts'

/** States inside states (Parallel, Map) that are followed. */
export const STATES_DEPTH_MAX = 24

/**
 * Optimized integrations whose parameters are those of the API, by their name in the resource.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
 */
const OPTIMIZED: Readonly<Record<string, string>> = {
  athena: 'athena',
  batch: 'batch',
  bedrock: 'bedrockruntime',
  codebuild: 'codebuild',
  databrew: 'databrew',
  dynamodb: 'dynamodb',
  ecs: 'ecs',
  eks: 'eks',
  'emr-containers': 'emrcontainers',
  'emr-serverless': 'emrserverless',
  events: 'eventbridge',
  glue: 'glue',
  lambda: 'lambda',
  mediaconvert: 'mediaconvert',
  s3: 's3',
  sagemaker: 'sagemaker',
  sns: 'sns',
  sqs: 'sqs',
  states: 'sfn',
}

/** CreateStateMachine, UpdateStateMachine: the definition in the call. */
export function readStateMachine(parameters: JsonObject, drafts: Drafts): void {
  const role = textIn(parameters, 'roleArn') ?? null
  const text = memberIn(parameters, 'definition')
  // A call that leaves the stored definition as it is runs that from then on, and it is not here.
  if (text === undefined) drafts.hide()
  else readDefinition(text, role, drafts)
}

/** TestState: one state, run at once. */
export function readTestedState(parameters: JsonObject, drafts: Drafts): void {
  const state = objectIn(memberIn(parameters, 'definition'))
  if (state === undefined) drafts.hide()
  else
    readState(
      state,
      { at: 'definition', role: textIn(parameters, 'roleArn') ?? null, depth: 0 },
      drafts,
    )
}

/** Every call of a definition, which is JSON text; what is no definition is not whole. */
export function readDefinition(text: Json, role: string | null, drafts: Drafts): void {
  const definition = objectIn(text)
  if (definition === undefined || objectAt(definition, 'States') === undefined) drafts.hide()
  else readStates(definition, { at: 'States', role, depth: 0 }, drafts)
}

interface Place {
  readonly at: string
  readonly role: string | null
  readonly depth: number
}

function readStates(holder: JsonObject, place: Place, drafts: Drafts): void {
  const states = objectAt(holder, 'States')
  if (states === undefined || place.depth > STATES_DEPTH_MAX) {
    drafts.hide()
    return
  }
  for (const [name, state] of Object.entries(states)) {
    const at = `${place.at}.${name.slice(0, 80).toWellFormed()}`
    if (isObject(state)) readState(state, { ...place, at }, drafts)
    else drafts.hide()
  }
}

/** States that call nothing. Source: https://states-language.net/spec.html#state-types */
const QUIET = new Set(['Pass', 'Choice', 'Wait', 'Succeed', 'Fail'])

function readState(state: JsonObject, place: Place, drafts: Drafts): void {
  const type = textIn(state, 'Type')
  if (type === 'Task') readTask(state, place, drafts)
  else if (type === 'Parallel') {
    const branches = memberIn(state, 'Branches')
    if (!Array.isArray(branches)) drafts.hide()
    for (const [index, branch] of listAt(state, 'Branches').entries()) {
      const at = `${place.at}.${index}`
      if (isObject(branch)) readStates(branch, { ...place, at, depth: place.depth + 1 }, drafts)
      else drafts.hide()
    }
  } else if (type === 'Map') {
    // `Iterator` is the older name; a state with both has two readings, and both are read.
    const inner = [objectAt(state, 'ItemProcessor'), objectAt(state, 'Iterator')]
    const given = inner.filter((one) => one !== undefined)
    if (given.length !== 1) drafts.hide()
    for (const one of given) readStates(one, { ...place, depth: place.depth + 1 }, drafts)
    for (const part of ['ItemReader', 'ResultWriter']) {
      const beside = objectAt(state, part)
      if (beside !== undefined && memberIn(beside, 'Resource') !== undefined) {
        readTask(beside, { ...place, at: `${place.at}.${part}` }, drafts)
      }
    }
  } else if (type === undefined || !QUIET.has(type)) drafts.hide()
}

function readTask(task: JsonObject, place: Place, drafts: Drafts): void {
  const resource = textIn(task, 'Resource') ?? ''
  const parameters = parametersOf(task)
  const { at } = place
  const role = roleOf(task, place.role)
  if (parameters === undefined) {
    drafts.hide()
    return
  }
  if (/^arn:[a-z-]+:lambda:/.test(resource)) {
    drafts.add({ sdk: 'lambda', api: 'invoke', parameters: { FunctionName: resource }, role, at })
    return
  }
  const named = /^arn:[a-z-]+:states:::(aws-sdk:)?([a-z0-9-]+):([A-Za-z0-9]+)(?:\.[A-Za-z0-9:.]+)?$/
  const [, general, service = '', api = ''] = named.exec(resource) ?? []
  const sdk = general ? service : Object.hasOwn(OPTIMIZED, service) ? OPTIMIZED[service] : undefined
  // Activities, HTTP endpoints and integrations with parameters of their own are not read.
  if (sdk === undefined || api === '') drafts.hide()
  else drafts.add({ sdk, api, parameters, role, at })
}

/** JSONPath machines say `Parameters`, JSONata ones `Arguments`; an expression for all of it hides it. */
function parametersOf(task: JsonObject): JsonObject | undefined {
  const given = ['Parameters', 'Arguments'].filter((name) => memberIn(task, name) !== undefined)
  const [only] = given
  if (only === undefined) return {}
  return given.length === 1 ? objectAt(task, only) : undefined
}

/** Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html */
function roleOf(task: JsonObject, role: string | null): string | null {
  const credentials = objectAt(task, 'Credentials')
  if (credentials === undefined) return memberIn(task, 'Credentials') === undefined ? role : '*'
  return textIn(credentials, 'RoleArn') ?? '*'
}

// Reads an SSM Automation document (schema 0.3): each step that calls AWS becomes that call. Scripts,
// commands on machines and steps that nobody here knows are not read.
// Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html

import type { Json, JsonObject } from '../call.ts'
import { isObject } from '../describe/decode-json.ts'
import { type Drafts, listAt, memberIn, objectAt, objectIn, textIn } from './drafts.ts'

/** Steps inside steps (aws:loop) that are followed. */
export const STEPS_DEPTH_MAX = 8

/** Steps that change nothing outside the execution. */
const QUIET = new Set([
  'aws:approve',
  'aws:assertAwsResourceProperty',
  'aws:branch',
  'aws:pause',
  'aws:sleep',
  'aws:updateVariable',
  'aws:waitForAwsResourceProperty',
])

/** Steps whose inputs are the parameters of one API operation, in its own words. */
const SAME_WORDS: Readonly<Record<string, readonly [sdk: string, api: string]>> = {
  'aws:copyImage': ['ec2', 'CopyImage'],
  'aws:createStack': ['cloudformation', 'CreateStack'],
  'aws:deleteStack': ['cloudformation', 'DeleteStack'],
  'aws:executeAutomation': ['ssm', 'StartAutomationExecution'],
  'aws:executeStateMachine': ['sfn', 'StartExecution'],
  'aws:invokeLambdaFunction': ['lambda', 'Invoke'],
  'aws:runCommand': ['ssm', 'SendCommand'],
  'aws:runInstances': ['ec2', 'RunInstances'],
}

/** CreateDocument, UpdateDocument: JSON content is read, YAML is not. */
export function readDocument(parameters: JsonObject, drafts: Drafts): void {
  const document = objectIn(memberIn(parameters, 'Content'))
  if (document === undefined) drafts.hide()
  else readAutomation(document, drafts)
}

/** SendCommand and its like: which document it is stands in the call, what it does does not. */
export function readDocumentName(_: JsonObject, drafts: Drafts): void {
  drafts.hide()
}

/** Every call of an Automation document; one of another schema is not whole. */
export function readAutomation(document: JsonObject, drafts: Drafts): void {
  if (memberIn(document, 'schemaVersion') !== '0.3') {
    drafts.hide()
    return
  }
  const assumed = textIn(document, 'assumeRole')
  const role =
    assumed === undefined || assumed === '' ? null : /^arn:/.test(assumed) ? assumed : '*'
  readSteps(memberIn(document, 'mainSteps'), { role, at: 'mainSteps', depth: 0 }, drafts)
}

interface Place {
  readonly role: string | null
  readonly at: string
  readonly depth: number
}

function readSteps(steps: Json | undefined, place: Place, drafts: Drafts): void {
  if (!Array.isArray(steps) || place.depth > STEPS_DEPTH_MAX) {
    drafts.hide()
    return
  }
  for (const [index, step] of steps.entries()) {
    if (isObject(step)) readStep(step, { ...place, at: `${place.at}.${index}` }, drafts)
    else drafts.hide()
  }
}

function readStep(step: JsonObject, place: Place, drafts: Drafts): void {
  const action = textIn(step, 'action') ?? ''
  const { role, at } = place
  const inputs = objectAt(step, 'inputs') ?? {}
  const same = Object.hasOwn(SAME_WORDS, action) ? SAME_WORDS[action] : undefined
  if (QUIET.has(action)) return
  if (same !== undefined) {
    const [sdk, api] = same
    drafts.add({ sdk, api, parameters: inputs, role, at })
  } else if (action === 'aws:executeAwsApi') {
    const { Service: service, Api: api, ...parameters } = inputs
    if (typeof service !== 'string' || typeof api !== 'string') drafts.hide()
    else drafts.add({ sdk: service, api: api.replaceAll('_', ''), parameters, role, at })
  } else if (action === 'aws:changeInstanceState') {
    readInstanceState(inputs, place, drafts)
  } else if (action === 'aws:deleteImage') {
    const image: JsonObject = { ImageId: inputs['ImageId'] ?? null }
    drafts.add({ sdk: 'ec2', api: 'DeregisterImage', parameters: image, role, at })
    drafts.add({ sdk: 'ec2', api: 'DeleteSnapshot', parameters: {}, role, at })
  } else if (action === 'aws:loop') {
    readSteps(memberIn(inputs, 'Steps'), { ...place, depth: place.depth + 1 }, drafts)
  } else drafts.hide()
}

const STATES: Readonly<Record<string, string>> = {
  running: 'StartInstances',
  stopped: 'StopInstances',
  terminated: 'TerminateInstances',
}

function readInstanceState(inputs: JsonObject, { role, at }: Place, drafts: Drafts): void {
  const wanted = textIn(inputs, 'DesiredState') ?? ''
  const api = Object.hasOwn(STATES, wanted) ? STATES[wanted] : undefined
  const listed = listAt(inputs, 'InstanceIds')
  const ids: JsonObject = listed.length > 0 ? { InstanceIds: listed } : { 'InstanceIds.$': '' }
  // A state that is a parameter of the document may be any of them.
  if (api === undefined) drafts.hide()
  drafts.add({ sdk: 'ec2', api: api ?? 'TerminateInstances', parameters: ids, role, at })
}

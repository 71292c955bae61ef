// Makes the meaning of a call out of what a trail says of it: the same operation, actions, resources and
// effects as the gate's own description of the request. What the trail does not tell is wider, never
// narrower. Pure but for the index, read once.

import type { JsonObject } from '@seconder/aws/call'
import { CallError } from '@seconder/aws/call-errors'
import { type Meaning, meaningOf } from '@seconder/aws/describe-call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import {
  type Operation,
  operationOf,
  type Service,
  serviceOf,
} from '@seconder/aws/index/service-index'
import { parseStrictJson, StrictJsonError } from '@seconder/aws/strict-json'
import { type Named, named } from './names.ts'
import { modelled } from './parameters.ts'

/** What a trail says of one call, as far as it is read. */
export interface RecordedCall {
  readonly eventSource: string
  readonly eventName: string
  /** `AwsApiCall` for a call; anything else is an event of the service's own. */
  readonly eventType: string
  readonly region: string
  /** Account that the call was made in. */
  readonly account: string
  /** Raw JSON; empty or `null` where the trail has none. */
  readonly parameters: string
}

export type Recorded =
  | { readonly is: 'mapped'; readonly meaning: Meaning; readonly parametersKnown: boolean }
  /** Sign-ins, and what a service did by itself: nobody asked for a permission. */
  | { readonly is: 'not-an-api-call' }
  | { readonly is: 'unmapped'; readonly why: 'unknown service' | 'unknown operation' }

/** `watch` may stand between the parameters and whoever reads them. */
export function recordedCall(
  recorded: RecordedCall,
  watch: (parameters: JsonObject) => JsonObject = (parameters) => parameters,
): Recorded {
  if (recorded.eventType !== '' && recorded.eventType !== 'AwsApiCall') {
    return { is: 'not-an-api-call' }
  }
  const name = named(recorded.eventSource, recorded.eventName)
  if (name === null) return { is: 'not-an-api-call' }
  const service = serviceNamed(name.signingName)
  if (service === undefined) return { is: 'unmapped', why: 'unknown service' }
  const { region, account } = recorded
  const here = { partition: partitionOf(region) ?? 'aws', region, account }
  const operation = operationNamed(service, name)
  const { parameters, known } = parametersOf(recorded.parameters)
  if (operation === undefined) return actionAlone(service, name, here)
  const given = watch(modelled(service.prefix, operation, parameters))
  try {
    return {
      is: 'mapped',
      meaning: meaningOf(service, operation, given, here),
      parametersKnown: known,
    }
  } catch (cause) {
    if (!(cause instanceof CallError)) throw cause
    // Parameters of another shape than the model's: what the call is stays known, on what does not.
    const meaning = meaningOf(service, operation, {}, here)
    return { is: 'mapped', meaning, parametersKnown: false }
  }
}

function serviceNamed(signingName: string): Service | undefined {
  try {
    return serviceOf(signingName)
  } catch (cause) {
    if (cause instanceof CallError && cause.code === 'unknown_service') return undefined
    throw cause
  }
}

function operationNamed(service: Service, { operation, model }: Named): Operation | undefined {
  for (const each of service.models) {
    if (model !== undefined && each.id !== model) continue
    const found = operationOf(each, operation)
    if (found !== undefined) return found
  }
  return undefined
}

/** An IAM action without a public operation, such as those of AWS's own agents. */
function actionAlone(
  service: Service,
  { operation }: Named,
  here: { partition: string; region: string; account: string },
): Recorded {
  const [model] = service.models
  const isAction = Object.hasOwn(service.iam.actions, operation)
  if (!isAction || model === undefined) return { is: 'unmapped', why: 'unknown operation' }
  const bare: Operation = { name: operation, model, facts: {}, members: {} }
  return { is: 'mapped', meaning: meaningOf(service, bare, {}, here), parametersKnown: false }
}

function parametersOf(raw: string): { parameters: JsonObject; known: boolean } {
  if (raw === '' || raw === 'null') return { parameters: {}, known: raw === 'null' }
  try {
    const value = parseStrictJson(Buffer.from(raw))
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value)
    return isObject
      ? { parameters: value as JsonObject, known: true }
      : { parameters: {}, known: false }
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    return { parameters: {}, known: false }
  }
}

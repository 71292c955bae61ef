// Finds an operation by the names of an SDK and puts its parameters under their model names, as if they
// had come over the wire. What is dynamic (JSONPath, JSONata, `{{ }}`, scheduler keywords) is left out
// and said: a member that is not known must never be taken for one that is not there.

import type { Json, JsonObject } from '../call.ts'
import { isObject } from '../describe/decode-json.ts'
import { emptyObject } from '../describe/scalar.ts'
import type { Model, Shape } from '../index/model.ts'
import {
  type Operation,
  operationOf,
  resolve,
  type Service,
  serviceOf,
  signingNameOf,
} from '../index/service-index.ts'

const PARAMETERS_DEPTH_MAX = 32

export interface SdkOperation {
  readonly service: Service
  readonly operation: Operation
}

/** The operation, or nothing where the names are not of exactly one. */
export function sdkOperation(sdk: string, api: string): SdkOperation | undefined {
  const signingName = signingNameOf(sdk)
  if (signingName === undefined) return undefined
  const service = serviceOf(signingName)
  const wanted = api.toLowerCase()
  for (const model of service.models) {
    if (squeezed(model.id) !== sdk && squeezed(model.id) !== `${sdk}service`) continue
    const found = nameIn(Object.keys(model.operations), wanted)
    const operation = found === undefined ? undefined : operationOf(model, found)
    if (operation !== undefined) return { service, operation }
  }
  // Named by its signing name (`logs`, `events`), which may hold several models.
  for (const model of service.models) {
    const found = sdk === signingName ? nameIn(Object.keys(model.operations), wanted) : undefined
    const operation = found === undefined ? undefined : operationOf(model, found)
    if (operation !== undefined) return { service, operation }
  }
  return undefined
}

/** `Elastic Load Balancing v2` is `elasticloadbalancingv2` in the SDKs' package names. */
export function squeezed(modelId: string): string {
  return modelId.toLowerCase().replace(/[^a-z0-9]/g, '')
}

const kept = new WeakMap<object, ReadonlyMap<string, string>>()

/** Member names by their small letters; two that differ in case alone are found only as they stand. */
function lettersOf(members: Readonly<Record<string, Shape>>): ReadonlyMap<string, string> {
  const known = kept.get(members)
  if (known !== undefined) return known
  const grouped = Map.groupBy(Object.keys(members), (name) => name.toLowerCase())
  const single = [...grouped].flatMap(([letters, [name = '', second]]) =>
    second === undefined ? [[letters, name] as const] : [],
  )
  const byLetters = new Map(single)
  kept.set(members, byLetters)
  return byLetters
}

function nameIn(names: readonly string[], wanted: string): string | undefined {
  const same = names.filter((name) => name.toLowerCase() === wanted)
  return same.length === 1 ? same[0] : undefined
}

export interface Reshaped {
  readonly parameters: JsonObject
  /** Names of members, at any depth, that are dynamic, unknown, or there in two spellings. */
  readonly uncertain: ReadonlySet<string>
}

/** Parameters under the names of the model, whatever the case of their first letters. */
export function reshaped(operation: Operation, given: JsonObject): Reshaped {
  const uncertain = new Set<string>()
  const parameters = structure(given, operation.members, operation.model, 0, uncertain)
  return { parameters, uncertain }
}

function structure(
  given: JsonObject,
  members: Readonly<Record<string, Shape>>,
  model: Model,
  depth: number,
  uncertain: Set<string>,
): JsonObject {
  const result = emptyObject()
  const byLetters = lettersOf(members)
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue
    const plain = name.endsWith('.$') ? name.slice(0, -2) : name
    const found = Object.hasOwn(members, plain) ? plain : byLetters.get(plain.toLowerCase())
    const member = found === undefined ? undefined : members[found]
    const shaped =
      found === undefined || member === undefined || plain !== name || isDynamic(value)
        ? undefined
        : shapedValue(value, resolve(model, member), model, depth + 1, uncertain)
    if (found === undefined || shaped === undefined || uncertain.has(found) || found in result) {
      uncertain.add(found ?? plain)
      if (found !== undefined) delete result[found]
    } else result[found] = shaped
  }
  return result
}

function shapedValue(
  value: Json,
  shape: Shape,
  model: Model,
  depth: number,
  uncertain: Set<string>,
): Json | undefined {
  if (depth > PARAMETERS_DEPTH_MAX || isDynamic(value)) return undefined
  if (Array.isArray(value)) {
    const member = shape.member === undefined ? {} : resolve(model, shape.member)
    const items = value.map((each) => shapedValue(each, member, model, depth + 1, uncertain))
    // One item that is not known leaves the whole list unknown.
    return items.includes(undefined) ? undefined : items.filter((item) => item !== undefined)
  }
  if (!isObject(value)) return value
  if (shape.members !== undefined) return structure(value, shape.members, model, depth, uncertain)
  const inner = shape.value === undefined ? {} : resolve(model, shape.value)
  const result = emptyObject()
  for (const [key, each] of Object.entries(value)) {
    const shaped = key.endsWith('.$')
      ? undefined
      : shapedValue(each, inner, model, depth + 1, uncertain)
    if (shaped === undefined) return undefined
    result[key] = shaped
  }
  return result
}

/**
 * `{% %}` of JSONata, `{{ }}` of SSM documents, `<aws.scheduler.scheduled-time>` of schedules.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html,
 * .../systems-manager/latest/userguide/automation-variables.html,
 * .../scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
function isDynamic(value: Json): boolean {
  return typeof value === 'string' && /^\s*\{%|\{\{|<aws\.scheduler\./.test(value)
}

// Answers the questions of our tables about parameters. A path is member names joined by dots; `*`
// stands for every element of a list or every value of a map, `?` for every key of a map.

import type { Json, JsonObject } from '../call.ts'
import { CallError } from '../call-errors.ts'
import type { Condition } from '../index/model.ts'
import { isObject } from './decode-json.ts'

/** Every value at `path`, in order; empty where nothing is there. */
export function valuesAt(parameters: JsonObject, path: string): Json[] {
  return valuesAtSteps(parameters, stepsOf(path))
}

const keptSteps = new Map<string, readonly string[]>()

/** The steps of a path; only our tables name paths, so as many are kept as those have. */
export function stepsOf(path: string): readonly string[] {
  let steps = keptSteps.get(path)
  if (steps === undefined) {
    steps = path.split('.')
    keptSteps.set(path, steps)
  }
  return steps
}

/** As `valuesAt`, for a path that was split already. */
export function valuesAtSteps(parameters: JsonObject, steps: readonly string[]): Json[] {
  const [first = '', second] = steps
  if (second === undefined) return [...stepInto(parameters, first)]
  let values: Json[] = [parameters]
  for (const step of steps) values = values.flatMap((value) => stepInto(value, step))
  return values
}

function stepInto(value: Json, step: string): readonly Json[] {
  if (step === '?') return isObject(value) ? Object.keys(value) : []
  if (step === '*') {
    if (Array.isArray(value)) return value
    return isObject(value) ? Object.values(value) : []
  }
  if (!isObject(value) || !Object.hasOwn(value, step)) return []
  const found = value[step]
  return found === undefined ? [] : [found]
}

/** True where every condition holds; no condition always holds. */
export function allHold(
  conditions: readonly Condition[] | undefined,
  parameters: JsonObject,
): boolean {
  return conditions === undefined || conditions.every((condition) => holds(condition, parameters))
}

/**
 * `absent`: nothing there. `lacking`: one of the holders of the last step is without it. The others
 * hold where one of the values at the path is so.
 */
function holds(condition: Condition, parameters: JsonObject): boolean {
  const values = valuesAt(parameters, condition.path)
  const wanted = condition.values ?? []
  switch (condition.is) {
    case 'present':
      return values.length > 0
    case 'absent':
      return values.length === 0
    case 'lacking': {
      const [step = '', ...parents] = condition.path.split('.').reverse()
      const holders = valuesAt(parameters, parents.reverse().join('.'))
      return holders.some((holder) => stepInto(holder, step).length === 0)
    }
    case 'true':
      return values.some((value) => value === true || value === 'true')
    case 'false':
      return values.some((value) => value === false || value === 'false')
    case 'zero':
      return values.some((value) => value === 0 || value === '0')
    case 'oneOf':
      return values.some((value) => wanted.some((each) => each === value))
    case 'above':
      return values.some((value) => typeof value === 'number' && value > Number(wanted[0]))
    case 'matches':
      return values.some((value) => typeof value === 'string' && patternOf(condition).test(value))
    default:
      throw new CallError('index_unreadable', 'a table has an unknown condition')
  }
}

const keptPatterns = new WeakMap<Condition, RegExp>()

function patternOf(condition: Condition): RegExp {
  let pattern = keptPatterns.get(condition)
  if (pattern === undefined) {
    pattern = new RegExp(String(condition.values?.[0]), 'i')
    keptPatterns.set(condition, pattern)
  }
  return pattern
}

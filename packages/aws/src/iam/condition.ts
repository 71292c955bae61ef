// One condition of a statement: an operator with its qualifier, one key and the values it is held
// against. The answer has three values, and names the keys that it would need to know.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html

import type { Json } from '../call.ts'
import { isDecimal } from '../strict-json.ts'
import { PolicyError } from './errors.ts'
import { type Operator, operatorOf } from './operators.ts'
import type { ContextValue, RequestContext } from './request.ts'
import { type Expanded, expand, type Template, templateOf } from './template.ts'
import { all, and, any, not, type Truth, truth } from './truth.ts'

/** Values of one condition in a policy. */
export const VALUES_MAX = 10_000

type Qualifier = 'forallvalues' | 'foranyvalue' | null

export interface Condition {
  /** In lower case. */
  readonly key: string
  readonly qualifier: Qualifier
  readonly ifExists: boolean
  /** null = the presence test, `Null`. */
  readonly operator: Operator | null
  readonly values: readonly Template[]
}

/** Errors: `unknown_operator`, `wrong_element`, `too_large`. A key twice, in two cases, counts twice. */
export function conditionsOf(block: Json, hasVariables: boolean): Condition[] {
  const conditions: Condition[] = []
  for (const [name, keys] of entriesOf(block, 'Condition')) {
    const { qualifier, ifExists, operator } = operatorNamed(name)
    for (const [key, values] of entriesOf(keys, name)) {
      const texts = textsOf(values)
      const variables = hasVariables && (operator?.variables ?? false)
      const templates = texts.map((text) => templateOf(text, variables, operator?.wild ?? false))
      conditions.push({ key: key.toLowerCase(), qualifier, ifExists, operator, values: templates })
    }
  }
  return conditions
}

function operatorNamed(name: string): Pick<Condition, 'qualifier' | 'ifExists' | 'operator'> {
  const [, prefix, plain = ''] = /^(?:(ForAllValues|ForAnyValue):)?(.*)$/is.exec(name) ?? []
  const qualifier = (prefix?.toLowerCase() ?? null) as Qualifier
  if (plain.toLowerCase() === 'null' && qualifier === null) {
    return { qualifier, ifExists: false, operator: null }
  }
  const ifExists = /ifexists$/i.test(plain)
  const operator = operatorOf(ifExists ? plain.slice(0, -'IfExists'.length) : plain)
  if (operator === undefined) {
    throw new PolicyError('unknown_operator', 'a condition operator that IAM does not have')
  }
  return { qualifier, ifExists, operator }
}

function entriesOf(value: Json, where: string): [string, Json][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new PolicyError('wrong_element', `\`${where}\` is not an object`)
  }
  return Object.entries(value)
}

function textsOf(values: Json): string[] {
  const list = Array.isArray(values) ? values : [values]
  if (list.length > VALUES_MAX) throw new PolicyError('too_large', 'too many condition values')
  return list.map((value) => {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    if (isDecimal(value)) return value.decimal
    throw new PolicyError('wrong_element', 'a condition value is not a string')
  })
}

/** Whether the condition holds; `missing` gets each key that had to be known and was not. */
export function holds(condition: Condition, context: RequestContext, missing: Set<string>): Truth {
  const value = context.keys.get(condition.key)
  // What a condition without values says is said nowhere that settles it.
  if ((value === undefined && context.others === 'unknown') || condition.values.length === 0) {
    missing.add(condition.key)
    return 'unknown'
  }
  const given: ContextValue = value === undefined || value?.length === 0 ? null : value
  const { operator } = condition
  if (operator === null) return isNull(condition, given, missing)
  if (given === null && condition.ifExists) return 'yes'
  const wanted = condition.values.map((template) => expand(template, context))
  const said =
    given === null
      ? ofAbsent(condition, operator)
      : ofValues(condition, operator, given, wanted, missing)
  return said === 'no' ? 'no' : and(said, validity(wanted, missing))
}

/**
 * A variable without a value may make its whole statement invalid: what it would say is not certain.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function validity(wanted: readonly Expanded[], missing: Set<string>): Truth {
  let valid: Truth = 'yes'
  for (const each of wanted) {
    if (each.is === 'void' || (each.is === 'unknown' && each.maybeVoid)) {
      missing.add(each.key)
      valid = 'unknown'
    }
  }
  return valid
}

/** `Null` with several values holds where one of them does. */
function isNull({ key, values }: Condition, given: ContextValue, missing: Set<string>): Truth {
  const absent = String(given === null)
  return any(values, ({ fixed }) => {
    const text = fixed?.literal?.toLowerCase()
    if (text === 'true' || text === 'false') return truth(text === absent)
    missing.add(key)
    return 'unknown'
  })
}

/**
 * A key that is not there: positive operators are false and negated ones true; ForAllValues is true of
 * no value, ForAnyValue false.
 */
function ofAbsent({ qualifier }: Condition, { negated }: Operator): Truth {
  if (qualifier === 'forallvalues') return 'yes'
  return qualifier === 'foranyvalue' ? 'no' : truth(negated)
}

function ofValues(
  { key, qualifier }: Condition,
  { negated, folded, compare }: Operator,
  given: readonly string[],
  wanted: readonly Expanded[],
  missing: Set<string>,
): Truth {
  // An empty text is no value to the set operators.
  if (qualifier !== null && given.every((one) => one === '')) {
    return truth(qualifier === 'forallvalues')
  }
  const matches = (one: string): Truth =>
    any(wanted, (each) => {
      if (each.is === 'known') {
        const compared = compare(one, each.glob)
        if (compared === 'unknown') missing.add(key)
        return compared
      }
      if (each.is === 'void' || (!folded && !each.atMost.test(one))) return 'no'
      missing.add(each.key)
      return 'unknown'
    })
  const satisfied = (one: string): Truth => (negated ? not(matches(one)) : matches(one))
  if (qualifier === 'forallvalues') return all(given, satisfied)
  if (qualifier === 'foranyvalue') return any(given, satisfied)
  // A key with several values needs a set operator; without one only what all of them say is certain.
  const matched = any(given, matches)
  if (given.length > 1 && all(given, matches) !== matched) {
    missing.add(key)
    return 'unknown'
  }
  return negated ? not(matched) : matched
}

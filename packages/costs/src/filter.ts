// A filter expression of Cost Explorer: read from JSON into a plain tree, and from the tree into a
// SQL condition. The condition holds our own column names and numbered parameters, nothing else.
// Source: botocore `botocore/data/ce/2017-10-25/service-2.json`, shapes Expression,
// DimensionValues, TagValues, MatchOption.

import type { Json, JsonObject } from '@seconder/aws/call'
import { dimensionNamed, type HeldDimension } from './dimensions.ts'
import { CostApiError, quoted } from './errors.ts'
import { choiceAt, invalid, listAt, objectAt, stringAt } from './input.ts'

export type Expression =
  | { readonly root: 'And' | 'Or'; readonly operands: readonly Expression[] }
  | { readonly root: 'Not'; readonly operand: Expression }
  | {
      readonly root: 'Dimensions'
      readonly dimension: HeldDimension
      readonly values: readonly string[]
    }
  /** No values: the tag is absent. */
  | { readonly root: 'Tags'; readonly key: string; readonly values: readonly string[] }
  | { readonly root: 'Untagged' }

export const FILTER_DEPTH_MAX = 10
export const FILTER_OPERANDS_MAX = 100
export const FILTER_VALUES_MAX = 1_000
/** Shape Value: 0 to 1024 characters. */
export const VALUE_CHARACTERS_MAX = 1_024
/** Shape TagKey: 0 to 1024 characters. */
export const TAG_KEY_CHARACTERS_MAX = 1_024

const ROOTS = ['And', 'Or', 'Not', 'Dimensions', 'Tags', 'CostCategories'] as const
// Source: service-2.json, shape MatchOption.
const MATCH_OPTIONS = [
  'EQUALS',
  'ABSENT',
  'STARTS_WITH',
  'ENDS_WITH',
  'CONTAINS',
  'CASE_SENSITIVE',
  'CASE_INSENSITIVE',
  'GREATER_THAN_OR_EQUAL',
] as const
type MatchOption = (typeof MATCH_OPTIONS)[number]

/**
 * The tree of a `Filter`. Errors: ValidationException for every rule of the shapes;
 * DataUnavailableException for a dimension that no FOCUS column holds, and for cost categories.
 */
export function readFilter(value: Json): Expression {
  const budget = { operands: 0, values: 0 }
  return readExpression(value, 'filter', 1, budget)
}

interface Budget {
  operands: number
  values: number
}

function readExpression(value: Json, at: string, depth: number, budget: Budget): Expression {
  if (depth > FILTER_DEPTH_MAX)
    throw invalid(`'filter' nests deeper than ${FILTER_DEPTH_MAX} levels`)
  budget.operands += 1
  if (budget.operands > FILTER_OPERANDS_MAX) {
    throw invalid(`'filter' has more than ${FILTER_OPERANDS_MAX} expressions`)
  }
  const object = objectAt(value, at, ROOTS)
  const roots = ROOTS.filter((root) => object[root] !== undefined && object[root] !== null)
  const [root] = roots
  if (root === undefined) throw invalid(`'${at}' is empty: one root operator is needed`)
  if (roots.length > 1) {
    // The words of the reference page of Expression.
    throw invalid(
      'Expression has more than one roots. ' +
        'Only one root operator is allowed for each expression: ' +
        ROOTS.join(', '),
    )
  }
  return readRoot(root, object, `${at}.${root}`, depth, budget)
}

function readRoot(
  root: (typeof ROOTS)[number],
  object: JsonObject,
  at: string,
  depth: number,
  budget: Budget,
): Expression {
  switch (root) {
    case 'And':
    case 'Or': {
      const list = listAt(object[root], at, FILTER_OPERANDS_MAX)
      return { root, operands: list.map((each) => readExpression(each, at, depth + 1, budget)) }
    }
    case 'Not':
      return { root, operand: readExpression(object[root] ?? null, at, depth + 1, budget) }
    case 'Dimensions':
      return readDimension(object[root], at, budget)
    case 'Tags':
      return readTag(object[root], at, budget)
    case 'CostCategories':
      throw new CostApiError(
        'DataUnavailableException',
        'the ingested exports hold no cost categories',
      )
  }
}

interface Leaf {
  readonly key: string | undefined
  readonly values: readonly string[]
  readonly options: readonly MatchOption[]
}

function readLeaf(value: Json | undefined, at: string, budget: Budget): Leaf {
  const object = objectAt(value, at, ['Key', 'Values', 'MatchOptions'])
  const isPresent = (name: string) => object[name] !== undefined && object[name] !== null
  const list = object['Values']
  const isEmptyList = Array.isArray(list) && list.length === 0
  const values =
    isPresent('Values') && !isEmptyList ? listAt(list, `${at}.Values`, FILTER_VALUES_MAX) : []
  budget.values += values.length
  if (budget.values > FILTER_VALUES_MAX) {
    throw invalid(`'filter' has more than ${FILTER_VALUES_MAX} values`)
  }
  const options = isPresent('MatchOptions')
    ? listAt(object['MatchOptions'], `${at}.MatchOptions`, MATCH_OPTIONS.length)
    : []
  return {
    key: isPresent('Key')
      ? stringAt(object['Key'], `${at}.Key`, TAG_KEY_CHARACTERS_MAX)
      : undefined,
    values: values.map((each) => stringAt(each, `${at}.Values`, VALUE_CHARACTERS_MAX)),
    options: options.map((each) => choiceAt(each, `${at}.MatchOptions`, MATCH_OPTIONS)),
  }
}

// Source: service-2.json, shape DimensionValues: "The default values for MatchOptions are EQUALS
// and CASE_SENSITIVE"; the page of GetCostAndUsage allows no others for dimensions, and ABSENT
// besides for tags.
function checkOptions(leaf: Leaf, at: string, allowed: readonly MatchOption[]): void {
  for (const option of leaf.options) {
    if (!allowed.includes(option)) {
      throw invalid(
        `MatchOptions ${option} is not supported for '${at}': use ${allowed.join(', ')}`,
      )
    }
  }
}

function readDimension(value: Json | undefined, at: string, budget: Budget): Expression {
  const leaf = readLeaf(value, at, budget)
  if (leaf.key === undefined) throw invalid(`'${at}.Key' must not be null`)
  checkOptions(leaf, at, ['EQUALS', 'CASE_SENSITIVE'])
  const dimension = dimensionNamed(leaf.key)
  if (dimension === undefined) throw invalid(`${quoted(leaf.key)} is not a dimension`)
  if (!dimension.held && dimension.why === 'elsewhere') {
    throw invalid(`dimension ${leaf.key} is not supported for GetCostAndUsage`)
  }
  if (!dimension.held) {
    throw new CostApiError(
      'DataUnavailableException',
      `the ingested exports hold no dimension ${leaf.key}`,
    )
  }
  if (leaf.values.length === 0) throw invalid(`'${at}.Values' must not be empty`)
  return { root: 'Dimensions', dimension, values: leaf.values }
}

function readTag(value: Json | undefined, at: string, budget: Budget): Expression {
  const leaf = readLeaf(value, at, budget)
  checkOptions(leaf, at, ['EQUALS', 'ABSENT', 'CASE_SENSITIVE'])
  if (leaf.options.includes('ABSENT') && leaf.options.includes('EQUALS')) {
    throw invalid(`MatchOptions of '${at}' name both EQUALS and ABSENT`)
  }
  if (leaf.values.length > 0) {
    if (leaf.options.includes('ABSENT')) throw invalid(`'${at}' has values and is ABSENT`)
    if (leaf.key === undefined) throw invalid(`'${at}.Key' must not be null`)
    return { root: 'Tags', key: leaf.key, values: leaf.values }
  }
  // Source: service-2.json, shape TagValues: a key without values filters on the absence of that
  // key; neither filters on the absence of any tag.
  return leaf.key === undefined ? { root: 'Untagged' } : { root: 'Tags', key: leaf.key, values: [] }
}

/** The SQL condition over `f` and `r`; each value is pushed to `values` and named by its number. */
export function filterSql(expression: Expression, values: string[]): string {
  const bind = (value: string) => `$${values.push(value)}`
  switch (expression.root) {
    case 'And':
    case 'Or': {
      const operands = expression.operands.map((operand) => filterSql(operand, values))
      return `(${operands.join(expression.root === 'And' ? ' AND ' : ' OR ')})`
    }
    case 'Not':
      return `(NOT ${filterSql(expression.operand, values)})`
    case 'Dimensions': {
      const { column, kind } = expression.dimension
      const wanted = expression.values.map(bind).join(', ')
      return `(${column} IN (SELECT code FROM term WHERE kind = ${kind} AND value IN (${wanted})))`
    }
    case 'Tags': {
      const tag = `r.tags[${bind(expression.key)}]`
      if (expression.values.length === 0) return `(${tag} IS NULL)`
      // Never NULL, so that Not keeps the rows that have no such tag.
      return `coalesce(${tag} IN (${expression.values.map(bind).join(', ')}), false)`
    }
    case 'Untagged':
      return '(cardinality(r.tags) = 0)'
  }
}

// Proves that a query reads and does nothing else, in every engine that may be the one that runs it; or
// says what stands against it. Two proofs, both needed: by its tokens, which all engines share, and by
// PostgreSQL's own tree of it. Everything is a closed list; the first thing that is on none of them ends it.

import type { Json, JsonObject } from '../call.ts'
import { isObject } from '../describe/decode-json.ts'
import {
  BEFORE_BRACKET,
  BEFORE_BRACKET_ELSEWHERE,
  type Dialect,
  FUNCTIONS,
  NEVER_IN_A_READ,
  TREE_OPERATORS,
  TYPES,
  WINDOW_FUNCTIONS,
} from './closed-lists.ts'
import type { Token } from './tokens.ts'

/** What in the tokens may be more than a read; undefined where nothing is. */
export function againstTokens(
  tokens: readonly Token[],
  dialects: readonly Dialect[],
): string | undefined {
  for (const [at, token] of tokens.entries()) {
    const after = tokens[at + 1]
    if (token.kind === 'word' && NEVER_IN_A_READ.has(token.upper)) return `it says ${token.upper}`
    if (token.text === ';' && after !== undefined) return 'it has more than one statement'
    if (after?.text !== '(') continue
    const problem = againstCall(tokens, at, after, dialects)
    if (problem !== undefined) return problem
  }
  return undefined
}

function againstCall(
  tokens: readonly Token[],
  at: number,
  bracket: Token,
  dialects: readonly Dialect[],
): string | undefined {
  const token = tokens[at] as Token
  const before = tokens[at - 1]
  if (token.kind !== 'word') {
    const isName = token.kind === 'quoted' || token.kind === 'backtick'
    return isName && before?.upper !== 'AS' ? 'it calls a quoted name' : undefined
  }
  if (BEFORE_BRACKET.has(token.upper)) return undefined
  if (BEFORE_BRACKET_ELSEWHERE.has(token.upper) && !dialects.includes('mysql')) return undefined
  // `AS t (a, b)` names columns, `AS numeric(10, 2)` and `::numeric(10, 2)` a type, `WITH t (a)` a query.
  if (before !== undefined && ['AS', '::', 'WITH', 'RECURSIVE'].includes(before.upper))
    return undefined
  const name = token.text.toLowerCase()
  if (before?.text === '.') return `it calls a function of a schema, ${name}`
  // MySQL takes `count (x)` for somebody's own function, in its default mode.
  // Source: https://dev.mysql.com/doc/refman/8.4/en/function-resolution.html
  if (!bracket.touches && dialects.includes('mysql'))
    return `a space stands between ${name} and its bracket`
  const isKnown = dialects.every((dialect) => FUNCTIONS[dialect].has(name))
  return isKnown ? undefined : unknownCall(name, dialects)
}

/** Why a function is not known to read: it is nobody's, or one engine's alone. */
function unknownCall(name: string, dialects: readonly Dialect[]): string {
  const has = dialects.filter((dialect) => FUNCTIONS[dialect].has(name))
  const hasNot = dialects.filter((dialect) => !has.includes(dialect))
  return has.length === 0
    ? `it calls ${name}, which is not known to do nothing but read`
    : `it calls ${name}, which ${has.join()} has built in, but not ${hasNot.join()}, and which one runs it is not said`
}

/** Nodes of a query, and members of them that make it more than one. Source of the names:
 * https://github.com/pganalyze/libpg_query/blob/18-latest/protobuf/pg_query.proto */
const NODES = new Set([
  ...['SelectStmt', 'WithClause', 'CommonTableExpr', 'ResTarget', 'ColumnRef', 'A_Star', 'A_Const'],
  ...['A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest', 'CaseExpr', 'CaseWhen', 'CoalesceExpr'],
  ...['MinMaxExpr', 'FuncCall', 'SQLValueFunction', 'TypeCast', 'SubLink', 'ParamRef', 'RowExpr'],
  ...['A_ArrayExpr', 'A_Indices', 'A_Indirection', 'RangeVar', 'JoinExpr', 'RangeSubselect'],
  ...['RangeFunction', 'SortBy', 'WindowDef', 'GroupingSet', 'GroupingFunc', 'List', 'String'],
  ...['Integer', 'Float', 'Boolean'],
])

const NEVER_MEMBERS = new Set(['intoClause', 'lockingClause'])

/** What in the tree may be more than a read; undefined where nothing is. */
export function againstTree(tree: JsonObject, dialects: readonly Dialect[]): string | undefined {
  if (!Object.hasOwn(tree, 'SelectStmt')) return 'it is no query'
  return againstValue(tree, dialects)
}

function againstValue(value: Json, dialects: readonly Dialect[]): string | undefined {
  if (Array.isArray(value)) return firstOf(value, (each) => againstValue(each, dialects))
  if (!isObject(value)) return undefined
  return firstOf(Object.entries(value), ([name, inner]) => {
    if (NEVER_MEMBERS.has(name)) return 'it writes or locks what it reads'
    // Members are written small, nodes with a capital.
    if (/^[A-Z]/.test(name)) {
      const problem = againstNode(name, isObject(inner) ? inner : {}, dialects)
      if (problem !== undefined) return problem
    }
    if (name === 'typeName') return againstType(isObject(inner) ? inner : {})
    return againstValue(inner, dialects)
  })
}

function againstNode(
  name: string,
  node: JsonObject,
  dialects: readonly Dialect[],
): string | undefined {
  if (!NODES.has(name)) return `${name} in it is not known to do nothing but read`
  if (name === 'FuncCall') {
    const names = namesIn(node['funcname'])
    // PostgreSQL writes what has a syntax of its own (EXTRACT, POSITION) as a function of the system.
    const isOwnSyntax = names.length === 2 && names[0] === 'pg_catalog'
    const called = names.at(-1) ?? ''
    const isKnown = dialects.every((dialect) => FUNCTIONS[dialect].has(called.toLowerCase()))
    if (WINDOW_FUNCTIONS.has(called) && node['over'] === undefined)
      return `${called} is without OVER`
    if (names.length === 1 && isKnown) return undefined
    if (isOwnSyntax && (called === 'like_escape' || called === 'similar_to_escape'))
      return undefined
    if (isOwnSyntax && node['funcformat'] === 'COERCE_SQL_SYNTAX') {
      return OWN_SYNTAX.has(called)
        ? undefined
        : `${called} in it is not known to do nothing but read`
    }
    return `it calls ${names.join('.')}, which is not known to do nothing but read`
  }
  if (name === 'A_Expr') {
    const operator = namesIn(node['name'])
    const isKnown = operator.length === 1 && TREE_OPERATORS.has(operator[0] ?? '')
    return isKnown || isOwnForm(node) ? undefined : 'it has an operator that is not on the list'
  }
  return undefined
}

/** Source: https://www.postgresql.org/docs/current/functions-string.html, functions-datetime.html */
const OWN_SYNTAX = new Set([
  'extract',
  'position',
  'substring',
  'btrim',
  'ltrim',
  'rtrim',
  'overlay',
  'timezone',
])

/** BETWEEN and SIMILAR TO, which stand under names of their own. */
function isOwnForm(node: JsonObject): boolean {
  const kind = node['kind']
  return typeof kind === 'string' && /^AEXPR_(?:(?:NOT_)?BETWEEN(?:_SYM)?|SIMILAR)$/.test(kind)
}

function againstType(type: JsonObject): string | undefined {
  const names = namesIn(type['names'])
  const name = names.at(-1) ?? ''
  const isSystem = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog')
  return isSystem && TYPES.has(name) ? undefined : `its type ${name} is not on the list`
}

/** The strings of a list of String nodes. */
export function namesIn(list: Json | undefined): string[] {
  if (!Array.isArray(list)) return []
  return list.map((each: Json) => {
    const text = isObject(each) && isObject(each['String'] ?? null) ? each['String'] : undefined
    const value = isObject(text ?? null) ? (text as JsonObject)['sval'] : undefined
    return typeof value === 'string' ? value : '?'
  })
}

function firstOf<T>(
  all: readonly T[],
  problemOf: (each: T) => string | undefined,
): string | undefined {
  for (const each of all) {
    const problem = problemOf(each)
    if (problem !== undefined) return problem
  }
  return undefined
}

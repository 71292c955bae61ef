// Reads out of PostgreSQL's parse tree what people ask first: the kind of statement, the tables it names,
// and whether a change has a condition that looks at a row. Pure; what is not there is said to be unknown.

import type { Json, JsonObject } from '../call.ts'
import { isObject } from '../describe/decode-json.ts'
import { namesIn } from './read-only.ts'

/** The name of the outermost node: `SelectStmt`, `DeleteStmt`. */
export function kindOf(tree: JsonObject): string {
  return Object.keys(tree)[0] ?? ''
}

export function nodeOf(tree: JsonObject): JsonObject {
  const node = tree[kindOf(tree)]
  return isObject(node) ? node : {}
}

/**
 * Names that it reads or changes, each once. The name of a WITH query is none where that query is in scope;
 * before it, or inside it, the same name is a table. Source:
 * https://www.postgresql.org/docs/current/sql-select.html#SQL-WITH
 */
export function touchedBy(tree: JsonObject): string[] {
  const named = new Set<string>()
  collect(tree, new Set(), named)
  if (kindOf(tree) === 'DropStmt') for (const each of droppedBy(nodeOf(tree))) named.add(each)
  named.delete('')
  return [...named]
}

/** The table that a change is made to; empty where it has no single one. */
export function changedBy(tree: JsonObject): string {
  const relation = nodeOf(tree)['relation']
  return isObject(relation) ? rangeName(relation) : ''
}

function collect(value: Json, scope: ReadonlySet<string>, named: Set<string>): void {
  if (Array.isArray(value)) {
    for (const each of value) collect(each, scope, named)
    return
  }
  if (!isObject(value)) return
  const inside = isObject(value['withClause'])
    ? withScope(value['withClause'], scope, named)
    : scope
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'withClause') continue
    // A relation stands under that member, without a node of its own, where it is the only one.
    if (isObject(inner) && (name === 'RangeVar' || name === 'relation')) {
      const range = rangeName(inner)
      if (!inside.has(range)) named.add(range)
    }
    collect(inner, inside, named)
  }
}

/** The names in scope after a WITH clause, whose queries see those before them, or all if recursive. */
function withScope(
  clause: JsonObject,
  outer: ReadonlySet<string>,
  named: Set<string>,
): ReadonlySet<string> {
  const scope = new Set(outer)
  const queries = (Array.isArray(clause['ctes']) ? clause['ctes'] : []).flatMap((each: Json) => {
    const query = isObject(each) ? each['CommonTableExpr'] : undefined
    return isObject(query) ? [query] : []
  })
  const names = queries.map((query) => textOf(query['ctename']))
  if (clause['recursive'] === true) for (const name of names) scope.add(name)
  for (const [at, query] of queries.entries()) {
    collect(query, new Set(scope), named)
    scope.add(names[at] ?? '')
  }
  return scope
}

function rangeName(node: JsonObject): string {
  return [node['catalogname'], node['schemaname'], node['relname']]
    .map(textOf)
    .filter((part) => part !== '')
    .map(quotedIfOdd)
    .join('.')
}

/** A name that could pass for words of a sentence, or for two names, stands in quotes. */
function quotedIfOdd(name: string): string {
  return /^\w+$/.test(name) ? name : `"${name}"`
}

function droppedBy(node: JsonObject): string[] {
  const objects = node['objects']
  if (!Array.isArray(objects)) return []
  return objects.map((each: Json) => {
    const list = isObject(each) ? each['List'] : undefined
    if (isObject(list)) return namesIn(list['items']).map(quotedIfOdd).join('.')
    return isObject(each) ? namesIn([each]).map(quotedIfOdd).join('.') : '?'
  })
}

/** Whether its condition names a column at all: `WHERE true` and `WHERE 1 = 1` choose no row. */
export function choosesRows(node: JsonObject): boolean {
  const condition = node['whereClause']
  if (!isObject(condition)) return false
  let looks = false
  walk(condition, (name) => {
    looks ||= name === 'ColumnRef'
  })
  return looks
}

/** The kinds of all nodes in it, and the subtypes of what an ALTER does. */
export function nodesIn(tree: JsonObject): ReadonlySet<string> {
  const found = new Set<string>()
  walk(tree, (name, node) => {
    found.add(name)
    const subtype = node['subtype']
    if (name === 'AlterTableCmd' && typeof subtype === 'string') found.add(subtype)
  })
  return found
}

function walk(value: Json, visit: (name: string, node: JsonObject) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) walk(each, visit)
    return
  }
  if (!isObject(value)) return
  for (const [name, inner] of Object.entries(value)) {
    if (isObject(inner)) visit(name, inner)
    walk(inner, visit)
  }
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

// Reads one PartiQL statement of DynamoDB by the grammar of its reference: the table and index it names, the
// IAM action it needs, its effect. Whatever the grammar does not match whole has no table and the
// strictest action. Pure, no library: the language is four statements. Sources, under
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/: ql-reference.select.html,
// ql-reference.insert.html, ql-reference.update.html, ql-reference.delete.html, ql-functions.html, ql-iam.html

import type { CallResource, Effect, Statement } from '../call.ts'
import type { Surroundings } from '../describe/normalise.ts'
import { type Token, tokensOf } from './tokens.ts'

export interface PartiqlMeaning {
  readonly statement: Statement
  readonly actions: readonly string[]
  readonly resource: CallResource
}

/** All four, where it cannot be told which one; the strictest first. */
const ALL_ACTIONS = ['Delete', 'Update', 'Insert', 'Select'].map(
  (verb) => `dynamodb:PartiQL${verb}`,
)

/** The longest statement. Source: .../developerguide/ServiceQuotas.html: 8,192 characters. */
const PARTIQL_CHARS_MAX = 8_192

/** Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
const NAME = /^[A-Za-z0-9_.-]{3,255}$/
const TABLE_ARN = /^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[A-Za-z0-9_.-]{3,255}$/

interface Read {
  readonly verb: 'Select' | 'Insert' | 'Update' | 'Delete'
  readonly table: string
  readonly index: string | null
  readonly hasCondition: boolean
}

/** What `text`, which stands at `at`, would do. */
export function partiqlMeaning(text: string, at: string, here: Surroundings): PartiqlMeaning {
  const read = text.length > PARTIQL_CHARS_MAX ? 'it is too long' : readStatement(text)
  if (typeof read === 'string') {
    const says = `runs a PartiQL statement that cannot be read: ${read}`
    return {
      statement: { at, says, effects: ['unknown'], touches: [], unread: read },
      actions: ALL_ACTIONS,
      resource: { arn: '*', type: 'table', resolved: false },
    }
  }
  const { effects, says } = meaningOf(read)
  const touches = [read.index === null ? read.table : `${read.table}, index ${read.index}`]
  return {
    statement: { at, says, effects, touches },
    actions: [`dynamodb:PartiQL${read.verb}`],
    resource: resourceOf(read, here),
  }
}

function meaningOf({ verb, table, index, hasCondition }: Read): {
  effects: Effect[]
  says: string
} {
  switch (verb) {
    case 'Select': {
      const through = index === null ? '' : ` through its index ${index}`
      const all = hasCondition ? 'that meet a condition' : ', all of them'
      return {
        effects: ['read'],
        says: `reads items of ${table}${through} ${all}`.replace(' ,', ','),
      }
    }
    case 'Insert':
      return { effects: ['write'], says: `inserts an item into ${table}` }
    case 'Update':
      return { effects: ['write'], says: `changes the item of ${table} that its condition names` }
    case 'Delete':
      return { effects: ['destroy'], says: `deletes the item of ${table} that its condition names` }
  }
}

function resourceOf({ table, index }: Read, here: Surroundings): CallResource {
  const { partition, region, account } = here
  const arn = TABLE_ARN.test(table)
    ? table
    : `arn:${partition}:dynamodb:${region}:${account}:table/${table}`
  return index === null
    ? { arn, type: 'table', resolved: true }
    : { arn: `${arn}/index/${index}`, type: 'index', resolved: true }
}

/** The statement, or why it is none. */
function readStatement(text: string): Read | string {
  const found = tokensOf(text)
  if ('unreadable' in found) return found.unreadable
  if (found.hasComments) return 'it has a comment'
  const problem = againstWords(found.tokens)
  if (problem !== undefined) return problem
  const { tokens } = found
  return matched(tokens.at(-1)?.text === ';' ? tokens.slice(0, -1) : tokens)
}

const CLAUSES = new Set(
  'SELECT INSERT UPDATE DELETE FROM INTO VALUE WHERE RETURNING ORDER'.split(' '),
)
/** Of PartiQL at large; DynamoDB has no join, no nested query and no set of results. */
const NOT_HERE = new Set(
  'JOIN UNION EXCEPT INTERSECT WITH AS AT UNPIVOT PIVOT LET GROUP HAVING LIMIT OFFSET EXEC CREATE DROP VALUES ON CONFLICT REPLACE UPSERT'.split(
    ' ',
  ),
)
/** Source: ql-functions.html, and the operations of ql-reference.update.html */
const FUNCTIONS = new Set(
  'ATTRIBUTE_TYPE BEGINS_WITH CONTAINS EXISTS LIST_APPEND MISSING SET_ADD SET_DELETE SIZE'.split(
    ' ',
  ),
)

function againstWords(tokens: readonly Token[]): string | undefined {
  const seen = new Set<string>()
  for (const [at, { kind, text, upper }] of tokens.entries()) {
    if (kind === 'backtick' || kind === 'named') return `${kind} quotes have no meaning here`
    if (text === ';' && at < tokens.length - 1) return 'it has more than one statement'
    if (kind !== 'word') continue
    // DynamoDB wants its reserved words quoted, so that one without quotes is a clause.
    if (NOT_HERE.has(upper)) return `it says ${upper}`
    if (CLAUSES.has(upper) && seen.has(upper)) return `it says ${upper} twice`
    seen.add(upper)
    if (tokens[at + 1]?.text === '(' && !isBeforeBracket(upper))
      return `it calls ${text.slice(0, 40)}`
  }
  return undefined
}

function isBeforeBracket(word: string): boolean {
  return FUNCTIONS.has(word) || ['IN', 'AND', 'OR', 'NOT', 'WHERE', 'BETWEEN'].includes(word)
}

function matched(tokens: readonly Token[]): Read | string {
  switch (tokens[0]?.upper) {
    case 'EXISTS':
      return exists(tokens)
    case 'SELECT':
      return select(tokens)
    case 'INSERT': {
      const isHead = tokens[1]?.upper === 'INTO'
      return isHead
        ? change(tokens, 2, 'Insert', ['VALUE'], NO_WORDS)
        : 'INSERT is not followed by INTO'
    }
    case 'UPDATE':
      return change(tokens, 1, 'Update', ['SET', 'REMOVE'], new Set(['WHERE', 'RETURNING']))
    case 'DELETE': {
      const isHead = tokens[1]?.upper === 'FROM'
      return isHead
        ? change(tokens, 2, 'Delete', ['WHERE'], new Set(['RETURNING']))
        : 'DELETE is not followed by FROM'
    }
    default:
      return 'it begins with none of SELECT, INSERT, UPDATE, DELETE and EXISTS'
  }
}

const NO_WORDS: ReadonlySet<string> = new Set()

/** `EXISTS(SELECT ... WHERE ...)`, a condition of a transaction. */
function exists(tokens: readonly Token[]): Read | string {
  const inner = tokens.slice(2, -1)
  const isCall = tokens[1]?.text === '(' && tokens.at(-1)?.text === ')'
  if (!isCall || inner[0]?.upper !== 'SELECT') return 'EXISTS does not hold one SELECT'
  let depth = 0
  for (const { text } of inner) {
    depth += text === '(' ? 1 : text === ')' ? -1 : 0
    if (depth < 0) return 'EXISTS does not hold one SELECT'
  }
  return select(inner)
}

function select(tokens: readonly Token[]): Read | string {
  const from = tokens.findIndex(({ upper, kind }) => kind === 'word' && upper === 'FROM')
  if (from < 2) return 'SELECT has no FROM'
  if (hasClause(tokens.slice(1, from), CLAUSES)) return 'it has a clause before FROM'
  const named = nameAt(tokens, from + 1)
  if (typeof named === 'string') return named
  const rest = tokens.slice(named.next)
  const first = rest[0]?.upper
  if (first !== undefined && first !== 'WHERE' && first !== 'ORDER') return 'more follows its table'
  if (first !== undefined && rest[0]?.kind !== 'word') return 'more follows its table'
  if (
    hasClause(
      rest,
      new Set([
        'SELECT',
        'INSERT',
        'UPDATE',
        'DELETE',
        'INTO',
        'VALUE',
        'RETURNING',
        'SET',
        'REMOVE',
      ]),
    )
  ) {
    return 'it has a clause that a SELECT has not'
  }
  return { verb: 'Select', table: named.table, index: named.index, hasCondition: first === 'WHERE' }
}

/** A change of one table: its name, one of `then`, and after that only the clauses `may`. */
function change(
  tokens: readonly Token[],
  at: number,
  verb: Read['verb'],
  then: readonly string[],
  may: ReadonlySet<string>,
): Read | string {
  const named = nameAt(tokens, at)
  if (typeof named === 'string') return named
  if (named.index !== null) return 'a change names an index'
  const next = tokens[named.next]
  if (next?.kind !== 'word' || !then.includes(next.upper))
    return `${then.join(' or ')} does not follow its table`
  const rest = tokens.slice(named.next + 1)
  const others = new Set([...CLAUSES].filter((word) => !may.has(word)))
  if (rest.length === 0 || hasClause(rest, others)) return 'it has a clause that it may not have'
  const hasCondition = then.includes('WHERE') || hasClause(rest, new Set(['WHERE']))
  if (!hasCondition && verb !== 'Insert') return 'it has no WHERE'
  return { verb, table: named.table, index: null, hasCondition }
}

function hasClause(tokens: readonly Token[], clauses: ReadonlySet<string>): boolean {
  return tokens.some(({ kind, upper }) => kind === 'word' && clauses.has(upper))
}

interface Named {
  readonly table: string
  readonly index: string | null
  /** Where the tokens after it begin. */
  readonly next: number
}

/** `table`, `"table"`, `"table"."index"`. Without quotes a dot could be in the name or end it. */
function nameAt(tokens: readonly Token[], at: number): Named | string {
  const table = unquoted(tokens[at])
  if (table === undefined) return 'its table has no plain name'
  if (tokens[at + 1]?.text !== '.') {
    return isTable(table) ? { table, index: null, next: at + 1 } : 'its table has no plain name'
  }
  const index = unquoted(tokens[at + 2])
  const quoted = tokens[at]?.kind === 'quoted' && tokens[at + 2]?.kind === 'quoted'
  if (index === undefined || !quoted || !isTable(table) || !NAME.test(index)) {
    return 'its index has no plain name'
  }
  return { table, index, next: at + 3 }
}

function isTable(name: string): boolean {
  return NAME.test(name) || TABLE_ARN.test(name)
}

function unquoted(token: Token | undefined): string | undefined {
  if (token?.kind === 'quoted') return token.text.slice(1, -1)
  return token?.kind === 'word' && !CLAUSES.has(token.upper) ? token.text : undefined
}

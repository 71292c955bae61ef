// Says what the statements in a call would do: which members of which operations hold SQL, and the union of
// what they say. One table; a call without a row here holds no statement. Pure once the grammar is loaded.

import type { CallResource, Effect, Json, JsonObject, Reveals, Statement } from '../call.ts'
import { valuesAt } from '../describe/condition.ts'
import { inOrder } from '../describe/effects.ts'
import type { Surroundings } from '../describe/normalise.ts'
import { distinct } from '../inner-calls/union.ts'
import { outsideNames } from './outside.ts'
import { partiqlMeaning } from './partiql.ts'
import { isLoaded, loadPostgres } from './postgres-tree.ts'
import { sqlMeaning } from './statement.ts'
import { type StatementRow, statementsOf } from './statement-members.ts'
import { tokensOf } from './tokens.ts'

/** Statements of one call that are read. Redshift takes 40, DynamoDB 100. Sources: as above. */
export const STATEMENTS_MAX = 100

/** Characters of all statements of a call together where they are several: reading them takes 0.1 s at most. */
export const STATED_CHARS_MAX = { sql: 16_384, partiql: 131_072 } as const

export interface Stated {
  readonly statements: readonly Statement[]
  /** Strictest last, never empty. */
  readonly effects: readonly Effect[]
  /** IAM actions instead of the operation's own; absent where those stand. */
  readonly actions?: readonly string[]
  /** IAM actions beside them. */
  readonly added: readonly string[]
  /** Instead of what the tables name; absent where that stands. */
  readonly resources?: readonly CallResource[]
  /** Beside it. */
  readonly beside: readonly CallResource[]
  readonly reveals: Reveals
}

const GRAMMAR_SERVICES = new Set(['rds-data', 'redshift-data', 'athena'])

/**
 * Makes the grammar ready for the calls of a signing name; undefined where none is needed or it is ready.
 * Whoever describes calls awaits it before: without it all SQL is opaque.
 */
export function grammarFor(signingName: string): Promise<void> | undefined {
  return GRAMMAR_SERVICES.has(signingName) && !isLoaded() ? loadPostgres() : undefined
}

/** What the statements in the call would do; undefined where it holds none, or no grammar is ready. */
export function statedIn(
  operation: string,
  parameters: JsonObject,
  here: Surroundings,
): Stated | undefined {
  const row = statementsOf(operation)
  return row === undefined ? undefined : statedBy(row, parameters, here)
}

/** As `statedIn` for a call inside another one: its SQL stays opaque, for no grammar is made ready there. */
export function partiqlIn(
  operation: string,
  parameters: JsonObject,
  here: Surroundings,
): Stated | undefined {
  const row = statementsOf(operation)
  return row?.language === 'partiql' ? statedBy(row, parameters, here) : undefined
}

function statedBy(
  row: StatementRow,
  parameters: JsonObject,
  here: Surroundings,
): Stated | undefined {
  const found = valuesAt(parameters, row.path)
  const texts = found.filter((value) => typeof value === 'string').slice(0, STATEMENTS_MAX)
  const chars = texts.reduce((sum, text) => sum + text.length, 0)
  // Too much is one statement that is too long, and by that not read: a gate has other calls to answer.
  if (texts.length > 1 && chars > STATED_CHARS_MAX[row.language])
    texts.splice(0, texts.length, texts.join('\n'))
  const isWhole = texts.length === found.length && texts.length > 0
  if (row.language === 'partiql') return partiqlStated(row, texts, isWhole, here)
  return sqlStated(row, texts, isWhole, parameters, here)
}

function partiqlStated(
  row: StatementRow,
  texts: readonly string[],
  isWhole: boolean,
  here: Surroundings,
): Stated {
  // A text that is not there, or one too many, counts as one that cannot be read.
  const all = isWhole ? texts : [...texts, '']
  const meanings = all.map((text, at) => partiqlMeaning(text, placeOf(row, at), here))
  const statements = meanings.map(({ statement }) => statement)
  return {
    statements,
    effects: unionOf(statements.map(({ effects }) => effects)),
    actions: [...new Set(meanings.flatMap(({ actions }) => actions))],
    added: [],
    resources: distinct(meanings.map(({ resource }) => resource)),
    beside: [],
    reveals: 'nothing',
  }
}

function sqlStated(
  row: StatementRow,
  texts: readonly string[],
  isWhole: boolean,
  parameters: JsonObject,
  here: Surroundings,
): Stated | undefined {
  if (!isLoaded()) return undefined
  const meanings = texts.map((text, at) => sqlMeaning(text, { ...row, at: placeOf(row, at) }))
  const statements = meanings.map(({ statement }) => statement)
  const effects = statements.map((each) => each.effects)
  if (!isWhole) effects.push(['opaque'])
  if (!valuesArePlain(parameters) || !catalogIsPlain(parameters)) effects.push(['opaque'])
  const { resources, writes } = outsideNames(texts, parameters, here)
  if (writes) effects.push(['write'])
  const isSecret = meanings.some(({ revealsSecret }) => revealsSecret) || namesSystem(parameters)
  return {
    statements,
    effects: unionOf(effects),
    added: writes ? ['s3:PutObject'] : [],
    beside: resources,
    reveals: isSecret ? 'secret' : 'nothing',
  }
}

/** A database of MySQL that holds the hashes of passwords. Source: see SECRET_TABLES. */
function namesSystem(parameters: JsonObject): boolean {
  return [parameters['database'], parameters['schema']].some(
    (name: Json | undefined) => typeof name === 'string' && name.toLowerCase() === 'mysql',
  )
}

/**
 * Athena puts its execution parameters into the statement as SQL, so each must be one plain value.
 * Source: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
 */
function valuesArePlain(parameters: JsonObject): boolean {
  return valuesAt(parameters, 'ExecutionParameters.*').every((value) => {
    if (typeof value !== 'string') return false
    const found = tokensOf(value)
    if ('unreadable' in found || found.hasComments) return false
    const [first, second] = found.tokens
    return second === undefined && (first?.kind === 'string' || first?.kind === 'number')
  })
}

/**
 * A catalog of the name `lambda:...` is a function that Athena runs with the query. Source:
 * https://docs.aws.amazon.com/athena/latest/ug/connect-to-a-data-source-lambda-deploying.html
 */
function catalogIsPlain(parameters: JsonObject): boolean {
  return valuesAt(parameters, 'QueryExecutionContext.*').every(
    (name) => typeof name === 'string' && /^[\w.@/-]*$/.test(name),
  )
}

function unionOf(effects: readonly (readonly Effect[])[]): Effect[] {
  const all = new Set(effects.flat())
  const changing = [...all].filter((effect) => effect !== 'read' && effect !== 'list')
  return inOrder(changing.length === 0 ? all : new Set(changing))
}

function placeOf({ path }: StatementRow, at: number): string {
  return path.replace('*', String(at))
}

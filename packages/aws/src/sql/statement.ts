// Says what one SQL statement does: its effects, the tables it touches, and a sentence for the person who
// decides. A read is only what read-only.ts proves; whatever else cannot be read whole is `opaque` too, and
// its words alone may make it stricter, never milder. Pure once the grammar is loaded.

import type { Effect, JsonObject, Statement } from '../call.ts'
import { inOrder } from '../describe/effects.ts'
import { type Dialect, NEVER_IN_A_READ, SECRET_TABLES } from './closed-lists.ts'
import { parsed } from './postgres-tree.ts'
import { againstTokens, againstTree } from './read-only.ts'
import { asPostgres, isNotMysql } from './rewritten.ts'
import { type Token, tokensOf } from './tokens.ts'
import { changedBy, choosesRows, kindOf, nodeOf, nodesIn, textOf, touchedBy } from './tree-facts.ts'

export interface SqlPlace {
  /** Where in the parameters it stands. */
  readonly at: string
  /** The engines that may run it. */
  readonly dialects: readonly Dialect[]
  /** What stands for a value: `:name`, `?`, or nothing does. */
  readonly values: 'named' | 'question' | 'none'
}

export interface SqlMeaning {
  readonly statement: Statement
  readonly revealsSecret: boolean
}

/** What `text` would do. */
export function sqlMeaning(text: string, place: SqlPlace): SqlMeaning {
  const found = tokensOf(text)
  if ('unreadable' in found) return notRead(place, wordsIn(text), found.unreadable, null)
  const { tokens } = found
  const verbs = tokens.filter(({ kind }) => kind === 'word').map(({ upper }) => upper)
  const strange = againstValues(tokens, place)
  if (strange !== undefined) return notRead(place, verbs, strange, null)
  const tree = treeOf(tokens, text)
  if (verbs[0] === 'SELECT' || verbs[0] === 'WITH' || verbs[0] === 'EXPLAIN') {
    const problem = tree === null ? NO_TREE : againstRead(tokens, tree, place.dialects)
    if (problem === undefined && tree !== null) return asRead(place, tree)
    return notRead(place, verbs, problem ?? NO_TREE, tree)
  }
  if (isShow(tokens)) {
    return {
      statement: { ...placed(place, 'shows what there is'), effects: ['read'], touches: [] },
      revealsSecret: false,
    }
  }
  if (tree === null) return notRead(place, verbs, NO_TREE, null)
  return asChange(place, verbs, tokens, tree)
}

const NO_TREE = 'it is no statement that the grammar at hand can read'

/** The sentence for people; a name in it may be as long as the statement. */
const SAYS_CHARS_MAX = 400

function placed({ at }: SqlPlace, says: string): Pick<Statement, 'at' | 'says'> {
  return { at, says: cut(says) }
}

function cut(words: string): string {
  return words.length <= SAYS_CHARS_MAX
    ? words
    : `${words.slice(0, SAYS_CHARS_MAX).toWellFormed()}...`
}

/** Marks for values that this API does not put values in place of. */
function againstValues(tokens: readonly Token[], { values }: SqlPlace): string | undefined {
  for (const { kind, text } of tokens) {
    if (kind === 'named' && values !== 'named') return `${text} stands for no value here`
    if (text === '?' && values !== 'question') return '? stands for no value here'
    // Athena runs the function behind a catalog of the name `lambda:...`. Source:
    // https://docs.aws.amazon.com/athena/latest/ug/connect-data-source-serverless-app-repo.html
    if (kind === 'quoted' && /[:/]/.test(text)) return `the name ${text} may run something`
    if (text === ':' || text === '{' || text === '}') return `${text} in it has no certain meaning`
  }
  return undefined
}

/** The tree of the tokens as all engines see them; null where it is none or would be another than the text's. */
function treeOf(tokens: readonly Token[], text: string): JsonObject | null {
  const isMysql = tokens.some(({ kind }) => kind === 'backtick')
  // PostgreSQL could take a backtick for an operator of somebody's own: then it has two readings.
  const asSent = text.replace(/(?<![:\w]):[A-Za-z_]\w*|\?/g, () => '$1')
  if (isMysql && parsed(asSent) !== undefined) return null
  return parsed(asPostgres(tokens)) ?? null
}

function againstRead(
  tokens: readonly Token[],
  tree: JsonObject,
  dialects: readonly Dialect[],
): string | undefined {
  return (
    againstTokens(tokens, possible(tokens, dialects)) ??
    againstTree(tree, possible(tokens, dialects))
  )
}

/** Without the engines to which the statement is a syntax error: it does nothing there. */
function possible(tokens: readonly Token[], dialects: readonly Dialect[]): readonly Dialect[] {
  const isBacktick = tokens.some(({ kind }) => kind === 'backtick')
  const left = dialects.filter((dialect) =>
    dialect === 'mysql' ? !isNotMysql(tokens) : !isBacktick,
  )
  return left.length === 0 ? dialects : left
}

function asRead(place: SqlPlace, tree: JsonObject): SqlMeaning {
  const touches = touchedBy(tree)
  const says = touches.length === 0 ? 'reads no table' : `reads ${listed(touches)}`
  const revealsSecret = touches.some((name) => isSecret(name))
  return { statement: { ...placed(place, says), effects: ['read'], touches }, revealsSecret }
}

function isSecret(name: string): boolean {
  const parts = name.toLowerCase().split('.')
  return [parts.at(-1) ?? '', parts.slice(-2).join('.')].some((each) => SECRET_TABLES.has(each))
}

/** What SHOW and DESCRIBE may name; all of them only look. `SHOW CREATE USER` shows a password's hash.
 * Sources: https://dev.mysql.com/doc/refman/8.4/en/show.html;
 * https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html */
const SHOWN = new Set([
  ...['TABLES', 'DATABASES', 'SCHEMAS', 'COLUMNS', 'PARTITIONS', 'TBLPROPERTIES', 'VIEWS', 'INDEX'],
  ...['INDEXES', 'SEARCH_PATH', 'SERVER_VERSION', 'CREATE TABLE', 'CREATE VIEW', 'PROCESSLIST'],
  ...['VARIABLES', 'STATUS'],
])

/** `SHOW TABLES IN shop LIKE 'a%'`, `DESCRIBE FORMATTED shop.orders`: a head of the list, then names. */
function isShow(tokens: readonly Token[]): boolean {
  const ended = tokens.at(-1)?.text === ';' ? tokens.slice(0, -1) : tokens
  const whole = ended[1]?.upper === 'FULL' ? ended.toSpliced(1, 1) : ended
  const [first, second, third] = whole
  if (first?.upper === 'DESCRIBE' || first?.upper === 'DESC') {
    const isHow = second?.upper === 'FORMATTED' || second?.upper === 'EXTENDED'
    return isName(whole.slice(isHow && third !== undefined ? 2 : 1))
  }
  if (first?.upper !== 'SHOW' || second?.kind !== 'word') return false
  const isCreate = second.upper === 'CREATE' && third?.kind === 'word'
  const head = isCreate ? `CREATE ${third.upper}` : second.upper
  return SHOWN.has(head) && whole.slice(isCreate ? 3 : 2).every(isPlain)
}

/** `a`, `a.b`, `a.b.c` */
function isName(tokens: readonly Token[]): boolean {
  const isOdd = tokens.length % 2 === 1 && tokens.length <= 5
  return isOdd && tokens.every((token, at) => (at % 2 === 1 ? token.text === '.' : isPart(token)))
}

function isPlain(token: Token): boolean {
  return token.text === '.' || token.kind === 'string' || isPart(token)
}

function isPart({ kind, upper }: Token): boolean {
  if (kind === 'quoted' || kind === 'backtick') return true
  return (
    kind === 'word' &&
    !NEVER_IN_A_READ.has(upper) &&
    !['SELECT', 'WHERE', 'TABLE', 'ANALYZE', 'USER'].includes(upper)
  )
}

/** The sentence and effects of a statement that was read and is no read. */
function asChange(
  place: SqlPlace,
  verbs: readonly string[],
  tokens: readonly Token[],
  tree: JsonObject,
): SqlMeaning {
  const touches = touchedBy(tree)
  const change = changeOf(tree, touches)
  if (change === undefined)
    return notRead(place, verbs, 'what it runs cannot be seen from here', tree)
  const called = againstFunctions(tokens, tree, place.dialects)
  const effects = new Set<Effect>([...change.effects, ...harshWords(verbs)])
  if (called !== undefined) effects.add('opaque')
  const statement: Statement = {
    ...placed(place, called === undefined ? change.says : `${change.says}; ${called}`),
    effects: inOrder(effects),
    touches,
    ...(called !== undefined && { unread: cut(called) }),
  }
  return { statement, revealsSecret: false }
}

interface Change {
  readonly says: string
  readonly effects: readonly Effect[]
}

/** What the tree's kind says; undefined for kinds that run or store what is not seen. */
function changeOf(tree: JsonObject, touches: readonly string[]): Change | undefined {
  const node = nodeOf(tree)
  const on = changedBy(tree) || listed(touches)
  const some = 'that meet a condition; how many is not known'
  switch (kindOf(tree)) {
    case 'InsertStmt':
      return { says: `inserts rows into ${on}`, effects: ['write'] }
    case 'UpdateStmt':
      return choosesRows(node)
        ? { says: `changes rows of ${on} ${some}`, effects: ['write'] }
        : { says: `changes every row of ${on}`, effects: ['destroy'] }
    case 'DeleteStmt':
      return choosesRows(node)
        ? { says: `deletes rows of ${on} ${some}`, effects: ['destroy'] }
        : { says: `deletes every row of ${on}`, effects: ['destroy'] }
    case 'MergeStmt':
      return { says: `merges rows into ${on}`, effects: ['destroy'] }
    case 'TruncateStmt':
      return { says: `deletes every row of ${on}`, effects: ['destroy'] }
    case 'DropStmt':
    case 'DropdbStmt':
    case 'DropTableSpaceStmt': {
      const what = textOf(node['removeType']).replace('OBJECT_', '').toLowerCase() || 'database'
      return {
        says: `drops ${what} ${touches.length === 0 ? textOf(node['dbname']) : on}`,
        effects: ['destroy'],
      }
    }
    case 'CreateStmt':
      return { says: `creates table ${on}`, effects: ['write'] }
    case 'IndexStmt':
      return { says: `creates an index on ${on}`, effects: ['write'] }
    case 'CreateSchemaStmt':
    case 'CreatedbStmt':
      return { says: 'creates a schema or database', effects: ['write'] }
    case 'RenameStmt':
      return { says: `renames ${on} or a part of it`, effects: ['write', 'stop'] }
    case 'AlterTableStmt':
      return alteration(tree, on)
    case 'DropRoleStmt':
    case 'DropOwnedStmt':
      return { says: 'drops roles or what they own', effects: ['permissions', 'destroy'] }
    default:
      return PERMISSIONS.has(kindOf(tree))
        ? {
            says: `changes who may do what${touches.length === 0 ? '' : ` with ${on}`}`,
            effects: ['permissions'],
          }
        : undefined
  }
}

/** Source of the names: the grammar's nodes, see read-only.ts. */
const PERMISSIONS = new Set([
  ...['GrantStmt', 'GrantRoleStmt', 'CreateRoleStmt', 'AlterRoleStmt', 'AlterRoleSetStmt'],
  ...['AlterOwnerStmt', 'ReassignOwnedStmt', 'CreatePolicyStmt', 'AlterPolicyStmt', 'SecLabelStmt'],
  ...['AlterDefaultPrivilegesStmt', 'CreateUserMappingStmt', 'AlterUserMappingStmt'],
])

/** A new type of a column may lose what does not fit it. */
const LOSES = /^AT_(?:Drop|AlterColumnType|DetachPartition|SetUnLogged)/
const RIGHTS =
  /^AT_(?:ChangeOwner|EnableRowSecurity|DisableRowSecurity|NoForceRowSecurity|ForceRowSecurity|DisableTrig|EnableTrig|DisableRule|EnableRule)/

function alteration(tree: JsonObject, on: string): Change {
  const parts = [...nodesIn(tree)].filter((name) => name.startsWith('AT_'))
  const loses = parts.some((part) => LOSES.test(part))
  const effects: Effect[] = ['write']
  if (parts.some((part) => RIGHTS.test(part))) effects.push('permissions')
  if (loses) effects.push('destroy')
  return {
    says: loses ? `alters ${on} and drops or rewrites a part of it` : `alters ${on}`,
    effects,
  }
}

/** Functions in a change run with it; the names of inserted tables and columns are none. */
function againstFunctions(
  tokens: readonly Token[],
  tree: JsonObject,
  dialects: readonly Dialect[],
): string | undefined {
  if (tokens.some(({ text }, at) => text === ';' && at < tokens.length - 1))
    return 'it has more than one statement'
  if (!nodesIn(tree).has('FuncCall')) return undefined
  const nodes = [...funcCalls(tree)]
  return nodes
    .map((call) => againstTree({ SelectStmt: { targetList: [call] } }, dialects))
    .find((each) => each !== undefined)
}

function* funcCalls(value: unknown): Generator<JsonObject> {
  if (value === null || typeof value !== 'object') return
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'FuncCall') yield { FuncCall: inner as JsonObject }
    yield* funcCalls(inner)
  }
}

/** A statement that nobody can vouch for: opaque, and as strict as its words sound. */
function notRead(
  place: SqlPlace,
  verbs: readonly string[],
  unread: string,
  tree: JsonObject | null,
): SqlMeaning {
  const verb = verbs[0] ?? 'nothing that is a word'
  const effects: Effect[] = ['opaque', ...harshWords(verbs)]
  if (WRITES.has(verb)) effects.push('write')
  const touches = tree === null ? [] : touchedBy(tree)
  const on = touches.length === 0 ? '' : ` on ${listed(touches)}`
  const says = `runs ${verb.slice(0, 40)}${on}, and what that does could not be read whole: ${unread}`
  const revealsSecret = touches.some((name) => isSecret(name))
  return {
    statement: {
      ...placed(place, says),
      effects: inOrder(new Set(effects)),
      touches,
      unread: cut(unread),
    },
    revealsSecret,
  }
}

const DESTROYS = new Set(
  'DELETE DROP TRUNCATE OVERWRITE VACUUM PURGE EXPIRE REPLACE MERGE DISCARD EXCHANGE'.split(' '),
)
const GRANTS = new Set(
  'GRANT REVOKE OWNER ROLE USER PASSWORD IDENTIFIED SECURITY POLICY PRIVILEGES AUTHORIZATION'.split(
    ' ',
  ),
)

const WRITES = new Set(
  'INSERT UPDATE COPY UNLOAD LOAD CREATE IMPORT EXPORT MSCK OPTIMIZE RESTORE ALTER'.split(' '),
)

/** What the words of a change sound like; a name can only make it stricter. */
function harshWords(verbs: readonly string[]): Effect[] {
  const effects: Effect[] = []
  const destroys = verbs.some((word, at) => DESTROYS.has(word) && verbs[at - 1] !== 'ON')
  if (verbs.some((word) => GRANTS.has(word))) effects.push('permissions')
  if (destroys) effects.push('destroy')
  return effects
}

/** Characters of a text without tokens whose words are looked at; it is opaque in any case. */
const WORDS_READ_MAX = 200_000

function wordsIn(text: string): string[] {
  return (text.slice(0, WORDS_READ_MAX).match(/[A-Za-z_]+/g) ?? []).map((word) =>
    word.toUpperCase(),
  )
}

/** Tables named in one sentence; `touches` has them all. */
const NAMED_MAX = 4

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'something without a name'
  const more = names.length - NAMED_MAX
  const shown = names.slice(0, NAMED_MAX).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}

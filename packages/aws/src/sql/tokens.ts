// Takes a statement apart into the tokens that every SQL dialect behind an AWS API sees alike, or says
// why that cannot be proved: an escape, a dollar quote, an executable comment, a letter outside of
// ASCII. What has no certain tokens has no certain meaning. Pure, one pass, bounded.

/** The longest statement taken apart; the Data API takes 65,536 bytes.
 * Source: https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html */
export const STATEMENT_CHARS_MAX = 65_536
/** A tree is at most as deep as its tokens are many; the parser was seen to take 20,000. */
export const TOKENS_MAX = 4_000
/** Brackets inside brackets. */
export const NESTING_MAX = 64

export type TokenKind =
  /** A name or keyword without quotes. */
  | 'word'
  /** `"..."`: a name, in MySQL a string. */
  | 'quoted'
  /** `` `...` ``: a name in MySQL and Hive. */
  | 'backtick'
  | 'string'
  | 'number'
  /** `:name` */
  | 'named'
  | 'sign'

export interface Token {
  readonly kind: TokenKind
  /** As it stands, quotes included. */
  readonly text: string
  /** Words in capitals; the text for all else. */
  readonly upper: string
  /** Whether nothing is between it and the token before. */
  readonly touches: boolean
}

export interface Tokens {
  readonly tokens: readonly Token[]
  readonly hasComments: boolean
}

/** The reason why a text has no certain tokens. */
export interface Unreadable {
  readonly unreadable: string
}

const SPACE = /[ \t\r\n]+/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y
const NAMED = /:[A-Za-z_][A-Za-z0-9_]*/y
/**
 * Quotes are doubled in all dialects. A backslash may be an escape or not: it may stand where the string
 * ends at the same place by either reading, which is before anything but a quote or another one.
 */
const STRING = /'(?:[^'\\\0]|\\[^'"`\\\0]|'')*'/y
/** Both readings of it, name and string, must be harmless. */
const QUOTED = /"[\p{L}\p{N}_ .:/$-]*"/uy
const BACKTICK = /`[A-Za-z0-9_ .-]+`/y
const BRACKET_OR_MARK = /[(){}[\],.;?]/y
const OPERATOR = /[+\-*/<>=~!@#%^&|:]+/y
/**
 * A comment that all dialects end at the same place and none executes: MySQL runs what is in `/*!` and
 * heeds `/*+`, MariaDB runs `/*M!`, PostgreSQL nests, and `--1` is arithmetic to MySQL. Sources:
 * https://dev.mysql.com/doc/refman/8.4/en/comments.html; https://mariadb.com/kb/en/comment-syntax/;
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-COMMENTS
 */
const COMMENT = /\/\*(?![!+]|M!)[\t\n !-)+-.0-[\]-_a-~]*\*\/|--(?:[ \t][\t -[\]-~]*)?(?:\n|$)/y

/** Operators that all dialects take as one token; none of them writes on the types of the system. */
const OPERATORS = new Set(
  '+ - * / % = < > <= >= <> != || && :: : -> ->> << >> ~ ~* !~ !~* @> <@ { }'.split(' '),
)

/** The tokens of `text`, or why they are not certain. */
export function tokensOf(text: string): Tokens | Unreadable {
  if (text.length > STATEMENT_CHARS_MAX) return { unreadable: 'it is too long' }
  if (!text.isWellFormed()) return { unreadable: 'it is no valid Unicode' }
  const tokens: Token[] = []
  let at = 0
  let depth = 0
  let touches = true
  let hasComments = false
  while (at < text.length) {
    const skipped = matchAt(SPACE, text, at) ?? matchAt(COMMENT, text, at)
    if (skipped !== undefined) {
      hasComments ||= skipped.trim() !== ''
      at += skipped.length
      touches = false
      continue
    }
    const found = tokenAt(text, at)
    if (typeof found === 'string') return { unreadable: found }
    const before = touches ? tokens.at(-1) : undefined
    if (before !== undefined && clings(before, found)) {
      return { unreadable: `${before.kind} and ${found.kind} stand together without a space` }
    }
    if (found.text === '(' || found.text === '[' || found.text === '{') depth += 1
    if (found.text === ')' || found.text === ']' || found.text === '}') depth -= 1
    if (depth > NESTING_MAX || depth < 0)
      return { unreadable: 'its brackets are too deep or uneven' }
    if (tokens.length >= TOKENS_MAX) return { unreadable: 'it has too many parts' }
    tokens.push({ ...found, touches })
    at += found.text.length
    touches = true
  }
  return depth === 0 ? { tokens, hasComments } : { unreadable: 'its brackets are uneven' }
}

type Found = Omit<Token, 'touches'>

const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['word', WORD],
  ['number', NUMBER],
  ['string', STRING],
  ['quoted', QUOTED],
  ['backtick', BACKTICK],
  ['named', NAMED],
  ['sign', BRACKET_OR_MARK],
]

function tokenAt(text: string, at: number): Found | string {
  for (const [kind, pattern] of PATTERNS) {
    // `a::int` is a cast, never a parameter behind a colon.
    if (kind === 'named' && text[at - 1] === ':') continue
    const found = matchAt(pattern, text, at)
    if (found === undefined) continue
    return { kind, text: found, upper: kind === 'word' ? found.toUpperCase() : found }
  }
  const run = matchAt(OPERATOR, text, at)
  if (run === undefined) return 'it has a character, quote or escape that dialects read differently'
  const sign = operatorIn(run)
  return sign === undefined
    ? 'it has an operator or comment that dialects read differently'
    : { kind: 'sign', text: sign, upper: sign }
}

/**
 * The whole run, or all but a sign before a number or name: `=-1`, `=:id`. PostgreSQL takes `!=-` and
 * `||-` for one operator, which would be somebody's own. Source:
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-OPERATORS
 */
function operatorIn(run: string): string | undefined {
  if (OPERATORS.has(run)) return run
  const head = run.slice(0, -1)
  if (!OPERATORS.has(head) || /[-+:/]$/.test(head)) return undefined
  if (run.endsWith(':')) return head
  return /[-+]$/.test(run) && !/[~!@#%^&|]/.test(head) ? head : undefined
}

/** `E'..'`, `N'..'`, `x'..'`, `_utf8'..'`, `1abc` and `'a'b` mean one thing here and another there. */
function clings(before: Found, after: Found): boolean {
  return before.kind !== 'sign' && after.kind !== 'sign' && after.kind !== 'named'
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

// Writes the tokens of a statement as PostgreSQL would have them: names in its quotes, values as parameters, and
// a few forms of other engines that mean the same. Only for making a tree: each such form is a syntax error to
// PostgreSQL itself, so that nothing it could run is read as something else. Pure.

import type { Token } from './tokens.ts'

export function asPostgres(tokens: readonly Token[]): string {
  return withoutTop(withoutExplain(tokens)).flatMap(written).join(' ')
}

/** EXPLAIN, also with ANALYZE, does at most what the statement after it does. */
function withoutExplain(tokens: readonly Token[]): readonly Token[] {
  if (tokens[0]?.upper !== 'EXPLAIN') return tokens
  return tokens.slice(tokens[1]?.upper === 'ANALYZE' ? 2 : 1)
}

/** `SELECT TOP 10 a` of Redshift. Source: https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html */
function withoutTop(tokens: readonly Token[]): readonly Token[] {
  const isTop = (at: number): boolean =>
    tokens[at]?.upper === 'TOP' &&
    tokens[at - 1]?.upper === 'SELECT' &&
    tokens[at + 1]?.kind === 'number'
  return tokens.filter((_, at) => !isTop(at) && !isTop(at - 1))
}

const UNITS = new Set(['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND'])

function written(token: Token, at: number, tokens: readonly Token[]): string[] {
  const { kind, text } = token
  if (kind === 'backtick') return [`"${text.slice(1, -1)}"`]
  if (kind === 'named' || text === '?') return ['$1']
  // `INTERVAL 1 DAY` of MySQL. Source: https://dev.mysql.com/doc/refman/8.4/en/expressions.html
  const isInterval = tokens[at - 1]?.upper === 'INTERVAL' && UNITS.has(tokens[at + 1]?.upper ?? '')
  if (kind === 'number' && isInterval) return [`'${text}'`]
  return isSkipped(tokens, at) || isSkipped(tokens, at - 1) ? [] : [text]
}

/** The comma of `LIMIT 10, 20` of MySQL, which goes with the number after it. */
function isSkipped(tokens: readonly Token[], comma: number): boolean {
  return (
    tokens[comma]?.text === ',' &&
    tokens[comma - 2]?.upper === 'LIMIT' &&
    tokens[comma - 1]?.kind === 'number' &&
    tokens[comma + 1]?.kind === 'number'
  )
}

const MYSQL_UNIT = /^(?:MICROSECOND|SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|QUARTER|YEAR|[A-Z]+_[A-Z]+)$/

/**
 * Whether MySQL could not take the statement at all, whatever its tables and functions: a cast by `::`, WHERE
 * behind a bracket, ILIKE, DISTINCT ON, an interval without a unit.
 * Source: https://dev.mysql.com/doc/refman/8.4/en/select.html, expressions.html
 */
export function isNotMysql(tokens: readonly Token[]): boolean {
  return tokens.some(({ upper, kind, text }, at) => {
    if (text === '::') return true
    const [before, after, next] = [tokens[at - 1], tokens[at + 1], tokens[at + 2]]
    if (kind !== 'word') return false
    if (upper === 'WHERE') return before?.text === '('
    if (upper === 'ILIKE') return after?.kind === 'string' && before?.kind === 'word'
    if (upper === 'DISTINCT') return after?.upper === 'ON' && next?.text === '('
    if (upper === 'INTERVAL') return after?.kind === 'string' && !MYSQL_UNIT.test(next?.upper ?? '')
    return false
  })
}

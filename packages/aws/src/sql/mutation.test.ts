// What a statement that destroys can be turned into: never a read. Mutants of such statements, by a seeded
// generator, against every engine; and the other way round, queries with something of effect put into them.

import { expect, test } from 'vitest'
import type { Dialect } from './closed-lists.ts'
import { partiqlMeaning } from './partiql.ts'
import { loadPostgres } from './postgres-tree.ts'
import { type SqlPlace, sqlMeaning } from './statement.ts'

await loadPostgres()

/** Mutants of each kind; `SECONDER_MUTANTS` for more. */
const MUTANTS = Number(process.env['SECONDER_MUTANTS'] ?? 12_000)

const PLACES: readonly SqlPlace[] = (
  [
    [['postgres', 'mysql'], 'named'],
    [['redshift'], 'named'],
    [['trino'], 'question'],
  ] as const
).map(([dialects, values]) => ({ at: 'sql', dialects: dialects as readonly Dialect[], values }))

const DESTROYING = [
  'delete from orders where id = 1',
  'DELETE FROM "orders"',
  'drop table orders',
  'drop database `prod`',
  'truncate table orders',
  'alter table orders drop column total',
  'update orders set total = 0',
  'merge into t using s on t.a = s.a when matched then delete',
  'with d as (delete from t returning *) select * from d',
  'insert into t select * from u',
  'grant all on orders to agent',
  'create user agent',
  'call clean_up()',
  'do $$ begin delete from t; end $$',
  "copy t to program 'rm'",
  "unload ('select 1') to 's3://b/x' iam_role default",
  "load data infile 'x' into table t",
  'select clean_up() from t',
  'select * into u from t',
  'select * from t for update',
  "select * from t into outfile '/tmp/x'",
  "select setval('s', 1)",
  'explain analyze delete from t',
  'replace into t values (1)',
  'vacuum t',
  'set role admin',
  'begin',
]

/**
 * What must be in a text for it to do anything but read: words at the start of a statement, and names of
 * functions that are called. An oracle of its own: plain text, no grammar, no list of this folder.
 */
const NEEDED =
  /\b(?:delete|drop|truncate|alter|update|merge|insert|grant|create|call|do|copy|unload|load|into|vacuum|set)\b|(?<!\bas\s+)\b(?:clean_up|setval)["`]?\s*\(|^\s*(?:begin|replace)\b/i

const PIECES = [
  ...[
    '/*',
    '*/',
    '/*!',
    '/*+',
    '--',
    '-- ',
    '#',
    "'",
    '"',
    '`',
    "''",
    '""',
    '\\',
    "\\'",
    ';',
    '; ',
  ],
  ...[
    '$$',
    '$a$',
    "E'",
    "N'",
    "x'",
    "_utf8'",
    'U&"',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '.',
    ':',
    '::',
  ],
  ...[
    ':a',
    '?',
    '@',
    '@@',
    ':=',
    '=',
    '||',
    '->',
    '\n',
    '\r',
    '\t',
    '\f',
    '\v',
    '\0',
    '\u00a0',
    '\u2028',
  ],
  ...[
    'select ',
    'select 1; ',
    'select * from (',
    'with a as (',
    'explain ',
    'explain analyze ',
    'show ',
  ],
  ...[
    'describe ',
    'values ',
    'table ',
    ' union select 1',
    ' as ',
    ' from ',
    ' where ',
    ' limit 1',
    'SELECT 1',
  ],
  ...[
    'in ',
    'count(',
    'lower(',
    'exists(',
    'array(',
    'cast(',
    ' as x(',
    ' returning *',
    'é',
    'ſ',
    'K',
    '\ufeff',
  ],
]

function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** One to three changes that keep every word of the text: pieces put in, around and in front. */
function mutated(text: string, below: (count: number) => number): string {
  let mutant = text
  for (let turn = 0; turn <= below(3); turn += 1) {
    const piece = PIECES[below(PIECES.length)] ?? ''
    const places = [0, mutant.length, mutant.indexOf(' '), below(mutant.length + 1)]
    const at = places[below(places.length)] ?? 0
    const end = below(4) === 0 ? (PIECES[below(PIECES.length)] ?? '') : ''
    mutant = mutant.slice(0, at) + piece + mutant.slice(at) + end
    if (below(6) === 0) mutant = below(2) === 0 ? mutant.toUpperCase() : `${mutant};`
  }
  return mutant
}

/**
 * The text less what all engines hold for words of others: plain strings and comments of one kind. Where a
 * quote could end elsewhere the text is left alone, so that the oracle then asks for more, not less.
 */
function bare(text: string): string {
  if (/\\['"`\\]/.test(text)) return text
  const parts =
    /'(?:[^']|'')*'|"[^"]*"|`[^`]*`|--(?=[ \t\n]|$)[^\n]*|\/\*(?![!+M])[^*/]*\*\/|(?<!:):[a-z_]\w*/gi
  const left = text.replace(parts, (part) => (/^["`]/.test(part) ? ' "" ' : ' '))
  return /[\\$#]|\/\*/.test(left) ? text : left
}

test('no mutant of a statement that does something is a read', () => {
  const below = seeded(20_261_126)
  let reads = 0
  for (let count = 0; count < MUTANTS; count += 1) {
    const text = mutated(DESTROYING[count % DESTROYING.length] ?? '', below)
    for (const place of PLACES) {
      const { effects } = sqlMeaning(text, place).statement
      expect(effects.length, text).toBeGreaterThan(0)
      if (!effects.includes('read')) continue
      reads += 1
      expect(effects, text).toEqual(['read'])
      // It may have become words in a string or comment; then nothing of it is left outside.
      expect(NEEDED.test(bare(text)), JSON.stringify(text)).toBe(false)
    }
  }
  expect(reads).toBeLessThan(MUTANTS)
})

const QUERIES = [
  'select a, lower(b) from t where c = 1 order by d limit 1',
  'with a as (select 1 as x) select * from a join t on t.x = a.x',
  'select * from (select a from t) as s where a in (select b from u)',
  'select case when a = 1 then b else c end from t union all select 1',
  'select sum(a) over (partition by b) from t as x group by a having count(*) > 1',
]

const HARMFUL = [
  ' clean_up() ',
  ' clean_up(a) ',
  ' shop.clean_up(a) ',
  ' "clean_up"(a) ',
  ' `clean_up`(a) ',
  ' clean_up (a) ',
  ' into u ',
  ' for update ',
  ' lock in share mode ',
  " into outfile '/x' ",
  ' @a := 1 ',
  ' a::shop.my_type ',
  ' a ~~~ b ',
  ' a operator(shop.+) b ',
  '; delete from t ',
  ' (delete from t returning *) ',
  " setval('s', 1) ",
  ' pg_sleep(1) ',
  ' /*! , clean_up() */ ',
]

test('no query with something of effect put into it is a read', () => {
  for (const query of QUERIES) {
    const words = query.split(/(?<= )/)
    for (const harm of HARMFUL) {
      for (let at = 0; at <= words.length; at += 1) {
        for (const comma of ['', ', ', ' and ', ' + ']) {
          const text = `${words.slice(0, at).join('')}${comma}${harm}${words.slice(at).join('')}`
          for (const place of PLACES) {
            const { effects } = sqlMeaning(text, place).statement
            // `AS name (a)` names columns of an alias, whatever the name; it calls nothing.
            if (/\bas +[`"]?clean_up[`"]? ?\(|with +[`"]?clean_up[`"]? ?\(/.test(text)) continue
            expect(effects, text).not.toContain('read')
          }
        }
      }
    }
  }
})

const PARTIQL = [
  'DELETE FROM "Music" WHERE a = 1',
  'UPDATE "Music" SET a = 1 WHERE b = 1',
  `INSERT INTO "Music" VALUE {'a': 1}`,
  'SELECT * FROM "Music" WHERE a IN (SELECT b FROM "Other")',
  'EXISTS(SELECT * FROM "Music" WHERE a = 1)',
]

test('a mutant of PartiQL is of its first table and action, or is not read', () => {
  const below = seeded(7)
  const here = { partition: 'aws', region: 'eu-central-1', account: '123456789012' }
  for (let count = 0; count < MUTANTS; count += 1) {
    const text = mutated(PARTIQL[count % PARTIQL.length] ?? '', below)
    const { statement, actions, resource } = partiqlMeaning(text, 'Statement', here)
    const says = bare(text)
    if (statement.effects.includes('unknown')) {
      expect(resource.arn, text).toBe('*')
      expect(actions, text).toHaveLength(4)
    } else {
      const table = resource.arn.split(':table/')[1]?.split('/index/')[0] ?? ''
      expect(table.length, text).toBeGreaterThan(2)
      expect(text).toContain(table)
      if (statement.effects.includes('read')) {
        expect(/\b(delete|update|insert)\b/i.test(says), JSON.stringify(text)).toBe(false)
      }
      expect(says.match(/\bfrom\b/gi)?.length ?? 0, text).toBeLessThan(2)
    }
  }
})

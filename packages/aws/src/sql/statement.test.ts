// What statements of each engine count as. Expected values are the manuals': what a statement does by
// https://www.postgresql.org/docs/current/sql-commands.html, https://dev.mysql.com/doc/refman/8.4/en/sql-statements.html,
// https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html and
// https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html. The deny twin of each read is below it.

import { describe, expect, test } from 'vitest'
import { loadPostgres } from './postgres-tree.ts'
import { type SqlPlace, sqlMeaning } from './statement.ts'

await loadPostgres()

const DATA_API: SqlPlace = { at: 'sql', dialects: ['postgres', 'mysql'], values: 'named' }
const REDSHIFT: SqlPlace = { at: 'Sql', dialects: ['redshift'], values: 'named' }
const ATHENA: SqlPlace = { at: 'QueryString', dialects: ['trino'], values: 'question' }

function effectsIn(text: string, place: SqlPlace): readonly string[] {
  return sqlMeaning(text, place).statement.effects
}

describe('reads', () => {
  test.each([
    ['select 1', []],
    ['SELECT * FROM orders', ['orders']],
    [
      'select o.id, count(*) from shop.orders o join users u on u.id = o.user_id where o.at > :since group by o.id order by 2 desc limit 10;',
      ['shop.orders', 'users'],
    ],
    ['select `id` from `orders` where `id` = :id', ['orders']],
    ['with a as (select 1 as x) select * from a, public.b', ['public.b']],
    ["select date_trunc('day', at)::date from x", ['x']],
    [
      'select a from t where a between 1 and 2 and b in (1, 2) and not exists (select 1 from u)',
      ['t', 'u'],
    ],
    ['select * from a union all select * from b', ['a', 'b']],
    ['/* who asks */ select 1 -- that is all', []],
    ['explain select * from t', ['t']],
    ['select case when a=-1 then 2 end, cast(b as numeric(10,2)) from t', ['t']],
    ["select current_timestamp, interval '1 day', date '2026-01-01'", []],
    ['select sum(a) filter (where b) over (partition by c order by d) from t', ['t']],
  ])('PostgreSQL and MySQL: %s', (text, touches) => {
    expect(sqlMeaning(text, DATA_API).statement).toMatchObject({ effects: ['read'], touches })
  })

  test.each([
    // Forms of one engine that are a syntax error to the other.
    "select to_char(at, 'YYYY') from t where at > now() - interval '7 days'",
    "select string_agg(name, ',') from t where name ilike '%a%'",
    'select distinct on (a) a, date_trunc(b, c) from t',
    'select * from `t` where at > curdate() - interval 1 day limit 10, 20',
    // A backslash where a string ends alike by either reading; comments that all end alike.
    "select 'a\\d+'",
    "/*action='run',route='%2Forders'*/ select 1",
    "select 1 -- it's all; drop nothing",
    'explain analyze select * from t',
    'select * from (values (1), (2)) as t(id)',
    'select \'Jürgen\' as "größe"',
    "select * from t where name ~* 'a' and a && b and a like 'x!%' escape '!'",
    'select version()',
    'show full processlist',
  ])('PostgreSQL or MySQL: %s', (text) => {
    expect(effectsIn(text, DATA_API)).toEqual(['read'])
  })

  test.each([
    'select top 10 * from stl_query',
    'select count (*) from t',
    'select getdate(), nvl(a, 1), datediff(day, a, b) from sales.lines',
    "select listagg(a, ',') from t",
    'show tables',
  ])('Redshift: %s', (text) => {
    expect(effectsIn(text, REDSHIFT)).toEqual(['read'])
  })

  test.each([
    'SELECT * FROM "logs"."requests" WHERE day = ? LIMIT 10',
    "select approx_distinct(x), date_trunc('day', at) from t cross join unnest(a) as u(y)",
    "select element_at(m, 'a'), m['b'], cast(json_extract(x, '$.a') as varchar) from t",
    'show partitions logs.requests',
    'describe formatted t',
    'show create table t',
    'select "$path" from t',
    "select regexp_extract(a, '(\\d+)', 1) from t",
  ])('Athena: %s', (text) => {
    expect(effectsIn(text, ATHENA)).toEqual(['read'])
  })

  test('what SHOW and DESCRIBE do not say is not shown', () => {
    for (const text of ['show create user bob', 'show tables where f()', 'desc select f()']) {
      expect(effectsIn(text, DATA_API), text).toContain('opaque')
    }
  })
})

describe('changes', () => {
  test.each([
    ['delete from orders', ['destroy'], 'deletes every row of orders'],
    ['delete from orders where 1 = 1', ['destroy'], 'deletes every row of orders'],
    [
      'delete from orders where id = 1',
      ['destroy'],
      'deletes rows of orders that meet a condition; how many is not known',
    ],
    ['delete from `orders`', ['destroy'], 'deletes every row of orders'],
    ['update orders set a = 1', ['destroy'], 'changes every row of orders'],
    ['update orders set a = 1 where true', ['destroy'], 'changes every row of orders'],
    [
      'update orders set a = 1 where id = 2',
      ['write'],
      'changes rows of orders that meet a condition; how many is not known',
    ],
    ['truncate a, b', ['destroy'], 'deletes every row of a, b'],
    ['drop table if exists a.b, c cascade', ['destroy'], 'drops table a.b, c'],
    ['drop schema public cascade', ['destroy'], 'drops schema public'],
    ['drop database prod', ['destroy'], 'drops database prod'],
    [
      'alter table a drop column b',
      ['write', 'destroy'],
      'alters a and drops or rewrites a part of it',
    ],
    [
      'alter table a alter column b type int',
      ['write', 'destroy'],
      'alters a and drops or rewrites a part of it',
    ],
    ['alter table a add column b int', ['write'], 'alters a'],
    ['alter table a owner to bob', ['write', 'permissions'], 'alters a'],
    ['insert into t values (1, now())', ['write'], 'inserts rows into t'],
    ['insert into t select * from u', ['write'], 'inserts rows into t'],
    ['grant all on t to bob', ['permissions'], 'changes who may do what with t'],
    ['revoke select on t from bob', ['permissions'], 'changes who may do what with t'],
    ['create user bob', ['permissions'], 'changes who may do what'],
    ['drop user bob', ['permissions', 'destroy'], 'drops roles or what they own'],
    [
      'merge into t using s on t.a = s.a when matched then delete',
      ['destroy'],
      'merges rows into t',
    ],
  ])('%s', (text, effects, says) => {
    expect(sqlMeaning(text, DATA_API).statement).toMatchObject({ effects, says })
  })

  test.each([
    // Each as its engine documents it: what it runs or stores is not in the text, or not only.
    ['call clean_up()', ['opaque']],
    ['do $$ begin delete from t; end $$', ['opaque', 'destroy']],
    ["copy t to program 'rm -rf /'", ['write', 'opaque']],
    ['prepare p as delete from t', ['opaque', 'destroy']],
    ['execute p', ['opaque']],
    ['set role admin', ['permissions', 'opaque']],
    ['set search_path = evil', ['opaque']],
    ['create function f() returns int language sql as $$ select 1 $$', ['write', 'opaque']],
    ['create trigger x before insert on t for each row execute function f()', ['write', 'opaque']],
    ['create rule r as on select to t do instead select * from u', ['write', 'opaque']],
    ['create table a as select * from b', ['write', 'opaque']],
    ['insert into t values (f())', ['write', 'opaque']],
    ['replace into t values (1)', ['opaque', 'destroy']],
    ['delete o from orders o join x on true', ['opaque', 'destroy']],
    ["load data infile 'x' into table t", ['write', 'opaque']],
    ['begin', ['opaque']],
    ['', ['opaque']],
  ])('is opaque: %s', (text, effects) => {
    expect(effectsIn(text, DATA_API)).toEqual(effects)
  })

  test.each([
    ['drop table t', ['destroy']],
    ['drop table `t`', ['destroy']],
    ['delete from t where a = 1', ['destroy']],
    ["alter table t drop partition (day = 'x')", ['write', 'opaque', 'destroy']],
    ['insert overwrite table t select 1', ['write', 'opaque', 'destroy']],
    ['vacuum t', ['opaque', 'destroy']],
    ['msck repair table t', ['write', 'opaque']],
    ["create table x with (format = 'parquet') as select * from y", ['write', 'opaque']],
    ["unload (select 1) to 's3://out/' with (format = 'parquet')", ['write', 'opaque']],
    ['execute p using 1', ['opaque']],
    ["using external function f(x int) returns int lambda 'fn' select f(1)", ['opaque']],
  ])('Athena: %s', (text, effects) => {
    expect(effectsIn(text, ATHENA)).toEqual(effects)
  })

  test.each([
    ["unload ('select * from t') to 's3://out/x' iam_role default", ['write', 'opaque']],
    ["copy t from 's3://in/x' iam_role default", ['write', 'opaque']],
    ['call clean_up()', ['opaque']],
    ['truncate t', ['destroy']],
  ])('Redshift: %s', (text, effects) => {
    expect(effectsIn(text, REDSHIFT)).toEqual(effects)
  })
})

describe('a query that is no read', () => {
  test.each([
    // PostgreSQL: data-modifying WITH, locks, SELECT INTO, functions with effects.
    'with d as (delete from t returning *) select * from d',
    'with u as (update t set a = 1 returning *), v as (select 1) select * from u, v',
    'select * from t for update',
    'select * from t for no key update skip locked',
    'select * into copy_of_t from t',
    "select setval('s', 1)",
    "select nextval('s')",
    'select pg_terminate_backend(1)',
    "select lo_import('/etc/passwd')",
    "select dblink_exec('x', 'drop table t')",
    "select set_config('role', 'admin', false)",
    'select shop.clean_up()',
    'select clean_up() from t',
    'select (select clean_up()) from t',
    'select 1 from t where clean_up(a)',
    'select 1 from clean_up() as x',
    'select 1 from t order by clean_up(a)',
    'select count(*) over (order by clean_up(a)) from t',
    'select count(*) filter (where clean_up(a)) from t',
    'select "clean_up"(1)',
    'select "lower"(a) from t',
    "select 'x'::my_type",
    "select cast('x' as shop.my_type)",
    'select a operator(shop.+) b from t',
    'select a ~~~ b from t',
    'select * from t tablesample my_method(1)',
    'select * from xmltable(f() passing a columns b int)',
    'explain analyze delete from t',
    'explain (analyze) update t set a = 1',
    "select query_to_xml('delete from t', true, true, '')",
    // MySQL: files, variables, locks, the server's own comments, functions of others.
    "select * from t into outfile '/tmp/x'",
    "select * from t into outfile s3 's3-eu-west-1://out/x'",
    'select a into @x from t',
    'select @a := 1',
    'select * from t lock in share mode',
    'select * from t procedure analyse()',
    'select sleep(10)',
    "select load_file('/etc/passwd')",
    "select get_lock('a', 1)",
    'select /*! 1 */ 1',
    'select /*!50000 clean_up() */',
    'select 1 /*+ set_var(a = 1) */',
    'select count (a) from t',
    // A function of somebody's own in MySQL, where PostgreSQL has grammar.
    'select array((select 1))',
    'select a from t group by rollup(a)',
    'select a from t group by cube(a)',
    'select rank() from t',
    // MySQL takes an interval with a unit, so that it could be the one that runs this.
    "select to_char(at, 'YYYY') from t where at > now() - interval '7' day",
    // One operator to PostgreSQL, two to others.
    'select a from t where b !=-1',
    'select a ||-1 from t',
    'select a %-1 from t',
    'select a &&-b from t',
    // Two readings, or more than one statement.
    "select 'a\\\\'",
    'select 1 /* \\ */',
    "select '\\'' or clean_up() or '\\''",
    'select /*M! clean_up() */ 1',
    'select 1 -- a\r; drop table t',
    'select top f() * from t',
    'explain analyze insert into t values (1)',
    'select 1; drop table t',
    "select 'a\\'; drop table t; -- '",
    "select E'\\'; drop table t; --'",
    'select $$ $$',
    'select $1',
    'select "a\\" from t',
    'select /* /* */ 1 */',
    'select 1 --drop',
    'select 1 # comment',
    'select U&"d" from t',
    "select _utf8'x'",
    'select a from t where b = ?',
    'select ünicode from t',
    'select\u00a01',
    'select 1\0',
    'select ` a from t',
    'select `a` || 1',
    'select `a` || 1 from t where b = :b',
    '(select 1',
  ])('%s', (text) => {
    const { statement } = sqlMeaning(text, DATA_API)
    expect(statement.effects).toContain('opaque')
    expect(statement.unread).toBeTruthy()
  })

  test('a catalog of Athena that is a function is no table', () => {
    expect(effectsIn('select * from "lambda:mine"."shop"."orders"', ATHENA)).toEqual(['opaque'])
    expect(effectsIn('select * from "mine"."shop"."orders"', ATHENA)).toEqual(['read'])
  })

  test('a function of one engine is unknown to the other, unless the other could not read it at all', () => {
    expect(effectsIn("select date_trunc('day', a) from t", DATA_API)).toEqual(['opaque'])
    expect(effectsIn("select date_trunc('day', a::date) from t", DATA_API)).toEqual(['read'])
    expect(effectsIn('select ifnull(a, 1) from t', DATA_API)).toEqual(['opaque'])
    expect(effectsIn('select ifnull(`a`, 1) from t', DATA_API)).toEqual(['read'])
  })
})

describe('what it touches', () => {
  test('the name of a WITH query hides a table only where that query is in scope', () => {
    const touched = (text: string) => sqlMeaning(text, DATA_API).statement.touches
    expect(touched('with t as (select 1 as a) select * from t')).toEqual([])
    expect(touched('with t as (select * from t) select * from t')).toEqual(['t'])
    expect(touched('with a as (select * from t), t as (select 1) select * from a')).toEqual(['t'])
    expect(touched('select * from t where a in (with t as (select 1) select * from t)')).toEqual([
      't',
    ])
  })

  test('a name that reads like a sentence stands in quotes, and a long one is cut', () => {
    const said = (text: string) => sqlMeaning(text, DATA_API).statement.says
    expect(said('delete from "nothing at all"')).toBe('deletes every row of "nothing at all"')
    expect(said('drop table "a.b"')).toBe('drops table "a.b"')
    expect(said(`delete from ${'a'.repeat(60_000)}`).length).toBeLessThan(500)
    expect(said(`select ${'a'.repeat(60_000)}(1)`).length).toBeLessThan(500)
  })

  test('tables that hold the hashes of passwords are a secret', () => {
    for (const text of [
      'select * from pg_shadow',
      'select rolpassword from pg_catalog.pg_authid',
      'select * from "pg_authid"',
      'select * from mysql.user',
      'select * from `MYSQL`.`USER`',
      'with pg_shadow as (select * from pg_shadow) select * from pg_shadow',
      'select (select passwd from pg_shadow limit 1) from t',
    ]) {
      expect(sqlMeaning(text, DATA_API).revealsSecret, text).toBe(true)
    }
    expect(sqlMeaning('select * from shadow', DATA_API).revealsSecret).toBe(false)
  })
})

describe('size', () => {
  const nested = (open: string, close: string, depth: number) =>
    `select ${open.repeat(depth)}1${close.repeat(depth)}`

  test('brackets at the maximum are read, one more are not', () => {
    expect(effectsIn(nested('(', ')', 64), DATA_API)).toEqual(['read'])
    expect(effectsIn(nested('(', ')', 65), DATA_API)).toEqual(['opaque'])
  })

  test('parts at the maximum are read, one more are not', () => {
    const parts = (count: number) => `select 1${',1'.repeat((count - 2) / 2)}`
    expect(effectsIn(parts(4_000), DATA_API)).toEqual(['read'])
    expect(effectsIn(parts(4_002), DATA_API)).toEqual(['opaque'])
  })

  test('a tree at the maximum of levels is read, a deeper one is not', () => {
    const sum = (signs: number) => `select 1${'+1'.repeat(signs)}`
    expect(effectsIn(sum(290), DATA_API)).toEqual(['read'])
    expect(effectsIn(sum(310), DATA_API)).toEqual(['opaque'])
  })

  test('characters at the maximum are read, one more are not', () => {
    const long = (count: number) => `select '${'a'.repeat(count - 9)}'`
    expect(effectsIn(long(65_536), DATA_API)).toEqual(['read'])
    expect(effectsIn(long(65_537), DATA_API)).toEqual(['opaque'])
  })

  test('what would exhaust a parser is opaque, and the next statement is read as ever', () => {
    for (const hostile of [
      nested('(', ')', 30_000),
      nested('case when a then ', ' end', 3_000),
      nested('(select ', ')', 20_000),
      `select ${'not '.repeat(15_000)}true`,
      `select ${'- '.repeat(30_000)}1`,
      `select 1${'::int'.repeat(10_000)}`,
      `select 1${' union select 1'.repeat(4_000)}`,
      `select '${"''".repeat(2_000_000)}`,
      `${'/* a */'.repeat(1_000_000)}`,
      `select ${'"'.repeat(65_000)}`,
      `select ${'a.'.repeat(30_000)}b`,
      '('.repeat(60_000),
      '\ud800',
      'drop '.repeat(500_000),
    ]) {
      expect(effectsIn(hostile, DATA_API)).toContain('opaque')
      expect(effectsIn('select 1', DATA_API)).toEqual(['read'])
    }
  })
})

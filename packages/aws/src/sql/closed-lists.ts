// The closed lists by which a query is known to read and no more: functions, types and words, each with
// where it is documented. What is not here may write, wait, call out or be somebody's own, and asks.

/** Which engines may be the ones that run a statement; the strictest of their readings holds. */
export type Dialect = 'postgres' | 'mysql' | 'redshift' | 'trino'

function words(...lists: readonly string[]): readonly string[] {
  return lists.join(' ').split(' ')
}

/**
 * Functions that are built in everywhere under one name, without a side effect.
 * Sources: https://www.postgresql.org/docs/current/functions.html;
 * https://dev.mysql.com/doc/refman/8.4/en/built-in-function-reference.html;
 * https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html;
 * https://trino.io/docs/current/functions/list.html
 */
const EVERYWHERE = words(
  'abs avg ceil ceiling coalesce concat count cume_dist dense_rank exp first_value floor greatest',
  'lag last_value lead least length ln lower lpad ltrim max min mod now nth_value ntile nullif',
  'percent_rank position power rank replace reverse round row_number rpad rtrim sign sqrt stddev',
  'stddev_pop stddev_samp substring sum trim upper var_pop var_samp variance',
)

/** In PostgreSQL and MySQL both. Sources: the first two of EVERYWHERE. */
const SERVERS = words(
  'version ascii bit_and bit_or char_length character_length concat_ws left log md5 octet_length repeat',
  'right substr',
)

/** Source: https://www.postgresql.org/docs/current/functions.html */
const POSTGRES = words(
  'age array_agg current_database current_schema array_length array_position array_to_string array_upper array_lower bool_and bool_or',
  'btrim cardinality chr corr date_part date_trunc every extract generate_series initcap',
  'json_agg json_array_elements json_array_length json_build_object json_each json_object_agg',
  'jsonb_agg jsonb_array_elements jsonb_array_length jsonb_build_object jsonb_each jsonb_object_keys',
  'jsonb_path_query jsonb_typeof justify_days make_date make_interval mode percentile_cont',
  'percentile_disc pg_database_size pg_relation_size pg_size_pretty pg_table_size',
  'pg_total_relation_size regexp_match regexp_matches regexp_replace row_to_json split_part',
  'string_agg string_to_array strpos to_char to_date to_json to_jsonb to_number to_timestamp',
  'translate trunc unnest width_bucket overlay pg_get_viewdef pg_get_constraintdef pg_get_indexdef',
)

/** Source: https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html */
const REDSHIFT = words(
  'add_months bool_and bool_or btrim char_length charindex chr convert_timezone date_part',
  'date_part_year date_trunc dateadd datediff extract getdate initcap isnull last_day len listagg',
  'median months_between next_day nvl nvl2 ratio_to_report regexp_count regexp_instr regexp_replace',
  'regexp_substr split_part strpos substr to_char to_date to_number to_timestamp trunc left right',
  'json_extract_path_text json_extract_array_element_text json_array_length md5 concat_ws',
)

/** Source: https://dev.mysql.com/doc/refman/8.4/en/built-in-function-reference.html */
const MYSQL = words(
  'curdate curtime date date_format datediff day dayname dayofmonth dayofweek dayofyear elt',
  'extract field find_in_set format from_days from_unixtime group_concat hex hour if ifnull instr',
  'isnull json_arrayagg json_contains json_extract json_keys json_length json_objectagg json_unquote',
  'last_day lcase locate makedate microsecond mid minute month monthname period_diff quarter second',
  'str_to_date strcmp substring_index timestampdiff to_days ucase unhex unix_timestamp week weekday',
  'weekofyear year yearweek any_value',
)

/** Source: https://trino.io/docs/current/functions/list.html */
const TRINO = words(
  'all_match any_match any_value approx_distinct approx_percentile arbitrary array_agg array_distinct',
  'array_intersect array_join array_max array_min array_position array_sort array_union arrays_overlap',
  'at_timezone bool_and bool_or cardinality chr codepoint concat_ws contains corr count_if date',
  'date_add date_diff date_format date_parse date_trunc day day_of_month day_of_week day_of_year',
  'element_at every extract filter flatten format format_datetime from_iso8601_date',
  'from_iso8601_timestamp from_unixtime geometric_mean histogram hour if json_array_length',
  'json_extract json_extract_scalar json_format json_parse json_size last_day_of_month listagg',
  'map map_agg map_concat map_entries map_filter map_keys map_values max_by min_by minute month',
  'none_match parse_datetime quarter reduce regexp_count regexp_extract regexp_extract_all regexp_like',
  'regexp_replace regexp_split second sequence slice split split_part split_to_map starts_with strpos',
  'substr to_iso8601 to_unixtime transform translate truncate try typeof unnest url_decode',
  'url_extract_host url_extract_parameter url_extract_path url_extract_protocol url_extract_query',
  'week year year_of_week zip log log2 log10 approx_most_frequent bit_count grouping',
)

/**
 * Grammar of the other three that MySQL would take for a function of somebody: `GROUP BY ROLLUP (a)`,
 * `ARRAY (SELECT 1)`. Source: https://dev.mysql.com/doc/refman/8.4/en/keywords.html
 */
export const BEFORE_BRACKET_ELSEWHERE: ReadonlySet<string> = new Set(
  words('ARRAY CUBE FILTER ILIKE ROLLUP SETS'),
)

/** Functions that are one only before OVER: MySQL 5.7 has none of them, and would call somebody's own. */
export const WINDOW_FUNCTIONS: ReadonlySet<string> = new Set(
  words(
    'cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number',
  ),
)

/** Names of functions in small letters, by engine. */
export const FUNCTIONS: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  postgres: new Set([...EVERYWHERE, ...SERVERS, ...POSTGRES]),
  mysql: new Set([...EVERYWHERE, ...SERVERS, ...MYSQL]),
  redshift: new Set([...EVERYWHERE, ...REDSHIFT]),
  trino: new Set([...EVERYWHERE, ...TRINO]),
}

/**
 * Types of the system; a cast to another one may run a function of somebody's own.
 * Sources: https://www.postgresql.org/docs/current/datatype.html; https://trino.io/docs/current/language/types.html
 */
export const TYPES: ReadonlySet<string> = new Set(
  words(
    'bigint bool boolean bpchar bytea char character date decimal double float float4 float8 int int2',
    'int4 int8 integer interval json jsonb numeric real smallint text time timestamp timestamptz',
    'timetz tinyint uuid varbinary varchar inet string datetime signed unsigned',
  ),
)

/** Operators on them. Source: https://www.postgresql.org/docs/current/functions.html */
export const TREE_OPERATORS: ReadonlySet<string> = new Set(
  words('+ - * / % = < > <= >= <> != || -> ->> ~~ !~~ ~~* !~~* ~ ~* !~ !~* @> <@ && BETWEEN'),
)

/**
 * Keywords before a bracket that are no function. `USING (a, b)`, `IN (...)`, `OVER (...)` and so on.
 * Source: https://www.postgresql.org/docs/current/sql-keywords-appendix.html
 */
export const BEFORE_BRACKET: ReadonlySet<string> = new Set(
  words(
    'ALL AND ANY AS BETWEEN BY CASE CAST DISTINCT ELSE EXCEPT EXISTS FROM GROUP HAVING IN INTERSECT',
    'JOIN LATERAL LIKE LIMIT NOT OFFSET ON OR OVER ROW SELECT SOME THEN UNION USING VALUES WHEN WHERE WITH',
  ),
)

/**
 * Words that no query needs and that write, lock or call in one of the engines. The tree shows most of
 * them; this list holds where an engine takes the same words another way than PostgreSQL does.
 */
export const NEVER_IN_A_READ: ReadonlySet<string> = new Set(
  words(
    'ALTER CALL COPY CREATE DELETE DO DROP DUMPFILE EXEC EXECUTE FOR FUNCTION GRANT HANDLER INSERT',
    'INSTALL INTO KILL LOAD LOCK MERGE OUTFILE PREPARE PROCEDURE REVOKE SET TRUNCATE UNLOAD UPDATE',
    'VACUUM',
  ),
)

/**
 * Tables of the system that hold password hashes or keys of other systems.
 * Sources: https://www.postgresql.org/docs/current/catalog-pg-authid.html;
 * https://www.postgresql.org/docs/current/view-pg-shadow.html;
 * https://www.postgresql.org/docs/current/catalog-pg-user-mapping.html;
 * https://dev.mysql.com/doc/refman/8.4/en/grant-tables.html
 */
export const SECRET_TABLES: ReadonlySet<string> = new Set(
  words(
    'pg_authid pg_shadow pg_user_mapping pg_user_mappings pg_foreign_server mysql.user',
    'mysql.global_priv mysql.servers pg_subscription mysql.slave_master_info',
  ),
)

// Opens DuckDB shut: nothing is installed or loaded, no file outside one private staging folder can
// be reached, and no setting can be changed afterwards. SQL in this package is fixed text with
// parameters; what a caller sent is never part of it.

import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { CostStoreError } from './errors.ts'

export interface DatabaseOptions {
  /** The database file; absent means in memory. */
  readonly path?: string
  readonly threads?: number
  readonly memoryLimitMiB?: number
}

export interface OpenDatabase {
  readonly instance: DuckDBInstance
  /** A folder of this process alone, emptied and removed by `close`. */
  readonly stagingFolder: string
  close(): Promise<void>
}

export const THREADS_DEFAULT = 2
export const MEMORY_LIMIT_MIB_DEFAULT = 1024

/**
 * A locked DuckDB with the tables of `SCHEMA`. Error: `database_failed`.
 * Source: https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  const stagingFolder = await realpath(await mkdtemp(join(tmpdir(), 'seconder-costs-')))
  try {
    const instance = await DuckDBInstance.create(options.path ?? ':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      threads: String(options.threads ?? THREADS_DEFAULT),
      memory_limit: `${options.memoryLimitMiB ?? MEMORY_LIMIT_MIB_DEFAULT}MiB`,
    })
    await lock(instance, stagingFolder)
    return {
      instance,
      stagingFolder,
      close: async () => {
        instance.closeSync()
        await rm(stagingFolder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(stagingFolder, { recursive: true, force: true })
    throw new CostStoreError('database_failed', 'the cost database could not be opened', error)
  }
}

async function lock(instance: DuckDBInstance, stagingFolder: string): Promise<void> {
  const connection = await instance.connect()
  try {
    for (const statement of SCHEMA) await connection.run(statement)
    const folder = `'${stagingFolder.replaceAll("'", "''")}/'`
    await connection.run(`SET temp_directory = ${folder}`)
    await connection.run(`SET allowed_directories = [${folder}]`)
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
  } finally {
    connection.closeSync()
  }
}

// Amounts have 18 decimals and not 8: FOCUS rows of AWS carry 11 (the FOCUS sample data of
// github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS-Sample-Data, FOCUS-1.0/focus_sample.csv), and a
// sum that rounds each row would not be the sum of the file. No table has a primary key: DuckDB
// cannot delete and insert one key in one transaction, and there is one writer.
const SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS revision (revision BIGINT)`,
  `INSERT INTO revision SELECT 0 WHERE NOT EXISTS (FROM revision)`,
  `CREATE TABLE IF NOT EXISTS file (export VARCHAR, sha256 VARCHAR, periods INTEGER,
     report VARCHAR)`,
  `CREATE TABLE IF NOT EXISTS delivery (delivery INTEGER, export VARCHAR, period DATE,
     sha256 VARCHAR, lines BIGINT, billed DECIMAL(38,18), invoiced BOOLEAN)`,
  `CREATE TABLE IF NOT EXISTS term (kind UTINYINT, code INTEGER, value VARCHAR)`,
  `CREATE TABLE IF NOT EXISTS resource (rid INTEGER, account INTEGER, payer INTEGER,
     service INTEGER, region INTEGER, zone INTEGER, usage_type INTEGER, operation INTEGER,
     purchase INTEGER, provider INTEGER, issuer INTEGER, resource_id INTEGER, unit INTEGER,
     tag_text INTEGER, tags MAP(VARCHAR, VARCHAR))`,
  `CREATE TABLE IF NOT EXISTS fact (delivery INTEGER, day DATE, rid INTEGER, category UTINYINT,
     currency UTINYINT, billed DECIMAL(38,18), effective DECIMAL(38,18), list DECIMAL(38,18),
     quantity DECIMAL(38,18))`,
  // NULL where the text is not a number that DECIMAL(38,18) holds without rounding, or has more
  // than 15 digits before the point: room for 100,000 such rows to be summed. The first
  // forms are what exports write: reading 18 digits is some twenty times cheaper than reading 38.
  `CREATE OR REPLACE MACRO exact_decimal(v) AS CASE
     WHEN ltrim(v, '-.0123456789') = '' AND len(split_part(v, '.', 1)) <= 7
      AND len(split_part(v, '.', 2)) <= 11
     THEN try_cast(v AS DECIMAL(18,11))::DECIMAL(38,18)
     WHEN ltrim(v, '-.0123456789') = '' AND len(split_part(v, '.', 1)) <= 15
      AND len(split_part(v, '.', 2)) <= 3
     THEN try_cast(v AS DECIMAL(18,3))::DECIMAL(38,18)
     WHEN regexp_full_match(v, '[+-]?[0-9]*([.][0-9]*)?([eE][+-]?[0-9]{1,2})?')
      AND len(rtrim(regexp_extract(v, '[.]([0-9]*)', 1), '0'))
        - coalesce(try_cast(regexp_extract(v, '[eE]([+-]?[0-9]+)$', 1) AS INTEGER), 0) <= 18
      AND abs(try_cast(v AS DECIMAL(38,18))) < 1000000000000000
     THEN try_cast(v AS DECIMAL(38,18)) END`,
  // NULL where the text is not a time in UTC: an offset would move a charge to another day.
  `CREATE OR REPLACE MACRO utc_day(v) AS CASE
     WHEN v LIKE '____-__-__T__:__:__Z' OR v LIKE '____-__-__ __:__:__'
     THEN try_cast(left(v, 19) AS TIMESTAMP)::DATE
     WHEN regexp_full_match(v,
     '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?)?'
       || '(Z|[+]00:?00| UTC)?')
     THEN try_cast(left(v, 10) AS DATE) END`,
  `CREATE OR REPLACE MACRO tag_map(v) AS coalesce(CASE WHEN json_valid(v)
     THEN try_cast(CASE WHEN json_type(v) = 'OBJECT' THEN v::JSON END AS MAP(VARCHAR, VARCHAR)) END,
     MAP {}::MAP(VARCHAR, VARCHAR))`,
]

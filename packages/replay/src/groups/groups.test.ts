// The SQL that groups a trail, run by DuckDB over the made-up trail, and its result through the same policies:
// every figure that counts calls is that of the native path. Forms of results: RFC 4180 and Athena's CSV.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadRules } from '../judge/load-rules.ts'
import { SAMPLE, writeTrail } from '../made-trail/made-trail.ts'
import { openGroups, openTrail, reportOn } from '../replay.ts'
import { csvRows, readGroups } from './group-file.ts'
import { COLUMNS, groupSql } from './sql.ts'

const folder = mkdtempSync(join(tmpdir(), 'seconder-groups-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The columns that Athena's table has, over the files as CloudTrail delivers them. */
const TABLE = `
CREATE VIEW trail AS SELECT
  {'type': r.userIdentity->>'type', 'arn': r.userIdentity->>'arn', 'username': r.userIdentity->>'userName',
   'accountid': r.userIdentity->>'accountId', 'invokedby': r.userIdentity->>'invokedBy',
   'sessioncontext': {'sessionissuer': {
     'arn': r.userIdentity->>'$.sessionContext.sessionIssuer.arn',
     'accountid': r.userIdentity->>'$.sessionContext.sessionIssuer.accountId'}}} AS useridentity,
  r.userAgent AS useragent, r.eventSource AS eventsource, r.eventName AS eventname, r.eventType AS eventtype,
  r.awsRegion AS awsregion, r.recipientAccountId AS recipientaccountid,
  CAST(r.requestParameters AS VARCHAR) AS requestparameters, r.errorCode AS errorcode,
  r.eventTime AS eventtime, r.eventID AS eventid
FROM (SELECT unnest(Records) AS r FROM read_json('FILES', maximum_object_size = 67108864, columns = {Records:
  'STRUCT(userIdentity JSON, userAgent VARCHAR, eventSource VARCHAR, eventName VARCHAR, eventType VARCHAR,
   awsRegion VARCHAR, recipientAccountId VARCHAR, requestParameters JSON, errorCode VARCHAR, eventTime VARCHAR, eventID VARCHAR)[]'}))`

test('groups that DuckDB made give the figures of the native path', async () => {
  const trail = join(folder, 'trail')
  writeTrail(trail, { ...SAMPLE, events: 3_000 })
  const rules = await loadRules()
  const open = await openTrail([trail], { workers: 1 })
  const native = reportOn(open, { rules })
  open.close()

  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(TABLE.replace('FILES', `${trail}/**/*.json.gz`))
  const result = join(folder, 'groups.csv')
  const sql = groupSql({ engine: 'duckdb', table: 'trail' })
  await connection.run(`COPY (${sql}) TO '${result}' (HEADER, DELIMITER ',', FORCE_QUOTE *)`)
  connection.closeSync()
  instance.closeSync()

  const grouped = reportOn(await openGroups(result), { rules })
  const counted = ({
    events,
    unique,
    mapped,
    unmapped,
    failed,
    allowed,
    denied,
    reviewed,
  }: typeof native) => {
    return { events, unique, mapped, unmapped, failed, allowed, denied, reviewed }
  }
  expect(counted(grouped)).toEqual(counted(native))
  const calls = ({ principals, agents, actions, environments }: typeof native) => {
    const plain = principals.map(({ groups: _, ...row }) => row)
    return { plain, agents: agents.map(({ groups: _, ...row }) => row), actions, environments }
  }
  expect(calls(grouped)).toEqual(calls(native))
  expect(grouped.recreated.map(({ thing }) => thing)).toEqual(
    native.recreated.map(({ thing }) => thing),
  )
  expect(native.recreatedCount).toBe(1)
})

test('CSV: quotes, commas, breaks and empty fields are read as they were written', () => {
  expect([...csvRows('a,b\r\n"1,""x""","y\nz"\n,\n')]).toEqual([
    ['a', 'b'],
    ['1,"x"', 'y\nz'],
    ['', ''],
  ])
  expect([...csvRows('"a')]).toEqual([['a']])
})

test('a result that lacks a column, or whose count is none, is refused by its row', () => {
  const path = join(folder, 'bad')
  const row = {
    ...Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, ''])),
    firsttime: '',
    events: 1,
  }
  for (const bad of [
    { ...row, events: 'many' },
    { ...row, events: -1 },
    { ...row, eventname: undefined },
  ]) {
    writeFileSync(path, `${JSON.stringify(row)}\n${JSON.stringify(bad)}\n`)
    expect(() => [...readGroups(path)]).toThrow(expect.objectContaining({ code: 'bad_export' }))
  }
  writeFileSync(path, 'eventname,events\nx,1\n')
  expect(() => [...readGroups(path)]).toThrow(/it has no/)
})

test('a table is a name and nothing else', () => {
  for (const table of ['a; DROP TABLE b', 'a b', "a'", '', 'a.b.c.d']) {
    expect(() => groupSql({ engine: 'athena', table })).toThrow(
      expect.objectContaining({ code: 'bad_option' }),
    )
  }
  expect(groupSql({ engine: 'trino', table: 'lake.logs.trail', since: 1_764_547_200 })).toContain(
    "FROM lake.logs.trail\nWHERE eventtime >= '2025-12-01T00:00:00Z'",
  )
})

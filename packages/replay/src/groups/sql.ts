// The SQL that groups a trail where it lies, for histories that are too long to be read here: one row for
// each distinct call of a session within ten minutes, with how often it came. It keeps to what Athena, Trino
// and DuckDB say alike, so that what is proved on one of them holds for all.
// Source: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-org-wide-trail.html (the columns)

import { ReplayError } from '../errors.ts'

export const ENGINES = ['athena', 'trino', 'duckdb'] as const
export type Engine = (typeof ENGINES)[number]

/** What each column of a group is made of, in the order of the result. */
export const COLUMNS = {
  usertype: 'useridentity.type',
  userarn: 'useridentity.arn',
  username: 'useridentity.username',
  useraccount: 'useridentity.accountid',
  invokedby: 'useridentity.invokedby',
  issuerarn: 'useridentity.sessioncontext.sessionissuer.arn',
  issueraccount: 'useridentity.sessioncontext.sessionissuer.accountid',
  useragent: 'useragent',
  eventsource: 'eventsource',
  eventname: 'eventname',
  eventtype: 'eventtype',
  awsregion: 'awsregion',
  recipientaccountid: 'recipientaccountid',
  requestparameters: 'requestparameters',
  errorcode: 'errorcode',
} as const

export type GroupColumn = keyof typeof COLUMNS | 'firsttime' | 'events'

/** A table as `name`, `schema.name` or `catalog.schema.name`: letters, digits and underscores. */
const TABLE = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,2}$/

export interface GroupQuery {
  readonly engine: Engine
  readonly table: string
  /** Seconds since 1970. */
  readonly since?: number
}

/** Errors: `bad_option` for a name that is none. */
export function groupSql({ engine, table, since }: GroupQuery): string {
  if (!TABLE.test(table)) {
    throw new ReplayError('bad_option', 'a table is a name, schema.name or catalog.schema.name')
  }
  const names = Object.entries(COLUMNS)
  const grouped = names.map(([, from]) => from)
  const from =
    since === undefined
      ? ''
      : `\nWHERE eventtime >= '${new Date(since * 1000).toISOString().slice(0, 19)}Z'`
  return `-- seconder replay: the distinct calls of a trail, for ${engine}. Save the result as CSV or one JSON object a
-- line, then: seconder replay --groups RESULT --policy ...
SELECT
${names.map(([name, column]) => `  ${column} AS ${name},`).join('\n')}
  min(eventtime) AS firsttime,
  count(DISTINCT eventid) + sum(CASE WHEN eventid IS NULL THEN 1 ELSE 0 END) AS events
FROM ${table}${from}
GROUP BY
${grouped.map((column) => `  ${column},`).join('\n')}
  substr(eventtime, 1, 15)
`
}

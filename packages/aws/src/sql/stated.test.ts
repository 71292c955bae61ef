// The statements of whole calls: which member holds them, and what the call then needs, touches, reveals
// and does. Driven as calls on the wire are: through the model of each operation.

import { expect, test } from 'vitest'
import type { JsonObject } from '../call.ts'
import { namedBuckets } from '../describe/named-buckets.ts'
import { partiesOf } from '../describe/parties.ts'
import { meaningOf } from '../describe-call.ts'
import { operationOf, serviceOf } from '../index/service-index.ts'
import { grammarFor } from './stated.ts'

const HERE = { partition: 'aws', region: 'eu-central-1', account: '123456789012' }

function meant(service: string, name: string, parameters: JsonObject) {
  const known = serviceOf(service)
  for (const model of known.models) {
    const operation = operationOf(model, name)
    if (operation !== undefined) return meaningOf(known, operation, parameters, HERE)
  }
  throw new Error(`no ${service} ${name}`)
}

const CLUSTER = { resourceArn: 'arn:aws:rds:eu-central-1:123456789012:cluster:shop' }

test('without its grammar all SQL is opaque, and PartiQL needs none', () => {
  expect(meant('rds-data', 'ExecuteStatement', { ...CLUSTER, sql: 'select 1' })).toMatchObject({
    effects: ['opaque'],
  })
  expect(meant('dynamodb', 'ExecuteStatement', { Statement: 'SELECT * FROM Music' })).toMatchObject(
    {
      effects: ['read'],
      reveals: 'data',
    },
  )
})

test('only services with SQL load its grammar, once', async () => {
  expect(grammarFor('s3')).toBeUndefined()
  expect(grammarFor('dynamodb')).toBeUndefined()
  const loading = grammarFor('rds-data')
  expect(loading).toBeInstanceOf(Promise)
  await loading
  expect(grammarFor('rds-data')).toBeUndefined()
})

test.each([
  ['rds-data', 'ExecuteStatement', 'sql', 'select 1', 'delete from t'],
  ['rds-data', 'BatchExecuteStatement', 'sql', 'select :a', 'delete from t where a = :a'],
  ['rds-data', 'ExecuteSql', 'sqlStatements', 'select 1;', 'select 1; delete from t;'],
  ['redshift-data', 'ExecuteStatement', 'Sql', 'select 1', 'delete from t'],
  [
    'redshift-data',
    'BatchExecuteStatement',
    'Sqls',
    ['select 1', 'select 2'],
    ['select 1', 'delete from t'],
  ],
  ['athena', 'StartQueryExecution', 'QueryString', 'select 1', 'delete from t'],
])(
  '%s %s: a query is a read of data, its twin destroys',
  (service, name, member, query, change) => {
    const read = meant(service, name, { [member]: query })
    expect(read).toMatchObject({ effects: ['read'], reveals: 'data', recoverable: 'yes' })
    const twin = meant(service, name, { [member]: change })
    expect(twin.effects.at(-1)).toBe('destroy')
    expect(twin.effects).not.toContain('read')
    expect(twin.recoverable).not.toBe('yes')
  },
)

test('a statement that is not there, or is one of too many, is never a read', () => {
  expect(meant('rds-data', 'ExecuteStatement', CLUSTER).effects).toContain('opaque')
  expect(meant('redshift-data', 'BatchExecuteStatement', { Sqls: [] }).effects).toContain('opaque')
  const many = Array.from({ length: 101 }, () => 'select 1')
  expect(meant('redshift-data', 'BatchExecuteStatement', { Sqls: many }).effects).toContain(
    'opaque',
  )
  expect(meant('dynamodb', 'BatchExecuteStatement', { Statements: [] }).effects).toEqual([
    'unknown',
  ])
})

test('Athena: where the call says where its answer goes, it writes there', () => {
  const call = meant('athena', 'StartQueryExecution', {
    QueryString: 'select 1',
    ResultConfiguration: { OutputLocation: 's3://answers/of/agent/' },
  })
  expect(call.effects).toEqual(['write'])
  expect(call.iamActions).toEqual(['athena:StartQueryExecution', 's3:PutObject'])
  expect(call.resources).toContainEqual({
    arn: 'arn:aws:s3:::answers/of/agent/*',
    type: 'object',
    resolved: false,
  })
  const odd = meant('athena', 'StartQueryExecution', {
    QueryString: 'select 1',
    ResultConfiguration: { OutputLocation: 'https://elsewhere' },
  })
  expect(odd.effects).toEqual(['write'])
  expect(odd.resources).toContainEqual({ arn: '*', type: 'object', resolved: false })
})

test('Athena: a catalog that is a function is run with the query', () => {
  const run = (Catalog: string) =>
    meant('athena', 'StartQueryExecution', {
      QueryString: 'select * from t',
      QueryExecutionContext: { Catalog, Database: 'logs' },
    }).effects
  expect(run('AwsDataCatalog')).toEqual(['read'])
  expect(run('lambda:mine')).toEqual(['opaque'])
})

test('statements that are too much together are opaque, and still name what they reach', () => {
  const filler = `select '${'a'.repeat(1_300)}'`
  const call = meant('redshift-data', 'BatchExecuteStatement', {
    Sqls: [
      ...Array.from({ length: 39 }, () => filler),
      "drop table t; unload ('x') to 's3://x-files/' iam_role default",
    ],
  })
  expect(call.effects).toEqual(['opaque', 'destroy'])
  expect(call.resources.map(({ arn }) => arn)).toContain('arn:aws:s3:::x-files/*')
})

test('Athena: a value that is SQL of its own makes the query opaque', () => {
  const run = (...values: string[]) =>
    meant('athena', 'StartQueryExecution', {
      QueryString: 'select * from t where a = ?',
      ExecutionParameters: values,
    }).effects
  expect(run("'x'", '1')).toEqual(['read'])
  for (const value of ["f('x')", "'x' or 1 = 1", '(select 1)', "'x' -- y", "'\\'"]) {
    expect(run(value), value).toEqual(['opaque'])
  }
})

test('Redshift: roles and places in S3 that a statement names are resources, and their buckets known', () => {
  const sql =
    "unload ('select * from t') to 's3://out-of-here/x' iam_role 'arn:aws:iam::123456789012:role/unloader'"
  const call = meant('redshift-data', 'ExecuteStatement', { Sql: sql })
  expect(call.resources).toContainEqual({
    arn: 'arn:aws:s3:::out-of-here/x*',
    type: 'object',
    resolved: false,
  })
  expect(call.resources).toContainEqual({
    arn: 'arn:aws:iam::123456789012:role/unloader',
    type: 'role',
    resolved: true,
  })
  expect(call.effects).toContain('opaque')
  expect(namedBuckets('redshift-data:ExecuteStatement', { Sql: sql })).toEqual(['out-of-here'])
  for (const unnamed of ['iam_role default', "credentials 'x'", "access_key_id 'x'"]) {
    const { resources } = meant('redshift-data', 'ExecuteStatement', {
      Sql: `copy t from 's3://in/x' ${unnamed}`,
    })
    expect(resources, unnamed).toContainEqual({ arn: '*', type: 'role', resolved: false })
  }
})

test('M8 accounts in the ARNs of a statement are parties to it', () => {
  const sql =
    "copy t from 's3://in/x' iam_role 'arn:aws:iam::999999999999:role/a,arn:aws:iam::888888888888:role/b'"
  const accounts = (operation: string, parameters: JsonObject) =>
    partiesOf(operation, parameters).map(({ account }) => account)
  expect(accounts('redshift-data:ExecuteStatement', { Sql: sql })).toEqual([
    '999999999999',
    '888888888888',
  ])
  expect(accounts('redshift-data:BatchExecuteStatement', { Sqls: ['x', sql] })).toHaveLength(2)
  expect(accounts('rds-data:ExecuteStatement', { sql: 'x'.repeat(300_000) })).toEqual(['?'])
  const foreign = 'arn:aws:dynamodb:eu-central-1:999999999999:table/Music'
  const Statement = `DELETE FROM "${foreign}" WHERE a = 1`
  expect(accounts('dynamodb:BatchExecuteStatement', { Statements: [{ Statement }] })).toEqual([
    '999999999999',
  ])
})

test('hashes of passwords are a secret, by table or by database', () => {
  const run = (parameters: JsonObject) =>
    meant('rds-data', 'ExecuteStatement', { ...CLUSTER, ...parameters }).reveals
  expect(run({ sql: 'select * from pg_shadow' })).toBe('secret')
  expect(run({ sql: 'select * from user', database: 'MySQL' })).toBe('secret')
  expect(run({ sql: 'select * from orders', database: 'shop' })).toBe('data')
})

test('PartiQL: every table, index and action of a batch, and the strictest effect', () => {
  const call = meant('dynamodb', 'BatchExecuteStatement', {
    Statements: [
      { Statement: 'SELECT * FROM "Music"."by-date" WHERE a = 1' },
      { Statement: 'INSERT INTO "Other" VALUE ?' },
    ],
  })
  expect(call.iamActions).toEqual(['dynamodb:PartiQLSelect', 'dynamodb:PartiQLInsert'])
  expect(call.effects).toEqual(['write'])
  expect(call.resources.map(({ arn }) => arn)).toEqual([
    'arn:aws:dynamodb:eu-central-1:123456789012:table/Music/index/by-date',
    'arn:aws:dynamodb:eu-central-1:123456789012:table/Other',
  ])
  expect(call.statements?.map(({ at }) => at)).toEqual([
    'Statements.0.Statement',
    'Statements.1.Statement',
  ])
  const transaction = meant('dynamodb', 'ExecuteTransaction', {
    TransactStatements: [
      { Statement: 'EXISTS(SELECT * FROM "Music" WHERE a = 1)' },
      { Statement: 'DELETE FROM "Music" WHERE a = 1' },
    ],
  })
  expect(transaction.effects).toEqual(['destroy'])
  expect(transaction.iamActions).toEqual(['dynamodb:PartiQLSelect', 'dynamodb:PartiQLDelete'])
})

test('H7 SQL in a stored call is opaque, PartiQL there is read', () => {
  const stored = (resource: string, parameters: JsonObject) =>
    meant('states', 'CreateStateMachine', {
      name: 'm',
      roleArn: 'arn:aws:iam::123456789012:role/machine',
      definition: JSON.stringify({
        StartAt: 'A',
        States: { A: { Type: 'Task', Resource: resource, Parameters: parameters, End: true } },
      }),
    })
  const sql = stored('arn:aws:states:::aws-sdk:rdsdata:executeStatement', { Sql: 'select 1' })
  expect(sql.effects).toContain('opaque')
  const partiql = stored('arn:aws:states:::aws-sdk:dynamodb:executeStatement', {
    Statement: 'DELETE FROM "Music" WHERE a = 1',
  })
  expect(partiql.effects).toContain('destroy')
  expect(partiql.resources.map(({ arn }) => arn)).toContain(
    'arn:aws:dynamodb:eu-central-1:123456789012:table/Music',
  )
})

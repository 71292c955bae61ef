// SQL and PartiQL in calls on the whole path: a query passes, what changes waits for a second person who reads
// in words what it would do, and what cannot be read waits as well. Nothing is sent before.

import { renderAny } from '@seconder/cli/render/plan-document'
import { checkedRequest } from '@seconder/cli/reviewing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'
import { dynamodbCall, type RawAnswer, type RawCall, rawCall } from './wire.ts'

const CLUSTER = 'arn:aws:rds:eu-west-1:123456789012:cluster:shop'
const SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop'

let upstream: FakeUpstream
let gate: Harness
let keys: Keys

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script = () => ({ status: 200, body: '{}' })
  gate = await Harness.start({ upstream: upstream.url })
  keys = await gate.open('alice')
})

beforeEach(() => {
  upstream.seen.length = 0
})

afterEach(async () => {
  await gate.checkLedger()
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const dataApi = (sql: string, more: Record<string, unknown> = {}): RawCall => ({
  service: 'rds-data',
  target: '/Execute',
  headers: [['content-type', 'application/json']],
  body: JSON.stringify({ resourceArn: CLUSTER, secretArn: SECRET, sql, ...more }),
})

const json = (service: string, target: string, input: unknown): RawCall => ({
  service,
  headers: [
    ['content-type', 'application/x-amz-json-1.1'],
    ['x-amz-target', target],
  ],
  body: JSON.stringify(input),
})

const athena = (QueryString: string, more: Record<string, unknown> = {}) =>
  json('athena', 'AmazonAthena.StartQueryExecution', { QueryString, WorkGroup: 'w', ...more })
const redshift = (Sql: string) =>
  json('redshift-data', 'RedshiftData.ExecuteStatement', {
    Sql,
    ClusterIdentifier: 'c',
    Database: 'd',
  })
const partiql = (Statement: string) => dynamodbCall('ExecuteStatement', { Statement })

/** What went on beside look-ups. */
const sent = () =>
  upstream.seen.filter(({ operation }) => !/^(GET|HEAD) |^(Get|List|Describe)/.test(operation))

async function documentOf(answer: RawAnswer): Promise<string> {
  const id = requestIdIn(new Error(answer.body))
  const { document, shown } = await checkedRequest(gate.client, id)
  return renderAny(document, shown, [])
}

const PAIRS: readonly (readonly [string, RawCall, RawCall, RegExp])[] = [
  [
    'the Data API',
    dataApi('select * from orders where id = :id'),
    dataApi('delete from orders'),
    /deletes every row of orders/,
  ],
  [
    'Athena',
    athena('SELECT * FROM "logs"."requests" LIMIT 10'),
    athena('drop table logs.requests'),
    /drops table logs\.requests/,
  ],
  [
    'Redshift',
    redshift('select getdate()'),
    redshift('truncate sales'),
    /deletes every row of sales/,
  ],
  [
    'PartiQL',
    partiql('SELECT * FROM "orders" WHERE id = 1'),
    partiql('DELETE FROM "orders" WHERE id = 1'),
    /deletes the item of orders that its condition names/,
  ],
]

test.each(PAIRS)(
  'H7 %s: a query passes, a deletion waits and says what it is',
  async (_, query, deletion, words) => {
    expect((await rawCall(keys, query)).status).toBe(200)
    expect(sent()).toHaveLength(1)
    const held = await rawCall(keys, deletion)
    expect(held.body).toContain('needs review')
    expect(sent()).toHaveLength(1)
    const shown = await documentOf(held)
    expect(shown.replace(/\s+/g, ' ')).toMatch(words)
    expect(shown).toContain('Its SQL')
  },
)

test.each([
  ['a function of somebody', dataApi('select clean_up()')],
  ['two statements', dataApi('select 1; drop table orders')],
  ['an executable comment', dataApi('select /*! clean_up() */ 1')],
  ['a query that deletes', dataApi('with d as (delete from t returning *) select * from d')],
  ['a block', dataApi('do $$ begin delete from t; end $$')],
  ['hashes of passwords', dataApi('select * from pg_shadow')],
  [
    'an answer to a place of its own',
    athena('select 1', { ResultConfiguration: { OutputLocation: 's3://x-files/' } }),
  ],
  ['an unload', redshift("unload ('select 1') to 's3://x-files/' iam_role default")],
  ['a nested table', partiql('SELECT * FROM "orders" WHERE id IN (SELECT id FROM "other")')],
  ['no statement', partiql('')],
])('H7 %s is no read that passes', async (_, call) => {
  const answer = await rawCall(keys, call)
  expect(answer.status).not.toBe(200)
  expect(sent()).toHaveLength(0)
})

test('C8 an approved statement runs once and is no approval of another', async () => {
  const one = dataApi('delete from orders where id = 1')
  const held = await rawCall(keys, one)
  await gate.review('bob', requestIdIn(new Error(held.body)))
  const other = await rawCall(keys, dataApi('delete from orders where id = 2'))
  expect(other.body).toContain('needs review')
  expect(sent()).toHaveLength(0)
  expect((await rawCall(keys, one)).status).toBe(200)
  expect(sent()).toHaveLength(1)
  expect(Buffer.from(sent()[0]?.request.body ?? []).toString()).toBe(one.body)
  expect(
    (await rawCall(keys, dataApi('delete from orders where id = 1', { database: 'other' }))).status,
  ).not.toBe(200)
  expect(sent()).toHaveLength(1)
})

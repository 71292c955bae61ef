// Real AWS's way in small: the gate holds a key of its own, the lab's STS lends it the session's role for
// one call, and the lab's tables see nothing but what was lent. Role, tags and policy are what STS recorded.
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb'
import { type Cloud, startCloud } from '@seconder/lab/cloud/cloud'
import { sdkClients } from '@seconder/lab/cloud/sdk-clients'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closeSession } from './acts.ts'
import { Harness, type Keys, requestIdIn } from './harness.ts'

const LENT_ROLE = 'arn:aws-cn:iam::123456789012:role/agent-deploy'
const UNTRUSTING_ROLE = 'arn:aws-cn:iam::123456789012:role/operator'

let cloud: Cloud
let gate: Harness

beforeEach(async () => {
  cloud = await startCloud({ stepMs: 1 })
  await sdkClients({ ...cloud, credentials: cloud.credentials.deploy }).dynamoDb.send(
    new CreateTableCommand({
      TableName: 'orders',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  gate = await startLending(LENT_ROLE)
})

afterEach(async () => {
  await gate.stop()
  await cloud.close()
})

function startLending(lentRole: string): Promise<Harness> {
  return Harness.start({ upstream: cloud.endpoint, credentials: cloud.credentials.gate, lentRole })
}

function agentWith({ accessKeyId, secretAccessKey, endpoint }: Keys): DynamoDBClient {
  const credentials = { accessKeyId, secretAccessKey }
  return new DynamoDBClient({ endpoint, region: cloud.region, credentials, maxAttempts: 1 })
}

const drop = new DeleteTableCommand({ TableName: 'orders' })
const drops = () => cloud.requests.filter(({ operation }) => operation === 'DeleteTable')

test('C2: at start the role was tried with tags and a source identity', () => {
  const [checked] = cloud.sessions
  expect(checked?.arn).toContain('assumed-role/agent-deploy/')
  expect(checked?.sourceIdentity).toBe('seconder')
  expect(checked?.tags.has('seconder:agent')).toBe(true)
})

test('C2: a role that does not trust the gate so is a start-up error', async () => {
  await expect(startLending(UNTRUSTING_ROLE)).rejects.toMatchObject({
    code: 'role_not_assumable',
    message: expect.stringContaining(UNTRUSTING_ROLE),
  })
})

test('an approved delete runs under the lent role, tagged with its review, and narrowed to it', async () => {
  const keys = await gate.open('alice', 'kiro-cli')
  const agent = agentWith(keys)
  const id = requestIdIn(await agent.send(drop).catch((error: Error) => error))
  expect(drops()).toEqual([])
  await gate.review('bob', id)
  await agent.send(drop)
  const lent = cloud.sessions.at(-1)
  expect(drops()).toMatchObject([{ accessKeyId: lent?.accessKeyId, role: 'agent-deploy' }])
  expect(lent?.sourceIdentity).toBe('alice')
  expect(Object.fromEntries(lent?.tags ?? [])).toEqual({
    'seconder:agent': 'kiro-cli',
    'seconder:request': id,
  })
  expect(lent?.arn).toContain(`/agent-deploy/${keys.sessionId}-`)
  const { Statement } = JSON.parse(lent?.policy ?? '{}')
  expect(Statement[0]).toMatchObject({
    Effect: 'Allow',
    Action: ['dynamodb:DeleteTable'],
    Resource: ['arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders'],
  })
  // Every look-up and the delete went out under something lent; the gate's own key only asked for it.
  const own = cloud.requests.filter((one) => one.accessKeyId === cloud.credentials.gate.accessKeyId)
  expect(new Set(own.map(({ operation }) => operation))).toEqual(new Set(['AssumeRole']))
})

test('a read runs under a policy of reads', async () => {
  const agent = agentWith(await gate.open('alice'))
  const { Table } = await agent.send(new DescribeTableCommand({ TableName: 'orders' }))
  expect(Table?.TableName).toBe('orders')
  const { Statement } = JSON.parse(cloud.sessions.at(-1)?.policy ?? '{}')
  expect(Statement[0].Action).toEqual(['dynamodb:DescribeTable'])
})

test('L3: after its session is closed nothing of it is lent or used', async () => {
  const keys = await gate.open('alice')
  const agent = agentWith(keys)
  await agent.send(new DescribeTableCommand({ TableName: 'orders' }))
  const before = cloud.requests.length
  await closeSession(gate, keys)
  const refused = agent.send(new DescribeTableCommand({ TableName: 'orders' }))
  await expect(refused).rejects.toThrow()
  expect(cloud.requests.length).toBe(before)
})

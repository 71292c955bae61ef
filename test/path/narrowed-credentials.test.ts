// Real AWS's way in small: the gate holds a key of its own, the lab's STS lends it the session's role for
// one call, and the lab's tables see nothing but what was lent. Role, tags and policy are what STS recorded.
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
} from '@aws-sdk/client-cloudformation'
import {
  BatchWriteItemCommand,
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
  // Every look-up and the delete went out under something lent; the gate's own key only asked for it, and at start who it is.
  const own = cloud.requests.filter((one) => one.accessKeyId === cloud.credentials.gate.accessKeyId)
  expect(new Set(own.map(({ operation }) => operation))).toEqual(
    new Set(['AssumeRole', 'GetCallerIdentity']),
  )
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

const TABLE = {
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    TableName: 'carts',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  },
}
const BUCKET = { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'shop-reports' } }
const ROLE = {
  Type: 'AWS::IAM::Role',
  Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] } },
}

async function stackOf(Resources: object): Promise<void> {
  const { cloudFormation } = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  await cloudFormation.send(
    new CreateStackCommand({
      StackName: 'shop',
      TemplateBody: JSON.stringify({ Resources }),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  )
  await cloud.settle()
}

async function deleteStack(): Promise<() => Promise<unknown>> {
  const { accessKeyId, secretAccessKey, endpoint } = await gate.open('alice')
  const credentials = { accessKeyId, secretAccessKey }
  const client = new CloudFormationClient({
    endpoint,
    region: cloud.region,
    credentials,
    maxAttempts: 1,
  })
  return () => client.send(new DeleteStackCommand({ StackName: 'shop' }))
}

test('H9: a stack without a role is deleted with the rights of its resources, by CloudFormation alone', async () => {
  await stackOf({ Carts: TABLE, Reports: BUCKET })
  const call = await deleteStack()
  const id = requestIdIn(await call().catch((error: Error) => error))
  await gate.review('bob', id)
  await call()
  const { Statement } = JSON.parse(cloud.sessions.at(-1)?.policy ?? '{}')
  expect(Statement).toContainEqual({
    Effect: 'Allow',
    Action: ['dynamodb:DeleteTable', 'dynamodb:DescribeTable'],
    Resource: ['arn:aws-cn:dynamodb:cn-north-1:123456789012:table/carts'],
    Condition: {
      'ForAnyValue:StringEquals': { 'aws:CalledVia': 'cloudformation.amazonaws.com' },
    },
  })
  await cloud.settle()
})

test('H9: a stack whose deletion needs rights that nobody can name is refused and never begun', async () => {
  await stackOf({ Carts: TABLE, Reader: ROLE })
  const call = await deleteStack()
  await expect(call()).rejects.toThrow(/nothing was begun.*RoleARN/s)
  expect(cloud.requests.filter(({ operation }) => operation === 'DeleteStack')).toEqual([])
})

test('H9: the reviewer reads where the credentials are wider than the call, as part of what is signed', async () => {
  const names = Array.from({ length: 25 }, (_, at) => `${'carts-of-a-shop-'.repeat(6)}${at}`)
  const put = { PutRequest: { Item: { id: { S: '1' } } } }
  const RequestItems = Object.fromEntries(names.map((name) => [name, [put]]))
  const agent = agentWith(await gate.open('alice'))
  const held = await agent.send(new BatchWriteItemCommand({ RequestItems })).catch((error) => error)
  const full = await gate.client.get<{ document: string }>(`/api/requests/${requestIdIn(held)}`)
  const { evidence } = JSON.parse(full.document)
  expect(evidence.wider[0]).toMatch(/^credentials wider than the call: .*25 names do not fit/)
  expect(evidence.binding.sessionPolicy).toMatch(/^[0-9a-f]{64}$/)
})

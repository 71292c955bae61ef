// resolve against the lab's cloud: real signatures, real answers of its DynamoDB, S3 and CloudFormation.
import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation'
import { CreateBackupCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { sign } from '@seconder/aws/sigv4/sign'
import type { Action, Effect, JsonObject } from '@seconder/gateway/describe/action'
import { bindingRead, sameBinding } from '@seconder/gateway/resolve/binding'
import type { Evidence } from '@seconder/gateway/resolve/evidence'
import { resolve } from '@seconder/gateway/resolve/resolve'
import { summarise } from '@seconder/gateway/resolve/summary'
import type { Upstream } from '@seconder/gateway/resolve/upstream'
import { type Cloud, startCloud } from '@seconder/lab/cloud/cloud'
import { type SdkClients, sdkClients } from '@seconder/lab/cloud/sdk-clients'
import { afterAll, beforeAll, expect, test } from 'vitest'

const TEMPLATE = {
  Resources: {
    Settings: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'settings',
        AttributeDefinitions: [{ AttributeName: 'report', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'report', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      },
    },
    Reports: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'shop-reports' } },
    Reader: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'report-reader',
        AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] },
      },
    },
  },
}

let cloud: Cloud
let clients: SdkClients
let upstream: Upstream

beforeAll(async () => {
  cloud = await startCloud({ stepMs: 1 })
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  upstream = signedUpstream(cloud)
  await clients.cloudFormation.send(
    new CreateStackCommand({
      StackName: 'shop',
      TemplateBody: JSON.stringify(TEMPLATE),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  )
  await cloud.settle()
  const { Stacks } = await clients.cloudFormation.send(new DescribeStacksCommand({}))
  expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE')
  for (const month of ['july', 'august']) {
    await clients.dynamoDb.send(
      new PutItemCommand({
        TableName: 'settings',
        Item: { report: { S: month }, rows: { N: '41' } },
      }),
    )
    await clients.s3.send(
      new PutObjectCommand({
        Bucket: 'shop-reports',
        Key: `${month} 2026.csv`,
        Body: 'x'.repeat(500),
      }),
    )
  }
})

afterAll(async () => {
  clients.destroy()
  await cloud.close()
  expect(cloud.faults).toEqual([])
})

function signedUpstream({ endpoint, credentials }: Cloud): Upstream {
  return {
    async send({ service, region, method, target, headers, body }) {
      const { host } = new URL(endpoint)
      const request = { method, target, headers, body }
      const signed = sign(request, credentials.costExplorer, { service, region }, Date.now(), {
        host,
      })
      const sent = new Headers()
      for (const [name, value] of signed) {
        if (!['host', 'content-length'].includes(name.toLowerCase())) sent.append(name, value)
      }
      const answer = await fetch(endpoint + target, {
        method,
        headers: sent,
        ...(method === 'POST' ? { body: Buffer.from(body) } : {}),
      })
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: new Uint8Array(await answer.arrayBuffer()),
      }
    },
  }
}

function action(operation: string, parameters: JsonObject, effects: Effect[]): Action {
  const [service = ''] = operation.split(':')
  const place = { account: '123456789012', region: cloud.region }
  return {
    door: 'aws',
    operation,
    iamActions: [operation],
    resources: [{ arn: '*', type: '*', ...place, environment: 'production', resolved: false }],
    effects,
    reveals: 'nothing',
    recoverable: 'unknown',
    service,
    ...place,
    parameters,
    body: null,
  }
}

const look = (asked: Action): Promise<Evidence> => resolve(asked, upstream, { deadlineMs: 10_000 })
const deletion = () => action('cloudformation:DeleteStack', { StackName: 'shop' }, ['destroy'])

test('a stack that an agent would delete is seen whole, in one statement', async () => {
  const evidence = await look(deletion())
  expect(evidence.couldNotLook).toEqual([])
  expect(bindingRead(evidence)).toBe(true)
  expect(
    evidence.findings.map((one) => [one.type, one.name, one.holds, one.lastBackup, one.undo]),
  ).toEqual([
    ['bucket', 'shop-reports', '2 objects · 1.0 kB', 'versions off', 'no'],
    ['table', 'settings', expect.stringMatching(/^2 items · \d+ bytes$/), 'none', 'no'],
    ['role', 'report-reader', '–', '–', 'yes'],
  ])
  expect(summarise(deletion(), evidence)).toMatch(
    /^This would delete 3 resources\. 2 hold data\. None can be restored from here\./,
  )
  expect(sameBinding(evidence, await look(deletion()))).toBe(true)
})

test('an update of one item shows it as it is, and is another once it changed', async () => {
  const update = action(
    'dynamodb:UpdateItem',
    { TableName: 'settings', Key: { report: { S: 'august' } } },
    ['write'],
  )
  const shown = await look(update)
  expect(shown.couldNotLook).toEqual([])
  expect(shown.before).toEqual({
    items: [
      {
        table: 'settings',
        key: { report: { S: 'august' } },
        item: { report: { S: 'august' }, rows: { N: '41' } },
      },
    ],
  })
  await clients.dynamoDb.send(
    new PutItemCommand({
      TableName: 'settings',
      Item: { report: { S: 'august' }, rows: { N: '42' } },
    }),
  )
  expect(sameBinding(shown, await look(update))).toBe(false)
})

test('an overwrite destroys until the bucket keeps versions', async () => {
  const put = action('s3:PutObject', { Bucket: 'shop-reports', Key: 'august 2026.csv' }, ['write'])
  const lost = await look(put)
  expect(lost.couldNotLook).toEqual([])
  expect(lost.addedEffects).toEqual(['destroy'])
  expect(lost.findings[0]).toMatchObject({ holds: '500 bytes', undo: 'no' })
  const fresh = await look({ ...put, parameters: { Bucket: 'shop-reports', Key: 'new.csv' } })
  expect(fresh.addedEffects).toEqual([])
  await clients.s3.send(
    new PutBucketVersioningCommand({
      Bucket: 'shop-reports',
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  )
  const kept = await look(put)
  expect(kept.addedEffects).toEqual([])
  expect(kept.findings[0]?.undo).toBe('yes')
  expect(sameBinding(lost, kept)).toBe(false)
})

test('a backup is seen with its time', async () => {
  await clients.dynamoDb.send(
    new CreateBackupCommand({ TableName: 'settings', BackupName: 'before' }),
  )
  const evidence = await look(
    action('dynamodb:DeleteTable', { TableName: 'settings' }, ['destroy']),
  )
  expect(evidence.couldNotLook).toEqual([])
  expect(evidence.findings[0]?.undo).toBe('from-backup')
  expect(Date.parse(evidence.findings[0]?.lastBackup ?? '')).toBeGreaterThan(Date.now() - 60_000)
})

test('a change set that takes the table away says so before it is executed', async () => {
  const { Settings: _gone, ...rest } = TEMPLATE.Resources
  await clients.cloudFormation.send(
    new CreateChangeSetCommand({
      StackName: 'shop',
      ChangeSetName: 'fix',
      TemplateBody: JSON.stringify({ Resources: rest }),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  )
  await cloud.settle()
  const execute = action(
    'cloudformation:ExecuteChangeSet',
    { StackName: 'shop', ChangeSetName: 'fix' },
    ['opaque'],
  )
  const evidence = await look(execute)
  expect(evidence.couldNotLook).toEqual([])
  expect(evidence.addedEffects).toEqual(['destroy'])
  expect(evidence.findings.map((one) => [one.name, one.fate])).toEqual([['settings', 'deleted']])
})

test('what is not there is said so by every service', async () => {
  for (const asked of [
    action('cloudformation:DeleteStack', { StackName: 'none' }, ['destroy']),
    action('dynamodb:DeleteTable', { TableName: 'none' }, ['destroy']),
    action('s3:DeleteBucket', { Bucket: 'none-such' }, ['destroy']),
  ]) {
    const evidence = await look(asked)
    expect(summarise(asked, evidence)).toMatch(/^There is no /)
  }
})

test('whatever was looked up above, only reads were sent for it', () => {
  const sent = cloud.requests.filter((one) => one.role.includes('cost-explorer-service'))
  expect(sent.length).toBeGreaterThan(20)
  const operations = new Set(sent.map((one) => `${one.service}:${one.operation}`))
  expect([...operations].sort()).toEqual([
    'cloudformation:DescribeChangeSet',
    'cloudformation:DescribeStacks',
    'cloudformation:GetTemplate',
    'cloudformation:ListStackResources',
    'dynamodb:DescribeContinuousBackups',
    'dynamodb:DescribeTable',
    'dynamodb:GetItem',
    'dynamodb:ListBackups',
    's3:GetBucketVersioning',
    's3:GetObjectLockConfiguration',
    's3:HeadObject',
    's3:ListObjectsV2',
  ])
})

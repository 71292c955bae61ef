import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  type CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  ListChangeSetsCommand,
  ListStackResourcesCommand,
  ListStacksCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation'
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { HeadBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cloud, startCloud } from './cloud.ts'
import {
  COST_EXPLORER_STACK,
  costExplorerTemplate,
  EXPORT_BUCKET,
  type Safeguards,
  SETTINGS_TABLE,
} from './cost-explorer-template.ts'
import { type SdkClients, sdkClients } from './sdk-clients.ts'

let cloud: Cloud
let clients: SdkClients
let cf: CloudFormationClient

beforeEach(async () => {
  cloud = await startCloud({ stepMs: 5 })
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  cf = clients.cloudFormation
})

afterEach(async () => {
  clients.destroy()
  await cloud.close()
  expect(cloud.faults).toEqual([])
})

const STACK = { StackName: COST_EXPLORER_STACK }

function body(safeguards: Safeguards = {}): string {
  return JSON.stringify(costExplorerTemplate(safeguards))
}

async function create(safeguards: Safeguards = {}): Promise<void> {
  const template = { TemplateBody: body(safeguards) }
  await cf.send(
    new CreateStackCommand({ ...STACK, ...template, Capabilities: ['CAPABILITY_NAMED_IAM'] }),
  )
  await cloud.settle()
}

async function status(name = COST_EXPLORER_STACK): Promise<string | undefined> {
  const { Stacks: stacks } = await cf.send(new DescribeStacksCommand({ StackName: name }))
  return stacks?.[0]?.StackStatus
}

function table(properties: Record<string, unknown>): string {
  return JSON.stringify({
    Resources: {
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
          ...properties,
        },
      },
    },
  })
}

test('a stack is made after the answer, with real resources behind it', async () => {
  const input = { ...STACK, TemplateBody: body(), Capabilities: ['CAPABILITY_NAMED_IAM' as const] }
  const { StackId: id } = await cf.send(new CreateStackCommand(input))
  expect(id).toMatch(/^arn:aws-cn:cloudformation:cn-north-1:123456789012:stack\/cost-explorer\//)
  expect(await status()).toBe('CREATE_IN_PROGRESS')
  await cloud.settle()
  const { Stacks: stacks } = await cf.send(new DescribeStacksCommand(STACK))
  expect(stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE')
  expect(stacks?.[0]?.Outputs?.map((output) => output.OutputValue)).toEqual([
    EXPORT_BUCKET,
    `arn:aws-cn:dynamodb:cn-north-1:123456789012:table/${SETTINGS_TABLE}`,
  ])
  const { StackResources: resources } = await cf.send(new DescribeStackResourcesCommand(STACK))
  expect(resources?.map((one) => `${one.ResourceType} ${one.ResourceStatus}`)).toEqual([
    'AWS::S3::Bucket CREATE_COMPLETE',
    'Custom::S3AutoDeleteObjects CREATE_COMPLETE',
    'AWS::DynamoDB::Table CREATE_COMPLETE',
    'AWS::IAM::Role CREATE_COMPLETE',
  ])
  await clients.s3.send(new HeadBucketCommand({ Bucket: EXPORT_BUCKET }))
  await clients.dynamoDb.send(new DescribeTableCommand({ TableName: SETTINGS_TABLE }))
  const { TemplateBody: stored } = await cf.send(new GetTemplateCommand(STACK))
  expect(stored).toBe(body())
  const list = await cf.send(new ListStackResourcesCommand(STACK))
  expect(list.StackResourceSummaries?.map((one) => one.PhysicalResourceId)).toContain(EXPORT_BUCKET)
})

test('deleting the stack answers at once and then really loses table and bucket', async () => {
  await create()
  const object = { Bucket: EXPORT_BUCKET, Key: 'a', Body: 'x' }
  await clients.s3.send(new PutObjectCommand(object))
  const { Stacks: before } = await cf.send(new DescribeStacksCommand(STACK))
  await cf.send(new DeleteStackCommand(STACK))
  expect(await status()).toBe('DELETE_IN_PROGRESS')
  await cloud.settle()
  await expect(status()).rejects.toMatchObject({
    name: 'ValidationError',
    message: 'Stack with id cost-explorer does not exist',
  })
  expect(await status(before?.[0]?.StackId)).toBe('DELETE_COMPLETE')
  const head = new HeadBucketCommand({ Bucket: EXPORT_BUCKET })
  await expect(clients.s3.send(head)).rejects.toMatchObject({ name: 'NotFound' })
  const describe = new DescribeTableCommand({ TableName: SETTINGS_TABLE })
  await expect(clients.dynamoDb.send(describe)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
  const listed = await cf.send(new ListStacksCommand({ StackStatusFilter: ['DELETE_COMPLETE'] }))
  expect(listed.StackSummaries?.length).toBe(1)
  await cf.send(new DeleteStackCommand(STACK))
})

test('a bucket that is not empty and is not emptied fails the deletion', async () => {
  const template = {
    Resources: { Data: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'kept-data' } } },
  }
  await cf.send(
    new CreateStackCommand({ StackName: 'plain', TemplateBody: JSON.stringify(template) }),
  )
  await cloud.settle()
  await clients.s3.send(new PutObjectCommand({ Bucket: 'kept-data', Key: 'a', Body: 'x' }))
  await cf.send(new DeleteStackCommand({ StackName: 'plain' }))
  await cloud.settle()
  expect(await status('plain')).toBe('DELETE_FAILED')
  await clients.s3.send(new HeadBucketCommand({ Bucket: 'kept-data' }))
  await cf.send(new DeleteStackCommand({ StackName: 'plain', RetainResources: ['Data'] }))
  await cloud.settle()
  await expect(status('plain')).rejects.toMatchObject({ name: 'ValidationError' })
  await clients.s3.send(new HeadBucketCommand({ Bucket: 'kept-data' }))
})

test('a protected table fails the deletion and stays', async () => {
  await create({ deletionProtection: true })
  await cf.send(new DeleteStackCommand(STACK))
  await cloud.settle()
  expect(await status()).toBe('DELETE_FAILED')
  await clients.dynamoDb.send(new DescribeTableCommand({ TableName: SETTINGS_TABLE }))
  const { StackEvents: events } = await cf.send(new DescribeStackEventsCommand(STACK))
  const failed = events?.find((event) => event.ResourceStatus === 'DELETE_FAILED')
  expect(failed?.ResourceStatusReason).toContain('SettingsTable')
})

test('Retain keeps what the stack made, and Delete does not', async () => {
  await create({ retain: true })
  await cf.send(new DeleteStackCommand(STACK))
  await cloud.settle()
  await clients.s3.send(new HeadBucketCommand({ Bucket: EXPORT_BUCKET }))
  await clients.dynamoDb.send(new DescribeTableCommand({ TableName: SETTINGS_TABLE }))
})

test('termination protection refuses the deletion until it is off', async () => {
  await create()
  const protect = (on: boolean) =>
    cf.send(new UpdateTerminationProtectionCommand({ ...STACK, EnableTerminationProtection: on }))
  await protect(true)
  await expect(cf.send(new DeleteStackCommand(STACK))).rejects.toMatchObject({
    name: 'ValidationError',
    message: 'Stack [cost-explorer] cannot be deleted while TerminationProtection is enabled',
  })
  await protect(false)
  await cf.send(new DeleteStackCommand(STACK))
  await cloud.settle()
})

test('a named role needs CAPABILITY_NAMED_IAM', async () => {
  const input = { ...STACK, TemplateBody: body() }
  await expect(cf.send(new CreateStackCommand(input))).rejects.toMatchObject({
    name: 'InsufficientCapabilitiesException',
  })
  const validated = await cf.send(new ValidateTemplateCommand({ TemplateBody: body() }))
  expect(validated.Capabilities).toEqual(['CAPABILITY_NAMED_IAM'])
})

test('a stack that cannot be made is rolled back', async () => {
  await create()
  const template = {
    Resources: {
      First: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'first-bucket' } },
      Taken: {
        Type: 'AWS::S3::Bucket',
        DependsOn: 'First',
        Properties: { BucketName: EXPORT_BUCKET },
      },
    },
  }
  await cf.send(
    new CreateStackCommand({ StackName: 'second', TemplateBody: JSON.stringify(template) }),
  )
  await cloud.settle()
  expect(await status('second')).toBe('ROLLBACK_COMPLETE')
  const head = new HeadBucketCommand({ Bucket: 'first-bucket' })
  await expect(clients.s3.send(head)).rejects.toMatchObject({ name: 'NotFound' })
  await clients.s3.send(new HeadBucketCommand({ Bucket: EXPORT_BUCKET }))
})

test('an update changes what the template changes, and refuses to do nothing', async () => {
  await create()
  const capabilities = { Capabilities: ['CAPABILITY_NAMED_IAM' as const] }
  const same = new UpdateStackCommand({ ...STACK, TemplateBody: body(), ...capabilities })
  await expect(cf.send(same)).rejects.toMatchObject({
    name: 'ValidationError',
    message: 'No updates are to be performed.',
  })
  const safer = body({ deletionProtection: true, versioning: true })
  await cf.send(new UpdateStackCommand({ ...STACK, TemplateBody: safer, ...capabilities }))
  await cloud.settle()
  expect(await status()).toBe('UPDATE_COMPLETE')
  const { Table: settings } = await clients.dynamoDb.send(
    new DescribeTableCommand({ TableName: SETTINGS_TABLE }),
  )
  expect(settings?.DeletionProtectionEnabled).toBe(true)
})

test('a change set says Replacement, and executing it replaces', async () => {
  const name = { StackName: 'tables' }
  const first = table({ TableName: 'first-table' })
  await cf.send(new CreateStackCommand({ ...name, TemplateBody: first }))
  await cloud.settle()
  const changeSet = { ...name, ChangeSetName: 'rename' }
  await cf.send(
    new CreateChangeSetCommand({ ...changeSet, TemplateBody: table({ TableName: 'next-table' }) }),
  )
  const described = await cf.send(new DescribeChangeSetCommand(changeSet))
  expect(described.Status).toBe('CREATE_COMPLETE')
  const change = described.Changes?.[0]?.ResourceChange
  expect(change).toMatchObject({
    Action: 'Modify',
    Replacement: 'True',
    PolicyAction: 'ReplaceAndDelete',
    PhysicalResourceId: 'first-table',
  })
  expect(change?.Details?.[0]?.Target).toMatchObject({
    Name: 'TableName',
    RequiresRecreation: 'Always',
  })
  const listed = await cf.send(new ListChangeSetsCommand(name))
  expect(listed.Summaries?.[0]?.ExecutionStatus).toBe('AVAILABLE')
  await cf.send(new ExecuteChangeSetCommand(changeSet))
  await cloud.settle()
  expect(await status('tables')).toBe('UPDATE_COMPLETE')
  const old = new DescribeTableCommand({ TableName: 'first-table' })
  await expect(clients.dynamoDb.send(old)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
  await clients.dynamoDb.send(new DescribeTableCommand({ TableName: 'next-table' }))
  await expect(cf.send(new ExecuteChangeSetCommand(changeSet))).rejects.toMatchObject({
    name: 'InvalidChangeSetStatusException',
  })
})

test('a change set without a replacement says False, and one without a change fails', async () => {
  const name = { StackName: 'tables' }
  await cf.send(new CreateStackCommand({ ...name, TemplateBody: table({}) }))
  await cloud.settle()
  const safe = { ...name, ChangeSetName: 'safe' }
  const protectedBody = table({ DeletionProtectionEnabled: true })
  await cf.send(new CreateChangeSetCommand({ ...safe, TemplateBody: protectedBody }))
  const described = await cf.send(new DescribeChangeSetCommand(safe))
  expect(described.Changes?.[0]?.ResourceChange?.Replacement).toBe('False')
  const empty = { ...name, ChangeSetName: 'empty' }
  await cf.send(new CreateChangeSetCommand({ ...empty, TemplateBody: table({}) }))
  const failed = await cf.send(new DescribeChangeSetCommand(empty))
  expect(failed.Status).toBe('FAILED')
  expect(failed.StatusReason).toContain("didn't contain changes")
  await cf.send(new DeleteChangeSetCommand(empty))
  await expect(cf.send(new DescribeChangeSetCommand(empty))).rejects.toMatchObject({
    name: 'ChangeSetNotFoundException',
  })
})

test('a custom-named resource is not replaced under its own name', async () => {
  const name = { StackName: 'tables' }
  const first = table({ TableName: 'named-table' })
  await cf.send(new CreateStackCommand({ ...name, TemplateBody: first }))
  await cloud.settle()
  const rekeyed = table({
    TableName: 'named-table',
    AttributeDefinitions: [{ AttributeName: 'other', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'other', KeyType: 'HASH' }],
  })
  await cf.send(new UpdateStackCommand({ ...name, TemplateBody: rekeyed }))
  await cloud.settle()
  expect(await status('tables')).toBe('UPDATE_ROLLBACK_COMPLETE')
  const { Table: kept } = await clients.dynamoDb.send(
    new DescribeTableCommand({ TableName: 'named-table' }),
  )
  expect(kept?.KeySchema?.[0]?.AttributeName).toBe('id')
})

test('what the lab does not carry out is refused before anything is made', async () => {
  const send = (template: unknown) => {
    const TemplateBody = JSON.stringify(template)
    return cf.send(new CreateStackCommand({ StackName: 'odd', TemplateBody }))
  }
  const bucket = { Type: 'AWS::S3::Bucket' }
  const odd = [
    { Resources: { A: { Type: 'AWS::EC2::Instance' } } },
    { Resources: { A: { ...bucket, Properties: { LifecycleConfiguration: {} } } } },
    { Resources: { A: { ...bucket, Condition: 'C' } }, Conditions: { C: true } },
    { Resources: { A: { ...bucket, DeletionPolicy: 'Snapshot' } } },
    { Resources: { A: { ...bucket, DependsOn: 'B' }, B: { ...bucket, DependsOn: 'A' } } },
    { Resources: {} },
  ]
  for (const template of odd) {
    await expect(send(template)).rejects.toMatchObject({ name: 'ValidationError' })
  }
  const { Stacks: stacks } = await cf.send(new DescribeStacksCommand({}))
  expect(stacks ?? []).toEqual([])
})

test('parameters have defaults, and a missing one is named', async () => {
  const template = {
    Parameters: { Name: { Type: 'String' } },
    Resources: { A: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'Name' } } } },
  }
  const input = { StackName: 'parameters', TemplateBody: JSON.stringify(template) }
  await expect(cf.send(new CreateStackCommand(input))).rejects.toMatchObject({
    message: 'Parameters: [Name] must have values',
  })
  const parameters = [{ ParameterKey: 'Name', ParameterValue: 'from-parameter' }]
  await cf.send(new CreateStackCommand({ ...input, Parameters: parameters }))
  await cloud.settle()
  await clients.s3.send(new HeadBucketCommand({ Bucket: 'from-parameter' }))
})

async function aws(...args: string[]): Promise<string> {
  const { accessKeyId, secretAccessKey } = cloud.credentials.operator
  const { stdout } = await promisify(execFile)('aws', ['--endpoint-url', cloud.endpoint, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: cloud.region,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  })
  return stdout
}

const hasCli = await promisify(execFile)('aws', ['--version']).then(
  () => true,
  () => false,
)

test.skipIf(!hasCli)('the AWS CLI describes the stack and lists the bucket', async () => {
  await create()
  await clients.s3.send(
    new PutObjectCommand({ Bucket: EXPORT_BUCKET, Key: 'exports/a.csv', Body: 'x' }),
  )
  const described = await aws('cloudformation', 'describe-stacks', '--output', 'text')
  expect(described).toContain('CREATE_COMPLETE')
  expect(await aws('s3', 'ls', `s3://${EXPORT_BUCKET}/exports/`)).toContain('a.csv')
  expect(await aws('dynamodb', 'list-tables', '--output', 'text')).toContain(SETTINGS_TABLE)
})

import {
  BatchWriteItemCommand,
  CreateBackupCommand,
  CreateTableCommand,
  DeleteBackupCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeBackupCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  ListBackupsCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  QueryCommand,
  RestoreTableFromBackupCommand,
  RestoreTableToPointInTimeCommand,
  ScanCommand,
  TagResourceCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cloud, startCloud } from './cloud.ts'
import { itemBytes } from './dynamodb-tables.ts'
import { type SdkClients, sdkClients } from './sdk-clients.ts'

let cloud: Cloud
let clients: SdkClients
let db: DynamoDBClient

beforeAll(async () => {
  cloud = await startCloud()
  clients = sdkClients({ ...cloud, credentials: cloud.credentials.deploy })
  db = clients.dynamoDb
})

afterAll(async () => {
  clients.destroy()
  await cloud.close()
  expect(cloud.faults).toEqual([])
})

async function makeTable(name: string, members: { DeletionProtectionEnabled?: boolean } = {}) {
  const output = await db.send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [{ AttributeName: 'month', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'month', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      ...members,
    }),
  )
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { Table } = await db.send(new DescribeTableCommand({ TableName: name }))
    if (Table?.TableStatus === 'ACTIVE') return output.TableDescription
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('the table did not become active')
}

function put(table: string, month: string, value: string) {
  const item = { month: { S: month }, value: { S: value } }
  return db.send(new PutItemCommand({ TableName: table, Item: item }))
}

test('a table has an ARN of the account and the partition of its region', async () => {
  const table = await makeTable('arns')
  expect(table?.TableArn).toBe('arn:aws-cn:dynamodb:cn-north-1:123456789012:table/arns')
})

test('a table is reached by its ARN, and not by the ARN of another region', async () => {
  const table = await makeTable('by-arn')
  const arn = table?.TableArn ?? ''
  await put(arn, '2026-01', 'v')
  const { Table: described } = await db.send(new DescribeTableCommand({ TableName: arn }))
  expect(described?.ItemCount).toBe(1)
  const elsewhere = arn.replace('cn-north-1', 'cn-northwest-1')
  await expect(db.send(new DescribeTableCommand({ TableName: elsewhere }))).rejects.toMatchObject({
    name: 'ValidationException',
  })
})

test('items are written, read, changed, searched and deleted', async () => {
  await makeTable('items')
  await put('items', '2026-07', 'a')
  await db.send(
    new BatchWriteItemCommand({
      RequestItems: { items: [{ PutRequest: { Item: { month: { S: '2026-08' } } } }] },
    }),
  )
  await db.send(
    new UpdateItemCommand({
      TableName: 'items',
      Key: { month: { S: '2026-08' } },
      UpdateExpression: 'SET #v = :v',
      ExpressionAttributeNames: { '#v': 'value' },
      ExpressionAttributeValues: { ':v': { S: 'b' } },
    }),
  )
  const key = { month: { S: '2026-08' } }
  const got = await db.send(new GetItemCommand({ TableName: 'items', Key: key }))
  expect(got.Item?.['value']).toEqual({ S: 'b' })
  const query = await db.send(
    new QueryCommand({
      TableName: 'items',
      KeyConditionExpression: '#m = :m',
      ExpressionAttributeNames: { '#m': 'month' },
      ExpressionAttributeValues: { ':m': { S: '2026-07' } },
    }),
  )
  expect(query.Items?.length).toBe(1)
  const scan = await db.send(new ScanCommand({ TableName: 'items', ConsistentRead: true }))
  expect(scan.Count).toBe(2)
  await db.send(new DeleteItemCommand({ TableName: 'items', Key: key }))
  const gone = await db.send(new GetItemCommand({ TableName: 'items', Key: key }))
  expect(gone.Item).toBeUndefined()
})

test('a description counts the items that are there now', async () => {
  await makeTable('counted')
  await put('counted', '2026-01', 'xyz')
  const { Table: table } = await db.send(new DescribeTableCommand({ TableName: 'counted' }))
  expect(table?.ItemCount).toBe(1)
  expect(table?.TableSizeBytes).toBe('month'.length + 7 + 'value'.length + 3)
})

test('a protected table is not deleted, and is once the protection is off', async () => {
  await makeTable('protected', { DeletionProtectionEnabled: true })
  await put('protected', '2026-01', 'kept')
  await expect(db.send(new DeleteTableCommand({ TableName: 'protected' }))).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining('protected against deletion'),
  })
  const { Table: table } = await db.send(new DescribeTableCommand({ TableName: 'protected' }))
  expect(table?.DeletionProtectionEnabled).toBe(true)
  expect(table?.ItemCount).toBe(1)
  await db.send(
    new UpdateTableCommand({ TableName: 'protected', DeletionProtectionEnabled: false }),
  )
  await db.send(new DeleteTableCommand({ TableName: 'protected' }))
  const { TableNames: names } = await db.send(new ListTablesCommand({}))
  expect(names).not.toContain('protected')
})

test(
  'a backup brings back the items of a deleted table, and a deleted ' + 'backup does not',
  async () => {
    await makeTable('precious')
    for (let month = 1; month <= 30; month += 1) await put('precious', String(month), 'v')
    const { BackupDetails: backup } = await db.send(
      new CreateBackupCommand({ TableName: 'precious', BackupName: 'before' }),
    )
    const arn = backup?.BackupArn ?? ''
    const described = await db.send(new DescribeBackupCommand({ BackupArn: arn }))
    expect(described.BackupDescription?.SourceTableDetails?.ItemCount).toBe(30)
    await db.send(new DeleteTableCommand({ TableName: 'precious' }))
    await db.send(
      new RestoreTableFromBackupCommand({ BackupArn: arn, TargetTableName: 'precious' }),
    )
    const scan = await db.send(new ScanCommand({ TableName: 'precious' }))
    expect(scan.Count).toBe(30)
    const list = await db.send(new ListBackupsCommand({ TableName: 'precious' }))
    expect(list.BackupSummaries?.map((one) => one.BackupArn)).toEqual([arn])
    await db.send(new DeleteBackupCommand({ BackupArn: arn }))
    const again = new RestoreTableFromBackupCommand({ BackupArn: arn, TargetTableName: 'other' })
    await expect(db.send(again)).rejects.toMatchObject({ name: 'BackupNotFoundException' })
  },
)

test(
  'a table with point in time recovery leaves a system backup, one ' + 'without leaves none',
  async () => {
    await makeTable('plain')
    await makeTable('recoverable')
    await put('recoverable', '2026-01', 'v')
    const before = await db.send(new DescribeContinuousBackupsCommand({ TableName: 'recoverable' }))
    expect(
      before.ContinuousBackupsDescription?.PointInTimeRecoveryDescription
        ?.PointInTimeRecoveryStatus,
    ).toBe('DISABLED')
    await db.send(
      new UpdateContinuousBackupsCommand({
        TableName: 'recoverable',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    )
    await db.send(
      new RestoreTableToPointInTimeCommand({
        SourceTableName: 'recoverable',
        TargetTableName: 'copy',
        UseLatestRestorableTime: true,
      }),
    )
    expect((await db.send(new ScanCommand({ TableName: 'copy' }))).Count).toBe(1)
    for (const name of ['plain', 'recoverable']) {
      await db.send(new DeleteTableCommand({ TableName: name }))
    }
    const { BackupSummaries: backups } = await db.send(new ListBackupsCommand({}))
    const names = backups?.map((backup) => backup.BackupName)
    expect(names).toEqual(['recoverable$DeletedTableBackup'])
  },
)

test('a point in time of a table without recovery is refused', async () => {
  await makeTable('unrecoverable')
  const restore = new RestoreTableToPointInTimeCommand({
    SourceTableName: 'unrecoverable',
    TargetTableName: 'x-copy',
    UseLatestRestorableTime: true,
  })
  await expect(db.send(restore)).rejects.toMatchObject({
    name: 'PointInTimeRecoveryUnavailableException',
  })
})

test('tags are kept by ARN', async () => {
  const table = await makeTable('tagged')
  const arn = table?.TableArn
  await db.send(
    new TagResourceCommand({ ResourceArn: arn, Tags: [{ Key: 'team', Value: 'finops' }] }),
  )
  const { Tags: tags } = await db.send(new ListTagsOfResourceCommand({ ResourceArn: arn }))
  expect(tags).toEqual([{ Key: 'team', Value: 'finops' }])
})

test('a table of one region is not in another', async () => {
  await makeTable('regional')
  const other = sdkClients({
    ...cloud,
    region: 'cn-northwest-1',
    credentials: cloud.credentials.deploy,
  })
  const describe = new DescribeTableCommand({ TableName: 'regional' })
  await expect(other.dynamoDb.send(describe)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
  other.destroy()
})

test('an operation the lab lacks is an error and not another operation', async () => {
  const transaction = new TransactWriteItemsCommand({
    TransactItems: [{ Delete: { TableName: 'items', Key: { month: { S: '2026-07' } } } }],
  })
  await expect(db.send(transaction)).rejects.toMatchObject({ name: 'UnknownOperationException' })
})

test('a member the lab lacks is an error and not ignored', async () => {
  const create = new CreateTableCommand({
    TableName: 'streamed',
    AttributeDefinitions: [{ AttributeName: 'month', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'month', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
  })
  await expect(db.send(create)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining('StreamSpecification'),
  })
})

// The example of the capacity page: names and values in UTF-8, numbers by their digits.
test('the size of an item follows the capacity rules', () => {
  expect(itemBytes({ a: { S: 'é' } })).toBe(3)
  expect(itemBytes({ a: { N: '123' } })).toBe(1 + 3)
  expect(itemBytes({ a: { BOOL: true }, b: { NULL: true } })).toBe(4)
  expect(itemBytes({ a: { L: [{ S: 'x' }] } })).toBe(1 + 3 + 1 + 1)
})

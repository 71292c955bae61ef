// DynamoDB as the front answers it: which operations there are, which members each may carry, and
// who answers (dynalite for items, the front for protection, tags and backups).
import type { Json, JsonObject } from '@seconder/aws/call'
import type { CloudReply, CloudRequest, CloudService } from './cloud-request.ts'
import { DynamoDbBackups } from './dynamodb-backups.ts'
import { type DynamoDbTables, tableArn } from './dynamodb-tables.ts'
import { CloudError } from './errors.ts'
import {
  onlyMembers,
  optionalBoolean,
  optionalList,
  optionalObject,
  optionalString,
  parseInput,
  requiredString,
  tagMap,
  without,
} from './json-input.ts'

const TARGET_PREFIX = 'DynamoDB_20120810.'

const EXPRESSION = ['ExpressionAttributeNames', 'ExpressionAttributeValues']
const CONDITION = [...EXPRESSION, 'ConditionExpression', 'ConditionalOperator', 'Expected']
const WRITE = ['ReturnConsumedCapacity', 'ReturnItemCollectionMetrics', 'ReturnValues', 'TableName']
const SEARCH = [
  ...EXPRESSION,
  'AttributesToGet',
  'ConditionalOperator',
  'ConsistentRead',
  'ExclusiveStartKey',
  'FilterExpression',
  'IndexName',
  'Limit',
  'ProjectionExpression',
  'ReturnConsumedCapacity',
  'Select',
  'TableName',
]

/** Members each operation may carry; all of them have an effect here or none that could be seen. */
const MEMBERS = {
  BatchGetItem: ['RequestItems', 'ReturnConsumedCapacity'],
  BatchWriteItem: ['RequestItems', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics'],
  CreateBackup: ['BackupName', 'TableName'],
  CreateTable: [
    'AttributeDefinitions',
    'BillingMode',
    'DeletionProtectionEnabled',
    'GlobalSecondaryIndexes',
    'KeySchema',
    'LocalSecondaryIndexes',
    'ProvisionedThroughput',
    'TableName',
    'Tags',
  ],
  DeleteBackup: ['BackupArn'],
  DeleteItem: [...WRITE, ...CONDITION, 'Key'],
  DeleteTable: ['TableName'],
  DescribeBackup: ['BackupArn'],
  DescribeContinuousBackups: ['TableName'],
  DescribeTable: ['TableName'],
  DescribeTimeToLive: ['TableName'],
  GetItem: [
    'AttributesToGet',
    'ConsistentRead',
    'ExpressionAttributeNames',
    'Key',
    'ProjectionExpression',
    'ReturnConsumedCapacity',
    'TableName',
  ],
  ListBackups: ['BackupType', 'TableName'],
  ListTables: ['ExclusiveStartTableName', 'Limit'],
  ListTagsOfResource: ['ResourceArn'],
  PutItem: [...WRITE, ...CONDITION, 'Item'],
  Query: [...SEARCH, 'KeyConditionExpression', 'KeyConditions', 'QueryFilter', 'ScanIndexForward'],
  RestoreTableFromBackup: ['BackupArn', 'TargetTableName'],
  RestoreTableToPointInTime: ['SourceTableName', 'TargetTableName', 'UseLatestRestorableTime'],
  Scan: [...SEARCH, 'ScanFilter', 'Segment', 'TotalSegments'],
  TagResource: ['ResourceArn', 'Tags'],
  UntagResource: ['ResourceArn', 'TagKeys'],
  UpdateContinuousBackups: ['PointInTimeRecoverySpecification', 'TableName'],
  UpdateItem: [...WRITE, ...CONDITION, 'AttributeUpdates', 'Key', 'UpdateExpression'],
  UpdateTable: [
    'BillingMode',
    'DeletionProtectionEnabled',
    'GlobalSecondaryIndexUpdates',
    'ProvisionedThroughput',
    'TableName',
  ],
} as const satisfies Record<string, readonly string[]>

type Operation = keyof typeof MEMBERS

function isOperation(name: string): name is Operation {
  return Object.hasOwn(MEMBERS, name)
}

export class DynamoDb implements CloudService {
  readonly protocol = 'awsJson'
  readonly tables: DynamoDbTables
  readonly #backups: DynamoDbBackups

  constructor(tables: DynamoDbTables) {
    this.tables = tables
    this.#backups = new DynamoDbBackups(tables)
  }

  operation(request: CloudRequest): string {
    const target = request.headers.get('x-amz-target') ?? ''
    const name = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : ''
    if (request.method !== 'POST' || request.path !== '/' || !isOperation(name)) {
      throw new CloudError('UnknownOperationException', '')
    }
    return name
  }

  async answer(request: CloudRequest, operation: string): Promise<CloudReply> {
    if (!isOperation(operation)) throw new CloudError('UnknownOperationException', '')
    const input = parseInput(request.content)
    const output = await this.run(request.region, operation, input, request.nowMs)
    return {
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: Buffer.from(JSON.stringify(output)),
    }
  }

  /** One operation without the wire; CloudFormation calls it. */
  async run(
    region: string,
    operation: Operation,
    given: JsonObject,
    nowMs: number,
  ): Promise<JsonObject> {
    onlyMembers(operation, given, MEMBERS[operation])
    return this.#run(region, operation, withTableName(region, given), nowMs)
  }

  #run(
    region: string,
    operation: Operation,
    input: JsonObject,
    nowMs: number,
  ): Promise<JsonObject> {
    const arn = () => requiredString(input, 'BackupArn')
    const table = () => requiredString(input, 'TableName')
    switch (operation) {
      case 'CreateTable':
        return this.tables.create(region, input)
      case 'DeleteTable':
        return this.#deleteTable(region, table(), nowMs)
      case 'DescribeTable':
        return this.tables.describe(region, table())
      case 'UpdateTable':
        return this.tables.update(region, input)
      case 'CreateBackup':
        return this.#backups.create(
          region,
          table(),
          requiredString(input, 'BackupName'),
          'USER',
          nowMs,
        )
      case 'DescribeBackup':
        return Promise.resolve(this.#backups.describe(region, arn()))
      case 'DeleteBackup':
        return Promise.resolve(this.#backups.delete(region, arn()))
      case 'ListBackups':
        return Promise.resolve(
          this.#backups.list(
            region,
            optionalString(input, 'TableName'),
            optionalString(input, 'BackupType'),
          ),
        )
      case 'RestoreTableFromBackup':
        return this.#backups.restore(region, arn(), requiredString(input, 'TargetTableName'))
      case 'RestoreTableToPointInTime':
        return this.#restoreLatest(region, input)
      case 'DescribeContinuousBackups':
        return Promise.resolve(this.#continuousBackups(region, table(), nowMs))
      case 'UpdateContinuousBackups':
        return Promise.resolve(this.#updateContinuousBackups(region, input, nowMs))
      case 'ListTagsOfResource':
      case 'TagResource':
      case 'UntagResource':
        return Promise.resolve(this.#tags(region, operation, input))
      case 'Scan':
        // dynalite's reads are always consistent, and its Scan does not know the member.
        return this.tables.call(region, operation, without(input, ['ConsistentRead']))
      default:
        return this.tables.call(region, operation, input)
    }
  }

  /**
   * Source: docs.aws.amazon.com/amazondynamodb, PointInTimeRecovery_Howitworks: a deleted table
   * leaves a system backup.
   */
  async #deleteTable(region: string, name: string, nowMs: number): Promise<JsonObject> {
    const { pointInTimeRecovery, deletionProtection } = this.tables.record(region, name)
    if (pointInTimeRecovery && !deletionProtection) {
      await this.#backups.create(region, name, `${name}$DeletedTableBackup`, 'SYSTEM', nowMs)
    }
    return this.tables.delete(region, name)
  }

  #restoreLatest(region: string, input: JsonObject): Promise<JsonObject> {
    if (optionalBoolean(input, 'UseLatestRestorableTime') !== true) {
      const message =
        "the lab's cloud restores to the latest time alone: set UseLatestRestorableTime"
      throw new CloudError('ValidationException', message)
    }
    const source = requiredString(input, 'SourceTableName')
    return this.#backups.restoreLatest(region, source, requiredString(input, 'TargetTableName'))
  }

  #continuousBackups(region: string, name: string, nowMs: number): JsonObject {
    const { pointInTimeRecovery: on, pointInTimeSinceMs } = this.tables.record(region, name)
    const times = {
      EarliestRestorableDateTime: pointInTimeSinceMs / 1000,
      LatestRestorableDateTime: nowMs / 1000,
    }
    return {
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: {
          PointInTimeRecoveryStatus: on ? 'ENABLED' : 'DISABLED',
          ...(on ? times : {}),
        },
      },
    }
  }

  #updateContinuousBackups(region: string, input: JsonObject, nowMs: number): JsonObject {
    const name = requiredString(input, 'TableName')
    const specification = optionalObject(input, 'PointInTimeRecoverySpecification') ?? {}
    onlyMembers('UpdateContinuousBackups', specification, ['PointInTimeRecoveryEnabled'])
    const on = optionalBoolean(specification, 'PointInTimeRecoveryEnabled')
    if (on === undefined) {
      throw new CloudError('ValidationException', 'PointInTimeRecoveryEnabled must not be null')
    }
    const record = this.tables.record(region, name)
    if (on && !record.pointInTimeRecovery) record.pointInTimeSinceMs = nowMs
    record.pointInTimeRecovery = on
    return this.#continuousBackups(region, name, nowMs)
  }

  #tags(
    region: string,
    operation: 'ListTagsOfResource' | 'TagResource' | 'UntagResource',
    input: JsonObject,
  ): JsonObject {
    const arn = requiredString(input, 'ResourceArn')
    const name = arn.split('/').at(-1) ?? ''
    if (arn !== tableArn(region, name)) {
      throw new CloudError('ValidationException', `Invalid TableArn: ${arn}`)
    }
    const { tags } = this.tables.record(region, name)
    if (operation === 'TagResource') {
      for (const [key, value] of tagMap(input, 'Tags')) tags.set(key, value)
    } else if (operation === 'UntagResource') {
      for (const key of optionalList(input, 'TagKeys') ?? []) tags.delete(String(key))
    } else {
      const list: Json[] = [...tags].map(([Key, Value]) => ({ Key, Value }))
      return { Tags: list }
    }
    return {}
  }
}

/** Members that may hold a table's ARN instead of its name; dynalite takes names alone. */
const TABLE_MEMBERS: readonly string[] = ['TableName', 'SourceTableName']

/** Source: API_DescribeTable, TableName: "You can also provide the ARN of the table". */
function withTableName(region: string, input: JsonObject): JsonObject {
  const named: { [key: string]: Json } = { ...input }
  for (const member of TABLE_MEMBERS) {
    const value = named[member]
    if (typeof value !== 'string' || !value.startsWith('arn:')) continue
    const name = value.split('/').at(-1) ?? ''
    if (value === tableArn(region, name)) named[member] = name
  }
  return named
}

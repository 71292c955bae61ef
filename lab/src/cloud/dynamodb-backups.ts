// Backups of tables: a backup is a copy of the schema and of every item, and a restore makes a new
// table from it. dynalite has none of this. A copy is taken at once, so it is AVAILABLE at once.
import { randomBytes } from 'node:crypto'
import type { JsonObject } from '@seconder/aws/call'
import { type DynamoDbTables, itemBytes, tableArn } from './dynamodb-tables.ts'
import { CloudError } from './errors.ts'
import { isObject, optionalList, optionalObject } from './json-input.ts'

export const BACKUPS_MAX = 100

type BackupType = 'USER' | 'SYSTEM'

interface Backup {
  readonly arn: string
  readonly name: string
  readonly type: BackupType
  readonly region: string
  readonly tableName: string
  readonly tableId: string
  readonly createdAtMs: number
  readonly schema: JsonObject
  readonly items: readonly JsonObject[]
  readonly sizeBytes: number
}

/** The members of a table description that make an equal table again. */
function schemaOf(table: JsonObject): JsonObject {
  const throughput = optionalObject(table, 'ProvisionedThroughput')
  const summary = optionalObject(table, 'BillingModeSummary')
  const onDemand = summary?.['BillingMode'] === 'PAY_PER_REQUEST'
  const capacity = {
    ReadCapacityUnits: throughput?.['ReadCapacityUnits'] ?? 1,
    WriteCapacityUnits: throughput?.['WriteCapacityUnits'] ?? 1,
  }
  const billing: JsonObject = onDemand
    ? { BillingMode: 'PAY_PER_REQUEST' }
    : { ProvisionedThroughput: capacity }
  const indexes: { [kind: string]: JsonObject[] } = {}
  for (const kind of ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes']) {
    const found = (optionalList(table, kind) ?? []).filter(isObject)
    if (found.length === 0) continue
    indexes[kind] = found.map((index) => ({
      IndexName: index['IndexName'] ?? '',
      KeySchema: index['KeySchema'] ?? [],
      Projection: index['Projection'] ?? {},
      ...(kind === 'GlobalSecondaryIndexes' && !onDemand
        ? { ProvisionedThroughput: capacity }
        : {}),
    }))
  }
  return {
    AttributeDefinitions: table['AttributeDefinitions'] ?? [],
    KeySchema: table['KeySchema'] ?? [],
    ...billing,
    ...indexes,
  }
}

export class DynamoDbBackups {
  readonly #tables: DynamoDbTables
  readonly #backups = new Map<string, Backup>()

  constructor(tables: DynamoDbTables) {
    this.#tables = tables
  }

  /**
   * `BackupDetails` of a new copy. LimitExceededException is not modelled: past the maximum is 500.
   */
  async create(
    region: string,
    tableName: string,
    name: string,
    type: BackupType,
    nowMs: number,
  ): Promise<JsonObject> {
    const { id: tableId } = this.#tables.record(region, tableName)
    if (this.#backups.size >= BACKUPS_MAX) {
      throw new CloudError('InternalFailure', 'the lab keeps no more backups', 500)
    }
    const described = await this.#tables.call(region, 'DescribeTable', { TableName: tableName })
    const items = await this.#tables.items(region, tableName)
    const id = `${String(nowMs).padStart(14, '0')}-${randomBytes(4).toString('hex')}`
    const backup: Backup = {
      arn: `${tableArn(region, tableName)}/backup/${id}`,
      name,
      type,
      region,
      tableName,
      tableId,
      createdAtMs: nowMs,
      schema: schemaOf(optionalObject(described, 'Table') ?? {}),
      items,
      sizeBytes: items.reduce((sum, item) => sum + itemBytes(item), 0),
    }
    this.#backups.set(backup.arn, backup)
    return { BackupDetails: details(backup) }
  }

  describe(region: string, arn: string): JsonObject {
    return { BackupDescription: description(this.#find(region, arn)) }
  }

  delete(region: string, arn: string): JsonObject {
    const backup = this.#find(region, arn)
    // Source: API_DeleteBackup; a system backup lives out its 35 days.
    if (backup.type === 'SYSTEM') {
      throw new CloudError('BackupInUseException', 'a system backup cannot be deleted')
    }
    this.#backups.delete(arn)
    const deleted = { ...details(backup), BackupStatus: 'DELETED' }
    return { BackupDescription: { ...description(backup), BackupDetails: deleted } }
  }

  list(region: string, tableName: string | undefined, type: string | undefined): JsonObject {
    const found = [...this.#backups.values()].filter(
      (backup) =>
        backup.region === region &&
        (tableName === undefined || backup.tableName === tableName) &&
        (type === undefined || type === 'ALL' || backup.type === type),
    )
    const summaries = found.map((backup) => ({
      TableName: backup.tableName,
      TableArn: tableArn(region, backup.tableName),
      ...details(backup),
    }))
    return { BackupSummaries: summaries }
  }

  /** Makes `target` from a backup. TableAlreadyExistsException where it is there already. */
  async restore(region: string, arn: string, target: string): Promise<JsonObject> {
    const { schema, items } = this.#find(region, arn)
    return this.#make(region, target, schema, items)
  }

  /** Makes `target` from `source` as it is now. */
  async restoreLatest(region: string, source: string, target: string): Promise<JsonObject> {
    if (!this.#tables.record(region, source).pointInTimeRecovery) {
      const message = `Point in time recovery is not enabled for table '${source}'`
      throw new CloudError('PointInTimeRecoveryUnavailableException', message)
    }
    const described = await this.#tables.call(region, 'DescribeTable', { TableName: source })
    const items = await this.#tables.items(region, source)
    return this.#make(region, target, schemaOf(optionalObject(described, 'Table') ?? {}), items)
  }

  async #make(
    region: string,
    target: string,
    schema: JsonObject,
    items: readonly JsonObject[],
  ): Promise<JsonObject> {
    try {
      await this.#tables.create(region, { ...schema, TableName: target })
    } catch (error) {
      if (!(error instanceof CloudError) || error.code !== 'ResourceInUseException') throw error
      throw new CloudError('TableAlreadyExistsException', `Table already exists: ${target}`)
    }
    await this.#tables.active(region, target)
    await this.#tables.putItems(region, target, items)
    const { Table: table } = await this.#tables.describe(region, target)
    return { TableDescription: table ?? {} }
  }

  #find(region: string, arn: string): Backup {
    const backup = this.#backups.get(arn)
    if (backup !== undefined && backup.region === region) return backup
    throw new CloudError('BackupNotFoundException', `Backup not found: ${arn}`)
  }
}

function details(backup: Backup): JsonObject {
  return {
    BackupArn: backup.arn,
    BackupName: backup.name,
    BackupStatus: 'AVAILABLE',
    BackupType: backup.type,
    BackupSizeBytes: backup.sizeBytes,
    BackupCreationDateTime: backup.createdAtMs / 1000,
  }
}

function description(backup: Backup): JsonObject {
  return {
    BackupDetails: details(backup),
    SourceTableDetails: {
      TableName: backup.tableName,
      TableArn: tableArn(backup.region, backup.tableName),
      TableId: backup.tableId,
      KeySchema: backup.schema['KeySchema'] ?? [],
      ItemCount: backup.items.length,
      TableCreationDateTime: 0,
      ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
    },
  }
}

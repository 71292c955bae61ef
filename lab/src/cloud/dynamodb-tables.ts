// Tables and their items, kept by one dynalite per region. Adds what dynalite lacks: deletion
// protection that protects, tags, live counts, and ARNs of the lab's account and partition.
import { randomUUID } from 'node:crypto'
import type { Json, JsonObject } from '@seconder/aws/call'
import { CloudError } from './errors.ts'
import {
  isObject,
  optionalBoolean,
  optionalList,
  optionalObject,
  parseInput,
  requiredString,
  tagMap,
  without,
} from './json-input.ts'
import type { Loopback } from './loopback.ts'
import { ACCOUNT, PARTITION } from './principal.ts'

/** Items the lab will copy or count in one table; the story has a few dozen. */
export const TABLE_ITEMS_MAX = 100_000

/**
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
const BATCH_WRITES_MAX = 25

/** What the front knows about a table beyond dynalite. */
export interface TableRecord {
  /** dynalite's own is no UUID: its last group is short. */
  readonly id: string
  deletionProtection: boolean
  pointInTimeRecovery: boolean
  pointInTimeSinceMs: number
  tags: Map<string, string>
}

export function tableArn(region: string, name: string): string {
  return `arn:${PARTITION}:dynamodb:${region}:${ACCOUNT}:table/${name}`
}

export class DynamoDbTables {
  readonly #backendOf: (region: string) => Promise<Loopback>
  readonly #records = new Map<string, TableRecord>()

  constructor(backendOf: (region: string) => Promise<Loopback>) {
    this.#backendOf = backendOf
  }

  /** dynalite's answer to one operation; its errors are thrown as they are. */
  async call(region: string, operation: string, input: JsonObject): Promise<JsonObject> {
    const backend = await this.#backendOf(region)
    const reply = await backend.send(
      'POST',
      '/',
      {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        // dynalite wants the shape of a signature and checks nothing in it (index.js, 4.0.0); the
        // front has verified the real one.
        authorization: 'AWS4-HMAC-SHA256 Credential=lab, SignedHeaders=host, Signature=lab',
        'x-amz-date': '20260101T000000Z',
      },
      Buffer.from(JSON.stringify(input)),
    )
    const text = reply.body.length === 0 ? '{}' : reply.body
    const output = parseInput(Buffer.from(text))
    if (reply.status === 200) return this.#withLabArns(region, output)
    const type = typeof output['__type'] === 'string' ? output['__type'] : 'InternalFailure'
    const message = output['message'] ?? output['Message']
    const code = type.split('#').at(-1) ?? type
    throw CloudError.relayed(code, typeof message === 'string' ? message : '', reply.status)
  }

  /** The front's record of an existing table. ResourceNotFoundException where there is none. */
  record(region: string, name: string): TableRecord {
    const record = this.#records.get(`${region}/${name}`)
    if (record !== undefined) return record
    const message = `Requested resource not found: Table: ${name} not found`
    throw new CloudError('ResourceNotFoundException', message)
  }

  async create(region: string, input: JsonObject): Promise<JsonObject> {
    const name = requiredString(input, 'TableName')
    const deletionProtection = optionalBoolean(input, 'DeletionProtectionEnabled') ?? false
    const tags = tagMap(input, 'Tags')
    const inner = without(input, ['DeletionProtectionEnabled', 'Tags'])
    const output = await this.call(region, 'CreateTable', inner)
    this.#records.set(`${region}/${name}`, {
      id: randomUUID(),
      deletionProtection,
      pointInTimeRecovery: false,
      pointInTimeSinceMs: 0,
      tags,
    })
    return { TableDescription: this.#described(region, name, output['TableDescription']) }
  }

  /**
   * Source of the refusal: docs.aws.amazon.com/amazondynamodb, WorkingWithTables.Basics (Deleting a
   * table).
   */
  async delete(region: string, name: string): Promise<JsonObject> {
    if (this.record(region, name).deletionProtection) {
      throw new CloudError(
        'ValidationException',
        'Resource cannot be deleted as it is currently protected against ' +
          'deletion. Disable deletion protection first.',
      )
    }
    const output = await this.call(region, 'DeleteTable', { TableName: name })
    const described = this.#described(region, name, output['TableDescription'])
    this.#records.delete(`${region}/${name}`)
    return { TableDescription: described }
  }

  async update(region: string, input: JsonObject): Promise<JsonObject> {
    const name = requiredString(input, 'TableName')
    const record = this.record(region, name)
    const protection = optionalBoolean(input, 'DeletionProtectionEnabled')
    const inner = without(input, ['DeletionProtectionEnabled'])
    const changesMore = Object.keys(inner).length > 1
    if (changesMore) await this.call(region, 'UpdateTable', inner)
    if (protection !== undefined) record.deletionProtection = protection
    const output = await this.call(region, 'DescribeTable', { TableName: name })
    return { TableDescription: this.#described(region, name, output['Table']) }
  }

  async describe(region: string, name: string): Promise<JsonObject> {
    const output = await this.call(region, 'DescribeTable', { TableName: name })
    const items = await this.items(region, name)
    const sizes = items.map(itemBytes)
    return {
      Table: {
        ...this.#described(region, name, output['Table']),
        ItemCount: items.length,
        TableSizeBytes: sizes.reduce((sum, size) => sum + size, 0),
      },
    }
  }

  /** Waits until a table is ACTIVE: dynalite has it so in a timer, 0 ms after its answer. */
  async active(region: string, name: string): Promise<void> {
    await this.#reaches(async () => {
      const output = await this.call(region, 'DescribeTable', { TableName: name })
      return optionalObject(output, 'Table')?.['TableStatus'] === 'ACTIVE'
    })
  }

  /** Waits until a deleted table is gone and its name is free. */
  async gone(region: string, name: string): Promise<void> {
    await this.#reaches(async () => {
      try {
        await this.call(region, 'DescribeTable', { TableName: name })
        return false
      } catch (error) {
        if (error instanceof CloudError && error.code === 'ResourceNotFoundException') return true
        throw error
      }
    })
  }

  async #reaches(isThere: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 400; attempt += 1) {
      if (await isThere()) return
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new CloudError('InternalFailure', 'the table did not reach its state', 500)
  }

  /** Every item of a table. */
  async items(region: string, name: string): Promise<readonly JsonObject[]> {
    const items: JsonObject[] = []
    let start: JsonObject | undefined
    do {
      const input = {
        TableName: name,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }
      const page = await this.call(region, 'Scan', input)
      for (const item of optionalList(page, 'Items') ?? []) if (isObject(item)) items.push(item)
      if (items.length > TABLE_ITEMS_MAX) {
        throw new CloudError('InternalFailure', "the table is past the lab's limit of items", 500)
      }
      start = optionalObject(page, 'LastEvaluatedKey')
    } while (start !== undefined)
    return items
  }

  /** Puts items in batches; used by restores. */
  async putItems(region: string, name: string, items: readonly JsonObject[]): Promise<void> {
    for (let at = 0; at < items.length; at += BATCH_WRITES_MAX) {
      const writes = items
        .slice(at, at + BATCH_WRITES_MAX)
        .map((item) => ({ PutRequest: { Item: item } }))
      await this.call(region, 'BatchWriteItem', { RequestItems: { [name]: writes } })
    }
  }

  #described(region: string, name: string, description: Json | undefined): JsonObject {
    const table = isObject(description) ? description : {}
    const { deletionProtection, id } = this.record(region, name)
    return { ...table, TableId: id, DeletionProtectionEnabled: deletionProtection }
  }

  /** dynalite names every table arn:aws:dynamodb:<process region>:000000000000. */
  #withLabArns(region: string, output: JsonObject): JsonObject {
    const rename = (table: Json | undefined): Json | undefined => {
      if (!isObject(table) || typeof table['TableName'] !== 'string') return table
      const arn = tableArn(region, table['TableName'])
      const renamed: { [key: string]: Json } = { ...table, TableArn: arn }
      for (const kind of ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes']) {
        const indexes = optionalList(table, kind)
        if (indexes === undefined) continue
        renamed[kind] = indexes.map((index) =>
          isObject(index)
            ? { ...index, IndexArn: `${arn}/index/${String(index['IndexName'])}` }
            : index,
        )
      }
      return renamed
    }
    const out: { [key: string]: Json } = { ...output }
    for (const member of ['Table', 'TableDescription']) {
      const table = rename(out[member])
      if (table !== undefined) out[member] = table
    }
    return out
  }
}

/**
 * Bytes of one item as DynamoDB counts them.
 * Source:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: JsonObject): number {
  let bytes = 0
  for (const [name, value] of Object.entries(item)) {
    bytes += Buffer.byteLength(name) + valueBytes(value)
  }
  return bytes
}

function valueBytes(value: Json): number {
  if (!isObject(value)) return 0
  const [kind, inner] = Object.entries(value)[0] ?? ['', null]
  const list = Array.isArray(inner) ? (inner as readonly Json[]) : []
  switch (kind) {
    case 'S':
      return Buffer.byteLength(String(inner))
    case 'N':
      return numberBytes(String(inner))
    case 'B':
      return Buffer.from(String(inner), 'base64').length
    case 'BOOL':
    case 'NULL':
      return 1
    case 'SS':
      return list.reduce((sum: number, text) => sum + Buffer.byteLength(String(text)), 0)
    case 'NS':
      return list.reduce((sum: number, text) => sum + numberBytes(String(text)), 0)
    case 'BS':
      return list.reduce((sum: number, text) => sum + Buffer.from(String(text), 'base64').length, 0)
    case 'L':
      return list.reduce((sum: number, element) => sum + 1 + valueBytes(element), 3)
    case 'M':
      return 3 + (isObject(inner) ? itemBytes(inner) + Object.keys(inner).length : 0)
    default:
      return 0
  }
}

/** About one byte per two significant digits, and one more. */
function numberBytes(text: string): number {
  const digits = text
    .replace(/^-/, '')
    .replace(/[eE].*$/, '')
    .replace('.', '')
  return Math.ceil(digits.replace(/^0+|0+$/g, '').length / 2) + 1
}

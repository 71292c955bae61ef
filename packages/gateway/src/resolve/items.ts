// Looks at the items that a DynamoDB write would change: each as it is now, its hash in the binding, so
// that what was shown is what is changed. Sends GetItem alone (and the look at each table).
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { canonicalJson, digestOf } from '../lib/canonical-json.ts'
import { bytesInWords, counted, quoted } from './amounts.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Look } from './look.ts'
import { asObject, depthOf, listAt, memberAt, objectAt, textAt } from './member.ts'
import type { Part } from './part.ts'
import { dynamodbCall } from './read-call.ts'
import { lookAtTable, type TableLook, tableName } from './table.ts'

/** TransactWriteItems takes 100 actions, BatchWriteItem 25 writes; no call changes more items.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
export const MAX_ITEMS_READ = 100
/** Most bytes of canonical JSON of the items as they are now that a reviewer is shown. */
export const MAX_BEFORE_BYTES = 16 * 1024
/** Deepest nesting that is shown: the review document around it must stay readable JSON. */
export const MAX_BEFORE_DEPTH = 40

type WriteKind = 'put' | 'update' | 'delete'

interface ItemWrite {
  readonly kind: WriteKind
  readonly table: string
  /** For `put` the whole item, whose key attributes the table names; else the key. */
  readonly item: JsonObject
}

interface ItemLook {
  readonly write: ItemWrite
  readonly binding: JsonObject
  readonly finding: Finding
  readonly key: JsonObject | null
  /** undefined = could not look. */
  readonly now: JsonObject | null | undefined
}

const FATES: Readonly<Record<WriteKind, Fate>> = {
  put: 'overwritten',
  update: 'changed',
  delete: 'deleted',
}

/** PutItem, UpdateItem, DeleteItem, BatchWriteItem, TransactWriteItems. */
export async function resolveItems(action: Action, look: Look): Promise<Part> {
  const writes = writesOf(action)
  if (writes === null || writes.length > MAX_ITEMS_READ) {
    const why = writes === null ? 'its parameters name no item' : 'there are too many'
    look.missed(`could not read the items that this would change: ${why}`)
    return {
      binding: { items: { unread: why } },
      findings: [],
      addedEffects: ['destroy'],
      before: null,
    }
  }
  const names = [...new Set(writes.map((write) => write.table))].sort()
  const looks = await Promise.all(
    names.map((name) => lookAtTable(look, action.region, name, 'changed', false)),
  )
  const tables = new Map(names.map((name, at) => [name, looks[at] as TableLook]))
  const items = await Promise.all(
    writes.map((write) => lookAtItem(look, action.region, write, tables)),
  )
  const before = beforeOf(look, items)
  return {
    binding: {
      tables: looks.map((table) => table.identity),
      items: items.map((item) => item.binding),
    },
    findings: items.map((item) => findingBeside(item, before)),
    addedEffects: items.flatMap(addedEffect),
    before,
  }
}

/** An update whose values before are on the record can be written back from it. */
function findingBeside(item: ItemLook, before: JsonObject | null): Finding {
  const shown = before !== null && item.write.kind === 'update' && item.now !== undefined
  return shown ? { ...item.finding, undo: 'yes' } : item.finding
}

/** A put over an item loses all of it; DynamoDB keeps no versions. Not knowing counts as losing. */
function addedEffect(item: ItemLook): Effect[] {
  return item.write.kind !== 'update' && item.now !== null ? ['destroy'] : []
}

function writesOf(action: Action): ItemWrite[] | null {
  const { parameters } = action
  const operation = action.operation.slice(action.operation.indexOf(':') + 1)
  const single = (kind: WriteKind, member: string): ItemWrite[] | null => {
    const write = writeOf(kind, textAt(parameters, 'TableName'), objectAt(parameters, member))
    return write === null ? null : [write]
  }
  if (operation === 'PutItem') return single('put', 'Item')
  if (operation === 'UpdateItem') return single('update', 'Key')
  if (operation === 'DeleteItem') return single('delete', 'Key')
  if (operation === 'BatchWriteItem') return batchWrites(objectAt(parameters, 'RequestItems'))
  return transactWrites(listAt(parameters, 'TransactItems'))
}

function writeOf(kind: WriteKind, table: string | null, item: JsonObject | null): ItemWrite | null {
  return table === null || item === null ? null : { kind, table, item }
}

function batchWrites(tables: JsonObject | null): ItemWrite[] | null {
  if (tables === null) return null
  const writes = Object.keys(tables).flatMap((table) =>
    (listAt(tables, table) ?? [null]).map((entry) => {
      const request = asObject(entry)
      const put = objectAt(objectAt(request, 'PutRequest'), 'Item')
      if (put !== null) return writeOf('put', table, put)
      return writeOf('delete', table, objectAt(objectAt(request, 'DeleteRequest'), 'Key'))
    }),
  )
  return allThere(writes)
}

function transactWrites(entries: readonly Json[] | null): ItemWrite[] | null {
  if (entries === null) return null
  const writes = entries.flatMap((entry) => {
    const request = asObject(entry)
    // A ConditionCheck changes nothing.
    if (objectAt(request, 'ConditionCheck') !== null) return []
    for (const [member, kind, part] of TRANSACT_MEMBERS) {
      const inner = objectAt(request, member)
      if (inner !== null) return [writeOf(kind, textAt(inner, 'TableName'), objectAt(inner, part))]
    }
    return [null]
  })
  return allThere(writes)
}

const TRANSACT_MEMBERS = [
  ['Put', 'put', 'Item'],
  ['Update', 'update', 'Key'],
  ['Delete', 'delete', 'Key'],
] as const

function allThere(writes: (ItemWrite | null)[]): ItemWrite[] | null {
  return writes.length > 0 && writes.every((write) => write !== null) ? writes : null
}

async function lookAtItem(
  look: Look,
  region: string,
  write: ItemWrite,
  tables: ReadonlyMap<string, TableLook>,
): Promise<ItemLook> {
  const table = tables.get(write.table)
  const key = keyOf(write, table?.keyNames ?? null)
  const name = `${tableName(write.table)}${key === null ? '' : ` · ${keyInWords(key)}`}`
  // The key enters as a hash: its attribute names are somebody's choice, and one could be `unread`.
  const place = { table: tableName(write.table), key: key === null ? null : digestOf(key) }
  const what = `the item ${quoted(name)}`
  if (table?.state === 'absent')
    return itemLook(write, key, table, name, { ...place, absent: true }, null)
  if (table === undefined || key === null) {
    // The table's own look has said why its key could not be read.
    const unread = { ...place, unread: 'no answer' }
    look.missed(`could not read ${what}: the key of its table is not known`)
    return itemLook(write, key, table, name, unread, undefined)
  }
  const input = { TableName: write.table, Key: key, ConsistentRead: true }
  const looked = await look.json(dynamodbCall(region, 'GetItem', input), [])
  const item = looked.found === 'yes' ? memberAt(looked.value, 'Item') : null
  if (looked.found === 'yes' && item === undefined) {
    return itemLook(write, key, table, name, { ...place, absent: true }, null)
  }
  const now = asObject(item)
  if (now === null) {
    const why = looked.found === 'unknown' ? looked.why : 'unreadable'
    const unread = { ...place, ...look.missedBecause(what, why) }
    return itemLook(write, key, table, name, unread, undefined)
  }
  return itemLook(write, key, table, name, { ...place, sha256: digestOf(now) }, now)
}

function itemLook(
  write: ItemWrite,
  key: JsonObject | null,
  table: TableLook | undefined,
  name: string,
  binding: JsonObject,
  now: JsonObject | null | undefined,
): ItemLook {
  const fate: Fate = now === null && write.kind !== 'delete' ? 'created' : FATES[write.kind]
  const undo = now === null ? 'yes' : (table?.backups.undo ?? 'unknown')
  const finding: Finding = {
    type: 'item',
    name,
    holds: contentsInWords(now),
    holdsData: now === undefined ? null : now !== null,
    protectedFromDeletion: false,
    lastBackup: table?.backups.last ?? null,
    undo,
    fate,
  }
  return { write, binding, finding, key, now }
}

function contentsInWords(now: JsonObject | null | undefined): string | null {
  if (now === undefined) return null
  if (now === null) return 'nothing: it does not exist'
  const bytes = Buffer.byteLength(canonicalJson(now))
  return `${counted(Object.keys(now).length, 'attribute')} · ${bytesInWords(bytes)}`
}

function keyOf(write: ItemWrite, keyNames: readonly string[] | null): JsonObject | null {
  if (write.kind !== 'put') return write.item
  if (keyNames === null) return null
  const values = keyNames.map((name) => [name, memberAt(write.item, name)] as const)
  if (values.some(([, value]) => value === undefined)) return null
  return Object.fromEntries(values.map(([name, value]) => [name, value ?? null]))
}

/** `{"report":{"S":"august"}}` is `report=august`. */
function keyInWords(key: JsonObject): string {
  return Object.keys(key)
    .sort()
    .map((name) => {
      const typed = objectAt(key, name)
      const value = textAt(typed, 'S') ?? textAt(typed, 'N') ?? textAt(typed, 'B') ?? '?'
      return `${name}=${value}`
    })
    .join(', ')
}

function beforeOf(look: Look, items: readonly ItemLook[]): JsonObject | null {
  const shown: Json = items
    .filter((item) => item.now !== undefined)
    .map((item) => ({
      table: tableName(item.write.table),
      key: item.key,
      item: item.now ?? null,
    }))
  if (shown.length === 0) return null
  if (depthOf(shown) > MAX_BEFORE_DEPTH) {
    look.missed(`what is there now is nested deeper than ${MAX_BEFORE_DEPTH} and is not shown`)
    return null
  }
  if (Buffer.byteLength(canonicalJson(shown)) > MAX_BEFORE_BYTES) {
    look.missed(
      `what is there now is larger than ${bytesInWords(MAX_BEFORE_BYTES)} and is not shown`,
    )
    return null
  }
  return { items: shown }
}

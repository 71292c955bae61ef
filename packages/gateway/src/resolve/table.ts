// Looks at one DynamoDB table: what identifies it (binding), what it holds, whether it is protected
// and how old its newest backup is. Sends reads only, through Look.
import type { JsonObject } from '@seconder/aws/call'
import { bytesInWords, counted, isoTime, quoted } from './amounts.ts'
import type { Fate, Finding } from './evidence.ts'
import type { Look, Looked } from './look.ts'
import { asObject, countAt, flagAt, listAt, objectAt, secondsAt, textAt } from './member.ts'
import { dynamodbCall } from './read-call.ts'

/** Most pages of 100 backups that are read; past them the newest seen still counts. */
export const MAX_BACKUP_PAGES = 3

const TABLE_ABSENT = ['ResourceNotFoundException', 'TableNotFoundException']

export interface TableLook {
  readonly name: string
  readonly state: 'there' | 'absent' | 'unread'
  /** Table id, ARN and creation time, `{name, absent}` or `{name, unread}`. */
  readonly identity: JsonObject
  readonly finding: Finding
  /** Names of the key attributes, partition key first; null = could not look. */
  readonly keyNames: readonly string[] | null
  readonly description: JsonObject | null
  readonly backups: Backups
}

export interface Backups {
  readonly last: string | null
  readonly pointInTime: boolean | null
  readonly undo: 'from-backup' | 'no' | 'unknown'
}

/** `arn:aws:dynamodb:eu-west-1:123456789012:table/orders` and `orders` are both `orders`. */
export function tableName(nameOrArn: string): string {
  const mark = nameOrArn.indexOf(':table/')
  return mark === -1 ? nameOrArn : (nameOrArn.slice(mark + 7).split('/', 1)[0] ?? nameOrArn)
}

/** `countItems`: false where only the identity and the backups matter, as for a write of one item. */
export async function lookAtTable(
  look: Look,
  region: string,
  nameOrArn: string,
  fate: Fate,
  countItems: boolean,
): Promise<TableLook> {
  const name = tableName(nameOrArn)
  const [described, backupsRead] = await Promise.all([
    look.json(dynamodbCall(region, 'DescribeTable', { TableName: nameOrArn }), TABLE_ABSENT),
    readBackups(look, region, nameOrArn),
  ])
  if (described.found === 'no') return absentTable(name, fate)
  const table = described.found === 'yes' ? objectAt(described.value, 'Table') : null
  if (table === null) {
    const why = described.found === 'unknown' ? described.why : 'unreadable'
    const mark = look.missedBecause(`table ${quoted(name)}`, why)
    const backups = backupsOf(backupsRead, null)
    return {
      name,
      state: 'unread',
      identity: { name, ...mark },
      finding: {
        ...row(name, fate),
        holds: null,
        holdsData: null,
        protectedFromDeletion: null,
        lastBackup: backups.last,
        undo: backups.undo,
      },
      keyNames: null,
      description: null,
      backups,
    }
  }
  const backups = backupsOf(backupsRead, textAt(table, 'TableId'))
  const contents = countItems
    ? await contentsOf(look, region, nameOrArn, table)
    : { holds: sizeInWords(table), holdsData: null }
  return {
    name,
    state: 'there',
    identity: identityOf(look, name, table),
    finding: {
      ...row(name, fate),
      ...contents,
      protectedFromDeletion: protectionOf(look, name, table),
      lastBackup: backups.last,
      undo: contents.holdsData === false ? 'yes' : backups.undo,
    },
    keyNames: keyNamesOf(table),
    description: table,
    backups,
  }
}

function row(name: string, fate: Fate): { type: string; name: string; fate: Fate } {
  return { type: 'table', name, fate }
}

function absentTable(name: string, fate: Fate): TableLook {
  return {
    name,
    state: 'absent',
    identity: { name, absent: true },
    finding: {
      ...row(name, fate),
      holds: 'nothing: it does not exist',
      holdsData: false,
      protectedFromDeletion: false,
      lastBackup: '–',
      undo: 'yes',
    },
    keyNames: null,
    description: null,
    backups: { last: '–', pointInTime: false, undo: 'no' },
  }
}

function identityOf(look: Look, name: string, table: JsonObject): JsonObject {
  const tableId = textAt(table, 'TableId')
  const tableArn = textAt(table, 'TableArn')
  const created = secondsAt(table, 'CreationDateTime')
  // One of the two tells a table from its successor of the same name.
  if (tableArn === null || (tableId === null && created === null)) {
    return { name, ...look.missedBecause(`the identity of table ${quoted(name)}`, 'unreadable') }
  }
  return { name, tableId, tableArn, created }
}

function protectionOf(look: Look, name: string, table: JsonObject): boolean | null {
  const on = flagAt(table, 'DeletionProtectionEnabled')
  if (on === null) look.missedBecause(`deletion protection of table ${quoted(name)}`, 'unreadable')
  return on
}

function keyNamesOf(table: JsonObject): string[] | null {
  const schema = listAt(table, 'KeySchema')
  if (schema === null || schema.length === 0) return null
  const names = schema.map((key) => textAt(asObject(key), 'AttributeName'))
  return names.every((name) => name !== null) ? names : null
}

function sizeInWords(table: JsonObject): string | null {
  const items = countAt(table, 'ItemCount')
  const bytes = countAt(table, 'TableSizeBytes')
  if (items === null || bytes === null) return null
  return `${counted(items, 'item')} · ${bytesInWords(bytes)}`
}

/**
 * ItemCount is some six hours old, so a zero says nothing: one item is looked for, and only counted.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
 */
async function contentsOf(
  look: Look,
  region: string,
  nameOrArn: string,
  table: JsonObject,
): Promise<{ holds: string | null; holdsData: boolean | null }> {
  const words = sizeInWords(table)
  const items = countAt(table, 'ItemCount')
  if (items === null || words === null) {
    look.missedBecause(`the size of table ${quoted(tableName(nameOrArn))}`, 'unreadable')
    return { holds: null, holdsData: null }
  }
  if (items > 0) return { holds: words, holdsData: true }
  const input = { TableName: nameOrArn, Limit: 1, Select: 'COUNT', ConsistentRead: true }
  const probe = await look.json(dynamodbCall(region, 'Scan', input), TABLE_ABSENT)
  const seen = probe.found === 'yes' ? countAt(probe.value, 'Count') : null
  if (seen !== null) {
    return seen > 0
      ? { holds: 'at least 1 item, not counted yet', holdsData: true }
      : { holds: words, holdsData: false }
  }
  const why = probe.found === 'unknown' ? probe.why : 'unreadable'
  look.missedBecause(`whether table ${quoted(tableName(nameOrArn))} is empty now`, why)
  return { holds: `${words} at the last count, up to 6 hours ago`, holdsData: null }
}

interface BackupsRead {
  readonly pointInTime: { on: boolean; latest: string | null } | null
  readonly onDemand: readonly BackupRead[]
  readonly onDemandComplete: boolean
}

interface BackupRead {
  readonly made: string
  readonly tableId: string | null
}

async function readBackups(look: Look, region: string, nameOrArn: string): Promise<BackupsRead> {
  const [pointInTime, listed] = await Promise.all([
    pointInTimeOf(look, region, nameOrArn),
    onDemandBackups(look, region, nameOrArn),
  ])
  return { pointInTime, onDemand: listed.backups, onDemandComplete: listed.complete }
}

/** A backup of an earlier table of the same name holds that table's data, not this one's. */
function backupsOf(read: BackupsRead, tableId: string | null): Backups {
  const ours = read.onDemand
    .filter((backup) => backup.tableId === null || tableId === null || backup.tableId === tableId)
    .map((backup) => backup.made)
  const latest = read.pointInTime?.latest ?? null
  const newest = [...ours, ...(latest === null ? [] : [latest])].sort().at(-1) ?? null
  const pointInTime = read.pointInTime?.on ?? null
  if (newest !== null) return { last: newest, pointInTime, undo: 'from-backup' }
  if (pointInTime === false && read.onDemandComplete) {
    return { last: 'none', pointInTime, undo: 'no' }
  }
  return { last: null, pointInTime, undo: 'unknown' }
}

async function pointInTimeOf(
  look: Look,
  region: string,
  nameOrArn: string,
): Promise<{ on: boolean; latest: string | null } | null> {
  const call = dynamodbCall(region, 'DescribeContinuousBackups', { TableName: nameOrArn })
  const looked = await look.json(call, TABLE_ABSENT)
  if (looked.found === 'no') return { on: false, latest: null }
  const described =
    looked.found === 'yes' ? objectAt(looked.value, 'ContinuousBackupsDescription') : null
  const recovery = objectAt(described, 'PointInTimeRecoveryDescription')
  const status = textAt(recovery, 'PointInTimeRecoveryStatus')
  if (status === 'ENABLED') {
    return { on: true, latest: isoTime(secondsAt(recovery, 'LatestRestorableDateTime')) }
  }
  if (status === 'DISABLED') return { on: false, latest: null }
  const why = looked.found === 'unknown' ? looked.why : 'unreadable'
  look.missedBecause(`point-in-time recovery of table ${quoted(tableName(nameOrArn))}`, why)
  return null
}

async function onDemandBackups(
  look: Look,
  region: string,
  nameOrArn: string,
): Promise<{ backups: BackupRead[]; complete: boolean }> {
  const what = `the backups of table ${quoted(tableName(nameOrArn))}`
  const backups: BackupRead[] = []
  let start: string | null = null
  for (let page = 0; page < MAX_BACKUP_PAGES; page += 1) {
    const input: JsonObject = {
      TableName: nameOrArn,
      BackupType: 'ALL',
      ...(start === null ? {} : { ExclusiveStartBackupArn: start }),
    }
    const looked: Looked<JsonObject> = await look.json(
      dynamodbCall(region, 'ListBackups', input),
      TABLE_ABSENT,
    )
    if (looked.found === 'no') return { backups, complete: true }
    const listed = looked.found === 'yes' ? listAt(looked.value, 'BackupSummaries') : null
    if (looked.found !== 'yes' || listed === null) {
      look.missedBecause(what, looked.found === 'unknown' ? looked.why : 'unreadable')
      return { backups, complete: false }
    }
    for (const entry of listed) {
      const backup = asObject(entry)
      const made = isoTime(secondsAt(backup, 'BackupCreationDateTime'))
      if (textAt(backup, 'BackupStatus') !== 'AVAILABLE' || made === null) continue
      backups.push({ made, tableId: textAt(backup, 'TableId') })
    }
    start = textAt(looked.value, 'LastEvaluatedBackupArn')
    if (start === null) return { backups, complete: true }
  }
  look.missed(`${what} are more than were read`)
  return { backups, complete: false }
}

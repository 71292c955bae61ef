// Makes the Evidence of what changes a whole DynamoDB table: DeleteTable, UpdateTable, UpdateTimeToLive,
// UpdateContinuousBackups. What the current settings turn into a loss is said as `destroy`.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { digestOf } from '../lib/canonical-json.ts'
import type { Fate } from './evidence.ts'
import type { Look } from './look.ts'
import {
  asObject,
  flagAt,
  listAt,
  memberAt,
  objectAt,
  textAt,
  withPlainFractions,
} from './member.ts'
import type { Part } from './part.ts'
import { lookAtTable, type TableLook } from './table.ts'

// Members of TableDescription that UpdateTable can change; a reviewer sees them as they are now.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
const SETTINGS = [
  'AttributeDefinitions',
  'BillingModeSummary',
  'DeletionProtectionEnabled',
  'OnDemandThroughput',
  'SSEDescription',
  'StreamSpecification',
  'TableClassSummary',
] as const

/** One table, by its name or ARN in `TableName`. */
export async function resolveTable(action: Action, look: Look): Promise<Part> {
  const name = textAt(action.parameters, 'TableName')
  const deletes = action.operation === 'dynamodb:DeleteTable'
  if (name === null) {
    look.missed('could not read the table: the parameters name none')
    const binding = { table: { unread: 'the parameters name no table' } }
    return { binding, findings: [], addedEffects: ['destroy'], before: null }
  }
  const fate: Fate = deletes ? 'deleted' : 'changed'
  const table = await lookAtTable(look, action.region, name, fate, true)
  const before = action.operation === 'dynamodb:UpdateTable' ? settingsOf(table) : null
  return {
    binding: {
      table: table.identity,
      ...(before === null ? {} : { settings: digestOf(before) }),
      // What makes turning recovery off a loss is bound with it.
      ...(action.operation === 'dynamodb:UpdateContinuousBackups'
        ? { recovery: recoveryOf(table) }
        : {}),
    },
    findings: [deletes ? table.finding : kept(table, action)],
    addedEffects: addedEffects(action, table),
    before: before === null ? null : { settings: before },
  }
}

function recoveryOf(table: TableLook): Json {
  const { pointInTime } = table.backups
  return pointInTime ?? { unread: 'no answer' }
}

function settingsOf(table: TableLook): JsonObject | null {
  if (table.description === null) return null
  const present = SETTINGS.map((name) => [name, memberAt(table.description, name)] as const)
  const settings = present.filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    settings.map(([name, value]) => [name, withPlainFractions(value ?? null)]),
  )
}

/** A change of settings leaves the items; whether it can be taken back depends on the change. */
function kept(table: TableLook, action: Action): TableLook['finding'] {
  if (table.state !== 'there') return table.finding
  return addedEffects(action, table).length > 0
    ? { ...table.finding, undo: 'no' }
    : { ...table.finding, undo: 'unknown' }
}

function addedEffects(action: Action, table: TableLook): Effect[] {
  if (table.state === 'absent') return []
  const { parameters } = action
  switch (action.operation) {
    case 'dynamodb:DeleteTable':
      return ['destroy']
    case 'dynamodb:UpdateTable':
      return deletesReplicaOrIndex(parameters) ? ['destroy'] : []
    case 'dynamodb:UpdateTimeToLive':
      return flagAt(objectAt(parameters, 'TimeToLiveSpecification'), 'Enabled') === false
        ? []
        : ['destroy']
    default:
      // Turning recovery off deletes the history; where it is off already nothing is lost.
      // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
      return turnsRecoveryOff(parameters) && table.backups.pointInTime !== false ? ['destroy'] : []
  }
}

function turnsRecoveryOff(parameters: JsonObject): boolean {
  const wanted = objectAt(parameters, 'PointInTimeRecoverySpecification')
  return flagAt(wanted, 'PointInTimeRecoveryEnabled') !== true
}

function deletesReplicaOrIndex(parameters: JsonObject): boolean {
  const updates = [
    ...(listAt(parameters, 'ReplicaUpdates') ?? []),
    ...(listAt(parameters, 'GlobalSecondaryIndexUpdates') ?? []),
  ]
  return updates.some((update) => memberAt(asObject(update), 'Delete') !== undefined)
}

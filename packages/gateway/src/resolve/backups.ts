// The newest backup of a thing that outlives it: its own backups by its row, and what AWS Backup has of
// it. A backup that would go with the thing restores nothing and does not count.
import type { Json, JsonObject } from '@seconder/aws/call'
import { partitionOf } from '@seconder/aws/endpoints/endpoint'
import { quoted } from './amounts.ts'
import { hasPlace, objectsAt, oneText, oneTime } from './answer-member.ts'
import {
  type Backups,
  filled,
  isWhere,
  type Kind,
  type Place,
  type Target,
  type Touched,
} from './kind.ts'
import { RECOVERY_POINTS } from './kinds.ts'
import type { Look } from './look.ts'
import { asObject } from './member.ts'
import { readModel } from './model-look.ts'

/** `last`: ISO time, `none`, or null where not all could be looked at. */
export interface NewestBackup {
  readonly last: string | null
}

export async function newestBackup(
  look: Look,
  place: Place,
  kind: Kind,
  target: Target,
  described: JsonObject,
  touch: Touched | null,
): Promise<NewestBackup> {
  const arn = kind.backedUp === true ? arnOf(kind, place, target, described) : null
  const what = `the backups of ${kind.noun} ${quoted(target.name)}`
  const lists = await Promise.all([
    ...(kind.backups ?? []).map((row) => listed(look, place, row, target, described, what)),
    ...(arn === null ? [] : [recoveryPoints(look, place, arn, what)]),
  ])
  const own = continuousOf(kind, described, touch)
  const times = [...lists.flatMap((list) => list ?? []), ...(own === null ? [] : [own])].sort()
  const newest = times.at(-1)
  if (newest !== undefined) return { last: newest }
  return { last: lists.some((list) => list === null) ? null : 'none' }
}

/** Automated backups go with the instance unless the call keeps them; within a stack they go.
 * Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html */
function continuousOf(kind: Kind, described: JsonObject, touch: Touched | null): string | null {
  if (kind.continuous === undefined || touch === null) return null
  const { row, parameters } = touch
  const loses = row.losesContinuous
  if (loses !== undefined && oneText(parameters, loses.path) !== loses.unless) return null
  return oneTime(described, kind.continuous)
}

async function listed(
  look: Look,
  place: Place,
  row: Backups,
  target: Target,
  described: JsonObject,
  what: string,
): Promise<string[] | null> {
  const input = asObject(filled(row.input, target, described))
  if (input === null) return null
  const looked = await readModel(look, place.region, row.read, input, [], true)
  if (looked.found === 'no') return []
  if (looked.found === 'unknown' || !hasPlace(looked.value, row.at)) {
    look.missedBecause(what, looked.found === 'unknown' ? looked.why : 'unreadable')
    return null
  }
  return timesOf(objectsAt(looked.value, row.at), row)
}

function timesOf(all: readonly JsonObject[], row: Pick<Backups, 'time' | 'where'>): string[] {
  return all
    .filter((one) => row.where === undefined || isWhere(one, row.where))
    .map((one) => oneTime(one as Json, row.time))
    .filter((time) => time !== null)
}

/** Recovery points of any resource that AWS Backup looks after: null = could not look. */
export async function recoveryPoints(
  look: Look,
  place: Place,
  arn: string,
  what: string,
): Promise<string[] | null> {
  const input = { ResourceArn: arn }
  const absent = ['ResourceNotFoundException']
  const looked = await readModel(look, place.region, RECOVERY_POINTS, input, absent, true)
  if (looked.found === 'no') return []
  if (looked.found === 'unknown' || !hasPlace(looked.value, 'RecoveryPoints')) {
    const why = looked.found === 'unknown' ? looked.why : 'unreadable'
    look.missedBecause(`${what} in AWS Backup`, why)
    return null
  }
  const row = { time: 'CreationDate', where: { path: 'Status', in: ['COMPLETED'] } }
  return timesOf(objectsAt(looked.value, 'RecoveryPoints'), row)
}

/** Its ARN as the row says; null where it cannot be told. */
export function arnOf(
  kind: Kind,
  place: Place,
  target: Target,
  described: JsonObject,
): string | null {
  if (kind.arn === undefined) return null
  if (kind.arn.startsWith('@') || kind.arn === '$') {
    const arn = filled(kind.arn, target, described)
    return typeof arn === 'string' && arn.startsWith('arn:') ? arn : null
  }
  return kind.arn
    .replace('{partition}', partitionOf(place.region) ?? 'aws')
    .replace('{region}', place.region)
    .replace('{account}', place.account)
    .replace('$', () => target.name)
}

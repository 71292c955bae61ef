// Makes the Evidence of ChangeResourceRecordSets: each record as it is now beside what it would become.
// A record that leads traffic away, or goes, stops what it serves; UPSERT over a record overwrites it.
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action, Effect } from '../describe/action.ts'
import { quoted } from './amounts.ts'
import { hasPlace, objectsAt, oneText, textsAt } from './answer-member.ts'
import type { Fate, Finding } from './evidence.ts'
import { RECORDS } from './kinds.ts'
import type { Look } from './look.ts'
import { textAt } from './member.ts'
import { readModel } from './model-look.ts'
import type { Part } from './part.ts'

/** Records of one call that are looked at; more are said not to have been. */
export const MAX_RECORDS = 100

interface Change {
  readonly verb: string
  readonly name: string
  readonly type: string
  readonly setIdentifier: string | null
  /** Values as they would be. */
  readonly wanted: readonly string[]
}

/** Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html */
export async function resolveRecords(action: Action, look: Look): Promise<Part> {
  const zone = textAt(action.parameters, 'HostedZoneId')
  const changes = objectsAt(action.parameters, 'ChangeBatch.Changes').map(changeOf)
  if (zone === null || changes.length === 0 || changes.length > MAX_RECORDS) {
    const why = changes.length > MAX_RECORDS ? 'there are too many' : 'its parameters name none'
    look.missed(`could not read the records that this would change: ${why}`)
    const binding = { records: { unread: why } }
    return { binding, findings: [], addedEffects: ['stop'], before: null }
  }
  const looks = await Promise.all(
    changes.map((change) => lookAtRecord(look, action.region, zone, change)),
  )
  const before = looks.flatMap(({ shown }) => shown)
  return {
    binding: { zone, records: looks.map(({ binding }) => binding) },
    findings: looks.map(({ finding }) => finding),
    addedEffects: looks.flatMap(({ effects }) => effects),
    before: before.length === 0 ? null : { records: before },
  }
}

function changeOf(change: JsonObject): Change {
  return {
    verb: oneText(change, 'Action') ?? '',
    name: withDot((oneText(change, 'ResourceRecordSet.Name') ?? '').toLowerCase()),
    type: oneText(change, 'ResourceRecordSet.Type') ?? '',
    setIdentifier: oneText(change, 'ResourceRecordSet.SetIdentifier'),
    wanted: [
      ...textsAt(change, 'ResourceRecordSet.ResourceRecords.Value'),
      ...textsAt(change, 'ResourceRecordSet.AliasTarget.DNSName'),
    ],
  }
}

function withDot(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}

interface RecordLook {
  readonly binding: JsonObject
  readonly finding: Finding
  readonly effects: readonly Effect[]
  readonly shown: readonly Json[]
}

async function lookAtRecord(
  look: Look,
  region: string,
  zone: string,
  change: Change,
): Promise<RecordLook> {
  const name = `${change.name} ${change.type}`
  const place = { name: change.name, type: change.type, set: change.setIdentifier }
  const input = {
    HostedZoneId: zone,
    StartRecordName: change.name,
    StartRecordType: change.type,
    ...(change.setIdentifier === null ? {} : { StartRecordIdentifier: change.setIdentifier }),
    MaxItems: '1',
  }
  const looked = await readModel(look, region, RECORDS, input, [])
  if (looked.found !== 'yes' || !hasPlace(looked.value, 'ResourceRecordSets')) {
    const why = looked.found === 'unknown' ? looked.why : 'unreadable'
    const mark = look.missedBecause(`record ${quoted(name)}`, why)
    return unreadRecord({ ...place, ...mark }, name, change)
  }
  const [first] = objectsAt(looked.value, 'ResourceRecordSets.ResourceRecordSet')
  const isSame =
    first !== undefined &&
    decoded(oneText(first, 'Name') ?? '') === change.name &&
    oneText(first, 'Type') === change.type &&
    oneText(first, 'SetIdentifier') === change.setIdentifier
  const now = isSame
    ? [
        ...textsAt(first, 'ResourceRecords.ResourceRecord.Value'),
        ...textsAt(first, 'AliasTarget.DNSName'),
      ]
    : null
  return knownRecord(place, name, change, now)
}

function knownRecord(
  place: JsonObject,
  name: string,
  change: Change,
  now: readonly string[] | null,
): RecordLook {
  const fate: Fate = now === null ? 'created' : change.verb === 'DELETE' ? 'deleted' : 'overwritten'
  const same = now !== null && now.join('\n') === change.wanted.join('\n')
  const leadsAway = fate === 'deleted' || (fate === 'overwritten' && !same)
  return {
    binding: { ...place, now: now === null ? null : [...now] },
    finding: {
      type: 'record',
      name,
      fate,
      holds: now === null ? '–' : now.map(quoted).join(', '),
      holdsData: false,
      protectedFromDeletion: false,
      lastBackup: '–',
      undo: 'yes',
      ...(fate === 'overwritten' && !same
        ? { notes: [`becomes ${change.wanted.map(quoted).join(', ')}`] }
        : {}),
    },
    effects: leadsAway ? ['stop'] : [],
    shown: now === null ? [] : [{ ...place, values: [...now] }],
  }
}

/** What could not be seen may be what serves everybody. */
function unreadRecord(binding: JsonObject, name: string, change: Change): RecordLook {
  return {
    binding,
    finding: {
      type: 'record',
      name,
      fate: change.verb === 'DELETE' ? 'deleted' : 'overwritten',
      holds: null,
      holdsData: null,
      protectedFromDeletion: null,
      lastBackup: null,
      undo: 'unknown',
    },
    effects: ['stop'],
    shown: [],
  }
}

/** Route 53 writes a star and other marks as octal. Source: its developer guide, DomainNameFormat. */
function decoded(name: string): string {
  return name
    .replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    .toLowerCase()
}

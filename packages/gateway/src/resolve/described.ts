// Looks at one thing of a kind by its row: which one it is and what the review depends on (binding), what
// it holds, protects and feeds, its newest backup and its tags (finding). Sends reads only, through Look.
import type { JsonObject } from '@seconder/aws/call'
import { quoted } from './amounts.ts'
import { hasPlace, objectsAt, oneText, textsAt } from './answer-member.ts'
import { newestBackup } from './backups.ts'
import type { Fate, Finding } from './evidence.ts'
import { holdsInWords, type Told, tellsOf } from './holding.ts'
import { filled, isWhere, type Kind, type Place, type Target, type Touched } from './kind.ts'
import type { Look } from './look.ts'
import { asObject } from './member.ts'
import { readModel } from './model-look.ts'
import { lookAtTags, type TagLook } from './tags.ts'

/** Most names that one finding says use the thing; the rest is counted. */
export const MAX_USES = 12

export interface KindLook {
  readonly state: 'there' | 'absent' | 'unread'
  readonly identity: JsonObject
  readonly finding: Finding
  /** Its description; null where there is none. */
  readonly described: JsonObject | null
  /** A tag says that it is production. */
  readonly tagged: boolean
}

/** `touch`: null where the thing is met as part of something, such as a stack. */
export async function lookAtKind(
  look: Look,
  place: Place,
  kind: Kind,
  target: Target,
  fate: Fate,
  touch: Touched | null,
): Promise<KindLook> {
  const input = asObject(filled(kind.input, target, null))
  const what = `${kind.noun} ${quoted(target.name)}`
  if (input === null) return unread(kind, target, fate, look.missedBecause(what, 'unreadable'))
  const answer = await readModel(look, place.region, kind.read, input, kind.absent)
  if (answer.found === 'unknown') {
    return unread(kind, target, fate, look.missedBecause(what, answer.why))
  }
  if (answer.found === 'no') return absent(kind, target, fate)
  const described = theOne(kind, target, answer.value)
  const identity = described === null ? {} : identityOf(kind, target, described)
  if (!hasPlace(answer.value, kind.at) || identity === null) {
    return unread(kind, target, fate, look.missedBecause(what, 'unreadable'))
  }
  if (described === null) return absent(kind, target, fate)
  const deletes = fate === 'deleted' || fate === 'overwritten' || fate === 'replaced'
  const [told, backup, tags] = await Promise.all([
    tellsOf(look, place, kind, target, described),
    deletes ? newestBackup(look, place, kind, target, described, touch) : null,
    lookAtTags(look, place, kind, target, described, touch !== null),
  ])
  const data = holdsDataOf(kind, described, told)
  const never = kind.data === 'never'
  const finding: Finding = {
    type: kind.noun,
    name: target.parent === null ? target.name : `${target.parent}/${target.name}`,
    fate,
    holds: holdsInWords(kind, described, told),
    holdsData: data,
    protectedFromDeletion: guardOf(kind, described, told),
    lastBackup: never ? '–' : backup === null ? '–' : backup.last,
    undo: undoOf(fate, data, backup),
    ...usesOf(kind, described, told, tags),
    ...notesOf(tags),
  }
  return { state: 'there', identity, finding, described, tagged: tags.production }
}

/** The described thing: the only one, or the one whose member is the name. */
function theOne(kind: Kind, target: Target, answer: JsonObject): JsonObject | null {
  const all = objectsAt(answer, kind.at).filter((one) => Object.keys(one).length > 0)
  const named = kind.is === undefined ? all : all.filter((one) => isNamed(kind, one, target.name))
  const [only] = named
  if (only === undefined || isWhere(only, kind.gone)) return null
  return only
}

function isNamed(kind: Kind, one: JsonObject, name: string): boolean {
  const is = oneText(one, kind.is ?? '')
  return is !== null && (is === name || name.endsWith(`:${is}`) || name.includes(`:${is}:`))
}

/** Null where nothing in the description tells it from a successor: then it was not read. */
function identityOf(kind: Kind, target: Target, described: JsonObject): JsonObject | null {
  const ids = kind.id.map((path) => [path, oneText(described, path)] as const)
  if (kind.id.length > 0 && ids.every(([, text]) => text === null)) return null
  const bound = (kind.bound ?? []).map(
    (path) => [path, [...textsAt(described, path)].sort()] as const,
  )
  return { kind: kind.noun, name: target.name, id: Object.fromEntries([...ids, ...bound]) }
}

function holdsDataOf(kind: Kind, described: JsonObject, told: Told): boolean | null {
  if (kind.data === 'always') return true
  if (kind.data === 'never') return false
  if (kind.data === 'told') return told.data
  const counts = kind.data.map((path) => oneText(described, path))
  if (counts.some((count) => count !== null && Number(count) > 0)) return true
  return counts.every((count) => count === '0') ? false : null
}

function guardOf(kind: Kind, described: JsonObject, told: Told): boolean | null {
  if (kind.guard !== undefined && isWhere(described, kind.guard)) return true
  return told.guarded
}

function undoOf(
  fate: Fate,
  data: boolean | null,
  backup: { readonly last: string | null } | null,
): Finding['undo'] {
  if (fate === 'created' || fate === 'kept') return 'yes'
  if (fate === 'changed') return 'unknown'
  if (data === false) return 'yes'
  if (backup === null || backup.last === null) return 'unknown'
  return backup.last === 'none' ? 'no' : 'from-backup'
}

function usesOf(
  kind: Kind,
  described: JsonObject,
  told: Told,
  tags: TagLook,
): { usedBy?: readonly string[] } {
  const inside = (kind.uses ?? []).flatMap(([noun, path]) =>
    textsAt(described, path).map((name) => `${noun} ${quoted(name)}`),
  )
  const all = [...new Set([...tags.owners, ...inside, ...told.uses])]
  if (all.length === 0) return {}
  const rest = all.length - MAX_USES
  return { usedBy: rest > 0 ? [...all.slice(0, MAX_USES), `${rest} more`] : all }
}

function notesOf(tags: TagLook): { notes?: readonly string[] } {
  return tags.notes.length === 0 ? {} : { notes: tags.notes }
}

function unread(kind: Kind, target: Target, fate: Fate, mark: { unread: string }): KindLook {
  return {
    state: 'unread',
    identity: { kind: kind.noun, name: target.name, ...mark },
    finding: {
      type: kind.noun,
      name: target.name,
      fate,
      holds: null,
      holdsData: null,
      protectedFromDeletion: null,
      lastBackup: null,
      undo: 'unknown',
    },
    described: null,
    tagged: false,
  }
}

function absent(kind: Kind, target: Target, fate: Fate): KindLook {
  return {
    state: 'absent',
    identity: { kind: kind.noun, name: target.name, absent: true },
    finding: {
      type: kind.noun,
      name: target.name,
      fate: fate === 'overwritten' ? 'created' : fate,
      holds: 'nothing: it does not exist',
      holdsData: false,
      protectedFromDeletion: false,
      lastBackup: '–',
      undo: 'yes',
    },
    described: null,
    tagged: false,
  }
}

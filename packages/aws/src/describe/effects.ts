// Says what an operation does: read and list from the IAM access level, tag and permissions from it
// too, destroy and stop from verbs, the rest from our tables. `write` is a closed list; any other
// non-read is `unknown` (redteam H6). Pure.

import { EFFECTS_BY_STRICTNESS, type Effect, type JsonObject } from '../call.ts'
import type { AccessLevel } from '../index/model.ts'
import { rowsOf } from '../index/rows.ts'
import type { Service } from '../index/service-index.ts'
import { allHold } from './condition.ts'

/**
 * Verbs after which the thing, or what is in it, is gone. `Cancel` and `Disable` only stop.
 * Detach, Disassociate and Untag undo a link; they are judged by level and list.
 */
const DESTROY = verbs(
  'Delete|Terminate|Purge|Deregister|Destroy|Remove|Erase|Flush|Wipe|Discard|Release|Drop',
  'Decommission|Deprovision|Dispose|ScheduleKeyDeletion',
)

const STOP = verbs(
  'Stop|Pause|Suspend|Disable|Cancel|Abort|Deactivate|Halt|Quiesce|Reboot|Hibernate|Shutdown',
)

/** The verbs at the start of an operation's name, or behind `Batch`, `Bulk`, `Force`, `Admin`. */
function verbs(...lists: readonly string[]): RegExp {
  return new RegExp(`^(?:Batch|Bulk|Force|Admin)?(?:${lists.join('|')})(?=[A-Z]|$)`)
}

/**
 * Effects in order of strictness, never empty. `readWhole`: all that the call makes others do was read
 * (inner-calls/acting.ts) and counts by its own effects, so that the call itself is no longer opaque.
 */
export function effectsOf(
  service: Service,
  operation: string,
  levels: readonly (AccessLevel | undefined)[],
  parameters: JsonObject,
  readWhole = false,
): Effect[] {
  const listed = rowsOf(service, operation)
  if (listed.effects.length === 0 && listed.acts.length === 0) {
    return inOrder(new Set(plainEffects(service, operation, levels)))
  }
  const acting = listed.acts.map(({ effect = 'opaque', ...row }) => ({
    ...row,
    effect: readWhole && effect === 'opaque' ? ('write' as const) : effect,
  }))
  const rows = [...listed.effects, ...acting].filter((row) => allHold(row.when, parameters))
  const effects = new Set(rows.map((row) => row.effect))
  if (!rows.some((row) => row.instead === true)) {
    // A row without a condition means that somebody looked at the operation.
    const known = rows.some((row) => row.when === undefined)
    for (const effect of plainEffects(service, operation, levels)) {
      if (effect !== 'unknown' || !known) effects.add(effect)
    }
  }
  return inOrder(effects)
}

/** True for an operation that only reads, whatever its parameters; `unknown` is not. */
export function isPlainRead(
  service: Service,
  operation: string,
  levels: readonly (AccessLevel | undefined)[],
): boolean {
  const { effects, acts } = rowsOf(service, operation)
  if (acts.length > 0) return false
  const all = [...plainEffects(service, operation, levels), ...effects.map((row) => row.effect)]
  return all.every((effect) => effect === 'read' || effect === 'list')
}

function plainEffects(
  service: Service,
  operation: string,
  levels: readonly (AccessLevel | undefined)[],
): Effect[] {
  if (levels.length === 0) return byVerb(operation) ?? ['unknown']
  const effects: Effect[] = []
  for (const level of new Set(levels)) {
    switch (level) {
      case 'Read':
        effects.push('read')
        break
      case 'List':
        effects.push('list')
        break
      case 'Tagging':
        effects.push('tag')
        break
      case 'Permissions management':
        effects.push('permissions', ...(DESTROY.test(operation) ? (['destroy'] as const) : []))
        break
      default:
        effects.push(...writes(service, operation))
    }
  }
  // A call that also writes is no read; a call that writes and tags is both.
  return effects.some((effect) => effect !== 'read' && effect !== 'list')
    ? effects.filter((effect) => effect !== 'read' && effect !== 'list')
    : effects
}

function writes(service: Service, operation: string): readonly Effect[] {
  const verb = byVerb(operation)
  if (verb !== undefined) return verb
  return rowsOf(service, operation).isWrite ? ['write'] : ['unknown']
}

function byVerb(operation: string): Effect[] | undefined {
  if (DESTROY.test(operation)) return ['destroy']
  if (STOP.test(operation)) return ['stop']
  return undefined
}

export function inOrder(effects: ReadonlySet<Effect>): Effect[] {
  const ordered = EFFECTS_BY_STRICTNESS.filter((effect) => effects.has(effect))
  return ordered.length === 0 ? ['unknown'] : ordered
}

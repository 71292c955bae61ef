// Names every IAM action that a call needs: the operation's own, those our tables add by its
// parameters, and iam:PassRole where it hands a role to a service. Pure.

import type { JsonObject } from '../call.ts'
import type { AccessLevel, ActionRow } from '../index/model.ts'
import { rowsOf } from '../index/rows.ts'
import type { Operation, Service } from '../index/service-index.ts'
import { allHold } from './condition.ts'
import { isRowFor, mainActionsOf } from './main-actions.ts'

export interface NeededActions {
  /** The operation's own actions, the main one first. */
  readonly main: readonly string[]
  /** What the parameters add, iam:PassRole apart. */
  readonly added: readonly string[]
}

export function neededActions(
  service: Service,
  operation: Operation,
  parameters: JsonObject,
): NeededActions {
  const known = kept.get(operation)
  if (known !== undefined) return known
  const own = rowsOf(service, operation.name).actions.filter((row) =>
    isRowFor(row, operation.model.id, operation.name),
  )
  const needed = neededBy(service, operation, own, parameters)
  // Without a condition it is the same for all parameters.
  if (own.every((row) => row.when === undefined)) kept.set(operation, needed)
  return needed
}

const kept = new WeakMap<Operation, NeededActions>()

function neededBy(
  service: Service,
  operation: Operation,
  own: readonly ActionRow[],
  parameters: JsonObject,
): NeededActions {
  const rows = own.filter((row) => allHold(row.when, parameters))
  // A row with a condition is more exact than the one without.
  const replacing = rows.findLast((row) => row.actions !== undefined && row.when !== undefined)
  const main = replacing?.actions ?? plainActionsOf(service, operation)
  const added = new Set(rows.flatMap((row) => row.add ?? []))
  for (const action of main) added.delete(action)
  return { main, added: [...added] }
}

/** The operation's actions before its parameters are read. */
export function plainActionsOf(service: Service, operation: Operation): readonly string[] {
  const { facts, model, name } = operation
  return mainActionsOf(service, model.id, name, facts.method ?? 'POST')
}

/**
 * Access levels of `actions`; undefined for one that the IAM data has not. Of another service's action
 * only that it reads or tags is kept: what else it does is for the operation's own tables to say, and
 * until they do it is a write of an unknown kind.
 */
export function levelsOf(
  service: Service,
  actions: readonly string[],
): (AccessLevel | undefined)[] {
  let kept = keptLevels.get(service)
  if (kept === undefined) {
    kept = new Map()
    keptLevels.set(service, kept)
  }
  const levels: (AccessLevel | undefined)[] = []
  for (const action of actions) {
    // Only our tables and the IAM data name actions, so as many are kept as those have.
    if (!kept.has(action)) kept.set(action, levelOf(service, action))
    levels.push(kept.get(action))
  }
  return levels
}

const keptLevels = new WeakMap<Service, Map<string, AccessLevel | undefined>>()

function levelOf(service: Service, action: string): AccessLevel | undefined {
  const [prefix = '', name = ''] = action.split(':')
  if (prefix !== service.prefix) {
    const { others = {} } = service.iam
    const level = Object.hasOwn(others, action) ? others[action] : undefined
    return level === 'Read' || level === 'List' || level === 'Tagging' ? level : undefined
  }
  return Object.hasOwn(service.iam.actions, name) ? service.iam.actions[name]?.level : undefined
}

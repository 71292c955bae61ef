// What IAM's own data says of an action: its access level and the ARNs it is about; and all actions of a
// prefix, for a pattern that shall stand for no more than it must. Pure but for the index.

import type { AccessLevel } from '@seconder/aws/index/model'
import { type Service, serviceOf, signingNames } from '@seconder/aws/index/service-index'

export interface ActionFacts {
  readonly level: AccessLevel
  /** ARN formats of its resource types; empty: only `*`. */
  readonly formats: readonly string[]
}

let byPrefix: Map<string, Map<string, ActionFacts>> | undefined

/** Facts by the name of the action in its own writing; empty for a prefix that nobody knows. */
export function actionsOfPrefix(prefix: string): ReadonlyMap<string, ActionFacts> {
  byPrefix ??= gathered()
  return byPrefix.get(prefix.toLowerCase()) ?? NONE
}

const NONE: ReadonlyMap<string, ActionFacts> = new Map()

/** Without regard to case, as IAM compares actions. */
export function actionFacts(action: string): ActionFacts | undefined {
  const [prefix = '', name = ''] = action.split(':')
  const actions = actionsOfPrefix(prefix)
  const found = actions.get(name)
  if (found) return found
  const lower = name.toLowerCase()
  for (const [each, facts] of actions) if (each.toLowerCase() === lower) return facts
  return undefined
}

function gathered(): Map<string, Map<string, ActionFacts>> {
  const all = new Map<string, Map<string, ActionFacts>>()
  for (const service of signingNames().map(serviceOf)) {
    const actions = all.get(service.prefix) ?? new Map<string, ActionFacts>()
    for (const [name, { level, types }] of Object.entries(service.iam.actions)) {
      if (!actions.has(name)) actions.set(name, { level, formats: formatsOf(service, types) })
    }
    all.set(service.prefix, actions)
  }
  return all
}

function formatsOf({ iam }: Service, types: readonly string[]): string[] {
  return types.flatMap((type) => iam.resourceTypes[type.replace(/\*$/, '')] ?? [])
}

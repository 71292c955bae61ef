// Every IAM action that is not a plain read, with what it does and which ARNs it is about, made once from
// the service index. What nobody looked at is `unknown` and counts as a change.

import type { Effect } from '@seconder/aws/call'
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { levelsOf, neededActions } from '@seconder/aws/describe/actions'
import { recoverableOf } from '@seconder/aws/describe/answers'
import { effectsOf } from '@seconder/aws/describe/effects'
import {
  type Operation,
  operationOf,
  type Service,
  serviceOf,
  signingNames,
} from '@seconder/aws/index/service-index'

export interface CatalogueAction {
  /** `dynamodb:DeleteTable`. */
  readonly action: string
  readonly service: string
  /** In order of strictness. */
  readonly effects: readonly Effect[]
  /** ARN formats of its resource types, those that must be there first; empty: only `*`. */
  readonly formats: readonly string[]
  /** Formats among them that must all be allowed; none: any one is enough. */
  readonly required: number
  /** What it takes down comes back by itself or from elsewhere. */
  readonly recoverable: boolean
}

/** What takes something down or lets others do so. */
export const DESTRUCTIVE: ReadonlySet<Effect> = new Set(['destroy', 'replace', 'permissions'])

export interface Catalogue {
  readonly byAction: ReadonlyMap<string, CatalogueAction>
  /** Whose effects are destructive. */
  readonly destructive: readonly CatalogueAction[]
  /** By service prefix, everything that is not a read. */
  readonly byService: ReadonlyMap<string, readonly CatalogueAction[]>
}

let kept: Catalogue | undefined

/** Takes one to two seconds the first time: all services are opened. `onService` is told after each. */
export function catalogue(onService: (done: number, of: number) => void = () => {}): Catalogue {
  if (kept) return kept
  const found = new Map<string, Draft>()
  const names = signingNames()
  names.forEach((name, index) => {
    const service = serviceOf(name)
    for (const model of service.models) {
      for (const each of Object.keys(model.operations)) {
        const operation = operationOf(model, each)
        if (operation) gather(service, operation, found)
      }
    }
    onService(index + 1, names.length)
  })
  const actions = [...found.values()].map(finished).filter(isChange)
  kept = {
    byAction: new Map(actions.map((each) => [each.action.toLowerCase(), each])),
    destructive: actions.filter(({ effects }) => effects.some((effect) => DESTRUCTIVE.has(effect))),
    byService: Map.groupBy(actions, ({ service }) => service),
  }
  return kept
}

interface Draft {
  readonly action: string
  readonly service: Service
  readonly effects: Set<Effect>
  recoverable: boolean
}

function gather(service: Service, operation: Operation, into: Map<string, Draft>): void {
  const { main, added } = neededActions(service, operation, {})
  const own = main.length > 0 ? main : added
  const effects = effectsOf(service, operation.name, levelsOf(service, [...own, ...added]), {})
  const recoverable = recoverableOf(service, operation, effects, {}) === 'yes'
  // The first is the operation's own; what comes beside it, such as iam:PassRole, is not what it does.
  const [action] = own
  if (action === undefined) return
  const draft = into.get(action) ?? { action, service, effects: new Set<Effect>(), recoverable }
  for (const effect of effects) draft.effects.add(effect)
  draft.recoverable &&= recoverable
  into.set(action, draft)
}

function finished({ action, service, effects, recoverable }: Draft): CatalogueAction {
  const [prefix = '', name = ''] = action.split(':')
  const facts = prefix === service.prefix ? service.iam.actions[name] : undefined
  const types = facts?.types ?? []
  const required = types.filter((type) => type.endsWith('*'))
  const ordered = [...required, ...types.filter((type) => !type.endsWith('*'))]
  const formats = ordered.flatMap(
    (type) => service.iam.resourceTypes[type.replace(/\*$/, '')] ?? [],
  )
  return {
    action,
    service: prefix,
    effects: EFFECTS_BY_STRICTNESS.filter((effect) => effects.has(effect)),
    formats,
    required: Math.min(required.length, formats.length),
    recoverable,
  }
}

/** What STS lends acts by the role's own rights: that is an edge of the graph, not a change. */
function isChange({ effects, service }: CatalogueAction): boolean {
  return service !== 'sts' && effects.some((effect) => effect !== 'read' && effect !== 'list')
}

/** A format with its variables as `*`, and its account and partition filled in. */
export function patternOf(format: string, place: { partition: string; account: string }): string {
  return format.replace(/\$\{(\w+)\}/g, (_, name) => {
    if (name === 'Partition') return place.partition
    return name === 'Account' ? place.account : '*'
  })
}

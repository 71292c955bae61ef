// Makes statements shorter: first without adding anything, then, only where the size asks for it, by
// patterns that add things of the same access level. Each step says what it adds.

import { globOf } from '@seconder/aws/iam/glob'
import { actionFacts, actionsOfPrefix } from './action-facts.ts'
import { type Grant, withoutCovered } from './grants.ts'

export interface Collapse {
  readonly kind: 'actions' | 'resources'
  /** The pattern that came instead. */
  readonly pattern: string
  readonly instead: readonly string[]
  /** Actions, or in words which resources, that are allowed now and were not used. */
  readonly adds: readonly string[]
  readonly because: string
}

export interface Collapsed {
  readonly grants: readonly Grant[]
  readonly collapses: readonly Collapse[]
}

/** Resources of one statement that are named one by one. */
export const NAMED_MAX = 8
/** Shared start of ARNs, past the account, that is worth a pattern. */
const SHARED_MIN = 1

/** `Get*` instead of every `Get...` where all of them were used: nothing is added. */
export function withoutAdding(grants: readonly Grant[]): Collapsed {
  return each(grants, (grant) => byVerb(grant, (_, adds) => adds.length === 0))
}

/** Verbs whose actions are all of one access level, that of those used. */
export function withinLevel(grants: readonly Grant[], because: string): Collapsed {
  return each(grants, (grant) =>
    byVerb(grant, (used, adds) => used.length > 1 && isOneLevel([...used, ...adds]), because),
  )
}

/** Many names become the start that they share. What destroys keeps its names. */
export function byStart(
  grants: readonly Grant[],
  because: string,
  mayWiden: (grant: Grant) => boolean,
  namedMax = NAMED_MAX,
): Collapsed {
  return each(grants, (grant) => {
    if (grant.resources.length <= namedMax || !mayWiden(grant))
      return { grants: [grant], collapses: [] }
    const kinds = Map.groupBy(grant.resources, kindOf)
    const collapses: Collapse[] = []
    const resources = [...kinds].flatMap(([, list]) => {
      const pattern = sharedStart(list)
      if (list.length <= 2 || pattern === null) return list
      collapses.push({
        kind: 'resources',
        pattern,
        instead: list,
        adds: [`everything else that ${pattern} stands for`],
        because,
      })
      return [pattern]
    })
    return { grants: [{ ...grant, resources: withoutCovered(resources) }], collapses }
  })
}

function each(grants: readonly Grant[], of: (grant: Grant) => Collapsed): Collapsed {
  const all = grants.map(of)
  return {
    grants: all.flatMap((one) => one.grants),
    collapses: all.flatMap((one) => one.collapses),
  }
}

function byVerb(
  grant: Grant,
  may: (used: readonly string[], adds: readonly string[]) => boolean,
  because = 'every action of the verb was used',
): Collapsed {
  const groups = Map.groupBy(grant.actions, verbPattern)
  const collapses: Collapse[] = []
  const actions = [...groups].flatMap(([pattern, used]) => {
    if (used.length < 2 || pattern.includes('*:') || used.some((one) => one.includes('*')))
      return used
    const adds = matching(pattern).filter((action) => !used.includes(action))
    if (!may(used, adds)) return used
    if (adds.length > 0) collapses.push({ kind: 'actions', pattern, instead: used, adds, because })
    return [pattern]
  })
  return { grants: [{ ...grant, actions: [...new Set(actions)].sort() }], collapses }
}

/** `ec2:Describe*`, `s3:GetObject*` stays `s3:Get*`: the first word, with `Batch` the first two. */
function verbPattern(action: string): string {
  const [prefix = '', name = ''] = action.split(':')
  const verb = /^(?:Batch)?[A-Z][a-z]+/.exec(name)?.[0] ?? name
  return `${prefix}:${verb}*`
}

function matching(pattern: string): string[] {
  const [prefix = ''] = pattern.split(':')
  const glob = globOf(pattern.toLowerCase())
  return [...actionsOfPrefix(prefix).keys()]
    .map((name) => `${prefix}:${name}`)
    .filter((action) => glob.test(action.toLowerCase()))
}

function isOneLevel(actions: readonly string[]): boolean {
  const levels = new Set(actions.map((action) => actionFacts(action)?.level))
  return levels.size === 1 && !levels.has(undefined)
}

/** Service, region, account and type: names of another kind share no pattern. */
function kindOf(arn: string): string {
  const parts = arn.split(':')
  const rest = parts.slice(5).join(':')
  const [type = ''] = rest.split(/[/:]/, 1)
  return [...parts.slice(0, 5), rest.includes('/') || rest.includes(':') ? type : ''].join(':')
}

/** Up to the last `/`, `:` or `-` that all share; null where that says nothing. */
function sharedStart(list: readonly string[]): string | null {
  const [first = ''] = list
  let length = first.length
  for (const other of list) {
    let at = 0
    while (at < length && first[at] === other[at]) at++
    length = at
  }
  const start = first.slice(0, length).replace(/[^/:-]*$/, '')
  const own = start.split(':').slice(5).join(':')
  // `arn:aws:s3:::` alone is every bucket of everybody.
  if (own.length < SHARED_MIN || /[*?]/.test(start)) return null
  return `${start}*`
}

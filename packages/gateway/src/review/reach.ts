// What a call would do to what, as far as a denial of one call stands over another: whatever the session, the
// door or the spelling (red team H5). Pure.
import type { Action } from '../describe/action.ts'
import { covers } from '../describe/environments.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { Reach } from '../state/standing-store.ts'

/** Resources remembered of one denied call; past it any resource of the service counts as one of them. */
export const REACH_RESOURCES_MAX = 1_000

/** Effects that may be any other one. */
const ANY_EFFECT = new Set(['opaque', 'unknown'])
const ANY_RESOURCE = '*'

export function reachOf(action: Action, evidence: Evidence): Reach {
  const inner = [...(action.innerCalls ?? []), ...(evidence.innerCalls ?? [])]
  const effects = [
    ...action.effects,
    ...evidence.addedEffects,
    ...inner.flatMap((call) => call.effects),
  ]
  const arns = [...action.resources, ...inner.flatMap((call) => call.resources)].map(
    ({ arn }) => arn,
  )
  const resources = [...new Set([...arns, ...foundBy(action, evidence)])].sort()
  return {
    service: action.service,
    effects: [...new Set(effects)].sort(),
    resources: resources.length > REACH_RESOURCES_MAX ? [ANY_RESOURCE] : resources,
  }
}

/** What would become of a thing that is only mentioned: nothing that a denial is about. */
const UNTOUCHED = new Set(['kept', 'created'])

/**
 * What was found to go or change with it, by kind and name: what is inside of a stack has no ARN in the call. What is
 * looked up of two calls on one thing has one kind and one name.
 */
function foundBy({ account, region }: Action, { findings }: Evidence): string[] {
  return findings
    .filter(({ fate }) => fate === undefined || !UNTOUCHED.has(fate))
    .map(({ type, name }) => `found in ${account} ${region}: ${type} ${name}`)
}

/** Whether the two may do one thing to one resource. */
export function meets(a: Reach, b: Reach): boolean {
  const isAny = (effects: readonly string[]) => effects.some((effect) => ANY_EFFECT.has(effect))
  const effect =
    isAny(a.effects) || isAny(b.effects) || a.effects.some((one) => b.effects.includes(one))
  return effect && a.resources.some((one) => b.resources.some((two) => same(one, two, a, b)))
}

function same(one: string, two: string, a: Reach, b: Reach): boolean {
  // What nobody could name may be anything of its service, and nothing is said of other services.
  if (one === ANY_RESOURCE || two === ANY_RESOURCE) return a.service === b.service
  return one === two || covers(one, two) || covers(two, one)
}

// What a recorded use needs as pairs of action and resource, and statements made of such pairs.

import { globOf, relation } from '@seconder/aws/iam/glob'
import { actionFacts } from './action-facts.ts'
import { actionsOf, type UsedCall } from './trail-use.ts'

/** One right that was used. */
export interface Need {
  /** In AWS's own writing. */
  readonly action: string
  /** ARN, pattern, or `*` where the trail does not tell or the action has no resources. */
  readonly resource: string
}

/** A statement to be written; resources sorted, actions sorted. */
export interface Grant {
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

/** The needs of the calls, without repeats. */
export function needsOf(calls: readonly UsedCall[]): Need[] {
  const needs = new Map<string, Need>()
  for (const { meaning } of calls) {
    for (const action of actionsOf(meaning)) {
      for (const resource of resourcesFor(action, meaning.resources)) {
        needs.set(`${action} ${resource}`, { action, resource })
      }
    }
  }
  return [...needs.values()]
}

/** The resources of a call that an action is about, by the ARN formats of its resource types. */
function resourcesFor(
  action: string,
  resources: readonly { readonly arn: string; readonly inner?: true }[],
): string[] {
  const formats = actionFacts(action)?.formats ?? []
  if (formats.length === 0) return ['*']
  const globs = formats.map((format) => globOf(format.replace(/\$\{\w+\}/g, '*')))
  const own = resources.filter(({ inner }) => inner !== true)
  const found = own
    .map(({ arn }) => arn)
    .filter((arn) => globs.some((glob) => relation(glob, globOf(arn)) !== 'no'))
  return found.length === 0 ? ['*'] : [...new Set(found)]
}

/** Actions with the same resources become one statement; what destroys stands apart from the rest. */
export function grantsOf(needs: readonly Need[]): Grant[] {
  const byAction = new Map<string, Set<string>>()
  for (const { action, resource } of needs) {
    byAction.set(action, (byAction.get(action) ?? new Set()).add(resource))
  }
  const byResources = new Map<string, string[]>()
  for (const [action, resources] of byAction) {
    // What holds for everything holds for each thing.
    const list = resources.has('*') ? ['*'] : withoutCovered([...resources])
    const key = [destroysOrGrants(action), ...list].join('\n')
    byResources.set(key, [...(byResources.get(key) ?? []), action])
  }
  return [...byResources]
    .map(([key, actions]) => ({ actions: actions.sort(), resources: key.split('\n').slice(1) }))
    .sort((a, b) => (a.actions[0] ?? '').localeCompare(b.actions[0] ?? '', 'en'))
}

/** Verbs after which something is gone or somebody has more rights: their statements keep names longest. */
export function destroysOrGrants(action: string): boolean {
  return /:(Delete|Terminate|Purge|Remove|Schedule|Deregister|Destroy|Put.*Policy|Attach|Create.*Key|UpdateAssume|PassRole|AssumeRole)/i.test(
    action,
  )
}

/** Leaves out what another pattern of the list stands for. */
export function withoutCovered(patterns: readonly string[]): string[] {
  const sorted = [...new Set(patterns)].sort()
  const wild = sorted
    .filter((each) => /[*?]/.test(each))
    .map((text) => ({ text, glob: globOf(text) }))
  return sorted.filter(
    (each) =>
      !wild.some(({ text, glob }) => text !== each && relation(glob, globOf(each)) === 'yes'),
  )
}

// Joins a call with what it makes others do, so that whoever looks at effects, resources, actions,
// answers or recoverability alone meets the strictest of all of them. Pure.

import type { Call, CallResource, InnerCall } from '../call.ts'
import { strictestReveals, worstRecoverable } from '../describe/answers.ts'
import { inOrder } from '../describe/effects.ts'

/** The parts of a call that inner calls add to. */
export type Joined = Pick<
  Call,
  'iamActions' | 'resources' | 'effects' | 'reveals' | 'recoverable' | 'innerCalls' | 'ownActions'
>

/** The call with its inner calls; its own actions and resources stay told apart from theirs. */
export function withInnerCalls<Outer extends Joined>(
  outer: Outer,
  innerCalls: readonly InnerCall[],
): Outer {
  const changing = innerCalls.flatMap(({ effects }) =>
    effects.filter((effect) => effect !== 'read' && effect !== 'list'),
  )
  const inner = innerCalls.flatMap(({ resources }) =>
    resources.map((one): CallResource => ({ ...one, inner: true })),
  )
  return {
    ...outer,
    ownActions: outer.ownActions ?? outer.iamActions,
    iamActions: [
      ...new Set([...outer.iamActions, ...innerCalls.flatMap((each) => each.iamActions)]),
    ],
    resources: distinct([...outer.resources, ...inner]),
    effects: inOrder(new Set([...outer.effects, ...changing])),
    reveals: strictestReveals([outer.reveals, ...innerCalls.map((each) => answered(each.reveals))]),
    recoverable: worstRecoverable([
      outer.recoverable,
      ...innerCalls.map(({ recoverable }) => recoverable),
    ]),
    innerCalls: [...(outer.innerCalls ?? []), ...innerCalls],
  }
}

/** What a read inside answers goes to the thing that acts, not to the caller; a secret may come out again. */
function answered(reveals: InnerCall['reveals']): InnerCall['reveals'] {
  return reveals === 'data' ? 'nothing' : reveals
}

/** Each resource once; the first of two alike stands. */
export function distinct(resources: readonly CallResource[]): CallResource[] {
  const byKey = new Map<string, CallResource>()
  for (const one of resources) {
    const key = `${one.type} ${one.arn}`
    if (!byKey.has(key)) byKey.set(key, one)
  }
  return [...byKey.values()]
}

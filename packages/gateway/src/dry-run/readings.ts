// What a recorded call may have been where its entry does not tell all of it: an entry has the things and the environments,
// but not which was in which, and not from where the call came. Whoever asks asks with all of these.
import type { DecideContext } from '../decide/decision.ts'
import type { Resource } from '../describe/action.ts'
import type { RecordedCall } from './recorded-call.ts'

/** Ways to put the things of one call into its environments: each is decided by itself, while a gate waits. */
const PLACEMENTS_MAX = 8
const ISOLATIONS: readonly DecideContext['isolation'][] = ['user', 'none', 'sandbox', 'host']

/** Null where there are too many. `byIsolation`: whether a policy asks from where the call came. */
export function readingsOf(
  call: RecordedCall,
  byIsolation: boolean,
): readonly [RecordedCall, ...RecordedCall[]] | null {
  if (call.isWhole) return [call]
  const isolations = byIsolation ? ISOLATIONS : [call.context.isolation]
  const [first, ...others] = placementsOf(call).flatMap((resources) =>
    isolations.map((isolation) => ({
      ...call,
      action: { ...call.action, resources },
      context: { ...call.context, isolation },
    })),
  )
  return first === undefined ? null : [first, ...others]
}

/** Each thing in one of the environments, and each environment with something in it; none where there are too many. */
function placementsOf({ action, environments }: RecordedCall): readonly (readonly Resource[])[] {
  const { resources } = action
  if (environments.length < 2) return [resources]
  if (environments.length ** resources.length > PLACEMENTS_MAX) return []
  let all: Resource[][] = [[]]
  for (const resource of resources) {
    all = all.flatMap((before) =>
      environments.map((environment) => [...before, { ...resource, environment }]),
    )
  }
  return all.filter((placed) =>
    environments.every((name) => placed.some(({ environment }) => environment === name)),
  )
}

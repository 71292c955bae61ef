// Makes the policy sets of the decide bench: as large as asked, in two shapes, the same every time.
import { CONTEXT, sampleAction } from '@seconder/gateway/decide/sample-request'
import type { Action, Effect } from '@seconder/gateway/describe/action'

/** `apart`: each names one effect and one environment. `mixed`: one in a hundred names neither. */
export type Shape = 'apart' | 'mixed'

export interface BenchPolicy {
  readonly id: string
  readonly source: string
  readonly effect: Effect
  readonly environment: string
  readonly operation: string
  readonly isPermit: boolean
}

const EFFECTS: readonly Effect[] = ['read', 'write', 'stop', 'destroy', 'permissions']
const ENVIRONMENTS = 40
const MIXED_EVERY = 100
/** Actions that a bench goes through, spread over the whole set. */
const ACTIONS = 100

export function policiesOf(size: number, shape: Shape): BenchPolicy[] {
  return Array.from({ length: size }, (_, index) => policyOf(index, shape))
}

function policyOf(index: number, shape: Shape): BenchPolicy {
  const effect = EFFECTS[index % EFFECTS.length] ?? 'write'
  const environment = `team-${Math.floor(index / EFFECTS.length) % ENVIRONMENTS}`
  const operation = `dynamodb:Operation${index}`
  const id = `p${index}`
  const isPermit = shape === 'apart' || index % MIXED_EVERY !== MIXED_EVERY - 1
  const conditions = [
    `context.operation == "${operation}"`,
    isPermit ? `principal.role == "${CONTEXT.role}"` : 'context.isolation == "none"',
    'resource.resolved',
  ].join(' && ')
  const scope = `principal is Agent, action == Action::"${effect}", resource in Environment::"${environment}"`
  const source = isPermit
    ? `@id("${id}") permit (${scope}) when { ${conditions} };`
    : `@id("${id}") forbid (principal, action, resource) when { ${conditions} };`
  return { id, source, effect, environment, operation, isPermit }
}

/** Permits spread evenly over the set. */
export function allowing(policies: readonly BenchPolicy[]): BenchPolicy[] {
  const permits = policies.filter(({ isPermit }) => isPermit)
  const step = permits.length / ACTIONS
  return Array.from({ length: ACTIONS }, (_, index) => permits[Math.floor(index * step)]).flatMap(
    (policy) => policy ?? [],
  )
}

/** The Action that this permit allows. */
export function actionIn({ effect, environment, operation }: BenchPolicy): Action {
  const action = sampleAction({ operation, iamActions: [operation], effects: [effect] })
  return { ...action, resources: action.resources.map((one) => ({ ...one, environment })) }
}

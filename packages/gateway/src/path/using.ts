// Uses up what a call may pass by, together with its signature and the start of its effect: an approval, a step
// of a plan, a break-glass, or nothing where policy allows it by itself. False where any of it is gone.
import type { StepPlace } from '../state/plan-store.ts'
import type { GrantRow, OpenEffect, Store } from '../state/store.ts'
import type { Glass } from './under-glass.ts'

export interface PassedBy {
  readonly grant: GrantRow | null
  readonly place: StepPlace | null
  readonly glass: Glass | null
}

export async function used(
  store: Store,
  { grant, place, glass }: PassedBy,
  effect: OpenEffect,
  { signature, epoch, nowMs }: { signature: string; epoch: number; nowMs: number },
): Promise<boolean> {
  if (glass) return store.useBreakGlass(glass.row.id, effect, signature, nowMs)
  if (place) return store.consumeStep(place, effect, signature, nowMs)
  if (grant) return store.consumeGrant(grant.id, effect, signature, nowMs)
  return store.beginEffect(effect, signature, epoch, nowMs)
}

export function readyGrant(grant: GrantRow | undefined, nowMs: number): GrantRow | undefined {
  return grant?.state === 'ready' && grant.expiresAtMs > nowMs ? grant : undefined
}

// Whether those who approved a call are enough for it as it is made: it may come from nearer to the gate by then,
// or be of a thing that counts for more than when it was approved.
import type { Evidence } from '../resolve/evidence.ts'
import type { RequestRow } from '../state/store.ts'
import { contextOf } from './facts.ts'
import type { GatewayParts, OnPath } from './on-path.ts'

export async function isStillEnough(
  { desk }: Pick<GatewayParts, 'desk'>,
  call: OnPath,
  evidence: Evidence,
  request: RequestRow,
): Promise<boolean> {
  const context = contextOf(call.caller, await call.received.isolation())
  return desk.stillAllows(request, { action: call.action, evidence, context })
}

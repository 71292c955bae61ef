// Whether a call may pass by break-glass: its operator named every effect and resource of it, it reaches nothing
// that the gate stands on, and policy allows it with `breakGlass` and without anybody's approval.

import type { GlassCall } from '../break-glass/account.ts'
import { acceptsSoftware, decide } from '../decide/decide.ts'
import type { Decision } from '../decide/decision.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Evidence } from '../resolve/evidence.ts'
import { summarise } from '../resolve/summary.ts'
import type { BreakGlassRow } from '../state/break-glass-store.ts'
import type { Store } from '../state/store.ts'
import { decidedOf } from './deciding.ts'
import { contextOf } from './facts.ts'
import type { OnPath } from './on-path.ts'
import { isPresigned } from './presigned.ts'

export interface Glass {
  readonly row: BreakGlassRow
  readonly policies: readonly string[]
}

/** Null where none is open, or it is not for this call; then the call goes the way of every other. */
export async function glassFor(
  store: Store,
  call: OnPath,
  evidence: Evidence,
  decision: Decision,
  nowMs: number,
): Promise<Glass | null> {
  if (decision.answer === 'deny' && decision.code !== 'denied_by_policy') return null
  if (call.epoch.content.breakGlass !== true || call.child || call.twin) return null
  if (isPresigned(call.verified)) return null
  const row = await store.liveBreakGlass(call.session.id, call.epoch.number, nowMs)
  if (!row) return null
  const asked = decidedOf(call, evidence)
  const isNamed =
    asked.ownLimbs === undefined &&
    asked.resources.every(({ arn, resolved }) => resolved && row.resources.includes(arn)) &&
    [...asked.effects, ...evidence.addedEffects].every((effect) => row.effects.includes(effect))
  if (!isNamed) return null
  const context = { ...contextOf(call.caller, await call.received.isolation()), breakGlass: true }
  const { policySet } = call.epoch
  if (row.strength === 'software' && !acceptsSoftware(asked, evidence, context, policySet))
    return null
  const answer = decide(asked, evidence, context, policySet)
  return answer.answer === 'allow' ? { row, policies: answer.policies } : null
}

/** Keeps beside the ledger what a reviewer would have been shown, for those who look afterwards. */
export async function keptUnder(
  recorder: Recorder,
  { row }: Glass,
  { session, action, epoch }: OnPath,
  evidence: Evidence,
  digest: string,
): Promise<{ readonly breakGlass: string; readonly document: string }> {
  const call: GlassCall = {
    type: 'seconder-break-glass-call@v1',
    breakGlass: row.id,
    session: session.id,
    roleArn: session.roleArn,
    epoch: epoch.number,
    digest,
    action,
    evidence,
    summary: summarise(action, evidence),
  }
  return { breakGlass: row.id, document: await recorder.keep(canonicalJson(call as never)) }
}

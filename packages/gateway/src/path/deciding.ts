// Asks policy about a call on its way: with what was found behind it, a HEAD as its GET, and the isolation
// measured only where a policy could read it, for a look at the kernel takes its time.
import { decide, readsIsolation } from '../decide/decide.ts'
import type { Decision } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import { placeRules } from '../epoch/active.ts'
import { type Evidence, NO_EVIDENCE } from '../resolve/evidence.ts'
import { asDecided, contextOf, isRead } from './facts.ts'
import { type HeadDecision, headDecision } from './head.ts'
import type { OnPath } from './on-path.ts'

type Asked = Pick<OnPath, 'action' | 'caller' | 'epoch' | 'received'>

export async function decided(call: OnPath, evidence: Evidence): Promise<HeadDecision> {
  call.received.span.enter('decide')
  const { action, twin } = call
  const own = await decidedOne(call, evidence)
  if (twin === undefined) return own
  const { caller, epoch, received } = call
  const its = await decidedOne({ action: twin, caller, epoch, received }, evidence)
  return headDecision([action, own], [twin, its])
}

async function decidedOne(call: Asked, evidence: Evidence): Promise<Decision> {
  const { caller, epoch, received } = call
  const asked = decidedOf(call, evidence)
  const isRead = readsIsolation(asked, evidence, epoch.policySet)
  const context = contextOf(caller, isRead ? await received.isolation() : 'none')
  return decide(asked, evidence, context, epoch.policySet)
}

/** The call as policy is asked about it, with what was found behind it. */
export function decidedOf(
  { action, epoch }: Pick<OnPath, 'action' | 'epoch'>,
  evidence: Evidence,
): Action {
  return asDecided(action, evidence, placeRules(epoch))
}

/** What was looked up goes to reviewers, never to the agent (red team M6): the reason of the call alone. */
export function reasonFor(call: OnPath, decision: Decision & { answer: 'deny' }): string {
  if (isRead(call.action) || decision.code !== 'denied_by_policy') return decision.reason
  const context = contextOf(call.caller, 'none')
  const alone = decide(call.action, NO_EVIDENCE, context, call.epoch.policySet)
  return alone.answer === 'deny' ? alone.reason : 'no policy permits what it would do'
}

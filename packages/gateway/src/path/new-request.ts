// Makes what the desk opens a request from: the call, what was found, and what policy asked for.
import type { DecideContext, Decision } from '../decide/decision.ts'
import type { Action } from '../describe/action.ts'
import type { Received } from '../receive/received.ts'
import type { Evidence } from '../resolve/evidence.ts'
import { agentSays } from './facts.ts'
import type { SessionHistory } from './history.ts'

interface AskedCall {
  readonly received: Received
  readonly action: Action
  readonly actionDigest: string
  readonly epoch: { readonly number: number }
  readonly session: { readonly id: string; readonly roleArn: string }
}

export function newRequest(
  call: AskedCall,
  evidence: Evidence,
  context: DecideContext,
  decision: Decision & { answer: 'review' },
  { digest, history }: { readonly digest: string; readonly history: SessionHistory },
) {
  const { action, actionDigest, session } = call
  return {
    epoch: call.epoch.number,
    digest,
    actionDigest,
    session: session.id,
    roleArn: session.roleArn,
    context,
    action,
    evidence,
    requirement: decision.requirement,
    policies: decision.policies,
    reason: decision.reason,
    agentSays: agentSays(call.received),
    history,
  }
}

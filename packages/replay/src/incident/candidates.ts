// Puts recorded calls to a policy set, with the gate's own decide and with the signatures that they had: what
// would have stopped them, and what else it would have stopped.

import { decide, decideWithReviewers } from '@seconder/gateway/decide/decide'
import type { DecideContext, Decision } from '@seconder/gateway/decide/decision'
import type { PolicySet } from '@seconder/gateway/decide/policy-set'
import type { Reviewer } from '@seconder/gateway/decide/seats'
import type { Action } from '@seconder/gateway/describe/action'
import type { Evidence as Looked } from '@seconder/gateway/resolve/evidence'
import type { Candidate } from './incident.ts'
import { policiesWords, seats, shownLong } from './words.ts'

/** A recorded call as the gate's decide takes it. */
export interface Recorded {
  /** Id of its chain; empty for a call that is in none. */
  readonly chain: string
  readonly action: Action
  readonly looked: Looked
  readonly context: DecideContext
  /** Who approved it, with their teams as of then. */
  readonly signed: readonly Reviewer[]
  readonly wentOn: boolean
}

export function candidateOf(
  name: string,
  policySet: PolicySet,
  calls: readonly Recorded[],
  others: readonly Recorded[],
): Candidate {
  const tried = others.map((call) => decided(call, policySet))
  return {
    name,
    answers: calls.map((call) => ({ chain: call.chain, ...answerOf(call, policySet) })),
    alsoStops: tried.filter(({ answer }) => answer !== 'allow').length,
    alsoTried: tried.length,
  }
}

/** With the signatures that it had: an allow means that it would have gone on as it did. */
export function decided(call: Recorded, policySet: PolicySet): Decision {
  const { action, looked, context, signed } = call
  return signed.length === 0
    ? decide(action, looked, context, policySet)
    : decideWithReviewers(action, looked, context, policySet, signed)
}

function answerOf(
  call: Recorded,
  policySet: PolicySet,
): Omit<Candidate['answers'][number], 'chain'> {
  const decision = decided(call, policySet)
  const { policies } = decision
  switch (decision.answer) {
    case 'allow': {
      const says =
        call.signed.length === 0
          ? 'it would have passed: nobody would have been asked'
          : 'it would have passed with the signatures that it had'
      return { wouldHave: 'passed', says, policies }
    }
    case 'review': {
      const takes = seats(decision.requirement)
      const says =
        call.signed.length === 0
          ? `it would have been held until ${takes} had signed (${policiesWords(policies)})`
          : `it would have been held: it takes ${takes}, and that was not signed (${policiesWords(policies)})`
      return { wouldHave: call.signed.length === 0 ? 'asked' : 'stopped', says, policies }
    }
    case 'deny': {
      const says = `it would have been refused, whoever signs: ${shownLong(decision.reason)}`
      return { wouldHave: 'stopped', says, policies }
    }
  }
}

// The reviewers' desk under the epoch in force: what policy says of an approval is asked of it each time.
import { acceptsSoftware, decideWithReviewers } from '../decide/decide.ts'
import type { Decision } from '../decide/decision.ts'
import { type ActiveEpoch, placeRules } from '../epoch/active.ts'
import { ReviewDesk } from '../review/desk.ts'
import type { DeskOptions, DeskPolicy } from '../review/desk-options.ts'
import { partsOf } from '../review/plan-document.ts'
import { asDecided } from './facts.ts'

export function deskUnder(
  parts: Omit<DeskOptions, 'policy'>,
  inForce: () => Promise<ActiveEpoch>,
): ReviewDesk {
  return new ReviewDesk({ ...parts, policy: async () => policyOf(await inForce()) })
}

function policyOf(epoch: ActiveEpoch): DeskPolicy {
  return {
    acceptsSoftware: (document) =>
      partsOf(document).every(({ action, evidence, context }) => {
        const decided = asDecided(action, evidence, placeRules(epoch))
        return acceptsSoftware(decided, evidence, context, epoch.policySet)
      }),
    decideWith: (document, reviewers) => {
      const decisions = partsOf(document).map(({ action, evidence, context }) => {
        const decided = asDecided(action, evidence, placeRules(epoch))
        return decideWithReviewers(decided, evidence, context, epoch.policySet, reviewers)
      })
      return strictest(decisions)
    },
    escalations: (environments) =>
      epoch.content.environments.flatMap(({ name, escalate }) =>
        escalate && environments.includes(name) ? [{ ...escalate, environment: name }] : [],
      ),
  }
}

/** The answer to all of them together: one deny denies, one review holds, nothing at all is denied. */
export function strictest(decisions: readonly Decision[]): Decision {
  const rank = { allow: 0, review: 1, deny: 2 }
  const [worst] = [...decisions].sort((a, b) => rank[b.answer] - rank[a.answer])
  if (worst) return worst
  return { answer: 'deny', code: 'invalid_request', policies: [], reason: 'nothing is asked' }
}

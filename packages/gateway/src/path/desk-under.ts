// The reviewers' desk under the epoch in force: what policy says of an approval is asked of it each time.
import { acceptsSoftware, decideWithReviewers } from '../decide/decide.ts'
import { type ActiveEpoch, placeRules } from '../epoch/active.ts'
import { type DeskOptions, ReviewDesk } from '../review/desk.ts'
import { asDecided } from './facts.ts'

export function deskUnder(
  parts: Omit<DeskOptions, 'acceptsSoftware' | 'decideWith'>,
  inForce: () => ActiveEpoch,
): ReviewDesk {
  return new ReviewDesk({
    ...parts,
    acceptsSoftware: ({ action, evidence, context }) => {
      const epoch = inForce()
      const decided = asDecided(action, evidence, placeRules(epoch))
      return acceptsSoftware(decided, evidence, context, epoch.policySet)
    },
    decideWith: ({ action, evidence, context }, reviewers) => {
      const epoch = inForce()
      const decided = asDecided(action, evidence, placeRules(epoch))
      return decideWithReviewers(decided, evidence, context, epoch.policySet, reviewers)
    },
  })
}

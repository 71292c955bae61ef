// What the reviewers' desk is built of, and what it opens requests from.
import type { Decision } from '../decide/decision.ts'
import type { Clock } from '../lib/clock.ts'
import type { ActVerifier } from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'
import type { ReviewDocument } from './document.ts'
import type { EscalationRule } from './escalation.ts'
import type { Content } from './opening.ts'
import type { Decidable, PlanDocument } from './plan-document.ts'
import type { Reviewer } from './reviewer.ts'

export interface DeskOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  readonly expiresInMs: number
  readonly grantExpiresInMs: number
  /** The policy of the epoch in force; rejects where the gate may not decide. */
  readonly policy: () => Promise<DeskPolicy>
}

/** What one epoch says; the gateway lends its decide stage. */
export interface DeskPolicy {
  /** Whether policy takes signatures that prove nobody's presence. */
  readonly acceptsSoftware: (document: Decidable) => boolean
  /** Policy's answer to a document, given these approvals. */
  readonly decideWith: (document: Decidable, reviewers: readonly Reviewer[]) => Decision
  /** Whom the epoch says to tell when nobody answers a request in these environments. */
  readonly escalations: (environments: readonly string[]) => readonly EscalationRule[]
}

export type NewRequest = Content<ReviewDocument> & { readonly actionDigest: string }
export type NewPlan = Content<PlanDocument> & { readonly request: string }

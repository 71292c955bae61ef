// The noun of reconcile: what of a ledger and a trail belongs together, and what stands alone on either side.
// Its JSON is a documented, stable shape (docs/reconcile.md).

import type { Evidence } from '../incident/incident.ts'

export const FINDINGS = {
  change_without_intent: 'a change under a role of the gate that the ledger has no intent for',
  read_without_entry: 'a read under a session of the gate that the ledger has no entry for',
  not_of_the_gate: 'a role of the gate used by a session that no gate opened',
  session_unknown: 'a session named like one of a gate that this ledger does not know',
  operator_differs: "a source identity that is not the session's operator",
  intent_without_event:
    'a call that the ledger says was answered, and that the trail does not have',
  outcome_differs: 'an outcome in the ledger that is not what the trail says',
  accepted_not_followed: 'a call that AWS accepted and whose end nobody looked up',
} as const

export type FindingCode = keyof typeof FINDINGS

export interface Finding {
  readonly code: FindingCode
  readonly says: string
  readonly at: string
  readonly operation: string
  readonly evidence: readonly Evidence[]
}

/** What was accepted or never answered, and how it ended as far as either side tells. */
export interface Followed {
  readonly operation: string
  readonly at: string
  readonly outcome: 'accepted' | 'unknown'
  readonly end: string
  readonly evidence: readonly Evidence[]
}

export interface Reconciliation {
  readonly format: 'seconder-reconciliation@v1'
  /** Null where nobody verified it; false is said loudly. */
  readonly verified: boolean
  readonly entries: number
  readonly events: number
  readonly covers: { readonly from: string; readonly to: string }
  readonly matched: {
    readonly changes: number
    readonly reads: number
    /** Of both: by AWS's request id, and by session, operation, time and resource where there was none. */
    readonly byRequestId: number
    readonly byTime: number
  }
  /** Explained, and no finding. */
  readonly apart: {
    /** Entries of calls that CloudTrail does not log by default. */
    readonly notLogged: number
    /** Entries before the first or after the last event of the trail. */
    readonly notCovered: number
    /** Events of the gate's own look-ups, and of its AssumeRole. */
    readonly ownLookUps: number
    /** Events of AWS services under what the gate lent, after a call that is matched. */
    readonly byServices: number
    /** Events of other principals. */
    readonly others: number
  }
  /** What was not compared, and what no finding says anything of: all 0 where everything was. */
  readonly left: {
    /** Events past what one comparison holds. */
    readonly events: number
    /** Files of the trail that could not be read to their end. */
    readonly files: number
    /** Entries past what one comparison holds. */
    readonly entries: number
  }
  readonly findings: readonly Finding[]
  readonly findingCount: number
  /** Of all findings, also those past FINDINGS_MAX; a code without one is not there. */
  readonly counts: Partial<Record<FindingCode, number>>
  readonly followed: readonly Followed[]
}

/** Findings listed; the count is of all. */
export const FINDINGS_MAX = 1_000

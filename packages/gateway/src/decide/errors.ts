// Why a policy set cannot be loaded. A set that cannot be loaded decides nothing: whoever loads it
// keeps the set that was active, or answers nothing but refusals.

/**
 * - `policy_unparsable`: the text is not Cedar, is nested too deeply, or ended the worker that read
 *   it.
 * - `policy_invalid`: Cedar's strict validation found a fault (unknown attribute, impossible
 *   policy).
 * - `schema_invalid`: the schema is not Cedar, or does not fit the requests that the gate makes.
 * - `policy_too_large`: a text, their sum or their number is past its limit.
 * - `annotation_missing`: a policy has no `@id`.
 * - `annotation_invalid`: an `@id` or `@reason` of the wrong form, or an annotation not known here.
 * - `duplicate_id`: two policies carry one `@id`.
 * - `template_refused`: a policy with `?principal` or `?resource` in it.
 * - `reserved_name`: `__entity`, `__extn` or the function `unknown` in a policy.
 * - `not_monotone`: more approvals could turn an allow into a deny, or that cannot be ruled out.
 * - `seat_count_invalid`: a text compared with `approvedBy` that is not `<team>:<1..9>`.
 * - `case_invalid`: a `*.case.json` file is not JSON, or not of the form that policy-test.ts gives.
 * - `too_many_seat_counts`: the policies of one effect mention more combinations than are searched.
 *
 * All are faults of who wrote the policy; none is worth a retry.
 */
export type PolicyErrorCode =
  | 'policy_unparsable'
  | 'policy_invalid'
  | 'schema_invalid'
  | 'policy_too_large'
  | 'annotation_missing'
  | 'annotation_invalid'
  | 'duplicate_id'
  | 'template_refused'
  | 'reserved_name'
  | 'not_monotone'
  | 'seat_count_invalid'
  | 'too_many_seat_counts'
  | 'case_invalid'

/** Where in the sources the fault lies. */
export interface PolicyFault {
  readonly code: PolicyErrorCode
  readonly file: string
  readonly policyId?: string
  readonly message: string
  readonly help: string
}

export class PolicyError extends Error {
  readonly code: PolicyErrorCode
  readonly file: string
  readonly policyId: string | null
  readonly help: string

  constructor(fault: PolicyFault, cause?: unknown) {
    super(fault.message, cause === undefined ? undefined : { cause })
    this.name = 'PolicyError'
    this.code = fault.code
    this.file = fault.file
    this.policyId = fault.policyId ?? null
    this.help = fault.help
  }
}

// The refusals of a policy document: one class, one stable code per reason. A policy that cannot be
// read has no meaning; whoever asks about it must not go on as if it said nothing.

/**
 * - `not_json`: not JSON, or JSON that two readers could understand in two ways
 * - `too_large`: past POLICY_CHARS_MAX, or more statements or values than the limits
 * - `unknown_element`: an element that the policy grammar does not have
 * - `missing_element`: no Statement, Effect, action or, where the kind of policy needs it, principal
 * - `wrong_element`: an element of another form than the grammar's, or one that this kind cannot have
 * - `unknown_operator`: a condition operator that IAM does not have
 */
export type PolicyErrorCode =
  | 'not_json'
  | 'too_large'
  | 'unknown_element'
  | 'missing_element'
  | 'wrong_element'
  | 'unknown_operator'

const HELP: Readonly<Record<PolicyErrorCode, string>> = {
  not_json: 'export the policy again, as one JSON document',
  too_large: 'split the policy; IAM takes far smaller ones',
  unknown_element: 'see the grammar of the IAM JSON policy language',
  missing_element: 'see the grammar of the IAM JSON policy language',
  wrong_element: 'see the grammar of the IAM JSON policy language',
  unknown_operator: 'see the condition operators of the IAM JSON policy language',
}

/** A refused policy; the message names places and never repeats values. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly code: PolicyErrorCode
  readonly help: string

  constructor(code: PolicyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.help = HELP[code]
  }
}

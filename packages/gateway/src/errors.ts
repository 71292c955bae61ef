// Every way the gateway says "I could not tell" or "no": one class, one stable code each, with the
// words for the caller. Messages carry no secret, token or body; `help` says what to do next.

/**
 * Codes of GatewayError.
 *
 * - `invalid_config`: seconder.yaml or a SECONDER_* variable is wrong. Operator's fault; fix and restart.
 * - `body_too_large`: the request body is over the gate's limit. Caller's fault; not retried as it is.
 * - `spool_full`: the gate has no room on its disk for a large body just now. Try again later.
 * - `unsupported_payload`: the body is streamed or unsigned, so what is reviewed could not be bound.
 * - `reload_refused`: a changed seconder.yaml holds what a running gate does not take. The operator restarts it.
 * - `session_unknown` / `session_closed`: the access key belongs to no open session.
 * - `session_elsewhere`: the session's keys were first used by another user or from another address.
 * - `session_suspended`: that happened, and its operator has not given it new keys since.
 * - `wrong_host`: the Host header names another host than this gate, or than the tunnel of CONNECT mode.
 * - `upstream_not_allowed`: service and region are not a row of the endpoint table.
 * - `not_supported`: named, and not in this version.
 * - `statement_invalid`: a signed statement is malformed, expired, of another gate, epoch or request.
 * - `signature_invalid`: the signature does not verify under a registered key or passkey.
 * - `local_relying_party`: a passkey of `localhost` at a gate of real accounts. Operator's to configure.
 * - `not_a_reviewer`: the signer may not review this request (operator, or added after it was opened).
 * - `question_invalid`: what was asked of the policies beforehand cannot be read. Caller's fault.
 * - `sign_in_needed`: reading needs a person who signed in, or an agent's own session.
 * - `wrong_origin`: a page of another origin sent this, or a cookie came along with one.
 * - `rate_limited`: asked too often within a minute. Retry later.
 * - `change_refused`: a change of people that makes no sense now, or that its signer may not sign.
 * - `payload_kept`: something still needs the payload, or it is none that can be dropped. Sign again later.
 * - `request_unknown` / `request_closed`: no such request, or it is no longer pending.
 * - `epoch_changed`: the statement or grant belongs to another epoch.
 * - `gate_refusing`: the loaded version is not the active epoch; the gate answers refusals only.
 * - `limit_reached`: a named limit (open requests, sessions, waiting calls) is reached.
 * - `credential_answer`: the answer would hold credentials; it never passes the gate.
 * - `not_narrowed`: the credentials of this call cannot be narrowed to it, so it is never begun.
 * - `credentials_unavailable`: the gate's own credentials, or AWS STS, could not be had just now. Retry.
 * - `role_not_assumable`: AWS does not lend this role with session tags and a source identity. The
 *   operator mends the trust policy; at start it is a start-up error, never an untagged call.
 * - `wall_open`: another user of the host could read or change what the gate stands on (red team C2). The
 *   operator mends the mode bits; at start it is a start-up error, else no session is opened.
 * - `look_up_failed`: the gate could not look again before the effect; the approval stands, try again.
 * - `clock_behind`: the clock (on PostgreSQL the database's) is behind what is recorded: at a start, or it was
 *   set back while the gate ran. Nothing is done until it has caught up. Operator's to mend.
 * - `not_witnessed`: too few witnesses cosigned the intent in time; the effect was not begun. Operator's to mend.
 * - `outcome_unrecorded`: the effect was begun and its outcome could not be recorded.
 * - `plan_stopped`: the call was not the next one of the session's approved plan, or not as signed.
 * - `replayed`: the same signed call came again after its answer was forgotten.
 * - `state_error`: the state database or the ledger failed; nothing was done.
 * - `state_unknown`: the state database was lost while it committed; whoever goes on looks first.
 */
export type GatewayErrorCode =
  | 'invalid_config'
  | 'reload_refused'
  | 'body_too_large'
  | 'spool_full'
  | 'unsupported_payload'
  | 'session_unknown'
  | 'session_closed'
  | 'session_elsewhere'
  | 'session_suspended'
  | 'wrong_host'
  | 'upstream_not_allowed'
  | 'not_supported'
  | 'statement_invalid'
  | 'signature_invalid'
  | 'local_relying_party'
  | 'not_a_reviewer'
  | 'question_invalid'
  | 'sign_in_needed'
  | 'wrong_origin'
  | 'rate_limited'
  | 'change_refused'
  | 'payload_kept'
  | 'request_unknown'
  | 'request_closed'
  | 'epoch_changed'
  | 'gate_refusing'
  | 'limit_reached'
  | 'credential_answer'
  | 'not_narrowed'
  | 'credentials_unavailable'
  | 'role_not_assumable'
  | 'wall_open'
  | 'look_up_failed'
  | 'clock_behind'
  | 'not_witnessed'
  | 'outcome_unrecorded'
  | 'plan_stopped'
  | 'replayed'
  | 'state_error'
  | 'state_unknown'

export class GatewayError extends Error {
  readonly code: GatewayErrorCode
  readonly help: string

  constructor(code: GatewayErrorCode, message: string, help: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GatewayError'
    this.code = code
    this.help = help
  }
}

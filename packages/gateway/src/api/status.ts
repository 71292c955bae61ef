// Makes the API's answer to an error: a stable code, what happened, what to do. Internal text, stack
// traces and causes never leave.
import { GatewayError, type GatewayErrorCode } from '../errors.ts'

type Status = 400 | 401 | 403 | 404 | 409 | 413 | 429 | 500 | 503

const STATUS: Record<GatewayErrorCode, Status> = {
  invalid_config: 500,
  reload_refused: 409,
  body_too_large: 413,
  spool_full: 503,
  unsupported_payload: 400,
  session_unknown: 404,
  session_closed: 403,
  session_elsewhere: 403,
  session_suspended: 403,
  wrong_host: 403,
  upstream_not_allowed: 403,
  not_supported: 404,
  statement_invalid: 400,
  signature_invalid: 403,
  local_relying_party: 403,
  not_a_reviewer: 403,
  question_invalid: 400,
  sign_in_needed: 401,
  wrong_origin: 403,
  rate_limited: 429,
  change_refused: 409,
  payload_kept: 409,
  request_unknown: 404,
  request_closed: 409,
  epoch_changed: 409,
  gate_refusing: 503,
  limit_reached: 409,
  credential_answer: 403,
  not_narrowed: 403,
  credentials_unavailable: 503,
  role_not_assumable: 409,
  wall_open: 403,
  look_up_failed: 503,
  clock_behind: 503,
  not_witnessed: 503,
  outcome_unrecorded: 500,
  plan_stopped: 409,
  replayed: 409,
  state_error: 503,
  state_unknown: 503,
}

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly help: string }
}

export function statusOf(error: unknown): { status: Status; body: ErrorBody } {
  if (error instanceof GatewayError) {
    const { code, message, help } = error
    return { status: STATUS[code], body: { error: { code, message, help } } }
  }
  if (isPolicyError(error)) {
    const { code, message, help } = error
    return { status: 400, body: { error: { code, message, help } } }
  }
  return {
    status: 500,
    body: {
      error: {
        code: 'internal',
        message: 'the gate could not tell; nothing was done',
        help: 'see the log of `seconder serve`',
      },
    },
  }
}

function isPolicyError(error: unknown): error is { code: string; message: string; help: string } {
  return (
    error instanceof Error && error.name === 'PolicyError' && 'code' in error && 'help' in error
  )
}

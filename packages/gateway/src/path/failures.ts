// The errors of the path itself, each with what to do next: what was not looked at again, not recorded,
// or already used.
import { GatewayError } from '../errors.ts'
import type { GrantRow } from '../state/store.ts'

/** Why an approval ends by itself. */
export const NOT_THE_SAME = 'what was reviewed is no longer what would happen'

export function couldNotLookAgain(): GatewayError {
  return new GatewayError(
    'look_up_failed',
    'the gate could not look again before the effect, so it did nothing; the approval stands',
    'run the same call again',
  )
}

export function changedSince(): GatewayError {
  return new GatewayError(
    'epoch_changed',
    'what this call would do has changed since it was approved; nothing was done',
    'run the call again: a new review will show how things are now',
  )
}

export function clientGone(): GatewayError {
  return new GatewayError(
    'request_closed',
    'the client has gone; nothing was done',
    'run the call again',
  )
}

export function notRecorded(cause: unknown): GatewayError {
  return new GatewayError(
    'outcome_unrecorded',
    'this call was made, and the gate could not record how it ended',
    'look before you run it again; tell whoever runs the gate',
    { cause },
  )
}

export function alreadyUsed(grant: GrantRow | null): GatewayError {
  if (grant)
    return new GatewayError(
      'request_closed',
      'the approval of this call was already used or has ended',
      'run the call again to ask anew',
    )
  return new GatewayError(
    'replayed',
    'this very signed call was already made once',
    'sign it again if it is meant twice',
  )
}

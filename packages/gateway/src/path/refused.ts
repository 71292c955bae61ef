// Records that a request was refused, then answers it: a refusal is in the ledger before it is told.
import type { WireHead } from '@seconder/aws/wire-request'
import type { Caller } from '../identify/caller.ts'
import type { Reply } from '../receive/received.ts'
import type { Recorder } from '../record/recorder.ts'
import type { History } from './history.ts'
import { failureOf, type Refusal, refusal } from './refusals.ts'
import type { TooOften } from './too-often.ts'

/** In place of a session; no session has this id. */
const NOBODY = ''

/**
 * Whether it says nothing of who calls: while the clock stands everybody is refused, and no rate of refusals is
 * refilled, so that one would be used up by sessions.
 */
export function isOfEverybody({ code }: Refusal): boolean {
  return code === 'clock_behind'
}

/** Whose call is refused, and whether it took from what its session may call. */
export interface Refusing {
  readonly caller: Caller
  readonly isCounted: boolean
}

/**
 * The refusal in the protocol of the request; of nobody it is recorded as unverified. One that no limit of its session
 * counted may be answered without an entry of its own, and the next entry says how many were.
 */
export async function refused(
  { recorder, history, tooOften }: { recorder: Recorder; history: History; tooOften: TooOften },
  received: { readonly request: WireHead },
  refusing: Refusing | undefined,
  failure: Refusal,
): Promise<Reply> {
  try {
    const { code } = failure
    if (!refusing) {
      const before = tooOften.before(NOBODY, !isOfEverybody(failure))
      if (before === null) return refusal(received, failure)
      await recorder.record({ type: 'unverified', code, ...(before > 0 && { more: before }) })
    } else {
      const { sessionId, operator } = refusing.caller
      history.count(sessionId, 'refused')
      const before = tooOften.before(sessionId, refusing.isCounted)
      if (before === null) return refusal(received, failure)
      const said = { session: sessionId, operator, code, operation: null }
      await recorder.record({ type: 'refused', ...said, ...(before > 0 && { more: before }) })
    }
  } catch (cause) {
    // What has happened stays said, whatever cannot be recorded about it.
    return refusal(received, failure.reply === 'OutcomeUnknown' ? failure : failureOf(cause))
  }
  return refusal(received, failure)
}

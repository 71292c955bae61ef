// Records that a request was refused, then answers it: a refusal is in the ledger before it is told.
import type { WireHead } from '@seconder/aws/wire-request'
import type { Caller } from '../identify/caller.ts'
import type { Reply } from '../receive/received.ts'
import type { Recorder } from '../record/recorder.ts'
import type { History } from './history.ts'
import { failureOf, type Refusal, refusal } from './refusals.ts'

/** The refusal in the protocol of the request; without a caller it is recorded as unverified. */
export async function refused(
  recorder: Recorder,
  history: History,
  received: { readonly request: WireHead },
  caller: Caller | undefined,
  failure: Refusal,
): Promise<Reply> {
  try {
    if (!caller) await recorder.record({ type: 'unverified', code: failure.code })
    else {
      const { sessionId, operator } = caller
      const { code } = failure
      const entry = {
        type: 'refused',
        session: sessionId,
        operator,
        code,
        operation: null,
      } as const
      await recorder.record(entry)
      history.count(sessionId, 'refused')
    }
  } catch (cause) {
    // What has happened stays said, whatever cannot be recorded about it.
    return refusal(received, failure.reply === 'OutcomeUnknown' ? failure : failureOf(cause))
  }
  return refusal(received, failure)
}

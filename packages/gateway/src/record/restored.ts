// The first start of a gate whose state was put back from a back-up: whatever was open is over. Sessions, approvals
// and requests of another time never go on, whoever put back what.
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Store } from '../state/store.ts'
import type { Recorder } from './recorder.ts'

/** Under this name a back-up of the state says that it is one, until a gate has ended what was open in it. */
export const RESTORED = 'restored'

export const RESTORED_MARK = z.strictObject({
  /** When the back-up was made. */
  backupAt: z.iso.datetime(),
  /** Entries of the ledger that the back-up has. */
  backupSize: z.number().int().min(0),
  /**
   * `kept`: the ledger that was there goes on from it; `from-backup`: what was recorded after the back-up is
   * not there any more; `unknown`: nobody asked, the files were put there by hand.
   */
  ledger: z.enum(['kept', 'from-backup', 'unknown']),
  /** Open when the back-up was made, and closed in it. */
  sessions: z.number().int().min(0),
})

export type RestoredMark = z.infer<typeof RESTORED_MARK>

/**
 * Ends everything that is open in a state from a back-up, and records it. Returns words for the operator; none
 * where the state is no back-up. Errors: `state_error` where the mark cannot be read.
 */
export async function endRestored(
  store: Store,
  recorder: Recorder,
  clock: Clock,
): Promise<string[]> {
  const text = await store.meta(RESTORED)
  if (text === undefined || text === '') return []
  const mark = parsed(text)
  const { grants, requests, ...others } = await store.endEverything(clock.nowMs())
  const sessions = mark.sessions + others.sessions
  await recorder.record({ type: 'gate-restored', ...mark, sessions, grants, requests })
  // Last: a crash before it does all of it again, which ends nothing more.
  await store.setMeta(RESTORED, '')
  return [
    `restored from the back-up of ${mark.backupAt}: all sessions are closed, all approvals void ` +
      `(${sessions} sessions, ${grants} approvals, ${requests} requests)`,
  ]
}

function parsed(text: string): RestoredMark {
  try {
    return RESTORED_MARK.parse(JSON.parse(text))
  } catch (cause) {
    throw new GatewayError(
      'state_error',
      'the state says that it is a back-up, and not of when',
      'restore it again, with `seconder restore`',
      { cause },
    )
  }
}

// Closes sessions: any registered person may, by a signature over that very act. Closing only takes
// rights away: keys, child keys and ready grants of the session end now.
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { type ActVerifier, type GivenAct, invalidStatement } from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import type { ClosedSessions, Store } from '../state/store.ts'

export const CLOSING_NAMESPACE = 'seconder-session-close@v1'

export const CLOSING_STATEMENT = z.strictObject({
  type: z.literal('seconder-session-close@v1'),
  gate: z.string(),
  session: z.string().max(64),
  signer: z.string().max(64),
  nonce: z.string().min(22).max(64),
  signedAt: z.iso.datetime(),
})

export interface ClosingOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
}

/**
 * Closes a session and its children. Returns the pending requests that ended with it.
 * Errors: `statement_invalid`, `signature_invalid`, `session_unknown`.
 */
export async function closeSession(
  options: ClosingOptions,
  given: GivenAct,
): Promise<readonly string[]> {
  const { store, recorder, clock, gateId, acts } = options
  const verified = await acts.verify(given, CLOSING_NAMESPACE, CLOSING_STATEMENT)
  const { statement, person, act } = verified
  const nowMs = clock.nowMs()
  if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
  if (statement.signer !== person.name)
    throw invalidStatement('the key is not that of the signer named')
  if (Math.abs(nowMs - Date.parse(statement.signedAt)) > 5 * 60_000) {
    throw invalidStatement('it was signed more than five minutes away from now')
  }
  if (!(await store.useNonce(statement.nonce, nowMs)))
    throw invalidStatement('its nonce was used before')
  // The keys end with the entries that the ledger is owed, and before these are recorded: there is never an
  // entry about a session whose keys still work.
  const owedOf = ({ children }: Pick<ClosedSessions, 'children'>) => [
    recorder.owed({ type: 'session-closed', session: statement.session, act }),
    ...children.map((session) => recorder.owed({ type: 'session-closed', session, act: null })),
  ]
  const closed = await store.closeSession(statement.session, nowMs, owedOf)
  if (!closed) {
    throw new GatewayError(
      'session_unknown',
      'no open session has this id',
      'see `seconder session ls`',
    )
  }
  await recorder.recordOwed(owedOf(closed))
  return closed.cancelledRequests
}

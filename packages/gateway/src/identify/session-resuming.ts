// Gives a session new keys in place of its old ones, by a signature of its own operator over that very act: one
// that is suspended goes on (red team H17), and one that would end lives on without a new id. Its requests and
// approvals stay, since they are bound to the session; its children end with the keys that opened them.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { type GivenAct, invalidStatement } from '../lib/signed-act.ts'
import type { ClosedSessions } from '../state/store.ts'
import {
  newAccessKeyId,
  type OpenedSession,
  type OpeningOptions,
  requireLifetime,
  SESSION_STATEMENT,
  seal,
} from './session-opening.ts'

export const RESUMING_NAMESPACE = 'seconder-session-resume@v1'

export const RESUMING_STATEMENT = z.strictObject({
  ...SESSION_STATEMENT.pick({
    gate: true,
    operator: true,
    sessionPublicKey: true,
    signedAt: true,
    expiresAt: true,
    nonce: true,
  }).shape,
  type: z.literal('seconder-session-resume@v1'),
  session: z.string().max(64),
})

export interface ResumedSession extends OpenedSession {
  /** Pending requests of child sessions, which ended. */
  readonly cancelledRequests: readonly string[]
}

/**
 * Returns the session's id and its new keys, sealed.
 * Errors: `statement_invalid`, `signature_invalid`, `session_unknown` where it was closed or is a child.
 */
export async function resumeSession(
  { store, recorder, clock, gateId, acts, roles }: OpeningOptions,
  given: GivenAct,
): Promise<ResumedSession> {
  const verified = await acts.verify(given, RESUMING_NAMESPACE, RESUMING_STATEMENT)
  const { statement, person, act } = verified
  const { session: id, expiresAt } = statement
  const nowMs = clock.nowMs()
  if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
  if (statement.operator !== person.name)
    throw invalidStatement('the key is not that of the operator named')
  requireLifetime(statement, nowMs)
  return store.alone(`session ${id}`, async () => {
    const session = await store.session(id)
    if (!session || session.closedAtMs !== null || session.parent !== null) throw noSuch()
    if (session.operator !== person.name)
      throw invalidStatement('the session is that of another operator')
    if ((await roles())[session.roleName]?.arn !== session.roleArn)
      throw invalidStatement('its role is not what it was: open a new session')
    if (!(await store.useNonce(statement.nonce, nowMs)))
      throw invalidStatement('its nonce was used before')
    const keys = {
      accessKeyId: newAccessKeyId('AKIA'),
      secretAccessKey: randomBytes(30).toString('base64'),
      expiresAtMs: Date.parse(expiresAt),
    }
    const sealed = seal(statement.sessionPublicKey, keys)
    const operator = person.name
    const { accessKeyId: replaced } = session
    const said = { session: id, operator, replaced, expiresAt, act }
    const owedOf = ({ children }: Pick<ClosedSessions, 'children'>) =>
      children.map((child) => recorder.owed({ type: 'session-closed', session: child, act: null }))
    // A crash in between leaves an entry about keys that nobody has: the old ones end with it all the same, at the next
    // start or, where gateways share the state, in the transaction of the entry.
    const resumed = await recorder.recordThen({ type: 'session-resumed', ...said }, () =>
      store.resumeSession(id, keys, nowMs, owedOf),
    )
    if (!resumed) throw noSuch()
    await recorder.recordOwed(owedOf(resumed))
    return { sessionId: id, expiresAt, sealed, cancelledRequests: resumed.cancelledRequests }
  })
}

function noSuch(): GatewayError {
  return new GatewayError(
    'session_unknown',
    'no open session has this id, or another one opened it',
    'see `seconder session ls`',
  )
}

// What a person signs to take something back: the operator a request that still waits, any member an approval
// that was not used yet. It only ever takes away. SSHSIG namespace `seconder-withdrawal@v1`.
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { type ActVerifier, type GivenAct, invalidStatement } from '../lib/signed-act.ts'
import type { GrantRow, RequestRow, Store } from '../state/store.ts'
import { COMMENT_CHARS_MAX } from './words.ts'

export const WITHDRAWAL_NAMESPACE = 'seconder-withdrawal@v1'

/** How far from now it may have been signed, in milliseconds. */
const AGE_MS_MAX = 5 * 60_000

export const WITHDRAWAL_STATEMENT = z.strictObject({
  type: z.literal('seconder-withdrawal@v1'),
  gate: z.string(),
  request: z.string().max(64),
  /** `cancel` what waits, or `revoke` what was approved: never the one for the other. */
  takes: z.enum(['cancel', 'revoke']),
  signer: z.string().max(64),
  comment: z.string().max(COMMENT_CHARS_MAX),
  nonce: z.string().min(22).max(64),
  signedAt: z.iso.datetime(),
})

/** Errors: `statement_invalid`, `signature_invalid`. Its nonce is not used up here. */
export async function verifiedWithdrawal(
  { acts, gateId, nowMs }: { acts: ActVerifier; gateId: string; nowMs: number },
  given: GivenAct,
) {
  const verified = await acts.verify(given, WITHDRAWAL_NAMESPACE, WITHDRAWAL_STATEMENT)
  const { statement, person } = verified
  if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
  if (statement.signer !== person.name)
    throw invalidStatement('the key is not that of the signer named')
  if (Math.abs(nowMs - Date.parse(statement.signedAt)) > AGE_MS_MAX)
    throw invalidStatement('it was signed more than five minutes away from now')
  return verified
}

export function notTheirs(who: string): GatewayError {
  return new GatewayError(
    'not_a_reviewer',
    `\`${who}\` is not the operator of this request, and cannot cancel it`,
    'whoever finds that it should not happen denies it: `seconder deny`',
  )
}

export function nothingToTake(id: string, what: string): GatewayError {
  return new GatewayError(
    'request_closed',
    `request ${id} has ${what}`,
    'see `seconder request show`; nothing was changed',
  )
}

/** Errors: `request_closed`. */
export function requirePending({ id, state, expiresAtMs }: RequestRow, nowMs: number): void {
  if (state === 'pending' && expiresAtMs > nowMs) return
  throw nothingToTake(id, `nothing left to cancel: it is ${state}`)
}

/** The approval that can be taken back. Errors: `request_closed`. */
export async function readyGrant(
  store: Store,
  { id, state }: RequestRow,
  nowMs: number,
): Promise<GrantRow> {
  const grant = await store.grantForRequest(id)
  if (grant?.state === 'ready' && grant.expiresAtMs > nowMs) return grant
  throw nothingToTake(id, `no approval that could be revoked: it is ${grant?.state ?? state}`)
}

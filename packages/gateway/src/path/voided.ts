// Ends an approval whose call would no longer do what was signed.
import type { GatewayError } from '../errors.ts'
import type { GrantRow } from '../state/store.ts'
import { changedSince, NOT_THE_SAME } from './failures.ts'
import type { GatewayParts } from './on-path.ts'

/** The approval ends with the entry that the ledger is owed; that is recorded next. Returns what to answer. */
export async function voided(
  { store, recorder }: Pick<GatewayParts, 'store' | 'recorder'>,
  { id: grant, requestId: request }: GrantRow,
): Promise<GatewayError> {
  const nobody = { signer: null, act: null }
  const entry = { type: 'grant-revoked', grant, request, why: NOT_THE_SAME, ...nobody } as const
  const owed = [recorder.owed(entry)]
  const ended = { state: 'revoked', by: null, why: NOT_THE_SAME } as const
  // Where it was used or taken back meanwhile, that is what the ledger says.
  if (await store.endGrant(grant, ended, { owed })) await recorder.recordOwed(owed)
  return changedSince()
}

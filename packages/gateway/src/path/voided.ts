// Ends an approval whose call would no longer do what was signed.
import type { GatewayError } from '../errors.ts'
import type { GrantRow } from '../state/store.ts'
import { changedSince, NOT_THE_SAME } from './failures.ts'
import type { GatewayParts } from './on-path.ts'

/** The approval ends first: a crash leaves it ended without its entry. Returns what to answer. */
export async function voided(
  { store, recorder }: Pick<GatewayParts, 'store' | 'recorder'>,
  { id: grant, requestId: request }: GrantRow,
): Promise<GatewayError> {
  const entry = { type: 'grant-revoked', grant, request, why: NOT_THE_SAME } as const
  const ended = { state: 'revoked', by: null, why: NOT_THE_SAME } as const
  // Where it was used or taken back meanwhile, that is what the ledger says.
  if (await store.endGrant(grant, ended)) {
    await recorder.record({ ...entry, signer: null, act: null })
  }
  return changedSince()
}

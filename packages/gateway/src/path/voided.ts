// Ends an approval whose call would no longer do what was signed.
import type { GatewayError } from '../errors.ts'
import type { GrantRow } from '../state/store.ts'
import { changedSince, NOT_THE_SAME } from './failures.ts'
import type { GatewayParts } from './on-path.ts'

/** The entry first: a crash leaves one of an approval that ends at the next look. Returns what to answer. */
export async function voided(
  { store, recorder }: Pick<GatewayParts, 'store' | 'recorder'>,
  { id: grant, requestId: request }: GrantRow,
): Promise<GatewayError> {
  const entry = { type: 'grant-revoked', grant, request, why: NOT_THE_SAME } as const
  await recorder.record({ ...entry, signer: null, act: null })
  store.endGrant(grant, { state: 'revoked', by: null, why: NOT_THE_SAME })
  return changedSince()
}

// Signs a new epoch with a passkey, as `seconder policy activate` does with an SSH key: the version that this page
// hashed again and shows.
import type { EpochCandidate } from '@seconder/gateway/epoch/difference'
import { type GateFacts, post } from './api.ts'
import { signWithPasskey } from './passkey.ts'
import { nonce } from './reviewing.ts'

/** How long one signature waits for the second, in milliseconds. */
const SIGNED_FOR_MS = 12 * 3_600_000

export interface Activation {
  readonly activated: boolean
  readonly signers: readonly string[]
  readonly missing: number
}

interface Signing {
  readonly facts: GateFacts
  readonly signer: string
  /** Hash of the dry run that the page shows. */
  readonly dryRun?: string | undefined
}

/** Errors: GateError of the gate, `not_signed`. */
export async function signEpoch(
  { from, version }: EpochCandidate,
  { facts, signer, dryRun }: Signing,
): Promise<Activation> {
  const statement = {
    type: 'seconder-epoch@v1',
    gate: facts.gate,
    from,
    version,
    signer,
    nonce: nonce(),
    expiresAt: new Date(Date.now() + SIGNED_FOR_MS).toISOString(),
    ...(dryRun !== undefined && { dryRun }),
  }
  return post('/api/epochs', await signWithPasskey(statement, facts.relyingParty.rpId))
}

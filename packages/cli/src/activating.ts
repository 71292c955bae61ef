// Reads what a new epoch would change, hashed again here, and signs exactly that version.
import { EPOCH_NAMESPACE } from '@seconder/gateway/epoch/activation'
import {
  checkedCandidate,
  type Difference,
  type EpochCandidate,
} from '@seconder/gateway/epoch/difference'
import { CommandFailure } from './failure.ts'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import type { Signer } from './signing.ts'

/** How long one signature waits for the second, in milliseconds. */
const SIGNED_FOR_MS = 12 * 3_600_000

export interface CheckedCandidate {
  readonly candidate: EpochCandidate
  /** Empty where the files are those of the epoch in force. */
  readonly differences: readonly Difference[]
}

/** Throws CommandFailure `document_mismatch` where the gate offers something else than it shows. */
export async function readCandidate(client: GateClient): Promise<CheckedCandidate> {
  const candidate = await client.get<EpochCandidate>('/api/epochs/candidate/content')
  try {
    return { candidate, differences: checkedCandidate(candidate) }
  } catch (cause) {
    throw new CommandFailure(
      'document_mismatch',
      (cause as Error).message,
      'tell whoever runs the gate',
    )
  }
}

export interface Activation {
  readonly activated: boolean
  readonly signers: readonly string[]
  readonly missing: number
}

/** Signs the version that was read and checked, and nothing that is on the disk since. */
export async function signEpoch(
  client: GateClient,
  signer: Signer,
  { from, version }: EpochCandidate,
  dryRun?: string,
): Promise<Activation> {
  const { gate } = await client.facts()
  const expiresAt = new Date(Date.now() + SIGNED_FOR_MS).toISOString()
  const said = { gate, from, version, signer: signer.person, nonce: nonce(), expiresAt }
  const seen = dryRun === undefined ? {} : { dryRun }
  const act = await signer.sign({ type: 'seconder-epoch@v1', ...said, ...seen }, EPOCH_NAMESPACE)
  return client.post('/api/epochs', act)
}

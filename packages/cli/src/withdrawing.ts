// Signs that something is taken back: a request that waits, or an approval that was not used yet.
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import { WITHDRAWAL_NAMESPACE } from '@seconder/gateway/review/withdrawal'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import type { Signer } from './signing.ts'

export interface Withdrawal {
  readonly requestId: string
  readonly takes: 'cancel' | 'revoke'
  readonly comment: string
}

/** Returns the request as it is afterwards. */
export async function signWithdrawal(
  client: GateClient,
  signer: Signer,
  { requestId, takes, comment }: Withdrawal,
): Promise<ShownRequest> {
  const { gate } = await client.facts()
  const statement = {
    type: 'seconder-withdrawal@v1',
    gate,
    request: requestId,
    takes,
    signer: signer.person,
    comment,
    nonce: nonce(),
    signedAt: new Date().toISOString(),
  }
  return client.post('/api/withdrawals', await signer.sign(statement, WITHDRAWAL_NAMESPACE))
}

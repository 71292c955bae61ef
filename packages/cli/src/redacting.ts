// Signs that a payload beside the ledger is dropped for a reason; its digest, and every proof, stay.
import type { Redaction, ShownPayload } from '@seconder/gateway/payloads/payload-desk'
import { REDACTION_NAMESPACE } from '@seconder/gateway/payloads/statement'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import type { Signer } from './signing.ts'

/** `what`: a digest, or the id of a request, whose document is meant. */
export function lookAtPayload(client: GateClient, what: string): Promise<ShownPayload> {
  return client.get(`/api/payloads/${encodeURIComponent(what)}`)
}

export async function signRedaction(
  client: GateClient,
  signer: Signer,
  { payload, reason }: { readonly payload: string; readonly reason: string },
): Promise<Redaction> {
  const { gate } = await client.facts()
  const statement = {
    type: 'seconder-redaction@v1',
    gate,
    payload,
    reason,
    signer: signer.person,
    nonce: nonce(),
    signedAt: new Date().toISOString(),
  }
  return client.post('/api/redactions', await signer.sign(statement, REDACTION_NAMESPACE))
}

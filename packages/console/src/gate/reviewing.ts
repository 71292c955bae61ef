// Makes and sends one verdict, as `seconder approve` does: over the document that this page checked.
import { type GateFacts, get, post, type ShownRequest } from './api.ts'
import type { CheckedAny } from './checked-request.ts'
import { signWithPasskey } from './passkey.ts'

export type Verdict = 'approve' | 'deny' | 'request_changes'

/** How long one statement may be on its way, in milliseconds. */
const STATEMENT_LIFE_MS = 5 * 60_000

interface ReviewAnswer {
  readonly checked: CheckedAny
  readonly facts: GateFacts
  readonly verdict: Verdict
  readonly comment: string
  readonly reviewer: string
}

/** Returns the request as it is afterwards. Errors: GateError of the gate, `not_signed`. */
export async function sendReview(answer: ReviewAnswer): Promise<ShownRequest> {
  const { checked, verdict, comment, reviewer } = answer
  const { document, shown } = checked
  // The newest checkpoint: each reviewer is a witness of the ledger as it is now.
  const { checkpoint } = await get<GateFacts>('/api/gate')
  const statement = {
    type: 'seconder-review@v1',
    verdict,
    gate: document.gate,
    epoch: document.epoch,
    request: document.request,
    digest: document.digest,
    shown,
    reviewer,
    comment,
    nonce: nonce(),
    expiresAt: new Date(Date.now() + STATEMENT_LIFE_MS).toISOString(),
    checkpoint,
  }
  return post('/api/reviews', await signWithPasskey(statement, answer.facts.relyingParty.rpId))
}

export function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

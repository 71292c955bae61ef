// Fetches what a reviewer would sign, checks it against its own hashes, and signs a verdict on it.
// Rendering and signing use the one document that was checked here.
import type { ShownRequest } from '@seconder/gateway/api/shown-request'
import { escapeUntrusted } from '@seconder/gateway/lib/plain-text'
import { checkAnyDocument } from '@seconder/gateway/review/opening'
import type { AnyDocument } from '@seconder/gateway/review/plan-document'
import { REVIEW_NAMESPACE } from '@seconder/gateway/review/statement'
import { CommandFailure } from './failure.ts'
import type { GateClient } from './gate-client.ts'
import { nonce } from './nonce.ts'
import type { Signer } from './signing.ts'

export type Verdict = 'approve' | 'deny' | 'request_changes'

/** How long one statement may be on its way, in milliseconds. */
const STATEMENT_LIFE_MS = 5 * 60_000

export interface FullRequest {
  readonly request: ShownRequest
  /** Canonical JSON, exactly as stored beside the ledger. */
  readonly document: string | null
  /** Why there is no document any more, in words. */
  readonly gone: string | null
  readonly reviews: readonly { readonly reviewer: string; readonly verdict: string }[]
}

export interface CheckedRequest {
  readonly document: AnyDocument
  /** SHA-256 of the document's text. */
  readonly shown: string
  readonly full: FullRequest
}

/** Returns the request with its document, both hashes recomputed; throws `document_mismatch`, `document_gone`. */
export async function checkedRequest(
  client: GateClient,
  requestId: string,
): Promise<CheckedRequest> {
  const full = await client.get<FullRequest>(`/api/requests/${requestId}`)
  if (full.document === null) {
    const why = escapeUntrusted(full.gone ?? '', 1_200)
    throw new CommandFailure('document_gone', `its document is gone: ${why}`, 'see its entries')
  }
  const { document, shown } = checkAnyDocument(full.document)
  const { requestId: answered, digest } = full.request
  if (document.digest !== digest || document.request !== answered || answered !== requestId) {
    throw new CommandFailure(
      'document_mismatch',
      'the gate shows a document of something else',
      'do not sign; tell whoever runs the gate',
    )
  }
  return { full, document, shown }
}

export interface ReviewAnswer {
  readonly verdict: Verdict
  readonly comment: string
}

/**
 * Signs and sends one verdict on what was read and checked: it is never read again here, for a gate could then show one
 * thing and have another signed (red team H2). Returns the request as it is afterwards.
 */
export async function signReview(
  client: GateClient,
  signer: Signer,
  { document, shown }: Pick<CheckedRequest, 'document' | 'shown'>,
  answer: ReviewAnswer,
): Promise<ShownRequest> {
  const facts = await client.facts()
  if (document.gate !== facts.gate) {
    throw new CommandFailure(
      'document_mismatch',
      'the document belongs to another gate',
      'do not sign',
    )
  }
  const statement = {
    type: 'seconder-review@v1',
    verdict: answer.verdict,
    gate: facts.gate,
    epoch: document.epoch,
    request: document.request,
    digest: document.digest,
    shown,
    reviewer: signer.person,
    comment: answer.comment,
    nonce: nonce(),
    expiresAt: new Date(Date.now() + STATEMENT_LIFE_MS).toISOString(),
    checkpoint: facts.checkpoint,
  }
  return client.post<ShownRequest>('/api/reviews', await signer.sign(statement, REVIEW_NAMESPACE))
}

/** A person may write the first letters of an id; ids only recognise, they authorise nothing. */
export async function resolveRequestId(client: GateClient, id: string): Promise<string> {
  if (/^[rp]-[0-9a-z]{26}$/.test(id)) return id
  const { requests: found } = await client.get<{ requests: ShownRequest[] }>(
    `/api/requests?${new URLSearchParams({ begins: id, limit: '9' })}`,
  )
  const only = found[0]
  if (found.length === 1 && only) return only.requestId
  throw new CommandFailure(
    'request_unknown',
    found.length === 0 ? `there is no request ${id}` : `${id} fits ${found.length} requests`,
    'see `seconder request ls`',
  )
}

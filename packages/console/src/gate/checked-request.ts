// A request as it may be signed: the document's own bytes, hashed again here. The page renders from what
// is returned and from nothing else.
import { checkDocument } from '@seconder/gateway/review/document'
import { type AnyDocument, checkPlanDocument } from '@seconder/gateway/review/plan-document'
import type { FullRequest, GateFacts } from './api.ts'

export interface CheckedAny {
  readonly document: AnyDocument
  /** SHA-256 of the document's text. */
  readonly shown: string
}

export type Checked =
  | ({ readonly ok: true } & CheckedAny)
  | { readonly ok: false; readonly why: string }

/** Not `ok` where the document is not that of the request asked for, of this gate, or of its own digests. */
export function checkedRequest(
  asked: string,
  { request, document: text }: FullRequest,
  facts: GateFacts,
): Checked {
  if (text === null) return { ok: false, why: 'its document is not there any more' }
  let checked: CheckedAny
  try {
    checked = isPlan(text) ? checkPlanDocument(text) : checkDocument(text)
  } catch (cause) {
    return { ok: false, why: (cause as Error).message }
  }
  const { document } = checked
  const { digest, requestId } = request
  if (document.digest !== digest || document.request !== requestId || requestId !== asked) {
    return { ok: false, why: 'the gate shows a document of something else: do not sign it' }
  }
  if (document.gate !== facts.gate) {
    return { ok: false, why: 'the document belongs to another gate: do not sign it' }
  }
  return { ok: true, ...checked }
}

/** Which of the two it says it is; each check then refuses what it is not. */
function isPlan(text: string): boolean {
  return (JSON.parse(text) as { type?: unknown }).type === 'seconder-plan-document@v1'
}

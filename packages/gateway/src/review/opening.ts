// What a request is opened with: the document that will be shown, its entry, and its row. What was said
// before about the same comes first in it: denials that stand, and changes that were asked of the session.
import type { JsonObject } from '../describe/action.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Recorder } from '../record/recorder.ts'
import type { RequestRow, Store } from '../state/store.ts'
import { againstOf, touchesOf, touchRows } from './again.ts'
import type { DeskPolicy } from './desk-options.ts'
import { checkDocument } from './document.ts'
import { escalationsFor } from './escalation.ts'
import { type AnyDocument, checkPlanDocument, partsOf } from './plan-document.ts'
import { reachOf } from './reach.ts'
import { DENIAL_STANDS_MS, type ShownDenial, standingDenials } from './standing.ts'

/** Changes asked for that are shown with a new request. */
const CHANGES_SHOWN_MAX = 3
/** Resources named in the entry; the document has them all. */
const ENTRY_RESOURCES_MAX = 20

/** What a document holds before its request is opened. */
export type Content<Document> = Omit<
  Document,
  'type' | 'gate' | 'request' | 'openedAt' | 'expiresAt' | 'denied' | 'again' | 'changesAsked'
>

interface Times {
  readonly nowMs: number
  readonly expiresAtMs: number
}

/** The document, with what was said before about the same. */
export async function framed(
  store: Store,
  gate: string,
  content: AnyDocument,
  { nowMs, expiresAtMs }: Times,
): Promise<AnyDocument> {
  const reaches = partsOf(content).map(({ action, evidence }) => reachOf(action, evidence))
  const denied = await standingDenials(store, content.context.operator, reaches, nowMs)
  const of = { request: content.request, operator: content.context.operator }
  const again = await againstOf(store, of, touchesOf(content), nowMs)
  const sinceMs = nowMs - DENIAL_STANDS_MS
  const asked = await store.changesAsked(content.session, sinceMs, CHANGES_SHOWN_MAX)
  const changesAsked = asked.map(shownChange)
  return {
    ...content,
    ...(denied.length > 0 && { denied }),
    ...(again.length > 0 && { again }),
    ...(changesAsked.length > 0 && { changesAsked }),
    gate,
    openedAt: new Date(nowMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
  }
}

function shownChange({ id, closedBy, comment, openedAtMs }: RequestRow): ShownDenial {
  const at = new Date(openedAtMs).toISOString()
  return { request: id, by: closedBy ?? '', at, comment: comment ?? '' }
}

/** Keeps the document beside the ledger and records that the request was opened; returns its SHA-256. */
export async function keepDocument(recorder: Recorder, document: AnyDocument): Promise<string> {
  const sha256 = await recorder.keep(canonicalJson(document as unknown as JsonObject))
  const facts = requestFacts(document, sha256)
  if (document.type !== 'seconder-plan-document@v1') {
    await recorder.record({ type: 'request-opened', ...facts })
    return sha256
  }
  const steps = document.steps.map(({ action: { operation }, digest, follows }) => {
    return { operation, digest, follows }
  })
  await recorder.record({ type: 'plan-opened', ...facts, steps })
  return sha256
}

/** Throws where the document is not that of the request any more. */
export async function readDocument(
  recorder: Recorder,
  { documentSha256 }: Pick<RequestRow, 'documentSha256'>,
): Promise<AnyDocument> {
  const text = await recorder.payload(documentSha256)
  return checkAnyDocument(text).document
}

/** Parses either kind of document and recomputes its digests; throws where one does not hold. */
export function checkAnyDocument(text: string): {
  readonly document: AnyDocument
  readonly shown: string
} {
  const { type } = JSON.parse(text) as { readonly type?: unknown }
  return type === 'seconder-plan-document@v1' ? checkPlanDocument(text) : checkDocument(text)
}

export function rowOf(
  document: AnyDocument,
  kept: { actionDigest: string; documentSha256: string } & Times,
): RequestRow {
  return {
    id: document.request,
    sessionId: document.session,
    operator: document.context.operator,
    operation: operationOf(document),
    actionDigest: kept.actionDigest,
    digest: document.digest,
    epoch: document.epoch,
    state: 'pending',
    documentSha256: kept.documentSha256,
    requirement: document.requirement,
    deniedBefore: (document.denied ?? []).map(({ request, by }) => ({ request, by })),
    openedAtMs: kept.nowMs,
    expiresAtMs: kept.expiresAtMs,
    closedBy: null,
    comment: null,
  }
}

function operationOf(document: AnyDocument): string {
  if (document.type !== 'seconder-plan-document@v1') return document.action.operation
  return `plan of ${document.steps.length} ${document.steps.length === 1 ? 'call' : 'calls'}`
}

/** The request in the state, with whom it is told to later and what it would remove or make. */
export async function keepRequest(
  store: Store,
  row: RequestRow,
  document: AnyDocument,
  { escalations, grantMs }: Pick<DeskPolicy, 'escalations'> & { readonly grantMs: number },
): Promise<void> {
  await store.addRequest(row)
  await store.addTouches(touchRows(row, document, grantMs))
  const environments = partsOf(document).flatMap(({ action }) =>
    action.resources.map(({ environment }) => environment),
  )
  await store.addEscalations(escalationsFor(row, escalations(environments)))
}

function requestFacts(document: AnyDocument, documentSha256: string) {
  const { context } = document
  const parts = partsOf(document)
  const resources = parts.flatMap(({ action }) => action.resources)
  return {
    request: document.request,
    requirement: document.requirement,
    policies: document.policies,
    document: documentSha256,
    expiresAt: document.expiresAt,
    session: document.session,
    operator: context.operator,
    agent: context.agent,
    role: context.role,
    operation: operationOf(document),
    resources: [...new Set(resources.map(({ arn }) => arn))]
      .slice(0, ENTRY_RESOURCES_MAX)
      .map((arn) => arn.slice(0, 1_024).toWellFormed()),
    environments: [...new Set(resources.map(({ environment }) => environment))],
    effects: [...new Set(parts.flatMap(({ action }) => action.effects))],
    digest: document.digest,
    epoch: document.epoch,
  }
}

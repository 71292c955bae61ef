// The review document: everything a reviewer is shown, as canonical JSON, kept beside the ledger
// under its hash. CLI and console recompute both hashes from it and render from nothing else.
import type { DecideContext, SeatCount } from '../decide/decision.ts'
import type { Action, JsonObject } from '../describe/action.ts'
import { canonicalJson, digestOf, parseCanonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import type { Evidence } from '../resolve/evidence.ts'
import type { ShownAgain } from './again.ts'
import type { ShownDenial } from './standing.ts'

/** What every review document says, whatever it is of. */
export interface DocumentFrame {
  readonly gate: string
  readonly epoch: number
  readonly request: string
  readonly digest: string
  readonly session: string
  readonly roleArn: string
  readonly context: DecideContext
  /** One plain sentence, worst first, written by a program from the evidence. */
  readonly summary: string
  readonly requirement: readonly SeatCount[]
  readonly policies: readonly string[]
  readonly reason: string
  /** What the agent says about why; a claim, never a fact. */
  readonly agentSays: string | null
  readonly history: { readonly reads: number; readonly writes: number; readonly refused: number }
  readonly openedAt: string
  readonly expiresAt: string
  /** Who said no to the same within a day; absent where nobody did. */
  readonly denied?: readonly ShownDenial[]
  /** Requests of this operator, of any session, that make again what this one removes, or the other way (red team L1). */
  readonly again?: readonly ShownAgain[]
  /** What reviewers asked this session to change, newest first, each with its author (red team M3). */
  readonly changesAsked?: readonly ShownDenial[]
}

export interface ReviewDocument extends DocumentFrame {
  readonly type: 'seconder-review-document@v1'
  readonly action: Action
  readonly evidence: Evidence
}

export function documentText(document: ReviewDocument): string {
  return canonicalJson(document as unknown as JsonObject)
}

/** The document's own account of its digest, recomputed; a client refuses to sign when it differs. */
export function recomputeDigest(
  document: Pick<ReviewDocument, 'action' | 'evidence' | 'session' | 'roleArn' | 'epoch'>,
): string {
  return digestOf({
    action: document.action as unknown as JsonObject,
    session: document.session,
    role: document.roleArn,
    epoch: document.epoch,
    binding: document.evidence.binding,
  })
}

export interface CheckedDocument {
  readonly document: ReviewDocument
  /** SHA-256 of the text: what goes into the statement as `shown`. */
  readonly shown: string
}

/** Parses a document and recomputes both hashes. Throws when the digest is not that of its content. */
export function checkDocument(text: string): CheckedDocument {
  const document = parseCanonicalJson(text) as unknown as ReviewDocument
  if (
    document.type !== 'seconder-review-document@v1' ||
    recomputeDigest(document) !== document.digest
  ) {
    throw new Error('the review document does not match its own digest: do not sign it')
  }
  return { document, shown: sha256Hex(text) }
}

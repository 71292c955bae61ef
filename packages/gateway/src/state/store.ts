// The gate's state port: sessions, requests, reviews, grants, effects and epochs. Narrow on purpose:
// every change that must be atomic is one method. What is durable here is never ahead of the ledger.
import type { SeatCount } from '../decide/decision.ts'
import type { JsonObject } from '../describe/action.ts'
import type { BreakGlassStore } from './break-glass-store.ts'
import type { Figures } from './figures.ts'
import type { OwedEntry, OwedOf, OwedStore } from './owed-store.ts'
import type { PeopleStore } from './people-store.ts'
import type { PlanStore, StepPlace } from './plan-store.ts'
import type { AlongWith, StandingStore } from './standing-store.ts'

export type { FoundingPerson, KeyRecord, PersonRecord } from './people-store.ts'

export type RequestState =
  | 'pending'
  | 'approved'
  | 'denied'
  | 'changes_requested'
  | 'expired'
  | 'cancelled'
export type GrantState = 'ready' | 'consumed' | 'revoked' | 'expired'

export interface SessionRow {
  readonly id: string
  /** The session whose AssumeRole opened this one, which ends with it; null where a person did. */
  readonly parent: string | null
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** HMAC key for masked values; gone when the session is closed (red team M5). */
  readonly maskKey: string
  readonly agent: string
  readonly operator: string
  readonly task: string | null
  /** Who sent the task; a child has those of its parent. */
  readonly instigators: readonly string[]
  readonly roleName: string
  readonly roleArn: string
  readonly openedAtMs: number
  readonly expiresAtMs: number
  readonly closedAtMs: number | null
  /** Since when its keys, used from elsewhere, open nothing; null where they do (red team H17). */
  readonly suspendedAtMs: number | null
}

/** New keys of a session, in place of those it had. */
export interface NewKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly expiresAtMs: number
}

export interface ClosedSessions {
  readonly cancelledRequests: readonly string[]
  /** The children that ended with it. */
  readonly children: readonly string[]
}

export interface EndedEverything {
  readonly sessions: number
  readonly grants: number
  readonly requests: number
}

/**
 * `begun`: no outcome of it is recorded; `recorded`: one is, and the effect is still this gate's; `gone`: it is not any
 * more, since it ended, or since another gateway ended it.
 */
export type EffectProgress = 'begun' | 'recorded' | 'gone'

export interface RequestRow {
  readonly id: string
  readonly sessionId: string
  readonly operator: string
  readonly operation: string
  /** Digest of the Action, session, role and epoch, without evidence: what copies are joined by. */
  readonly actionDigest: string
  /** Digest with the binding evidence: what is reviewed and granted. */
  readonly digest: string
  readonly epoch: number
  readonly state: RequestState
  /** SHA-256 of the review document, stored beside the ledger. */
  readonly documentSha256: string
  readonly requirement: readonly SeatCount[]
  /** Who denied the same before: each asks for one more approver, unless the one who denied approves. */
  readonly deniedBefore: readonly { readonly request: string; readonly by: string }[]
  readonly openedAtMs: number
  readonly expiresAtMs: number
  readonly closedBy: string | null
  readonly comment: string | null
}

export interface PageOf {
  /** The id of the last one of the page before; nothing is older than one that is not known. */
  readonly before?: string
  readonly limit: number
}

export interface RequestFilter extends PageOf {
  readonly state?: RequestState
  readonly begins?: string
}

export interface ReviewRow {
  readonly requestId: string
  readonly reviewer: string
  readonly verdict: 'approve' | 'deny' | 'request_changes'
  readonly strength: 'software' | 'hardware'
  /** Fingerprint of the key that signed; the review counts only while that is registered. */
  readonly key: string
  readonly atMs: number
}

export interface ReviewedRequest {
  readonly request: RequestRow
  readonly reviews: readonly ReviewRow[]
}

export interface GrantRow {
  readonly id: string
  readonly requestId: string
  readonly sessionId: string
  readonly digest: string
  readonly epoch: number
  readonly state: GrantState
  readonly expiresAtMs: number
  /** Who revoked it, and why it ended; null while it is ready, and where a rule ended it. */
  readonly endedBy: string | null
  readonly endedWhy: string | null
}

export interface EpochRow {
  readonly number: number
  /** SHA-256 of everything that decides. */
  readonly version: string
  /** Canonical JSON of policies, schema, environments, roles and modes. */
  readonly content: string
  readonly activatedAtMs: number
}

export interface OpenEffect {
  readonly id: string
  readonly sessionId: string
  readonly operation: string
}

/** An effect that AWS accepted and whose end is looked for (red team H10). */
export interface FollowedEffect extends OpenEffect {
  readonly region: string
  /** Input of the read that tells the end: canonical JSON of names, no value of anybody's data. */
  readonly input: string
  readonly sinceMs: number
}

/** What an intent in the ledger says beside its effect. */
export interface IntentFacts {
  /** SHA-256 of the call's signature, in hex. */
  readonly signature: string
  readonly grant: string | null
  /** Set where the approval is one of a plan: then its step was used, not all of it. */
  readonly plan?: StepPlace | undefined
  /** Set where it passed by break-glass: one more of its effects is used. */
  readonly breakGlass?: string | undefined
  readonly atMs: number
}

/** A multipart upload that was begun through this gate and has not ended through it. */
export interface UploadRow {
  readonly id: string
  readonly bucket: string
  readonly key: string
  readonly sessionId: string
  /** What it was begun with, bucket and key left out: settings of the object to be. */
  readonly created: JsonObject
}

export interface UploadPart {
  readonly number: number
  /** As S3 answered it; null with `sha256` where what S3 holds under this number is not certain. */
  readonly etag: string | null
  /** Of its bytes, in hex; null also where they were copied within S3 and nobody here saw them. */
  readonly sha256: string | null
  readonly bytes: number
}

/** Moments before which a nonce can matter no more, in milliseconds: its statement has expired long since. */
export interface NoncesBefore {
  readonly agentsMs: number
  readonly peopleMs: number
}

export interface Store extends PeopleStore, StandingStore, PlanStore, BreakGlassStore, OwedStore {
  meta(key: string): Promise<string | undefined>
  setMeta(key: string, value: string): Promise<void>

  /**
   * Does one thing at a time for each name, in this gateway and in all that share the state; returns what `work`
   * does, or what `already` finds when nothing else of this gateway is done under the name. Errors: `state_error`
   * where another one has it for too long.
   */
  alone<T>(name: string, work: () => Promise<T>, already?: () => Promise<T | undefined>): Promise<T>

  activeEpoch(): Promise<EpochRow | undefined>
  epoch(number: number): Promise<EpochRow | undefined>
  /** Inserts the epoch and voids every open request and ready grant, in one transaction. */
  activateEpoch(epoch: EpochRow): Promise<{ readonly voidedRequests: readonly string[] }>

  /** False when the nonce was used before; remembering it is durable. */
  useNonce(nonce: string, atMs: number): Promise<boolean>
  hasNonce(nonce: string): Promise<boolean>
  /** Forgets those of before, by whose they are: `agent ` begins that of an agent's signed call. */
  pruneNonces(before: NoncesBefore): Promise<void>

  addSession(session: SessionRow): Promise<void>
  sessionByAccessKey(accessKeyId: string): Promise<SessionRow | undefined>
  session(id: string): Promise<SessionRow | undefined>
  /** Where the session's keys were used first; undefined before that. */
  sessionPeer(sessionId: string): Promise<string | undefined>
  /**
   * Remembers that for as long as the session has the keys that were used; returns the first, which may be
   * another's, and undefined where these keys are good for nothing any more.
   */
  bindPeer(sessionId: string, accessKeyId: string, peer: string): Promise<string | undefined>
  /**
   * Suspends the session and its children, in one transaction with what is to be recorded of it; false where it is not
   * open, is so already, or the key is no more theirs.
   */
  suspendSession(
    id: string,
    accessKeyId: string,
    atMs: number,
    owed?: readonly OwedEntry[],
  ): Promise<boolean>
  /**
   * Suspended sessions that were neither closed nor have expired, the newest first: however many nobody tends, who
   * looks at so many of them sees the last. Children come with their parents.
   */
  suspendedSessions(limit: number, nowMs: number): Promise<readonly SessionRow[]>
  /**
   * Gives an open session new keys in place of its old ones and ends its children, in one transaction; its
   * requests stay. Undefined where it was closed, or is a child.
   */
  resumeSession(
    id: string,
    keys: NewKeys,
    atMs: number,
    owedOf?: OwedOf<ClosedSessions>,
  ): Promise<ClosedSessions | undefined>
  /**
   * Suspends a session that still has the keys which were replaced, and ends its children: its new ones are lost.
   * Does nothing to one that has other keys.
   */
  endReplacedKeys(
    id: string,
    accessKeyId: string,
    atMs: number,
    owedOf: OwedOf<ClosedSessions>,
  ): Promise<void>
  /** Newest first; `before` as in RequestFilter. */
  sessions(page?: PageOf): Promise<readonly SessionRow[]>
  /**
   * Adds a child, in one statement: true only while its parent is open, has the keys that asked for it, is no child
   * itself and has fewer than `childrenMax` open ones.
   */
  addChild(
    session: SessionRow,
    parentKey: string,
    childrenMax: number,
    nowMs: number,
  ): Promise<boolean>
  openChildren(parentId: string, nowMs: number): Promise<number>
  /**
   * Closes the session and its children, forgets their keys, revokes their ready grants and cancels their
   * pending requests, in one transaction with what `owedOf` says is to be recorded of it.
   */
  closeSession(
    id: string,
    atMs: number,
    owedOf?: OwedOf<ClosedSessions>,
  ): Promise<ClosedSessions | undefined>
  /**
   * Closes every session, revokes every ready grant, cancels every pending request, stops every open plan, and forgets
   * sign-ins, changes of people and epochs that were signed in part, in one transaction. Returns how many there were.
   */
  endEverything(atMs: number): Promise<EndedEverything>

  addRequest(request: RequestRow): Promise<void>
  request(id: string): Promise<RequestRow | undefined>
  /** With its reviews, of one moment: it never shows as pending beside the last approval. */
  reviewed(id: string): Promise<ReviewedRequest | undefined>
  /** Newest first: those of a state, those older than one, those whose id begins so. */
  requests(filter: RequestFilter): Promise<readonly RequestRow[]>
  /** The newest request for this action of this session and epoch that is not past its expiry. */
  liveRequest(
    sessionId: string,
    actionDigest: string,
    epoch: number,
    nowMs: number,
  ): Promise<RequestRow | undefined>
  openRequestCount(sessionId: string): Promise<number>
  /** False where it was closed before; then nothing of `along` is kept. */
  closeRequest(
    id: string,
    state: Exclude<RequestState, 'pending'>,
    by: string | null,
    comment: string | null,
    along?: AlongWith,
  ): Promise<boolean>
  /** Pending requests past their expiry. */
  dueRequests(nowMs: number): Promise<readonly RequestRow[]>

  /**
   * A loss of power may take it until the next other change, never its nonce: the ledger has the verdict, and
   * it counts here when its signer signs again.
   */
  addReview(review: ReviewRow): Promise<void>
  reviews(requestId: string): Promise<readonly ReviewRow[]>
  /**
   * Adds the last review, makes the grant and closes the request as approved, in one transaction; false where
   * the request was closed, or the people are not those of `peopleVersion` any more.
   */
  addGrant(grant: GrantRow, review: ReviewRow, peopleVersion: number): Promise<boolean>
  grantForRequest(requestId: string): Promise<GrantRow | undefined>
  /**
   * Consumes a grant, once: true only if it was ready, unexpired, of the active epoch and of an open
   * session, every approval of it is by a key that still counts, and the signature was not used before. The effect is recorded as open in the same transaction.
   * A loss of power may take it and `beginEffect` until the next other change: the intent that follows
   * is durable in the ledger, and `restoreEffect` makes both again from it.
   */
  consumeGrant(
    grantId: string,
    effect: OpenEffect,
    signatureSha256: string,
    nowMs: number,
  ): Promise<boolean>
  /**
   * Records an effect that needed no grant; false when the same signature already had one, the session
   * has ended, or `epoch` is no longer the active one.
   */
  beginEffect(
    effect: OpenEffect,
    signatureSha256: string,
    epoch: number,
    nowMs: number,
  ): Promise<boolean>
  /** Makes durable what an intent in the ledger says and a loss of power took from here; else changes nothing. */
  restoreEffect(effect: OpenEffect, facts: IntentFacts): Promise<void>
  endEffect(effectId: string): Promise<void>
  /** Waits for an outcome whose recording is under way. */
  progressOf(effectId: string): Promise<EffectProgress>
  openEffects(): Promise<readonly OpenEffect[]>
  /** Keeps what is followed over a restart. */
  addFollowed(effect: FollowedEffect): Promise<void>
  endFollowed(effectId: string): Promise<void>
  followed(): Promise<readonly FollowedEffect[]>
  addUpload(upload: UploadRow, atMs: number): Promise<void>
  upload(id: string): Promise<UploadRow | undefined>
  /** In the order of their numbers. */
  uploadParts(id: string): Promise<readonly UploadPart[]>
  /**
   * Forgets what was under this number, durably, before anything is sent there. Where an earlier one never
   * had its end, which of the two S3 will hold is not certain for as long as the upload lasts.
   */
  beginPart(uploadId: string, number: number): Promise<void>
  /** What S3 now holds there by its own answer. */
  endPart(uploadId: string, part: UploadPart): Promise<void>
  endUpload(id: string): Promise<void>
  uploadCount(sessionId: string): Promise<{ readonly ofSession: number; readonly all: number }>
  pruneUploads(beforeMs: number): Promise<void>
  /** How much of everything there is now, of all gateways that share the state. */
  figures(nowMs: number): Promise<Figures>
  /** Forgets signatures older than the clock skew allows to be verified again. */
  pruneSignatures(beforeMs: number): Promise<void>
  close(): Promise<void>
}

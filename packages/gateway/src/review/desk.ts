// Makes Reviews and Grants: opens requests, joins copies of one call, takes signed verdicts, and lets
// callers wait for one. It never starts an effect: enough approvals make a ready grant, no more.
import { EventEmitter } from 'node:events'
import type { Decision, SeatCount } from '../decide/decision.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import {
  type ActVerifier,
  type GivenAct,
  invalidStatement,
  type Strength,
  type VerifiedAct,
} from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import { type PersonRecord, teamsAt } from '../state/people-store.ts'
import type { RequestRow, ReviewRow, Store } from '../state/store.ts'
import { checkDocument, documentText, type ReviewDocument } from './document.ts'
import { Mutexes } from './mutexes.ts'
import {
  REVIEW_NAMESPACE,
  REVIEW_STATEMENT,
  type ReviewStatement,
  STATEMENT_LIFETIME_MS_MAX,
} from './statement.ts'

/** Open requests one session may have (red team H5). */
export const OPEN_REQUESTS_PER_SESSION_MAX = 20
/** Calls that may be held at once, over all sessions. */
export const HELD_CALLS_MAX = 1_000

export interface Reviewer {
  readonly name: string
  readonly teams: readonly string[]
  readonly strength: 'software' | 'hardware'
}

export interface DeskOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  readonly expiresInMs: number
  readonly grantExpiresInMs: number
  /** Whether policy takes signatures that prove nobody's presence; lent by the decide stage. */
  readonly acceptsSoftware: (document: ReviewDocument) => boolean
  /** Policy's answer to a document, given these approvals; the gateway lends its decide stage. */
  readonly decideWith: (document: ReviewDocument, reviewers: readonly Reviewer[]) => Decision
}

export type NewRequest = Omit<
  ReviewDocument,
  'type' | 'gate' | 'request' | 'openedAt' | 'expiresAt'
> & {
  readonly actionDigest: string
}

export class ReviewDesk {
  readonly #options: DeskOptions
  readonly #changes = new EventEmitter().setMaxListeners(HELD_CALLS_MAX + 1)
  readonly #mutexes = new Mutexes()
  #held = 0

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /**
   * Returns the pending request for this call, opened if there is none: copies join.
   * Errors: `limit_reached` when the session has OPEN_REQUESTS_PER_SESSION_MAX open ones.
   */
  async open(wanted: NewRequest): Promise<RequestRow> {
    const { store, clock, recorder, gateId, expiresInMs } = this.#options
    return this.#mutexes.run(wanted.session, async () => {
      const nowMs = clock.nowMs()
      const open = store.liveRequest(wanted.session, wanted.actionDigest, wanted.epoch, nowMs)
      if (open?.state === 'pending') return open
      if (store.openRequestCount(wanted.session) >= OPEN_REQUESTS_PER_SESSION_MAX) {
        throw new GatewayError(
          'limit_reached',
          `this session already has ${OPEN_REQUESTS_PER_SESSION_MAX} open requests`,
          'wait until reviewers have answered some of them',
        )
      }
      const { actionDigest, ...shown } = wanted
      const id = randomId('r')
      const expiresAtMs = nowMs + expiresInMs
      const document: ReviewDocument = {
        ...shown,
        type: 'seconder-review-document@v1',
        gate: gateId,
        request: id,
        openedAt: new Date(nowMs).toISOString(),
        expiresAt: new Date(expiresAtMs).toISOString(),
      }
      // A crash before the entry leaves a payload nobody refers to; one after it, an entry whose
      // request nobody can approve. The agent's re-run opens a new one in both cases.
      const documentSha256 = await recorder.keep(documentText(document))
      await recorder.record({ type: 'request-opened', ...requestFacts(document, documentSha256) })
      const row: RequestRow = {
        id,
        sessionId: wanted.session,
        operator: wanted.context.operator,
        operation: wanted.action.operation,
        actionDigest,
        digest: wanted.digest,
        epoch: wanted.epoch,
        state: 'pending',
        documentSha256,
        requirement: wanted.requirement,
        openedAtMs: nowMs,
        expiresAtMs,
        closedBy: null,
        comment: null,
      }
      store.addRequest(row)
      return row
    })
  }

  /** Resolves when the request is no longer pending, after `holdMs`, or when `gone` fires. */
  async hold(id: string, holdMs: number, gone?: AbortSignal): Promise<void> {
    if (this.#held >= HELD_CALLS_MAX || holdMs === 0) return
    this.#held++
    try {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          this.#changes.off(id, done)
          gone?.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, holdMs)
        this.#changes.on(id, done)
        gone?.addEventListener('abort', done, { once: true })
        if (this.#options.store.request(id)?.state !== 'pending' || gone?.aborted) done()
      })
    } finally {
      this.#held--
    }
  }

  /**
   * Takes one signed verdict. Returns the request as it is afterwards.
   * Errors: `statement_invalid`, `signature_invalid`, `not_a_reviewer`, `request_unknown`,
   * `request_closed`, `epoch_changed`.
   */
  async submit(given: GivenAct): Promise<RequestRow> {
    const verified = await this.#options.acts.verify(given, REVIEW_NAMESPACE, REVIEW_STATEMENT)
    return this.#mutexes.run(verified.statement.request, () => this.#take(verified))
  }

  async #take(verified: VerifiedAct<ReviewStatement>): Promise<RequestRow> {
    const { store, recorder, clock } = this.#options
    const { statement, key, strength, act } = verified
    const document = await this.document(this.#check(verified, clock.nowMs()).request)
    // From here to the entry nothing is waited for: request, people and policy are those of one moment.
    const nowMs = clock.nowMs()
    const { request, person } = this.#check(verified, nowMs)
    const review: ReviewRow = {
      requestId: request.id,
      reviewer: person.name,
      verdict: statement.verdict,
      strength,
      key: key.fingerprint,
      atMs: nowMs,
    }
    const peopleVersion = store.peopleVersion()
    const approvers = [...this.#approvers(request), asReviewer(person, request, strength)]
    const decision =
      statement.verdict === 'approve' ? this.#options.decideWith(document, approvers) : null
    if (decision?.answer === 'deny') throw refusedApproval(decision.reason)
    if (decision && strength === 'software' && !this.#options.acceptsSoftware(document)) {
      throw withoutPresence()
    }
    if (!store.useNonce(statement.nonce, nowMs)) throw invalidStatement('its nonce was used before')
    // The entry comes before the state: what counts here is always in the ledger.
    await recorder.record({
      type: 'review',
      request: request.id,
      reviewer: person.name,
      verdict: statement.verdict,
      strength,
      act,
    })
    if (statement.verdict !== 'approve') {
      store.addReview(review)
      const state = statement.verdict === 'deny' ? 'denied' : 'changes_requested'
      await this.#close(request.id, state, person.name, statement.comment)
    } else if (decision?.answer === 'allow') {
      await this.#grant(request, review, approvers, peopleVersion)
    } else {
      store.addReview(review)
    }
    return store.request(request.id) as RequestRow
  }

  /** Everything a verdict must be before it is recorded; with its signer as they are now. */
  #check(
    { statement, key, person: signer }: VerifiedAct<ReviewStatement>,
    nowMs: number,
  ): { readonly request: RequestRow; readonly person: PersonRecord } {
    const { store, gateId } = this.#options
    const request = store.request(statement.request)
    if (!request) throw unknownRequest(statement.request)
    if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
    if (statement.epoch !== request.epoch || store.activeEpoch()?.number !== request.epoch) {
      throw new GatewayError(
        'epoch_changed',
        'the policy changed since this request was opened',
        'let the agent run its call again; a new request will show what the policy now asks',
      )
    }
    if (statement.digest !== request.digest) throw invalidStatement('it is for another digest')
    if (statement.shown !== request.documentSha256)
      throw invalidStatement('another document was shown')
    const person = store.personByKey(key.fingerprint)?.person
    if (person?.name !== signer.name) throw noLongerMember()
    if (statement.reviewer !== person.name)
      throw invalidStatement('the key is not that of the reviewer named')
    const expiresAtMs = Date.parse(statement.expiresAt)
    if (expiresAtMs <= nowMs || expiresAtMs > nowMs + STATEMENT_LIFETIME_MS_MAX) {
      throw invalidStatement('it has expired, or expires too late')
    }
    if (person.name === request.operator) {
      throw new GatewayError(
        'not_a_reviewer',
        `\`${person.name}\` is the operator of this session and cannot review its requests`,
        'ask another person; the request says whom policy wants',
      )
    }
    if (person.addedAtMs > request.openedAtMs || key.addedAtMs > request.openedAtMs) {
      throw new GatewayError(
        'not_a_reviewer',
        `\`${person.name}\`, or the key signed with, was added after this request was opened`,
        'sign with a key, or ask a member, of before that',
      )
    }
    if (request.state !== 'pending' || request.expiresAtMs <= nowMs) {
      throw new GatewayError(
        'request_closed',
        `request ${request.id} is ${request.state === 'pending' ? 'expired' : request.state}`,
        'nothing is left to review; the agent may run its call again',
      )
    }
    if (store.reviews(request.id).some((review) => review.reviewer === person.name)) {
      throw new GatewayError(
        'not_a_reviewer',
        `\`${person.name}\` has already reviewed this`,
        'ask another person',
      )
    }
    return { request, person }
  }

  #approvers(request: RequestRow): Reviewer[] {
    const { store } = this.#options
    return store
      .reviews(request.id)
      .filter((review) => review.verdict === 'approve')
      .flatMap(({ reviewer, key, strength }) => {
        // Whoever was removed, or whose key was, counts no more from that moment on.
        const known = store.personByKey(key)
        return known?.person.name === reviewer ? [asReviewer(known.person, request, strength)] : []
      })
  }

  async #grant(
    request: RequestRow,
    review: ReviewRow,
    approvers: readonly Reviewer[],
    peopleVersion: number,
  ): Promise<void> {
    const { store, recorder, clock, grantExpiresInMs } = this.#options
    const expiresAtMs = clock.nowMs() + grantExpiresInMs
    const id = randomId('g')
    await recorder.record({
      type: 'grant-made',
      grant: id,
      request: request.id,
      digest: request.digest,
      reviewers: approvers.map(({ name }) => name),
      expiresAt: new Date(expiresAtMs).toISOString(),
    })
    const { sessionId, digest, epoch } = request
    const grant = {
      id,
      requestId: request.id,
      sessionId,
      digest,
      epoch,
      state: 'ready',
      expiresAtMs,
    } as const
    if (!store.addGrant(grant, review, peopleVersion)) {
      throw new GatewayError(
        'request_closed',
        `request ${request.id} was closed, or the people of this gate changed, meanwhile`,
        'nothing was granted; look at the request again and sign anew if it is still open',
      )
    }
    this.#changes.emit(request.id)
  }

  async #close(
    id: string,
    state: 'denied' | 'changes_requested' | 'expired',
    by: string | null,
    comment: string,
  ): Promise<void> {
    await this.#options.recorder.record({ type: 'request-closed', request: id, state, by })
    this.#options.store.closeRequest(id, state, by, comment)
    this.#changes.emit(id)
  }

  /** The document as it was shown, from beside the ledger. */
  async document(request: RequestRow): Promise<ReviewDocument> {
    return checkDocument(await this.#options.recorder.payload(request.documentSha256)).document
  }

  /** Closes pending requests past their expiry; nobody answered, and that is what is recorded. */
  async expireDue(): Promise<void> {
    const { store, clock } = this.#options
    for (const { id } of store.dueRequests(clock.nowMs())) {
      await this.#mutexes.run(id, async () => {
        if (store.request(id)?.state !== 'pending') return
        await this.#close(id, 'expired', null, 'nobody answered in time')
      })
    }
  }

  /** Wakes held calls of requests that were ended elsewhere (session closed, new epoch). */
  wake(ids: readonly string[]): void {
    for (const id of ids) this.#changes.emit(id)
  }
}

function requestFacts(document: ReviewDocument, documentSha256: string) {
  const { action, context } = document
  return {
    request: document.request,
    requirement: document.requirement as readonly SeatCount[],
    policies: document.policies,
    document: documentSha256,
    expiresAt: document.expiresAt,
    session: document.session,
    operator: context.operator,
    agent: context.agent,
    role: context.role,
    operation: action.operation,
    resources: action.resources.slice(0, 20).map(({ arn }) => arn.slice(0, 1_024).toWellFormed()),
    environments: [...new Set(action.resources.map(({ environment }) => environment))],
    effects: action.effects,
    digest: document.digest,
    epoch: document.epoch,
  }
}

export function unknownRequest(id: string): GatewayError {
  return new GatewayError(
    'request_unknown',
    `there is no request \`${id.slice(0, 64)}\``,
    'see `seconder request ls`',
  )
}

/** With the teams that were this person's when the request was opened. */
function asReviewer(person: PersonRecord, request: RequestRow, strength: Strength): Reviewer {
  return { name: person.name, teams: teamsAt(person, request.openedAtMs), strength }
}

function noLongerMember(): GatewayError {
  return new GatewayError(
    'not_a_reviewer',
    'this key, or whoever it belonged to, was removed from this gate meanwhile',
    'nothing was recorded; ask a member',
  )
}

function withoutPresence(): GatewayError {
  return new GatewayError(
    'not_a_reviewer',
    "policy does not accept this key here: its signature does not prove a person's presence",
    'sign with a passkey in the console, or an sk- SSH key (ssh-keygen -t ed25519-sk -O verify-required)',
  )
}

function refusedApproval(reason: string): GatewayError {
  return new GatewayError(
    'not_a_reviewer',
    `policy does not accept this approval: ${reason}`,
    'see the policy named',
  )
}

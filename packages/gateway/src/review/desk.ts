// Makes Reviews and Grants: opens requests, joins copies of one call, takes signed verdicts, and lets
// callers wait for one. It never starts an effect: enough approvals make a ready grant, no more.
import type { GatewayError } from '../errors.ts'
import { randomId } from '../lib/ids.ts'
import { type GivenAct, invalidStatement, type VerifiedAct } from '../lib/signed-act.ts'
import type { EscalationRow } from '../state/standing-store.ts'
import type { GrantRow, RequestRow, ReviewRow } from '../state/store.ts'
import { requireRoomToAsk } from './caps.ts'
import {
  closedMeanwhile,
  refusedApproval,
  reviewable,
  signerNow,
  unknownRequest,
  withoutPresence,
} from './checks.ts'
import type { DeskOptions, NewPlan, NewRequest } from './desk-options.ts'
import type { ReviewDocument } from './document.ts'
import { alternativeOf, escalate } from './escalation.ts'
import { type Content, framed, keepDocument, keepRequest, readDocument, rowOf } from './opening.ts'
import { type AnyDocument, type PlanDocument, type PlanPart, partsOf } from './plan-document.ts'
import { reachOf } from './reach.ts'
import { asReviewer, type Reviewer } from './reviewer.ts'
import { decided, denialsOf, overcomes } from './standing.ts'
import { REVIEW_NAMESPACE, REVIEW_STATEMENT, type ReviewStatement } from './statement.ts'
import { Waiters } from './waiters.ts'
import {
  nothingToTake,
  notTheirs,
  readyGrant,
  requirePending,
  verifiedWithdrawal,
} from './withdrawal.ts'

export class ReviewDesk {
  readonly #options: DeskOptions
  readonly waiters = new Waiters()

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /**
   * Returns the pending request for this call, opened if there is none: copies join.
   * Errors: `limit_reached` when session or operator ask too much (caps.ts).
   */
  async open({ actionDigest, ...content }: NewRequest): Promise<RequestRow> {
    const { store, clock } = this.#options
    const pending = async (): Promise<RequestRow | undefined> => {
      const { session, epoch } = content
      const open = await store.liveRequest(session, actionDigest, epoch, clock.nowMs())
      return open?.state === 'pending' ? open : undefined
    }
    const opened = async () => {
      const type = 'seconder-review-document@v1'
      const asked = { ...content, type, request: randomId('r') } as const
      return (await pending()) ?? this.#opened(asked, actionDigest, clock.nowMs())
    }
    return store.alone(`operator ${content.context.operator}`, opened, pending)
  }

  /** Opens the review of a plan, which is a request like any other. Errors: `limit_reached`. */
  async openPlan(content: NewPlan): Promise<RequestRow> {
    const { request, context } = content
    return this.#options.store.alone(`operator ${context.operator}`, () => {
      const type = 'seconder-plan-document@v1'
      return this.#opened({ ...content, type }, `plan ${request}`, this.#options.clock.nowMs())
    })
  }

  async #opened(
    content: Content<ReviewDocument | PlanDocument> & { request: string } & Pick<
        AnyDocument,
        'type'
      >,
    actionDigest: string,
    nowMs: number,
  ): Promise<RequestRow> {
    const { store, recorder, gateId, expiresInMs, grantExpiresInMs } = this.#options
    const { session } = content
    const { escalations } = await this.#options.policy()
    await requireRoomToAsk(store, { session, operator: content.context.operator }, nowMs)
    const times = { nowMs, expiresAtMs: nowMs + expiresInMs }
    const document = await framed(store, gateId, content as AnyDocument, times)
    // A crash before the entry leaves a payload nobody refers to; one after it, an entry whose
    // request nobody can approve. The agent's re-run opens a new one in both cases.
    const documentSha256 = await keepDocument(recorder, document)
    const row = rowOf(document, { actionDigest, documentSha256, ...times })
    await keepRequest(store, row, document, { escalations, grantMs: grantExpiresInMs })
    return row
  }

  /** Resolves when the request is no longer pending, after `holdMs`, or when `gone` fires. */
  async hold(row: Pick<RequestRow, 'id' | 'sessionId'>, holdMs: number, gone?: AbortSignal) {
    const { id, sessionId: owner } = row
    const isOpen = async () => (await this.#options.store.request(id))?.state === 'pending'
    return this.waiters.hold(id, { owner, holdMs, isOpen, gone })
  }

  /** Lets go of whoever waits: each is told how its request stands. */
  endHolds(): void {
    this.waiters.end()
  }

  /**
   * Takes one signed verdict. Returns the request as it is afterwards.
   * Errors: `statement_invalid`, `signature_invalid`, `not_a_reviewer`, `request_unknown`,
   * `request_closed`, `epoch_changed`.
   */
  async submit(given: GivenAct): Promise<RequestRow> {
    const verified = await this.#options.acts.verify(given, REVIEW_NAMESPACE, REVIEW_STATEMENT)
    return this.#options.store.alone(`request ${verified.statement.request}`, () =>
      this.#take(verified),
    )
  }

  async #take(verified: VerifiedAct<ReviewStatement>): Promise<RequestRow> {
    const { store, recorder, clock } = this.#options
    const { statement, key, strength, act } = verified
    const asked = await reviewable(this.#options, verified, clock.nowMs())
    const document = await this.document(asked.request)
    const nowMs = clock.nowMs()
    // Read before people, request and policy are: a grant is made only where none of these changed since.
    const peopleVersion = await store.peopleVersion()
    const { request, person } = await reviewable(this.#options, verified, nowMs)
    const policy = await this.#options.policy()
    const review: ReviewRow = {
      requestId: request.id,
      reviewer: person.name,
      verdict: statement.verdict,
      strength,
      key: key.fingerprint,
      atMs: nowMs,
    }
    const approvers = [...(await this.#approvers(request)), asReviewer(person, request, strength)]
    const decision =
      statement.verdict === 'approve' ? decided(policy, request, document, approvers) : null
    if (decision?.answer === 'deny') throw refusedApproval(decision.reason)
    if (decision && strength === 'software' && !policy.acceptsSoftware(document)) {
      throw withoutPresence()
    }
    if (!(await store.useNonce(statement.nonce, nowMs))) throw usedBefore()
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
      await store.addReview(review)
      if (statement.verdict === 'deny') await this.#denies(request, document, statement, nowMs)
      const state = statement.verdict === 'deny' ? 'denied' : 'changes_requested'
      await this.#close(request.id, state, person.name, statement.comment)
    } else if (decision?.answer === 'allow') {
      await this.#grant(request, document, review, approvers, peopleVersion)
    } else {
      await store.addReview(review)
    }
    return (await store.request(request.id)) as RequestRow
  }

  /** Whether those who approved the request are enough for this too, by the policy in force. */
  async stillAllows(request: RequestRow, part: PlanPart): Promise<boolean> {
    const policy = await this.#options.policy()
    const decideWith = (some: readonly Reviewer[]) => policy.decideWith(part, some)
    const deniedBy = request.deniedBefore.map(({ by }) => by)
    return overcomes(deniedBy, await this.#approvers(request), decideWith)
  }

  /** From here on the no stands, also over what was not asked yet. */
  async #denies(
    { id, operator }: RequestRow,
    document: AnyDocument,
    { reviewer, comment }: { readonly reviewer: string; readonly comment: string },
    atMs: number,
  ): Promise<void> {
    const reaches = partsOf(document).map(({ action, evidence }) => reachOf(action, evidence))
    const said = { requestId: id, operator, deniedBy: reviewer, comment, atMs }
    for (const denial of denialsOf(reaches, said)) await this.#options.store.addDenial(denial)
  }

  /**
   * Takes back what a person signed to take back. Returns the request as it is afterwards.
   * Errors: `statement_invalid`, `signature_invalid`, `not_a_reviewer`, `request_unknown`, `request_closed`.
   */
  async withdraw(given: GivenAct): Promise<RequestRow> {
    const { acts, gateId, clock, store } = this.#options
    const asked = { acts, gateId, nowMs: clock.nowMs() }
    const verified = await verifiedWithdrawal(asked, given)
    const { statement, act } = verified
    return this.#options.store.alone(`request ${statement.request}`, async () => {
      const person = await signerNow(store, verified)
      const request = await store.request(statement.request)
      if (!request) throw unknownRequest(statement.request)
      if (statement.takes === 'cancel') {
        if (person.name !== request.operator) throw notTheirs(person.name)
        requirePending(request, clock.nowMs())
        if (!(await store.useNonce(statement.nonce, asked.nowMs))) throw usedBefore()
        await this.#cancel(request, { by: 'operator', signer: person.name, act })
      } else {
        const grant = await readyGrant(store, request, clock.nowMs())
        if (!(await store.useNonce(statement.nonce, asked.nowMs))) throw usedBefore()
        await this.#revoke(grant, { signer: person.name, act, why: statement.comment })
        if (person.name !== request.operator) {
          const said = { reviewer: person.name, comment: statement.comment }
          await this.#denies(request, await this.document(request), said, asked.nowMs)
        }
      }
      return (await store.request(request.id)) as RequestRow
    })
  }

  /** The agent's own: what it asked for and does not want any more, waiting or approved. */
  async cancel(sessionId: string, id: string): Promise<RequestRow> {
    const { store, clock } = this.#options
    return this.#options.store.alone(`request ${id}`, async () => {
      const request = await store.request(id)
      if (request?.sessionId !== sessionId) throw unknownRequest(id)
      const nobody = { signer: null, act: null } as const
      if (request.state === 'approved') {
        await this.#revoke(await readyGrant(store, request, clock.nowMs()), {
          ...nobody,
          why: 'the agent gave it back',
        })
      } else {
        requirePending(request, clock.nowMs())
        await this.#cancel(request, { by: 'agent', ...nobody })
      }
      return (await store.request(id)) as RequestRow
    })
  }

  async #cancel(
    { id: request, sessionId: session }: RequestRow,
    taken: {
      by: 'agent' | 'operator'
      signer: string | null
      act: VerifiedAct<unknown>['act'] | null
    },
  ): Promise<void> {
    await this.#options.recorder.record({ type: 'request-cancelled', request, session, ...taken })
    const words = taken.by === 'agent' ? 'the agent withdrew it' : 'its operator cancelled it'
    await this.#ended(request, 'cancelled', taken.signer, words)
  }

  /** The approval ends first: a crash leaves it ended without its entry, never an entry and a ready one. */
  async #revoke(
    { id, requestId: request }: GrantRow,
    taken: { signer: string | null; act: VerifiedAct<unknown>['act'] | null; why: string },
  ): Promise<void> {
    const { store, recorder } = this.#options
    const ended = { state: 'revoked', by: taken.signer, why: taken.why } as const
    if (!(await store.endGrant(id, ended))) throw nothingToTake(request, 'been carried out already')
    await recorder.record({ type: 'grant-revoked', grant: id, request, ...taken })
    this.waiters.wake(request)
  }

  async #approvers(request: RequestRow): Promise<Reviewer[]> {
    const { store } = this.#options
    const approvers: Reviewer[] = []
    for (const { reviewer, key, strength, verdict } of await store.reviews(request.id)) {
      // Whoever was removed, or whose key was, counts no more from that moment on.
      const known = verdict === 'approve' ? await store.personByKey(key) : undefined
      if (known?.person.name === reviewer) {
        approvers.push(asReviewer(known.person, request, strength))
      }
    }
    return approvers
  }

  async #grant(
    request: RequestRow,
    document: AnyDocument,
    review: ReviewRow,
    approvers: readonly Reviewer[],
    peopleVersion: number,
  ): Promise<void> {
    const { store, recorder, clock, grantExpiresInMs } = this.#options
    const isPlan = document.type === 'seconder-plan-document@v1'
    const expiresAtMs = clock.nowMs() + (isPlan ? document.windowMs : grantExpiresInMs)
    const id = randomId('g')
    await recorder.record({
      type: isPlan ? 'plan-approved' : 'grant-made',
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
      endedBy: null,
      endedWhy: null,
    } as const
    if (!(await store.addGrant(grant, review, peopleVersion))) {
      throw closedMeanwhile(request.id)
    }
    this.waiters.wake(request.id)
  }

  async #close(
    id: string,
    state: 'denied' | 'changes_requested' | 'expired',
    by: string | null,
    comment: string,
  ): Promise<void> {
    await this.#options.recorder.record({ type: 'request-closed', request: id, state, by })
    await this.#ended(id, state, by, comment)
  }

  /** Ends what the ledger says has ended. An approval that came at the same time, at another gate, ends too. */
  async #ended(
    id: string,
    state: 'cancelled' | 'denied' | 'changes_requested' | 'expired',
    by: string | null,
    comment: string,
  ): Promise<void> {
    const { store } = this.#options
    const grant = (await store.closeRequest(id, state, by, comment))
      ? undefined
      : await store.grantForRequest(id)
    if (grant?.state === 'ready') {
      await this.#revoke(grant, {
        signer: null,
        act: null,
        why: `it was ${state} at the same time`,
      })
    }
    this.waiters.wake(id)
  }

  /** The document as it was shown, from beside the ledger. */
  async document(request: RequestRow): Promise<AnyDocument> {
    return readDocument(this.#options.recorder, request)
  }

  /** Ends what is past its time, and tells the teams that are to be told: what is recorded is what was so. */
  async sweep(): Promise<void> {
    await this.#expireRequests()
    const { store, recorder, clock } = this.#options
    for (const { id: grant, requestId: request } of await store.dueGrants(clock.nowMs())) {
      const why = 'nobody used it in time'
      if (!(await store.endGrant(grant, { state: 'expired', by: null, why }))) continue
      await recorder.record({ type: 'grant-expired', grant, request })
      this.waiters.wake(request)
    }
    for (const row of await store.dueEscalations(clock.nowMs())) await this.#escalate(row)
    await store.pruneStanding(clock.nowMs())
  }

  #escalate(row: EscalationRow): Promise<void> {
    const { store, clock } = this.#options
    return this.#options.store.alone(`request ${row.requestId}`, async () => {
      const request = await store.request(row.requestId)
      if (request?.state !== 'pending') return
      const document = await this.document(request)
      const policy = await this.#options.policy()
      const allows = (people: readonly Reviewer[]) =>
        decided(policy, request, document, people).answer === 'allow'
      await escalate(this.#options, row, alternativeOf(row.team, allows), clock.nowMs())
    })
  }

  async #expireRequests(): Promise<void> {
    const { store, clock } = this.#options
    for (const { id } of await store.dueRequests(clock.nowMs())) {
      await this.#options.store.alone(`request ${id}`, async () => {
        const request = await store.request(id)
        if (request?.state !== 'pending') return
        const names = (await this.#approvers(request)).map(({ name }) => name)
        const who = names.length === 0 ? 'nobody answered' : `only ${names.join(', ')} approved`
        await this.#close(id, 'expired', null, `${who} in time`)
      })
    }
  }

  /** Wakes held calls of requests that were ended elsewhere (session closed, new epoch). */
  wake(ids: readonly string[]): void {
    for (const id of ids) this.waiters.wake(id)
  }
}

function usedBefore(): GatewayError {
  return invalidStatement('its nonce was used before')
}

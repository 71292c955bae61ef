// Makes Reviews and Grants: opens requests, joins copies of one call, takes signed verdicts, and lets
// callers wait for one. It never starts an effect: enough approvals make a ready grant, no more.
import type { GatewayError } from '../errors.ts'
import { randomId } from '../lib/ids.ts'
import { type GivenAct, invalidStatement, type VerifiedAct } from '../lib/signed-act.ts'
import type { Unrecorded } from '../record/recorder.ts'
import type { DenialRow, EscalationRow } from '../state/standing-store.ts'
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
import { Endings, type Taken } from './endings.ts'
import { alternativeOf, escalate } from './escalation.ts'
import { type Content, framed, keepDocument, keepRequest, readDocument, rowOf } from './opening.ts'
import type { AnyDocument, PlanDocument, PlanPart } from './plan-document.ts'
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
  readonly #endings: Endings

  constructor(options: DeskOptions) {
    this.#options = options
    this.#endings = new Endings(options, (id) => this.waiters.wake(id))
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
    const { id, sessionId } = row
    const { store } = this.#options
    const isOpen = async () => (await store.request(id))?.state === 'pending'
    // Else its children would multiply the places of a session.
    const owner = (await store.session(sessionId))?.parent ?? sessionId
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
    const { verdict } = statement
    const facts = { request: request.id, reviewer: person.name, verdict, strength, act }
    const entry = { type: 'review', ...facts } as const
    if (verdict !== 'approve') await this.#refuse(request, document, statement, { review, entry })
    else {
      // The entry comes before the state: what lets something pass is always in the ledger.
      await recorder.record(entry)
      if (decision?.answer !== 'allow') await store.addReview(review)
      else await this.#grant(request, document, review, approvers, peopleVersion)
    }
    return (await store.request(request.id)) as RequestRow
  }

  /** From here on nobody can approve it; a no stands also over what was not asked yet. */
  async #refuse(
    request: RequestRow,
    document: AnyDocument,
    { verdict, reviewer, comment }: ReviewStatement,
    { review, entry }: { readonly review: ReviewRow; readonly entry: Unrecorded },
  ): Promise<void> {
    const isDenied = verdict === 'deny'
    const state = isDenied ? 'denied' : 'changes_requested'
    const said = { reviewer, comment }
    const denials = isDenied ? denialsOf(request, document, said, review.atMs) : []
    const closed = { type: 'request-closed', request: request.id, state, by: reviewer } as const
    const ended = { state, by: reviewer, comment } as const
    const entries = [entry, closed]
    if (await this.#endings.request(request.id, ended, { entries, review, denials })) return
    throw closedMeanwhile(request.id)
  }

  /** Whether those who approved the request are enough for this too, by the policy in force. */
  async stillAllows(request: RequestRow, part: PlanPart): Promise<boolean> {
    const policy = await this.#options.policy()
    const decideWith = (some: readonly Reviewer[]) => policy.decideWith(part, some)
    const deniedBy = request.deniedBefore.map(({ by }) => by)
    return overcomes(deniedBy, await this.#approvers(request), decideWith)
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
        const { comment } = statement
        const said = { reviewer: person.name, comment }
        const denials =
          person.name === request.operator
            ? []
            : denialsOf(request, await this.document(request), said, asked.nowMs)
        await this.#revoke(grant, { signer: person.name, act, why: comment }, denials)
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
    taken: Pick<Taken, 'signer' | 'act'> & { readonly by: 'agent' | 'operator' },
  ): Promise<void> {
    const entry = { type: 'request-cancelled', request, session, ...taken } as const
    const comment = taken.by === 'agent' ? 'the agent withdrew it' : 'its operator cancelled it'
    const ended = { state: 'cancelled', by: taken.signer, comment } as const
    await this.#endings.request(request, ended, { entries: [entry] })
  }

  async #revoke(grant: GrantRow, taken: Taken, denials?: readonly DenialRow[]): Promise<void> {
    if (await this.#endings.revoked(grant, taken, denials)) return
    throw nothingToTake(grant.requestId, 'been carried out already')
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

  /** The document as it was shown, from beside the ledger. */
  async document(request: RequestRow): Promise<AnyDocument> {
    return readDocument(this.#options.recorder, request)
  }

  /** Ends what is past its time, and tells the teams that are to be told: what is recorded is what was so. */
  async sweep(): Promise<void> {
    await this.#expireRequests()
    const { store, clock } = this.#options
    for (const grant of await store.dueGrants(clock.nowMs())) await this.#endings.expired(grant)
    for (const row of await store.dueEscalations(clock.nowMs())) {
      // What cannot be told now is tried again, and keeps nothing else waiting.
      await this.#escalate(row).catch(() => undefined)
    }
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
        const ended = { state: 'expired', by: null } as const
        const entry = { type: 'request-closed', request: id, ...ended } as const
        const comment = `${who} in time`
        await this.#endings.request(id, { ...ended, comment }, { entries: [entry] })
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

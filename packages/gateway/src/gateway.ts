// The path: receive -> identify -> describe -> resolve -> decide -> review -> record(intent) -> execute
// -> record(outcome). The only file that calls the verbs. Whatever fails on it ends in a refusal.

import type { WireHead } from '@seconder/aws/wire-request'
import type { Decision } from './decide/decision.ts'
import { childAsked, childOpening } from './describe/child-session.ts'
import { actionDigest, describe, readyToDescribe } from './describe/describe.ts'
import { observes, placeRules } from './epoch/active.ts'
import type { GatewayError } from './errors.ts'
import { Copies, notExecuted, type Performed } from './execute/copies.ts'
import { endToEnd, execute, forwarded, whenRecorded } from './execute/execute.ts'
import { answerAssumeRole, requireRoom } from './identify/child-opening.ts'
import {
  type Admitted,
  admit,
  type Identified,
  identify,
  identifyHead,
} from './identify/identify.ts'
import { requireGoingOn } from './lib/clock.ts'
import { leavingWith } from './path/call-limits.ts'
import { changeSetFirst } from './path/change-set-first.ts'
import { decided, decidedOf, reasonFor } from './path/deciding.ts'
import { beginEffect, endEffect } from './path/effect.ts'
import { entered } from './path/entering.ts'
import {
  callFacts,
  contextOf,
  copyKeys,
  describedFor,
  digestFacts,
  digestOf,
  isRead,
  requireBoundBody,
  requireEndpoint,
  requireNoCredential,
  requireNoInputStream,
  requireNoStrayBody,
  scopeOf,
  withReaches,
} from './path/facts.ts'
import { clientGone, couldNotLookAgain, NOT_THE_SAME, notRecorded } from './path/failures.ts'
import { getTwin, type HeadDecision, passedBy } from './path/head.ts'
import { History } from './path/history.ts'
import { Multipart } from './path/multipart.ts'
import { newRequest } from './path/new-request.ts'
import type { GatewayParts, OnPath } from './path/on-path.ts'
import { isPresigned, requireDirect, requireOwnCall } from './path/presigned.ts'
import { denied, failureOf, held, noAnswer, type Refusal, refusal } from './path/refusals.ts'
import { isOfEverybody, type Refusing, refused } from './path/refused.ts'
import { isStillEnough } from './path/still-enough.ts'
import { TooOften } from './path/too-often.ts'
import { type Glass, glassFor } from './path/under-glass.ts'
import {
  deniedStep,
  notWhileRecorded,
  recordedAsStep,
  requireStill,
  strayed,
} from './path/under-plan.ts'
import { readyGrant } from './path/using.ts'
import { voided } from './path/voided.ts'
import type { Course } from './plans/plan-desk.ts'
import { asSigned, type Turn, turnOf } from './plans/turn.ts'
import type { Received, Reply } from './receive/received.ts'
import { bindingRead } from './resolve/binding.ts'
import type { Evidence } from './resolve/evidence.ts'
import { NO_EVIDENCE } from './resolve/evidence.ts'
import { resolve } from './resolve/resolve.ts'
import { summarise } from './resolve/summary.ts'
import { closedWords, environmentsOf, pendingWords } from './review/words.ts'
import type { GrantRow, RequestRow } from './state/store.ts'
import type { CallSpan } from './telemetry/call-span.ts'
import { timed } from './telemetry/timed-sender.ts'

export class Gateway {
  readonly #parts: GatewayParts
  readonly #copies: Copies
  readonly #history = new History()
  readonly #tooOften: TooOften
  readonly #multipart: Multipart

  constructor(parts: GatewayParts) {
    this.#parts = parts
    this.#copies = new Copies(parts.clock)
    this.#tooOften = new TooOften(parts.clock)
    this.#multipart = new Multipart(parts.store, parts.clock)
  }

  /** Answers of calls that are remembered, or under way. */
  get copies(): number {
    return this.#copies.count
  }

  /**
   * Answers one request: what fails is a refusal in the protocol of the request. Rejects with `rate_limited` alone,
   * where nobody is to be answered.
   */
  async handle(received: Received): Promise<Reply> {
    let identified: Identified | undefined
    let leave = received.leave ?? undefined
    const { span } = received
    try {
      const { store, clock } = this.#parts
      span.enter('identify')
      // Before a signature is called old by a clock that is not to be believed.
      requireGoingOn(clock)
      identified = await identify(received, store, clock.nowMs())
      leave ??= await this.enter(identified, received.peer)
      span.enter('describe')
      // What reads the SQL of a call is loaded when the first one comes; where it cannot be, this refuses.
      await readyToDescribe(describedFor(identified))
      const call = await this.#describe(received, identified)
      span.about(call.action)
      requireNoCredential(call.action)
      if (call.child) requireOwnCall(call.action, call.verified)
      if (isRead(call.action)) return leavingWith((await this.#answer(call)).reply, leave)
      requireBoundBody(call.action, call.verified)
      const apart = () => this.#multipart.apart(call, () => this.#answer(call))
      return leavingWith(await this.#copies.join(copyKeys(call), apart), leave)
    } catch (cause) {
      const isCounted = leave !== undefined
      const refusing = identified && { caller: identified.caller, isCounted }
      return this.#refuse(received, refusing, failureOf(cause)).finally(leave)
    }
  }

  async #describe(received: Received, identified: Identified): Promise<OnPath> {
    const { session } = identified
    const epoch = await this.#parts.epoch()
    const request = forwarded(identified.request, identified.vouchedHeaders)
    requireNoInputStream(identified)
    const rules = { ...describedFor(identified), ...placeRules(epoch) }
    const { action: said, endpointPrefix } = describe(request, rules)
    const twin = getTwin(request, (asGet) => describe(asGet, rules).action)
    const { roles } = epoch.content
    const { roleArn, parent } = session
    const child = childAsked(said, { roles, roleArn, isChild: parent !== null })
    if (child) await requireRoom(this.#parts.store, session, this.#parts.clock.nowMs())
    const meant = child ? childOpening(said, child, roleArn) : said
    const { asSent, action, upload } = await this.#multipart.described(meant, session)
    const scope = scopeOf(identified, action, endpointPrefix)
    requireNoStrayBody(request)
    requireEndpoint(scope)
    let digest: string | undefined
    return {
      ...identified,
      request,
      received,
      asSent,
      action,
      upload,
      twin,
      child,
      scope,
      epoch,
      /** Made when it is first asked for: most reads never need it. */
      get actionDigest() {
        digest ??= actionDigest(action, { ...digestFacts(session), epoch: epoch.number })
        return digest
      },
    }
  }

  /** Joins what is open for this call, else decides it afresh. */
  async #answer(call: OnPath): Promise<Performed> {
    const { clock, desk, plans } = this.#parts
    const harmless = isRead(call.action)
    let course = harmless ? undefined : await plans.courseOf(call.session.id)
    const joined = harmless ? undefined : await this.#joined(call, course)
    if (joined) return joined
    // Begun while its client is there for certain; what it finds is asked for below, or not at all.
    if (!harmless) call.received.isolation().catch(() => undefined)
    const evidence = harmless ? NO_EVIDENCE : await this.#resolve(call)
    const decision = await decided(call, evidence)
    if (decision.answer === 'review') requireDirect(call.action, call.verified)
    const by = { role: call.caller.role.name, nowMs: clock.nowMs() }
    const observed = observes(call.epoch, decidedOf(call, evidence), decision, by)
    if (decision.answer === 'allow' || observed) {
      if (course?.is === 'recording') {
        return notExecuted(notWhileRecorded(call, course.plan))
      }
      const would = decision.answer === 'allow' ? null : decision.answer
      return this.#perform(call, evidence, decision, null, would)
    }
    const glass = await glassFor(this.#parts.store, call, evidence, decision, clock.nowMs())
    if (glass && course?.is !== 'recording') {
      const passed = { answer: 'allow', policies: glass.policies } as const
      return this.#perform(call, evidence, passed, null, null, { turn: null, glass })
    }
    if (harmless) {
      // Most reads pass, so only one that does not is looked for among what was asked before.
      course = await plans.courseOf(call.session.id)
      const before = await this.#joined(call, course)
      if (before) return before
    }
    const settled = changeSetFirst(call.action, decision)
    if (settled.answer === 'deny') return this.#deny(call, evidence, settled)
    if (course?.is === 'running') throw await strayed(plans, call, course)
    const context = contextOf(call.caller, await call.received.isolation())
    const digest = digestOf(call, evidence)
    const history = this.#history.of(call.session.id)
    const asked = newRequest(call, evidence, context, settled, { digest, history })
    const summary = summarise(call.action, evidence)
    if (course?.is === 'recording') {
      const answer = { ...asked, summary }
      return notExecuted(await recordedAsStep(plans, call, course.plan, answer))
    }
    return this.#awaited(call, await desk.open({ ...asked, summary }))
  }

  /** What is open for this call, or was approved; nothing for a URL, which no person ever approved. */
  async #joined(call: OnPath, course: Course | undefined): Promise<Performed | undefined> {
    if (isPresigned(call.verified) || course?.is === 'recording') return undefined
    const { store, clock, plans } = this.#parts
    const { session, actionDigest, epoch } = call
    if (course?.is === 'running') {
      const turn = turnOf(course, await plans.steps(course.plan), actionDigest)
      return turn && this.#granted(call, course.request, course.grant, turn)
    }
    const steps = course ? await plans.steps(course.plan) : []
    if (course && steps.some((step) => step.actionDigest === actionDigest)) {
      return this.#awaited(call, course.request)
    }
    const live = await store.liveRequest(session.id, actionDigest, epoch.number, clock.nowMs())
    if (live && live.state !== 'approved') return this.#awaited(call, live)
    const grant = live && readyGrant(await store.grantForRequest(live.id), clock.nowMs())
    return live && grant ? this.#granted(call, live, grant, null) : undefined
  }

  /** Waits a little for reviewers, then tells the caller how things stand. */
  async #awaited(call: OnPath, request: RequestRow): Promise<Performed> {
    const { store, clock, desk, holdMs, requestUrl } = this.#parts
    call.received.span.enter('review', request.id)
    if (request.state === 'pending') await desk.hold(request, holdMs, call.received.gone)
    const now = (await store.request(request.id)) ?? request
    if (now.state === 'approved') {
      const grant = readyGrant(await store.grantForRequest(now.id), clock.nowMs())
      if (grant && now.id.startsWith('p-')) return this.#answer(call)
      if (grant) return this.#granted(call, now, grant, null)
    }
    const words =
      now.state === 'pending'
        ? pendingWords(now, environmentsOf(call.action), requestUrl(now.id))
        : closedWords(now, await store.grantForRequest(now.id))
    call.received.span.settled('review')
    return notExecuted(refusal(call.received, held(words, now.id, requestUrl(now.id))))
  }

  /** Looks again right before the effect: what was reviewed is what runs, or nothing runs. */
  async #granted(
    call: OnPath,
    request: RequestRow,
    grant: GrantRow,
    turn: Turn | null,
  ): Promise<Performed> {
    const evidence = await this.#resolve(call)
    const signed = turn?.step.digest ?? grant.digest
    if (digestOf(call, asSigned(evidence, turn)) !== signed) {
      if (!bindingRead(evidence)) throw couldNotLookAgain()
      throw await this.#noMore(turn, grant)
    }
    if (turn) await requireStill(this.#parts, call, evidence, turn)
    // The approval was for this call; whoever makes it now may stand nearer to the gate than then.
    const now = await decided(call, evidence)
    if (now.answer === 'deny') {
      const denial = await this.#deny(call, evidence, now)
      if (turn) throw await deniedStep(this.#parts.plans, turn, reasonFor(call, now))
      return denial
    }
    const isEnough =
      now.answer === 'allow' || (await isStillEnough(this.#parts, call, evidence, request))
    if (!isEnough) throw await this.#noMore(turn, grant)
    return this.#perform(call, evidence, { answer: 'allow', policies: now.policies }, grant, null, {
      turn,
      glass: null,
    })
  }

  /** Ends what was approved; returns what to answer. */
  #noMore(turn: Turn | null, grant: GrantRow): Promise<GatewayError> {
    const { plans } = this.#parts
    if (turn) return plans.stopped(turn.course.plan, turn.step.number, NOT_THE_SAME)
    return voided(this.#parts, grant)
  }

  /** Intent, effect, outcome, answer: in this order, each durable before the next. */
  async #perform(
    call: OnPath,
    evidence: Evidence,
    decision: HeadDecision,
    grant: GrantRow | null,
    observed: string | null,
    { turn, glass }: { turn: Turn | null; glass: Glass | null } = { turn: null, glass: null },
  ): Promise<Performed> {
    const { recorder, access, metrics } = this.#parts
    const { span } = call.received
    span.settled((grant ?? glass) ? 'approved' : 'allow')
    // Before anything is consumed: what AWS does not lend, or not so narrowly, is not begun.
    const requestId = grant?.requestId ?? null
    const { session, child } = call
    const send = child
      ? (asked: WireHead) => answerAssumeRole(this.#parts, session, child, asked)
      : timed(metrics, 'call', await access.forCall(session, call.action, evidence, requestId))
    const digest = digestOf(call, asSigned(evidence, turn))
    const { request, scope } = call
    if (isRead(call.action) && observed === null && grant === null && glass === null) {
      // A read's one entry is made durable while the upstream works, and before anything is answered.
      const facts = callFacts(call.caller, decidedOf(call, evidence), digest, call.epoch.number)
      const entry = { type: 'read', ...passedBy(decision), ...facts } as const
      span.enter('execute')
      const answer = await whenRecorded(recorder.record(entry), send(request, scope))
      this.#history.count(call.session.id, 'reads')
      const headers = endToEnd(answer.headers)
      return notExecuted({ status: answer.status, headers, body: answer.body })
    }
    if (!call.received.clientConnected()) throw clientGone()
    await this.#multipart.begins(call)
    if (!call.received.clientConnected()) throw clientGone()
    span.enter('record')
    const passing = { decision, evidence, digest, grant, turn, glass, observed }
    const effect = await beginEffect(this.#parts, call, passing)
    // A crash from here on leaves an intent without outcome: at the next start it becomes `unknown`.
    span.enter('execute')
    const executed = await execute(send, request, scope, call.action)
    span.enter('record')
    await endEffect(this.#parts, call, effect, executed, passing)
    await this.#multipart.ended(call, executed).catch((cause: unknown) => {
      throw notRecorded(cause)
    })
    this.#history.count(call.session.id, 'writes')
    const { reveals } = call.action
    const mayBeKept = child === null && (reveals === 'nothing' || reveals === 'data')
    const reply = executed.answer ?? noAnswer(call.received, executed.outcome)
    return { reply, executed: true, mayBeKept }
  }

  async #deny(
    call: OnPath,
    evidence: Evidence,
    decision: Decision & { answer: 'deny' },
  ): Promise<Performed> {
    const decided = decidedOf(call, evidence)
    await this.#parts.recorder.record({
      type: 'denied',
      code: decision.code,
      policies: decision.policies,
      ...callFacts(call.caller, decided, digestOf(call, evidence), call.epoch.number),
    })
    this.#history.count(call.session.id, 'refused')
    call.received.span.settled('deny')
    const where = environmentsOf(call.action)
    const reason = reasonFor(call, decision)
    const message = `Seconder denied ${call.action.operation} in ${where}; nothing was done: ${reason}`
    return notExecuted(refusal(call.received, denied(message, decision.code)))
  }

  /** Throws where so many come under no session that each further one would be an entry too many. */
  async #refuse(
    received: Pick<Received, 'span'> & { readonly request: WireHead },
    refusing: Refusing | undefined,
    failure: Refusal,
  ): Promise<Reply> {
    received.span.refused(failure.code, failure.cause)
    if (!refusing && !isOfEverybody(failure)) this.#parts.limits.unverified()
    const { recorder } = this.#parts
    const counted = { recorder, history: this.#history, tooOften: this.#tooOften }
    return refused(counted, received, refusing, failure)
  }

  /** Throws why a request is refused whatever its body is, before that is sent. */
  async requireHead(head: WireHead): Promise<void> {
    await identifyHead(head, this.#parts.store, this.#parts.clock.nowMs())
  }

  /** Throws why a body too large for memory is not wanted, before it is put on the disk. */
  admit(head: WireHead, place: Pick<Received, 'named' | 'label'>): Promise<Admitted> {
    return admit(head, place, this.#parts.store, this.#parts.clock.nowMs())
  }

  /** A call of theirs begins; returns what ends it. Errors: those of `entered`. */
  enter(by: Pick<Identified, 'session' | 'verified'>, peer: Received['peer']): Promise<() => void> {
    return entered(this.#parts, by, peer)
  }

  /** Answers a request that could not be read whole: refused, and recorded as such. */
  refuseUnread(request: WireHead, cause: unknown, span: CallSpan, by?: Refusing): Promise<Reply> {
    return this.#refuse({ request, span }, by, failureOf(cause))
  }

  async #resolve({ action, session, epoch, child, received }: OnPath): Promise<Evidence> {
    // The gate answers it itself: there is nothing upstream that it would meet.
    if (child) return NO_EVIDENCE
    received.span.enter('resolve')
    const { access, lookUps } = this.#parts
    const looker = { session: session.id, account: action.account }
    const found = await resolve(action, lookUps.of(access.lookUps(session), looker))
    return withReaches(action, access.narrowed(action, found), placeRules(epoch))
  }
}

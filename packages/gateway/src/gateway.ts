// The path: receive -> identify -> describe -> resolve -> decide -> review -> record(intent) -> execute
// -> record(outcome). The only file that calls the verbs. Whatever fails on it ends in a refusal.

import type { WireHead } from '@seconder/aws/wire-request'
import { decide, readsIsolation } from './decide/decide.ts'
import type { Decision } from './decide/decision.ts'
import type { Action } from './describe/action.ts'
import { childAsked, childOpening } from './describe/child-session.ts'
import { actionDigest, boundDigest, describe, readyToDescribe } from './describe/describe.ts'
import { observes, placeRules } from './epoch/active.ts'
import { Copies, type Performed } from './execute/copies.ts'
import { endToEnd, execute, forwarded, whenRecorded } from './execute/execute.ts'
import type { Caller } from './identify/caller.ts'
import { answerAssumeRole, requireRoom } from './identify/child-opening.ts'
import {
  type Admitted,
  admit,
  type Identified,
  identify,
  identifyHead,
} from './identify/identify.ts'
import { sha256Hex } from './lib/canonical-json.ts'
import { randomId } from './lib/ids.ts'
import { changeSetFirst } from './path/change-set-first.ts'
import {
  asDecided,
  callFacts,
  contextOf,
  copyKeys,
  describedFor,
  isRead,
  requireBoundBody,
  requireEndpoint,
  requireNoCredential,
  requireNoInputStream,
  requireNoStrayBody,
  scopeOf,
  withReaches,
} from './path/facts.ts'
import {
  alreadyUsed,
  changedSince,
  clientGone,
  couldNotLookAgain,
  NOT_THE_SAME,
  notRecorded,
} from './path/failures.ts'
import { getTwin, type HeadDecision, headDecision, passedBy } from './path/head.ts'
import { History } from './path/history.ts'
import { Multipart } from './path/multipart.ts'
import { newRequest } from './path/new-request.ts'
import type { GatewayParts, OnPath } from './path/on-path.ts'
import { isPresigned, requireDirect, requireOwnCall } from './path/presigned.ts'
import { denied, failureOf, held, noAnswer, type Refusal, refusal } from './path/refusals.ts'
import { refused } from './path/refused.ts'
import type { Received, Reply } from './receive/received.ts'
import { bindingRead } from './resolve/binding.ts'
import type { Evidence } from './resolve/evidence.ts'
import { NO_EVIDENCE } from './resolve/evidence.ts'
import { resolve } from './resolve/resolve.ts'
import { summarise } from './resolve/summary.ts'
import { closedWords, environmentsOf, pendingWords } from './review/words.ts'
import type { GrantRow, RequestRow } from './state/store.ts'

export class Gateway {
  readonly #parts: GatewayParts
  readonly #copies: Copies
  readonly #history = new History()
  readonly #multipart: Multipart

  constructor(parts: GatewayParts) {
    this.#parts = parts
    this.#copies = new Copies(parts.clock)
    this.#multipart = new Multipart(parts.store, parts.clock)
  }

  /** Answers one request. Never rejects: what fails is a refusal in the protocol of the request. */
  async handle(received: Received): Promise<Reply> {
    let identified: Identified | undefined
    try {
      const { store, clock } = this.#parts
      identified = identify(received, store, clock.nowMs())
      // What reads the SQL of a call is loaded when the first one comes; where it cannot be, this refuses.
      await readyToDescribe(describedFor(identified))
      const call = this.#describe(received, identified)
      requireNoCredential(call.action)
      if (call.child) requireOwnCall(call.action, call.verified)
      if (isRead(call.action)) return (await this.#answer(call)).reply
      requireBoundBody(call.action, call.verified)
      const apart = () => this.#multipart.apart(call, () => this.#answer(call))
      return await this.#copies.join(copyKeys(call), apart)
    } catch (cause) {
      return this.#refuse(received, identified?.caller, failureOf(cause))
    }
  }

  #describe(received: Received, identified: Identified): OnPath {
    const { session } = identified
    const epoch = this.#parts.epoch()
    const request = forwarded(identified.request, identified.vouchedHeaders)
    requireNoInputStream(identified)
    const rules = { ...describedFor(identified), ...placeRules(epoch) }
    const { action: said, endpointPrefix } = describe(request, rules)
    const twin = getTwin(request, (asGet) => describe(asGet, rules).action)
    const { roles } = epoch.content
    const { roleArn, parent } = session
    const child = childAsked(said, { roles, roleArn, isChild: parent !== null })
    if (child) requireRoom(this.#parts.store, session, this.#parts.clock.nowMs())
    const meant = child ? childOpening(said, child, roleArn) : said
    const { action, upload } = this.#multipart.described(meant, session)
    const scope = scopeOf(identified, action, endpointPrefix)
    requireNoStrayBody(request)
    requireEndpoint(scope)
    let digest: string | undefined
    return {
      ...identified,
      request,
      received,
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
    const { clock, desk } = this.#parts
    const joined = isRead(call.action) ? undefined : await this.#joined(call)
    if (joined) return joined
    // Begun while its client is there for certain; what it finds is asked for below, or not at all.
    if (!isRead(call.action)) call.received.isolation().catch(() => undefined)
    const evidence = isRead(call.action) ? NO_EVIDENCE : await this.#resolve(call)
    const decision = await this.#decide(call, evidence)
    if (decision.answer === 'allow') return this.#perform(call, evidence, decision, null, null)
    if (decision.answer === 'review') requireDirect(call.action, call.verified)
    const decided = decidedOf(call, evidence)
    if (observes(call.epoch, decided, decision, clock.nowMs())) {
      return this.#perform(call, evidence, decision, null, decision.answer)
    }
    // Most reads pass, so only one that does not is looked for among what was asked before.
    const before = isRead(call.action) ? await this.#joined(call) : undefined
    if (before) return before
    const settled = changeSetFirst(call.action, decision)
    if (settled.answer === 'deny') return this.#deny(call, evidence, settled)
    const context = contextOf(call.caller, await call.received.isolation())
    const digest = this.#digest(call, evidence)
    const history = this.#history.of(call.session.id)
    const asked = newRequest(call, evidence, context, settled, { digest, history })
    const request = await desk.open({ ...asked, summary: summarise(call.action, evidence) })
    return this.#awaited(call, request)
  }

  /** What is open for this call, or was approved; nothing for a URL, which no person ever approved. */
  async #joined(call: OnPath): Promise<Performed | undefined> {
    if (isPresigned(call.verified)) return undefined
    const { store, clock } = this.#parts
    const { session, actionDigest, epoch } = call
    const live = store.liveRequest(session.id, actionDigest, epoch.number, clock.nowMs())
    if (live && live.state !== 'approved') return this.#awaited(call, live)
    const grant = live && readyGrant(store.grantForRequest(live.id), clock.nowMs())
    return grant ? this.#granted(call, grant) : undefined
  }

  /** Measures the isolation only where a policy could read it: a look at the kernel takes its time. */
  async #decide(call: OnPath, evidence: Evidence): Promise<HeadDecision> {
    const { action, twin } = call
    const own = await this.#decideOne(call, evidence)
    if (twin === undefined) return own
    const { caller, epoch, received } = call
    const its = await this.#decideOne({ action: twin, caller, epoch, received }, evidence)
    return headDecision([action, own], [twin, its])
  }

  async #decideOne(
    call: Pick<OnPath, 'action' | 'caller' | 'epoch' | 'received'>,
    evidence: Evidence,
  ): Promise<Decision> {
    const { caller, epoch, received } = call
    const decided = decidedOf(call, evidence)
    const isRead = readsIsolation(decided, evidence, epoch.policySet)
    const context = contextOf(caller, isRead ? await received.isolation() : 'none')
    return decide(decided, evidence, context, epoch.policySet)
  }

  /** Waits a little for reviewers, then tells the caller how things stand. */
  async #awaited(call: OnPath, request: RequestRow): Promise<Performed> {
    const { store, clock, desk, holdMs, requestUrl } = this.#parts
    if (request.state === 'pending') await desk.hold(request.id, holdMs, call.received.gone)
    const now = store.request(request.id) ?? request
    if (now.state === 'approved') {
      const grant = readyGrant(store.grantForRequest(now.id), clock.nowMs())
      if (grant) return this.#granted(call, grant)
    }
    const words =
      now.state === 'pending'
        ? pendingWords(now, environmentsOf(call.action), requestUrl(now.id))
        : closedWords(now, store.grantForRequest(now.id))
    return notExecuted(refusal(call.received, held(words, now.id, requestUrl(now.id))))
  }

  /** Looks again right before the effect: what was reviewed is what runs, or nothing runs. */
  async #granted(call: OnPath, grant: GrantRow): Promise<Performed> {
    const { store, recorder } = this.#parts
    const evidence = await this.#resolve(call)
    if (this.#digest(call, evidence) !== grant.digest) {
      if (!bindingRead(evidence)) throw couldNotLookAgain()
      await recorder.record({
        type: 'grant-revoked',
        grant: grant.id,
        request: grant.requestId,
        why: NOT_THE_SAME,
        signer: null,
        act: null,
      })
      store.endGrant(grant.id, { state: 'revoked', by: null, why: NOT_THE_SAME })
      throw changedSince()
    }
    // The approval was for this call; whoever makes it now may stand nearer to the gate than then.
    const now = await this.#decide(call, evidence)
    if (now.answer === 'deny') return this.#deny(call, evidence, now)
    return this.#perform(call, evidence, { answer: 'allow', policies: now.policies }, grant, null)
  }

  /** Intent, effect, outcome, answer: in this order, each durable before the next. */
  async #perform(
    call: OnPath,
    evidence: Evidence,
    decision: HeadDecision,
    grant: GrantRow | null,
    observed: string | null,
  ): Promise<Performed> {
    const { store, recorder, clock, access } = this.#parts
    // Before anything is consumed: what AWS does not lend, or not so narrowly, is not begun.
    const requestId = grant?.requestId ?? null
    const { session, child } = call
    const send = child
      ? (asked: WireHead) => answerAssumeRole(this.#parts, session, child, asked)
      : await access.forCall(session, call.action, evidence, requestId)
    const digest = this.#digest(call, evidence)
    const { request, scope } = call
    const facts = callFacts(call.caller, decidedOf(call, evidence), digest, call.epoch.number)
    if (isRead(call.action) && observed === null && grant === null) {
      // A read's one entry is made durable while the upstream works, and before anything is answered.
      const entry = { type: 'read', ...passedBy(decision), ...facts } as const
      const answer = await whenRecorded(recorder.record(entry), send(request, scope))
      this.#history.count(call.session.id, 'reads')
      const headers = endToEnd(answer.headers)
      return notExecuted({ status: answer.status, headers, body: answer.body })
    }
    if (!call.received.clientConnected()) throw clientGone()
    const effect = {
      id: randomId('e'),
      sessionId: call.session.id,
      operation: call.action.operation,
    }
    this.#multipart.begins(call)
    const signature = sha256Hex(call.verified.signature)
    // A crash after this line leaves a consumed grant without an effect: asked for again, never twice.
    const begun = grant
      ? store.consumeGrant(grant.id, effect, signature, clock.nowMs())
      : store.beginEffect(effect, signature, call.epoch.number, clock.nowMs())
    if (!begun) throw alreadyUsed(grant)
    await recorder.record({
      type: 'intent',
      effect: effect.id,
      request: grant?.requestId ?? null,
      grant: grant?.id ?? null,
      signature,
      policies: decision.policies,
      observed,
      ...facts,
    })
    // A crash from here on leaves an intent without outcome: at the next start it becomes `unknown`.
    const executed = await execute(send, request, scope, call.action)
    const { outcome, answer } = executed
    try {
      await recorder.record({ type: 'outcome', effect: effect.id, outcome })
      if (outcome.result === 'accepted') {
        await this.#parts.following.begin(effect, call.action, evidence, answer)
      }
      store.endEffect(effect.id)
      this.#multipart.ended(call, executed)
    } catch (cause) {
      throw notRecorded(cause)
    }
    this.#history.count(call.session.id, 'writes')
    const { reveals } = call.action
    const mayBeKept = child === null && (reveals === 'nothing' || reveals === 'data')
    const reply = answer ?? noAnswer(call.received, outcome)
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
      ...callFacts(call.caller, decided, this.#digest(call, evidence), call.epoch.number),
    })
    this.#history.count(call.session.id, 'refused')
    const where = environmentsOf(call.action)
    const reason = this.#reasonFor(call, decision)
    const message = `Seconder denied ${call.action.operation} in ${where}; nothing was done: ${reason}`
    return notExecuted(refusal(call.received, denied(message, decision.code)))
  }

  /** What was looked up goes to reviewers, never to the agent (red team M6): the reason of the call alone. */
  #reasonFor(call: OnPath, decision: Decision & { answer: 'deny' }): string {
    if (isRead(call.action) || decision.code !== 'denied_by_policy') return decision.reason
    const context = contextOf(call.caller, 'none')
    const alone = decide(call.action, NO_EVIDENCE, context, call.epoch.policySet)
    return alone.answer === 'deny' ? alone.reason : 'no policy permits what it would do'
  }

  #refuse(
    received: { readonly request: WireHead },
    caller: Caller | undefined,
    failure: Refusal,
  ): Promise<Reply> {
    return refused(this.#parts.recorder, this.#history, received, caller, failure)
  }

  /** Throws why a request is refused whatever its body is, before that is sent. */
  requireHead(head: WireHead): void {
    identifyHead(head, this.#parts.store, this.#parts.clock.nowMs())
  }

  /** Throws why a body too large for memory is not wanted, before it is put on the disk. */
  admit(head: WireHead, place: Pick<Received, 'named' | 'label'>): Admitted {
    return admit(head, place, this.#parts.store, this.#parts.clock.nowMs())
  }

  /** Answers a request that could not be read whole: refused, and recorded as such. */
  refuseUnread(request: WireHead, cause: unknown, caller?: Caller): Promise<Reply> {
    return this.#refuse({ request }, caller, failureOf(cause))
  }

  async #resolve({ action, session, epoch, child }: OnPath): Promise<Evidence> {
    // The gate answers it itself: there is nothing upstream that it would meet.
    if (child) return NO_EVIDENCE
    const { access, lookUps } = this.#parts
    const looker = { session: session.id, account: action.account }
    const found = await resolve(action, lookUps.of(access.lookUps(session), looker))
    return withReaches(action, access.narrowed(action, found), placeRules(epoch))
  }

  #digest(call: OnPath, evidence: Evidence): string {
    return boundDigest(call.action, evidence, {
      ...digestFacts(call.session),
      epoch: call.epoch.number,
    })
  }
}

/** The call as policy is asked about it, with what was found behind it. */
function decidedOf(
  { action, epoch }: Pick<OnPath, 'action' | 'epoch'>,
  evidence: Evidence,
): Action {
  return asDecided(action, evidence, placeRules(epoch))
}

function digestFacts(session: { id: string; roleArn: string }) {
  return { sessionId: session.id, roleArn: session.roleArn }
}

function notExecuted(reply: Reply): Performed {
  return { reply, executed: false, mayBeKept: false }
}

function readyGrant(grant: GrantRow | undefined, nowMs: number): GrantRow | undefined {
  return grant?.state === 'ready' && grant.expiresAtMs > nowMs ? grant : undefined
}

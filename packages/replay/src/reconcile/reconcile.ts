// Holds a ledger and a trail against each other, both ways: each event under what the gate lends must have its
// entry, and each entry its event. What either cannot tell is counted apart and is no finding.

import { type Evidence, isHarmful } from '../incident/incident.ts'
import { evidenceOf, gateSessionOf } from '../incident/trail-links.ts'
import { listed, named, shown } from '../incident/words.ts'
import { isLook } from '../store/known-call.ts'
import {
  effectsOf,
  operationOf,
  type TrailEvent,
  type TrailWindow,
  thingsOf,
} from '../trail/window.ts'
import { isDataEvent } from './data-events.ts'
import type { LedgerSide, Sent } from './ledger-side.ts'
import {
  FINDINGS_MAX,
  type Finding,
  type FindingCode,
  type Followed,
  type Reconciliation,
} from './reconciliation.ts'
import { touchesAlike } from './touching.ts'

/** How far apart the entry and the event of one call may be; a trail tells seconds, and clocks differ. */
export const APART_MS_MAX = 120_000
/** What a service does this long after a call of the same session counts as its consequence. */
const SERVICE_MS_MAX = 3_600_000

export interface Asked {
  readonly ledger: LedgerSide
  readonly trail: TrailWindow
  readonly verified: boolean
  readonly entries: number
  /** A part of the gate's own principal, where it calls under its own rights (emulators); empty = none. */
  readonly gatePrincipal: string
  /** ISO times between which the trail was read; empty = no bound. */
  readonly since: string
  readonly until: string
}

export function reconcile(asked: Asked): Reconciliation {
  return new Reconciler(asked).result()
}

class Reconciler {
  readonly #asked: Asked
  readonly #findings: Finding[] = []
  #findingCount = 0
  readonly #counts: Partial<Record<FindingCode, number>> = {}
  readonly #byRequestId = new Map<string, Sent>()
  /** Session and operation to the calls that no event was found for yet, oldest first. */
  readonly #open = new Map<string, Sent[]>()
  readonly #eventOf = new Map<Sent, TrailEvent>()
  /** Session name to what the gate borrowed it for. */
  readonly #borrowed = new Map<string, string>()
  /** Services whose data events this trail has. */
  readonly #dataServices = new Set<string>()
  readonly #lastChange = new Map<string, string>()
  readonly #matched = { changes: 0, reads: 0, byRequestId: 0, byTime: 0 }
  readonly #apart = { notLogged: 0, notCovered: 0, ownLookUps: 0, byServices: 0, others: 0 }

  constructor(asked: Asked) {
    this.#asked = asked
    const { ledger, trail } = asked
    for (const sent of ledger.sent) {
      const requestId = ledger.endOf(sent)?.requestId ?? ''
      if (requestId !== '') this.#byRequestId.set(requestId, sent)
      const key = `${sent.session} ${sent.operation}`
      const open = this.#open.get(key)
      if (open === undefined) this.#open.set(key, [sent])
      else open.push(sent)
    }
    // A clock may have gone back.
    for (const open of this.#open.values()) open.sort((a, b) => a.at.localeCompare(b.at))
    for (const event of trail.events) {
      this.#borrow(event)
      if (event.isData) this.#dataServices.add(operationOf(event).split(':')[0] ?? '')
    }
  }

  result(): Reconciliation {
    const { trail, ledger, verified, entries } = this.#asked
    for (const event of trail.events) this.#event(event)
    for (const sent of ledger.sent) this.#sent(sent)
    const followed = ledger.sent.flatMap((sent) => this.#followed(sent))
    this.#findings.sort((a, b) => a.at.localeCompare(b.at))
    return {
      format: 'seconder-reconciliation@v1',
      verified,
      entries,
      events: trail.events.length,
      covers: trail.covers,
      matched: this.#matched,
      apart: this.#apart,
      left: { events: trail.dropped, files: trail.faults.length, entries: ledger.dropped },
      findings: this.#findings,
      findingCount: this.#findingCount,
      counts: this.#counts,
      followed,
    }
  }

  /** The tag `seconder:request` of an AssumeRole says what its session is for. */
  #borrow(event: TrailEvent): void {
    if (event.assumed === null) return
    this.#borrowed.set(event.assumed.session, event.assumed.purpose)
  }

  #event(event: TrailEvent): void {
    if (event.known.is === 'not-an-api-call') {
      this.#apart.others++
      return
    }
    const { who } = event
    const session = gateSessionOf(event)
    const isLent = this.#asked.ledger.roles.has(who.principal)
    const { gatePrincipal } = this.#asked
    const isGate = gatePrincipal !== '' && who.principal.includes(gatePrincipal)
    if (!isLent && session === null && !isGate) {
      this.#apart.others++
      return
    }
    if (who.service !== '') {
      this.#byService(event)
      return
    }
    if (isGate) this.#ofGate(event, null)
    else if (session === null) {
      this.#find(
        'not_of_the_gate',
        event,
        `${named(who.principal)} was used by ${named(who.session)}, which no gate opened, for ${named(operationOf(event))}`,
      )
    } else this.#ofSession(event, session)
  }

  #ofSession(event: TrailEvent, session: string): void {
    const known = this.#asked.ledger.sessions.get(session)
    if (known === undefined) {
      this.#find(
        'session_unknown',
        event,
        `${named(session)} is in no entry of this ledger: it is of another gate, or its entries are gone; it called ${named(operationOf(event))}`,
      )
      return
    }
    if (event.who.principal !== known.role) {
      this.#find(
        'not_of_the_gate',
        event,
        `${named(session)} was opened for ${named(known.role)}, and a session of its name used ${named(event.who.principal)} for ${named(operationOf(event))}`,
      )
      return
    }
    const vouched = event.who.sourceIdentity.replace(/@seconder$/, '')
    if (vouched !== known.operator) {
      this.#find(
        'operator_differs',
        event,
        `${named(session)} was opened by ${named(known.operator)}, and the trail vouches for ${named(event.who.sourceIdentity || 'nobody')}`,
      )
    }
    this.#ofGate(event, session)
  }

  /** An event of the gate's own sending: it must have its entry. */
  #ofGate(event: TrailEvent, session: string | null): void {
    const operation = operationOf(event)
    const sent = this.#entryOf(event, session)
    if (sent !== null) {
      this.#matched[sent.kind === 'change' ? 'changes' : 'reads']++
      this.#eventOf.set(sent, event)
      if (sent.kind === 'change' && event.errorCode === '') {
        this.#lastChange.set(event.who.session, event.at)
      }
      return
    }
    const purpose = this.#borrowed.get(event.who.session)
    // The gate borrows under rights of its own; under lent ones an AssumeRole is somebody's call like any other.
    const isOwn =
      operation === 'sts:GetCallerIdentity' || (operation === 'sts:AssumeRole' && session === null)
    if (isOwn || (isLook(effectsOf(event)) && purpose !== 'read')) {
      this.#apart.ownLookUps++
      return
    }
    if (isLook(effectsOf(event))) {
      this.#find(
        'read_without_entry',
        event,
        `${named(operation)} was read under ${named(event.who.session)}, and no entry tells of it`,
      )
      return
    }
    const grave = isHarmful(effectsOf(event))
      ? `, which can do harm (${listed(effectsOf(event).map((one) => shown(one)))})`
      : ''
    this.#find(
      'change_without_intent',
      event,
      `${named(operation)} on ${listed(
        thingsOf(event).map((arn) => named(arn)),
        3,
      )}${grave}: the ledger has no intent for it that was sent${this.#ledgerGaps()}`,
    )
  }

  #entryOf(event: TrailEvent, session: string | null): Sent | null {
    const byId = event.requestId === '' ? undefined : this.#byRequestId.get(event.requestId)
    if (byId !== undefined && !this.#eventOf.has(byId) && byId.operation === operationOf(event)) {
      this.#matched.byRequestId++
      return byId
    }
    const near = this.#nearest(event, session)
    if (near !== null) this.#matched.byTime++
    return near
  }

  /** The call of this session and operation that is nearest in time and touches the same. */
  #nearest(event: TrailEvent, session: string | null): Sent | null {
    const operation = operationOf(event)
    const sessions = session === null ? [...this.#asked.ledger.sessions.keys()] : [session]
    const at = Date.parse(event.at)
    let found: Sent | null = null
    let least = APART_MS_MAX
    for (const one of sessions) {
      const open = this.#open.get(`${one} ${operation}`) ?? []
      for (let place = firstFrom(open, at - APART_MS_MAX); place < open.length; place++) {
        const sent = open[place] as Sent
        if (Date.parse(sent.at) - at > APART_MS_MAX) break
        const apart = Math.abs(Date.parse(sent.at) - at)
        // What has a request id of its own is that call and no other, where the trail tells ids.
        const isOther =
          event.requestId !== '' && (this.#asked.ledger.endOf(sent)?.requestId ?? '') !== ''
        if (isOther || this.#eventOf.has(sent) || !touchesAlike(sent, event) || !(apart < least))
          continue
        found = sent
        least = apart
      }
    }
    return found
  }

  /** What a service does under lent rights follows from a call of that session. */
  #byService(event: TrailEvent): void {
    const since = this.#lastChange.get(event.who.session)
    const follows =
      since !== undefined && Date.parse(event.at) - Date.parse(since) <= SERVICE_MS_MAX
    if (follows || isLook(effectsOf(event))) {
      this.#apart.byServices++
      return
    }
    this.#find(
      'change_without_intent',
      event,
      `${named(operationOf(event))} by ${shown(event.who.service)} under ${named(event.who.session)}: no call of that session before it is in the ledger`,
    )
  }

  #sent(sent: Sent): void {
    const event = this.#eventOf.get(sent)
    const end = this.#asked.ledger.endOf(sent)
    if (event !== undefined) {
      this.#compare(sent, event)
      return
    }
    const { from, to } = this.#asked.trail.covers
    const [service = ''] = sent.operation.split(':')
    // A trail tells seconds, an entry thousandths.
    const second = sent.at.slice(0, 19)
    const isBeyond = from === '' || second < from.slice(0, 19) || second > to.slice(0, 19)
    if (isBeyond || this.#isNearBound(sent.at)) this.#apart.notCovered++
    else if (isDataEvent(sent.operation) && !this.#dataServices.has(service))
      this.#apart.notLogged++
    else if (sent.kind === 'change' && end !== null && end.result !== 'unknown') {
      this.#found({
        code: 'intent_without_event',
        says: `${named(sent.operation)} on ${listed(
          sent.resources.map((arn) => named(arn)),
          3,
        )}: the ledger says ${shown(end.result)}, and the trail of that time has no such event${this.#trailGaps()}`,
        at: sent.at,
        operation: sent.operation,
        evidence: [sent.evidence, ...end.evidence],
      })
    } else if (sent.kind === 'read') {
      // A read that AWS answered; a refused one of the gate's has no entry of its own.
      this.#found({
        code: 'intent_without_event',
        says: `${named(sent.operation)}: the ledger has the read, and the trail of that time has no such event${this.#trailGaps()}`,
        at: sent.at,
        operation: sent.operation,
        evidence: [sent.evidence],
      })
    }
  }

  /** What is near a bound that was asked for may have its event beyond it. */
  #isNearBound(at: string): boolean {
    const { since, until } = this.#asked
    const ms = Date.parse(at)
    const isEarly = since !== '' && ms < Date.parse(since) + APART_MS_MAX
    return isEarly || (until !== '' && ms > Date.parse(until) - APART_MS_MAX)
  }

  /** A finding stays one where not all could be read: a flood must hide nothing. It says so. */
  #trailGaps(): string {
    const { dropped, faults } = this.#asked.trail
    return dropped + faults.length === 0 ? '' : ' (not all of the trail could be read)'
  }

  #ledgerGaps(): string {
    return this.#asked.ledger.dropped === 0 ? '' : ' (not all of the ledger was compared)'
  }

  #compare(sent: Sent, event: TrailEvent): void {
    const end = this.#asked.ledger.endOf(sent)
    if (end === null || end.result === 'unknown') return
    const failed = end.result === 'failed'
    if (failed === (event.errorCode !== '')) return
    const trail =
      event.errorCode === '' ? 'that AWS did it' : `that AWS refused it (${shown(event.errorCode)})`
    this.#found({
      code: 'outcome_differs',
      says: `${named(sent.operation)}: the ledger says ${shown(end.result)}, and the trail says ${trail}`,
      at: sent.at,
      operation: sent.operation,
      evidence: [sent.evidence, ...end.evidence, evidenceOf(event)],
    })
  }

  #followed(sent: Sent): Followed[] {
    if (sent.kind === 'read') return []
    const end = this.#asked.ledger.endOf(sent)
    const event = this.#eventOf.get(sent)
    const { operation, at } = sent
    const evidence: Evidence[] = [
      sent.evidence,
      ...(end?.evidence ?? []),
      ...(event === undefined ? [] : [evidenceOf(event)]),
    ]
    if (end === null || end.result === 'unknown') {
      const says =
        event === undefined
          ? 'no event of it in this trail: nothing shows that it reached AWS'
          : event.errorCode === ''
            ? 'the trail shows that AWS took it on'
            : `the trail shows that AWS refused it: ${shown(event.errorCode)}`
      return [{ operation, at, outcome: 'unknown', end: says, evidence }]
    }
    if (end.result !== 'accepted') return []
    if (end.confirmed === '') {
      this.#found({
        code: 'accepted_not_followed',
        says: `${named(operation)} was accepted, and no entry says how it ended`,
        at,
        operation,
        evidence,
      })
      return [{ operation, at, outcome: 'accepted', end: 'never looked up', evidence }]
    }
    const says =
      end.confirmed === 'unconfirmed'
        ? 'could not be confirmed'
        : `confirmed: ${shown(end.confirmed)}`
    return [{ operation, at, outcome: 'accepted', end: says, evidence }]
  }

  #find(code: FindingCode, event: TrailEvent, says: string): void {
    const evidence = [evidenceOf(event)]
    this.#found({ code, says, at: event.at, operation: operationOf(event), evidence })
  }

  #found(finding: Finding): void {
    this.#findingCount++
    this.#counts[finding.code] = (this.#counts[finding.code] ?? 0) + 1
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push(finding)
  }
}

/** Place of the first call that is not before `ms`: calls are in the order of time. */
function firstFrom(open: readonly Sent[], ms: number): number {
  let [low, high] = [0, open.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Date.parse((open[middle] as Sent).at) < ms) low = middle + 1
    else high = middle
  }
  return low
}

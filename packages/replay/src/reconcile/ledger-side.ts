// The calls that a ledger says went out, each with its outcome: one side of a reconciliation.

import type { Entry } from '@seconder/gateway/record/entry'
import { entryOf } from '../incident/forms.ts'
import type { Evidence } from '../incident/incident.ts'

/** Calls kept; past it they are counted, and said to be left out. */
export const SENT_MAX = 1_000_000

export interface Sent {
  readonly kind: 'change' | 'read'
  readonly session: string
  readonly operation: string
  readonly resources: readonly string[]
  readonly at: string
  readonly effect: string
  readonly evidence: Evidence
}

export interface Ended {
  readonly result: string
  readonly requestId: string
  readonly errorCode: string
  readonly at: string
  /** Of the look-up of what was accepted; empty where nobody looked. */
  readonly confirmed: string
  readonly evidence: readonly Evidence[]
}

interface KnownSession {
  readonly operator: string
  readonly role: string
}

export class LedgerSide {
  readonly sent: Sent[] = []
  readonly sessions = new Map<string, KnownSession>()
  readonly #ended = new Map<string, Ended>()
  #dropped = 0

  get dropped(): number {
    return this.#dropped
  }

  endOf({ effect }: Sent): Ended | null {
    return this.#ended.get(effect) ?? null
  }

  /** Roles that sessions of this gate were opened with. */
  get roles(): ReadonlySet<string> {
    return new Set([...this.sessions.values()].map(({ role }) => role))
  }

  take(index: number, text: string, hash: string): void {
    const entry = entryOf(text)
    // The verifier names what is no entry.
    if (entry === null || entry === 'other') return
    const evidence: Evidence = { source: 'ledger', entry: index, id: hash, at: entry.at }
    switch (entry.type) {
      case 'session-opened':
      case 'child-session-opened':
        this.sessions.set(entry.session, { operator: entry.operator, role: entry.role })
        return
      case 'intent':
        this.#add({ ...callOf(entry), kind: 'change', effect: entry.effect, evidence })
        return
      case 'read':
        this.#add({ ...callOf(entry), kind: 'read', effect: '', evidence })
        return
      case 'outcome':
        this.#end(entry, evidence)
        return
      default:
        return
    }
  }

  #add(sent: Sent): void {
    if (this.sent.length < SENT_MAX) this.sent.push(sent)
    else this.#dropped++
  }

  #end({ effect, outcome, at }: Extract<Entry, { type: 'outcome' }>, evidence: Evidence): void {
    if (outcome.result === 'withheld') {
      // Never begun: an event of it in the trail has no call that it belongs to.
      const begun = this.sent.findLastIndex((sent) => sent.effect === effect)
      if (begun !== -1) this.sent.splice(begun, 1)
      return
    }
    const known = this.#ended.get(effect)
    if (outcome.result === 'confirmed') {
      if (known === undefined) return
      const { confirmed } = outcome
      this.#ended.set(effect, { ...known, confirmed, evidence: [...known.evidence, evidence] })
      return
    }
    const requestId = 'upstreamRequestId' in outcome ? (outcome.upstreamRequestId ?? '') : ''
    const errorCode = outcome.result === 'failed' ? outcome.errorCode : ''
    const { result } = outcome
    this.#ended.set(effect, {
      result,
      requestId,
      errorCode,
      at,
      confirmed: '',
      evidence: [evidence],
    })
  }
}

function callOf({
  session,
  operation,
  resources,
  at,
}: Extract<Entry, { type: 'intent' | 'read' }>) {
  return { session, operation, resources, at }
}

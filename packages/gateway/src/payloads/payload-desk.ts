// Drops payloads beside the ledger: one by the signatures of two people, or those that are older than the epoch in
// force says. Never what an open request, plan, effect or after-review needs, and never what an epoch decides by.
//
// The order is the design; what a crash leaves, and who repairs it:
//   1 remember what is to be dropped   nothing else; forgotten by the next sweep
//   2 record why                       a payload that is still there; dropped by the next sweep
//   3 drop it                          the same, or nothing to repair
//   4 forget what was to be dropped    the same
import { LedgerError } from '@seconder/ledger/errors'
import type { Ledger } from '@seconder/ledger/ledger'
import { endWords, type PayloadUse, type PayloadUses } from '@seconder/ledger/payload-uses'
import type { ActiveEpoch } from '../epoch/active.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import {
  type ActVerifier,
  type GivenAct,
  invalidStatement,
  type VerifiedAct,
} from '../lib/signed-act.ts'
import type { Entry, SignedAct } from '../record/entry.ts'
import type { Recorder } from '../record/recorder.ts'
import { signerNow } from '../review/checks.ts'
import type { Store } from '../state/store.ts'
import { PayloadIndex } from './payload-index.ts'
import { REDACTION_NAMESPACE, REDACTION_STATEMENT, type RedactionStatement } from './statement.ts'

/** People who must sign: the operator of an agent may be one of them, and never both. */
export const REDACTION_SIGNERS = 2
/** How long a first signature waits for the second, in milliseconds. */
export const REDACTION_LIFETIME_MS = 24 * 60 * 60_000
/** Redactions that wait at once. */
export const REDACTIONS_WAITING_MAX = 100
/** Payloads of one entry of retention, and how many such entries one sweep makes. */
export const DROPPED_AT_ONCE = 200
const ENTRIES_AT_ONCE = 20
/** How often it is looked what is old enough, in milliseconds. */
const SWEEP_MS = 60_000
const AGE_MS_MAX = 5 * 60_000

/** Where the state keeps signatures that wait, and what is being dropped. */
const WAITING = 'redactions'
const DROPPING = 'payloads-dropping'

type DroppedBy = Extract<Entry, { type: 'redacted' | 'retention-ended' }>

export interface PayloadDeskOptions {
  readonly store: Store
  readonly ledger: Ledger
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  /** The epoch, which says how long payloads are kept. Rejects where none is in force. */
  readonly inForce: () => Promise<Pick<ActiveEpoch, 'number' | 'content'>>
}

/** A payload as people are told of it before they sign. */
export interface ShownPayload {
  readonly payload: string
  readonly uses: readonly PayloadUse[]
  /** Why it must stay now; null where it may go. */
  readonly needed: string | null
  /** Who has signed, and for which reason. */
  readonly waiting: readonly { readonly reason: string; readonly signers: readonly string[] }[]
  /** Why it is gone, in words; null where nobody dropped it. */
  readonly gone: string | null
}

export interface Redaction {
  readonly payload: string
  /** True when this act was the last one needed. */
  readonly redacted: boolean
  readonly signers: readonly string[]
  readonly missing: number
}

interface Waiting {
  readonly payload: string
  readonly reason: string
  readonly atMs: number
  readonly acts: readonly (readonly [string, { readonly act: SignedAct; readonly key: string }])[]
}

export class PayloadDesk {
  readonly #options: PayloadDeskOptions
  readonly #index: PayloadIndex
  #sweptAtMs = Number.NEGATIVE_INFINITY
  /** Why the last sweep dropped nothing, or not all; null where it ended well. */
  #stoppedBy: string | null = null
  readonly #dropped: (() => void)[] = []

  constructor(options: PayloadDeskOptions) {
    this.#options = options
    this.#index = new PayloadIndex(options.ledger)
    // At whichever gateway it was.
    options.recorder.onRecorded(({ type }) => {
      if (type !== 'redacted' && type !== 'retention-ended') return
      for (const listener of this.#dropped) listener()
    })
  }

  /** Hears that payloads are being dropped: what was read of one before is not to be told any more. */
  onDropped(listener: () => void): void {
    this.#dropped.push(listener)
  }

  /** Why it is gone, in words; null where nobody dropped it. */
  async goneWords(payload: string): Promise<string | null> {
    const end = (await this.#index.caughtUp()).endOf(payload)
    return end ? endWords(end) : null
  }

  async look(payload: string): Promise<ShownPayload> {
    const uses = await this.#index.caughtUp()
    const waiting = (await this.#waiting()).filter((one) => one.payload === payload)
    return {
      payload,
      uses: uses.usesOf(payload),
      needed: uses.neededFor(payload, this.#options.clock.nowMs()),
      waiting: waiting.map(({ reason, acts }) => {
        return { reason, signers: acts.map(([name]) => name) }
      }),
      gone: await this.goneWords(payload),
    }
  }

  /**
   * Takes one person's signature that a payload is dropped for a reason.
   * Errors: `statement_invalid`, `signature_invalid`, `not_a_reviewer`, `payload_kept`, `limit_reached`.
   */
  async sign(given: GivenAct): Promise<Redaction> {
    const verified = await this.#options.acts.verify(
      given,
      REDACTION_NAMESPACE,
      REDACTION_STATEMENT,
    )
    return this.#options.store.alone('payloads', () => this.#take(verified))
  }

  async #take(verified: VerifiedAct<RedactionStatement>): Promise<Redaction> {
    const { store, clock, gateId } = this.#options
    const { statement, act, key } = verified
    const { payload, reason } = statement
    const person = await signerNow(store, verified)
    const nowMs = clock.nowMs()
    if (statement.gate !== gateId) throw invalidStatement('it is for another gate')
    if (statement.signer !== person.name)
      throw invalidStatement('the key is not that of the signer named')
    if (Math.abs(nowMs - Date.parse(statement.signedAt)) > AGE_MS_MAX)
      throw invalidStatement('it was signed more than five minutes away from now')
    const uses = await this.#index.caughtUp()
    requireDroppable(uses, payload, nowMs)
    const waiting = await this.#waiting()
    const isSame = (one: Waiting) => one.payload === payload && one.reason === reason
    const others = waiting.filter((one) => !isSame(one))
    if (others.length >= REDACTIONS_WAITING_MAX) throw tooMany()
    if (!(await store.useNonce(statement.nonce, nowMs)))
      throw invalidStatement('its nonce was used before')
    const before = waiting.find(isSame)
    const acts = new Map(before?.acts)
    acts.set(person.name, { act, key: key.fingerprint })
    const signers = [...acts.keys()]
    const missing = REDACTION_SIGNERS - signers.length
    const one = { payload, reason, atMs: before?.atMs ?? nowMs, acts: [...acts] }
    if (missing > 0) {
      await store.setMeta(WAITING, JSON.stringify([...others, one]))
      return { payload, redacted: false, signers, missing }
    }
    await this.#drop([payload], {
      ...{ type: 'redacted', payload, reason, by: signers },
      acts: [...acts.values()].map((signed) => signed.act),
      session: uses.usesOf(payload)[0]?.session ?? '',
    })
    await store.setMeta(WAITING, JSON.stringify(others.filter((left) => left.payload !== payload)))
    return { payload, redacted: true, signers, missing: 0 }
  }

  /** Those in time, without the signatures of whoever was removed since, or whose key was. */
  async #waiting(): Promise<Waiting[]> {
    const { store, clock } = this.#options
    const kept = JSON.parse((await store.meta(WAITING)) ?? '[]') as Waiting[]
    const counting: Waiting[] = []
    for (const one of kept) {
      if (clock.nowMs() - one.atMs > REDACTION_LIFETIME_MS) continue
      const acts = []
      for (const signed of one.acts) {
        const known = await store.personByKey(signed[1].key)
        if (known?.person.name === signed[0]) acts.push(signed)
      }
      if (acts.length > 0) counting.push({ ...one, acts })
    }
    return counting
  }

  async #drop(payloads: readonly string[], entry: WithoutTime<DroppedBy>): Promise<void> {
    const { store, recorder } = this.#options
    await store.setMeta(DROPPING, JSON.stringify(payloads))
    await recorder.record(entry)
    await this.#mend()
  }

  /** Drops what the ledger says is dropped, and a crash or a failure left. */
  async #mend(): Promise<void> {
    const { store, ledger } = this.#options
    const dropping = JSON.parse((await store.meta(DROPPING)) ?? '[]') as string[]
    if (dropping.length === 0) return
    const uses = await this.#index.caughtUp()
    for (const payload of dropping) {
      if (uses.endOf(payload) !== undefined) await ledger.dropPayload(payload)
    }
    // Whoever read one between the entry and here.
    for (const listener of this.#dropped) listener()
    await store.setMeta(DROPPING, '[]')
  }

  /** What a running gate does by itself, now and then: ends what was begun, and drops what is old enough. */
  async sweep(): Promise<void> {
    const nowMs = performance.now()
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return
    this.#sweptAtMs = nowMs
    try {
      await this.#options.store.alone('payloads', async () => {
        await this.#mend()
        await this.#endRetention()
      })
      this.#stoppedBy = null
    } catch (cause) {
      this.#stoppedBy = stopWords(cause)
      throw cause
    }
  }

  /** Words for the operator; none while what is old enough is dropped. */
  notices(): string[] {
    return this.#stoppedBy === null ? [] : [`no payload is dropped: ${this.#stoppedBy}`]
  }

  async #endRetention(): Promise<void> {
    const { number: epoch, content } = await this.#options.inForce()
    const days = content.retention?.payloadDays
    if (days === undefined) return
    const uses = await this.#index.caughtUp()
    const nowMs = this.#options.clock.nowMs()
    const due = [...uses.olderThan(days, nowMs).take(ENTRIES_AT_ONCE * DROPPED_AT_ONCE)]
    // An entry that no reader of the ledger believes drops nothing, and would be made again by every sweep.
    if (due.length > 0 && !uses.endsBy(epoch, days, nowMs)) throw notInLedger(epoch, days)
    for (let first = 0; first < due.length; first += DROPPED_AT_ONCE) {
      const payloads = due.slice(first, first + DROPPED_AT_ONCE)
      await this.#drop(payloads, { type: 'retention-ended', payloads, epoch, days })
      if (payloads.some((one) => uses.endOf(one) === undefined)) throw notInLedger(epoch, days)
    }
  }
}

function stopWords(cause: unknown): string | null {
  if (cause instanceof LedgerError) return cause.message
  if (!(cause instanceof GatewayError)) return 'the state or the ledger could not be read'
  // Where no epoch is in force, the operator is told of that already.
  return cause.code === 'state_error' ? cause.message : null
}

function notInLedger(epoch: number, days: number): GatewayError {
  return new GatewayError(
    'state_error',
    `the ledger does not show that epoch ${epoch} keeps payloads for ${days} days`,
    'see what `seconder ledger verify` says of it; payloads stay until then',
  )
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never

function requireDroppable(uses: PayloadUses, payload: string, nowMs: number): void {
  const end = uses.endOf(payload)
  if (end) throw kept(`it was ${endWords(end)}`.slice(0, 200), 'nothing is left to do')
  const needed = uses.neededFor(payload, nowMs)
  if (needed !== null) throw kept(needed, 'nothing was recorded; sign again when that has ended')
}

function kept(why: string, help: string): GatewayError {
  return new GatewayError('payload_kept', `this payload cannot be dropped: ${why}`, help)
}

function tooMany(): GatewayError {
  return new GatewayError(
    'limit_reached',
    `${REDACTIONS_WAITING_MAX} redactions wait for a second signature`,
    'sign those first, or wait a day',
  )
}

// Takes the signed act of an operator who goes ahead alone, within named effects and resources of one session,
// and the signed after-reviews of two others. It allows nothing by itself: policy must say so (breakGlass).
import type { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { isOpen } from '../identify/open-session.ts'
import { sha256Hex } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import {
  type ActVerifier,
  type GivenAct,
  invalidStatement,
  type VerifiedAct,
} from '../lib/signed-act.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Timeline } from '../record/timeline.ts'
import { signerNow } from '../review/checks.ts'
import type { BreakGlassRow } from '../state/break-glass-store.ts'
import type { Store } from '../state/store.ts'
import { accountText } from './account.ts'
import {
  AFTER_REVIEW_NAMESPACE,
  AFTER_REVIEW_STATEMENT,
  BREAK_GLASS_NAMESPACE,
  BREAK_GLASS_STATEMENT,
} from './statement.ts'

/** Others who must look at what was done. */
export const AFTER_REVIEWERS = 2
const AGE_MS_MAX = 5 * 60_000

export interface BreakGlassOptions {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  readonly acts: ActVerifier
  /** Whether the epoch in force knows break-glass at all. */
  readonly isEnabled: () => Promise<boolean>
  readonly timeline: Pick<Timeline, 'ofBreakGlass'>
}

export class BreakGlassDesk {
  readonly #options: BreakGlassOptions

  constructor(options: BreakGlassOptions) {
    this.#options = options
  }

  /** Errors: `not_supported` where it is off, `statement_invalid`, `signature_invalid`, `not_a_reviewer`, `limit_reached`. */
  async open(given: GivenAct): Promise<BreakGlassRow> {
    const { store, recorder, acts, isEnabled } = this.#options
    const verified = await acts.verify(given, BREAK_GLASS_NAMESPACE, BREAK_GLASS_STATEMENT)
    const { statement, act, strength } = verified
    if (!(await isEnabled())) throw isOff()
    const person = await signerNow(store, verified)
    const nowMs = this.#requireFresh(statement, person.name)
    if (statement.epoch !== (await store.activeEpoch())?.number)
      throw invalidStatement('the policy changed since')
    const session = await store.session(statement.session)
    if (!isOpen(session, nowMs)) throw invalidStatement('no open session has this id')
    if (session.operator !== person.name) throw notTheOperator(person.name)
    const row: BreakGlassRow = {
      id: randomId('b'),
      sessionId: session.id,
      operator: person.name,
      reason: statement.reason,
      effects: statement.effects,
      resources: statement.resources,
      strength,
      epoch: statement.epoch,
      openedAtMs: nowMs,
      untilMs: nowMs + statement.minutes * 60_000,
      effectsMax: statement.effectsMax,
      used: 0,
      closedAtMs: null,
    }
    const unclosed = await store.unclosedBreakGlasses()
    if (unclosed.some(({ operator }) => operator === row.operator)) throw stillOpen(row.operator)
    if (!(await store.useNonce(statement.nonce, nowMs)))
      throw invalidStatement('its nonce was used before')
    const { id: breakGlass, operator, effects, resources, effectsMax } = row
    const until = new Date(row.untilMs).toISOString()
    const said = {
      breakGlass,
      session: session.id,
      operator,
      effects,
      resources,
      effectsMax,
      until,
    }
    await recorder.record({ type: 'break-glass-opened', ...said, act })
    if (!(await store.addBreakGlass(row))) throw stillOpen(row.operator)
    return row
  }

  /** One of two signatures that close an after-review. Errors: as `open`; `request_unknown`, `request_closed`. */
  async review(given: GivenAct): Promise<BreakGlassRow> {
    const { acts } = this.#options
    const verified = await acts.verify(given, AFTER_REVIEW_NAMESPACE, AFTER_REVIEW_STATEMENT)
    return this.#options.store.alone(`break-glass ${verified.statement.breakGlass}`, () =>
      this.#reviewed(verified),
    )
  }

  async #reviewed(
    verified: VerifiedAct<z.infer<typeof AFTER_REVIEW_STATEMENT>>,
  ): Promise<BreakGlassRow> {
    const { store, recorder, clock } = this.#options
    const { statement, act, key } = verified
    const person = await signerNow(store, verified)
    const nowMs = this.#requireFresh(statement, person.name)
    await this.#options.acts.requireStrongest(verified)
    const row = await store.breakGlass(statement.breakGlass)
    if (!row) throw unknownBreakGlass()
    const session = await store.session(row.sessionId)
    if (!session || session.instigators.includes(person.name)) throw sentTheTask(person.name)
    const refused = whyNotReviewed(row, { person, key }, statement.used, nowMs)
    if (refused) throw refused
    if ((await store.breakGlassReviews(row.id)).some(({ reviewer }) => reviewer === person.name))
      throw new GatewayError(
        'not_a_reviewer',
        `\`${person.name}\` has already looked at it`,
        'ask another person',
      )
    // An outcome that comes after this line is not in what they signed, and no reason to sign again.
    if ((await this.account(row.id, statement.checkpoint.size)).sha256 !== statement.account)
      throw invalidStatement('it is not over what was done')
    if ((await this.account(row.id)).sha256 !== statement.account)
      throw invalidStatement('more came to be known than the signer saw')
    if (!(await store.useNonce(statement.nonce, nowMs)))
      throw invalidStatement('its nonce was used before')
    const said = { breakGlass: row.id, session: row.sessionId, reviewer: person.name }
    await recorder.record({ type: 'break-glass-reviewed', ...said, act })
    const review = { breakGlass: row.id, reviewer: person.name, comment: statement.comment }
    await store.addBreakGlassReview({ ...review, atMs: clock.nowMs() }, AFTER_REVIEWERS)
    return (await store.breakGlass(row.id)) as BreakGlassRow
  }

  /** What was done under it, as far as the ledger's first `size` entries. */
  async account(
    breakGlass: string,
    size = Number.MAX_SAFE_INTEGER,
  ): Promise<{ readonly text: string; readonly sha256: string }> {
    const entries = await this.#options.timeline.ofBreakGlass(breakGlass, size)
    const { gateId: gate } = this.#options
    const text = accountText({ type: 'seconder-break-glass-account@v1', gate, breakGlass, entries })
    return { text, sha256: sha256Hex(text) }
  }

  #requireFresh(
    statement: { readonly gate: string; readonly signer: string; readonly signedAt: string },
    name: string,
  ): number {
    const nowMs = this.#options.clock.nowMs()
    if (statement.gate !== this.#options.gateId) throw invalidStatement('it is for another gate')
    if (statement.signer !== name) throw invalidStatement('the key is not that of the signer named')
    if (Math.abs(nowMs - Date.parse(statement.signedAt)) > AGE_MS_MAX)
      throw invalidStatement('it was signed more than five minutes away from now')
    return nowMs
  }
}

function sentTheTask(name: string): GatewayError {
  return new GatewayError(
    'not_a_reviewer',
    `\`${name}\` sent the task of its session`,
    'two others close it',
  )
}

function whyNotReviewed(
  row: BreakGlassRow,
  { person, key }: Pick<VerifiedAct<unknown>, 'person' | 'key'>,
  used: number,
  nowMs: number,
): GatewayError | null {
  if (row.closedAtMs !== null)
    return new GatewayError('request_closed', 'its after-review is closed', 'nothing is left to do')
  const isNew = person.addedAtMs > row.openedAtMs || key.addedAtMs > row.openedAtMs
  if (person.name === row.operator || isNew)
    return new GatewayError(
      'not_a_reviewer',
      `\`${person.name}\` opened it, or became a member, or got this key, after it`,
      'two others close it',
    )
  if (row.untilMs > nowMs && row.used < row.effectsMax)
    return new GatewayError(
      'request_closed',
      'it can still be used',
      'look at it when it has ended',
    )
  if (used !== row.used) return invalidStatement('more was done than the signer saw')
  return null
}

export function unknownBreakGlass(): GatewayError {
  return new GatewayError(
    'request_unknown',
    'there is no such break-glass',
    'see `seconder break-glass ls`',
  )
}

function isOff(): GatewayError {
  return new GatewayError(
    'not_supported',
    'break-glass is off at this gate',
    'two people turn it on: `review: { breakGlass: true }`, policies that read context.breakGlass, and `seconder policy activate`',
  )
}

function notTheOperator(name: string): GatewayError {
  return new GatewayError(
    'not_a_reviewer',
    `\`${name}\` is not the operator of this session`,
    'the operator goes ahead alone; anybody else approves a request',
  )
}

function stillOpen(operator: string): GatewayError {
  return new GatewayError(
    'limit_reached',
    `an after-review of \`${operator}\` is open`,
    'two others close it first: `seconder break-glass review`',
  )
}

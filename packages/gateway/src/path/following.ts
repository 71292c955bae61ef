// Follows what AWS accepted to its end, read-only, under the session's own role: soon at first, then ever
// less often, for a bounded time and number of effects. What it sees becomes the second outcome entry; an
// end that nobody can see is `unconfirmed`, never a success (red team H10).
import { endingOf } from '@seconder/aws/asynchronous'
import type { Json, JsonObject } from '@seconder/aws/call'
import type { Action } from '../describe/action.ts'
import { readAnswer } from '../execute/answer.ts'
import type { UpstreamAccess } from '../execute/credentials.ts'
import type { Answer } from '../execute/execute.ts'
import type { Confirmed } from '../execute/outcome.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { LateOutcomes } from '../record/late-outcomes.ts'
import type { Recorder } from '../record/recorder.ts'
import { endingInput, lookAtEnding, type SeenEnding } from '../resolve/ending.ts'
import type { Evidence } from '../resolve/evidence.ts'
import { Look } from '../resolve/look.ts'
import type { FollowedEffect, SessionRow, Store } from '../state/store.ts'
import type { LookUps } from './look-ups.ts'

export interface FollowLimits {
  /** Before the first look, and the longest pause between two; pauses double. */
  readonly firstMs: number
  readonly pauseMaxMs: number
  /** How long one effect is followed. */
  readonly forMs: number
  /** Effects followed at once. */
  readonly atOnce: number
}

export const FOLLOW_LIMITS: FollowLimits = {
  firstMs: 2_000,
  pauseMaxMs: 60_000,
  forMs: 30 * 60_000,
  atOnce: 200,
}

/** How long one look may take. */
const LOOK_MS = 5_000

export interface FollowingParts {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly access: Pick<UpstreamAccess, 'lookUps'>
  readonly lookUps: LookUps
  readonly limits?: Partial<FollowLimits> | undefined
}

interface Follower {
  readonly effect: FollowedEffect
  pauseMs: number
  seenDone: boolean
  end: 'asked' | 'recorded' | null
  last: string
  timer?: NodeJS.Timeout
}

export class Following {
  /** Outcomes that could not be recorded when their calls ended. */
  readonly late: LateOutcomes
  readonly #parts: FollowingParts
  readonly #limits: FollowLimits
  readonly #followers = new Map<string, Follower>()
  readonly #looks = new Set<Promise<void>>()
  #closed = false

  constructor(parts: FollowingParts) {
    this.#parts = parts
    this.late = new LateOutcomes(parts)
    this.#limits = { ...FOLLOW_LIMITS, ...parts.limits }
  }

  /**
   * Begins to follow an effect whose outcome `accepted` is in the ledger. Kept in the state before it
   * returns, so that a restart goes on with it; where it cannot be followed, that is recorded at once.
   */
  async begin(
    effect: { readonly id: string; readonly sessionId: string },
    action: Action,
    evidence: Evidence,
    answer: Answer | null,
  ): Promise<void> {
    const { store, clock } = this.#parts
    const { operation, region, parameters } = action
    const ending = endingOf(operation)
    const { binding } = evidence
    const read = answer === null ? null : readAnswer(answer.headers, answer.body)
    const facts = { parameters, binding, answer: unwrapped(read) }
    const input = ending === undefined ? null : endingInput(ending, facts)
    if (input === null) {
      return this.#record(effect.id, 'unconfirmed', 'nothing names what would have to be looked at')
    }
    const row = {
      ...effect,
      operation,
      region,
      input: canonicalJson(input),
      sinceMs: clock.nowMs(),
    }
    if (this.#followers.size >= this.#limits.atOnce) {
      return this.#record(effect.id, 'unconfirmed', 'too many effects are followed at once')
    }
    // Its place is taken before it is kept: what begins meanwhile counts it.
    const follower = this.#placed(row)
    try {
      await store.addFollowed(row)
    } catch (cause) {
      this.#followers.delete(row.id)
      throw cause
    }
    this.#next(follower)
  }

  /** Goes on with what was followed before a restart, or by a gateway that is no more. */
  async resume(): Promise<void> {
    for (const row of await this.#parts.store.followed()) {
      if (!this.#followers.has(row.id)) this.#next(this.#placed(row))
    }
  }

  /** Stops looking; what is not at its end is gone on with at the next start. */
  async close(): Promise<void> {
    // The last time that this gate can tell how they ended; else they become `unknown`.
    await this.late.record().catch(() => undefined)
    this.#closed = true
    for (const { timer } of this.#followers.values()) clearTimeout(timer)
    this.#followers.clear()
    await Promise.allSettled(this.#looks)
  }

  #placed(effect: FollowedEffect): Follower {
    const { firstMs } = this.#limits
    const follower: Follower = {
      effect,
      pauseMs: firstMs,
      seenDone: false,
      end: null,
      last: 'nothing was seen',
    }
    this.#followers.set(effect.id, follower)
    return follower
  }

  #next(follower: Follower): void {
    if (this.#closed) return
    follower.timer = setTimeout(() => {
      // What state or ledger did not take is tried again.
      const look = this.#step(follower).catch(() => this.#next(follower))
      this.#looks.add(look)
      void look.finally(() => this.#looks.delete(look))
    }, follower.pauseMs)
    follower.timer.unref()
    follower.pauseMs = Math.min(follower.pauseMs * 2, this.#limits.pauseMaxMs)
  }

  async #step(follower: Follower): Promise<void> {
    const { store, clock } = this.#parts
    const { effect } = follower
    if (await this.#isOver(follower)) {
      this.#followers.delete(effect.id)
      return
    }
    const session = await store.session(effect.sessionId)
    const nowMs = clock.nowMs()
    if (session === undefined || session.closedAtMs !== null || session.expiresAtMs <= nowMs) {
      return this.#end(follower, 'unconfirmed', 'the session ended before AWS said how it ended')
    }
    const seen = await this.#look(session, effect)
    follower.last = seen.state
    if (seen.seen === 'failed') return this.#end(follower, 'failed', seen.state)
    const needed = endingOf(effect.operation)?.twice === true && !follower.seenDone
    follower.seenDone = seen.seen === 'succeeded'
    if (seen.seen === 'succeeded' && !needed) return this.#end(follower, 'succeeded', seen.state)
    if (nowMs - effect.sinceMs >= this.#limits.forMs) {
      return this.#end(follower, 'unconfirmed', `not at its end in time: ${follower.last}`)
    }
    this.#next(follower)
  }

  async #look(session: SessionRow, effect: FollowedEffect): Promise<SeenEnding> {
    const ending = endingOf(effect.operation)
    if (ending === undefined) return { seen: 'not yet', state: 'this build cannot look' }
    const { access, lookUps } = this.#parts
    const looker = { session: session.id, account: session.roleArn.split(':')[4] ?? '' }
    const look = new Look(lookUps.of(access.lookUps(session), looker), LOOK_MS)
    try {
      const input = JSON.parse(effect.input) as JsonObject
      return await lookAtEnding(look, effect.region, ending, input)
    } finally {
      look.close()
    }
  }

  async #end(follower: Follower, confirmed: Confirmed, detail: string): Promise<void> {
    if (this.#closed) return
    const { store, recorder } = this.#parts
    const { id } = follower.effect
    const outcome = { result: 'confirmed', confirmed, detail } as const
    follower.end = 'asked'
    // A crash in between leaves a row whose end is in the ledger: the next start finds it there.
    await recorder.recordThen({ type: 'outcome', effect: id, outcome }, () => {
      follower.end = 'recorded'
      return store.endFollowed(id)
    })
    this.#followers.delete(id)
  }

  /** Whether its end is in the ledger, where an earlier try broke off: then it is not said again. */
  async #isOver({ effect: { id }, end }: Follower): Promise<boolean> {
    const { store } = this.#parts
    if (end === 'recorded') await store.endFollowed(id)
    // Who heard no answer looks whether the row went with the entry, as it does where gateways share the state.
    return end !== null && !(await store.followed()).some((row) => row.id === id)
  }

  async #record(effect: string, confirmed: Confirmed, detail: string): Promise<void> {
    const outcome = { result: 'confirmed', confirmed, detail } as const
    await this.#parts.recorder.record({ type: 'outcome', effect, outcome })
  }
}

/** Query answers have their content one element down. */
function unwrapped(answer: Json | null): JsonObject {
  if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) return {}
  const object = answer as JsonObject
  const [name] = Object.keys(object).filter((key) => key.endsWith('Result'))
  const inner = name === undefined ? undefined : object[name]
  const [first] = Array.isArray(inner) ? inner : [inner]
  return first !== null && typeof first === 'object' ? (first as JsonObject) : object
}

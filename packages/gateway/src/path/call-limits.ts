// How often one session may call, its children with it, and how many of its calls may be under way: whoever runs wild is refused, and leaves
// the gate to the others. Whoever has no session at all cannot fill the ledger with refusals either.
import { Readable } from 'node:stream'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { Rate } from '../lib/rate.ts'
import type { LimitsConfig } from '../limits-config.ts'
import type { Reply } from '../receive/received.ts'
import type { GateMetrics } from '../telemetry/gate-metrics.ts'

type CallLimitsConfig = Pick<LimitsConfig, 'session' | 'unverified'>

export class CallLimits {
  readonly #rate: Rate
  readonly #unverified: Rate
  readonly #metrics: GateMetrics
  /** Calls under way, by session: sessions without any take no memory. */
  readonly #underWay = new Map<string, number>()
  #atOnce: number

  constructor(clock: Clock, { session, unverified }: CallLimitsConfig, metrics: GateMetrics) {
    this.#rate = new Rate(clock, session)
    this.#unverified = new Rate(clock, unverified)
    this.#metrics = metrics
    this.#atOnce = session.atOnce
  }

  configure({ session, unverified }: CallLimitsConfig): void {
    this.#rate.configure(session)
    this.#unverified.configure(unverified)
    this.#atOnce = session.atOnce
  }

  /** A call of nobody is to be refused, which is an entry. Errors: `rate_limited`; then it gets no answer at all. */
  unverified(): void {
    try {
      this.#unverified.take('')
    } catch (cause) {
      this.#metrics.rateLimited.add(['unverified'])
      throw cause
    }
  }

  /**
   * A call of this session, or of a child of it, begins; returns what ends it, which may be called twice.
   * Errors: `rate_limited`, `limit_reached`.
   */
  enter(session: string): () => void {
    const underWay = this.#underWay.get(session) ?? 0
    try {
      if (underWay >= this.#atOnce) throw tooManyAtOnce(this.#atOnce)
      this.#rate.take(session)
    } catch (cause) {
      this.#metrics.rateLimited.add([underWay >= this.#atOnce ? 'at_once' : 'session'])
      throw cause
    }
    this.#underWay.set(session, underWay + 1)
    let isUnderWay = true
    return () => {
      if (!isUnderWay) return
      isUnderWay = false
      const left = (this.#underWay.get(session) ?? 1) - 1
      if (left > 0) this.#underWay.set(session, left)
      else this.#underWay.delete(session)
    }
  }
}

/** The answer; a call whose answer is a stream is under way until that is sent, or let go of. */
export function leavingWith(reply: Reply, leave: () => void): Reply {
  const { body } = reply
  if (body instanceof Readable && !body.closed) body.once('close', leave)
  else leave()
  return reply
}

function tooManyAtOnce(atOnce: number): GatewayError {
  return new GatewayError(
    'limit_reached',
    `${atOnce} calls of this session are under way already; nothing was done`,
    'wait for some of them, and make fewer at once',
  )
}

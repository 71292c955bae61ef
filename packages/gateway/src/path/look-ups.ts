// Lends `resolve` the way upstream that `execute` has: for reads only, answers bounded in size, within a
// budget of the session and of the account, silent for a while where AWS asked for fewer calls, and with
// advisory answers kept for some seconds (red team M6). What is bound or decided on is always asked anew.
import type { SendUpstream } from '../execute/upstream.ts'
import type { Clock } from '../lib/clock.ts'
import {
  NotLooked,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamCall,
} from '../resolve/upstream.ts'
import type { GateMetrics } from '../telemetry/gate-metrics.ts'
import { timed } from '../telemetry/timed-sender.ts'

/** Bytes of one look-up's answer. */
export const LOOK_UP_BYTES_MAX = 4 * 1024 * 1024

export interface LookUpLimits {
  /** Look-ups that may be made at once, and how many come back each second. */
  readonly session: { readonly atOnce: number; readonly perSecond: number }
  readonly account: { readonly atOnce: number; readonly perSecond: number }
  /** How long nothing is asked of a service in an account and region that asked for fewer calls. */
  readonly quietMs: number
  /** How long an advisory answer is kept, and how many of them. */
  readonly keptMs: number
  readonly keptMax: number
}

/** A stack of 500 resources is looked at twice, at its review and before its effect. */
export const LOOK_UP_LIMITS: LookUpLimits = {
  session: { atOnce: 1_200, perSecond: 4 },
  account: { atOnce: 4_800, perSecond: 40 },
  quietMs: 30_000,
  keptMs: 10_000,
  keptMax: 500,
}

/** Sessions and accounts counted, and places kept quiet; the oldest is forgotten first. */
export const COUNTED_MAX = 10_000
/** Larger advisory answers are not kept. */
const KEPT_BYTES_MAX = 64 * 1024

export interface Looker {
  readonly session: string
  readonly account: string
}

interface Bucket {
  left: number
  atMs: number
}

interface Kept {
  readonly answer: Promise<UpstreamAnswer>
  readonly untilMs: number
}

export class LookUps {
  readonly #clock: Clock
  #limits: LookUpLimits
  readonly #buckets = new Map<string, Bucket>()
  readonly #quietUntil = new Map<string, number>()
  readonly #kept = new Map<string, Kept>()
  readonly #metrics: GateMetrics | null

  constructor(
    clock: Clock,
    limits: LookUpLimits = LOOK_UP_LIMITS,
    metrics: GateMetrics | null = null,
  ) {
    this.#clock = clock
    this.#metrics = metrics
    this.#limits = limits
  }

  /** What was used up of a budget stays used up. */
  configure(limits: Pick<LookUpLimits, 'session' | 'account'>): void {
    this.#limits = { ...this.#limits, ...limits }
  }

  /** The way upstream for the look-ups of one call. */
  of(send: SendUpstream, looker: Looker): Upstream {
    return {
      send: (call) => this.#ask(send, looker, call),
      throttled: (call) => {
        const untilMs = this.#clock.nowMs() + this.#limits.quietMs
        remember(this.#quietUntil, placeOf(looker, call), untilMs)
      },
    }
  }

  #ask(send: SendUpstream, looker: Looker, call: UpstreamCall): Promise<UpstreamAnswer> {
    if (call.advisory !== true) return this.#sent(send, looker, call)
    const nowMs = this.#clock.nowMs()
    // Of the session alone: another one's role may see what this one's may not.
    const key = JSON.stringify([looker.session, nameOf(call)])
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.untilMs > nowMs) return kept.answer
    const answer = this.#sent(send, looker, call)
    remember(
      this.#kept,
      key,
      { answer, untilMs: nowMs + this.#limits.keptMs },
      this.#limits.keptMax,
    )
    const forget = () => {
      if (this.#kept.get(key)?.answer === answer) this.#kept.delete(key)
    }
    answer.then(({ status, body }) => {
      if (status !== 200 || body.byteLength > KEPT_BYTES_MAX) forget()
    }, forget)
    return answer
  }

  async #sent(send: SendUpstream, looker: Looker, call: UpstreamCall): Promise<UpstreamAnswer> {
    const nowMs = this.#clock.nowMs()
    if ((this.#quietUntil.get(placeOf(looker, call)) ?? 0) > nowMs) throw this.#not('throttled')
    const { session, account } = this.#limits
    // The account's is asked last, so that a session past its own takes nothing from the others.
    const isWithin =
      this.#take(`session ${looker.session}`, session, nowMs) &&
      this.#take(`account ${looker.account}`, account, nowMs)
    if (!isWithin) throw this.#not('budget')
    return answerOf(this.#metrics ? timed(this.#metrics, 'look_up', send) : send, call)
  }

  #not(why: 'throttled' | 'budget'): NotLooked {
    this.#metrics?.lookUpsRefused.add([why])
    return new NotLooked(why)
  }

  #take(key: string, limit: LookUpLimits['session'], nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? { left: limit.atOnce, atMs: nowMs }
    const back = Math.max(0, nowMs - bucket.atMs) * (limit.perSecond / 1_000)
    const left = Math.min(limit.atOnce, bucket.left + back)
    const isThere = left >= 1
    remember(this.#buckets, key, { left: isThere ? left - 1 : left, atMs: nowMs })
    return isThere
  }
}

/** Newest last, so that the one dropped at the limit is the one that was used longest ago. */
function remember<T>(map: Map<string, T>, key: string, value: T, most = COUNTED_MAX): void {
  map.delete(key)
  if (map.size >= most) {
    const oldest = map.keys().next()
    if (!oldest.done) map.delete(oldest.value)
  }
  map.set(key, value)
}

function placeOf({ account }: Looker, { service, region }: UpstreamCall): string {
  return `${account} ${region} ${service}`
}

function nameOf({ service, region, method, target, headers, body }: UpstreamCall): string {
  return JSON.stringify([service, region, method, target, headers, Buffer.from(body).toString()])
}

async function answerOf(send: SendUpstream, call: UpstreamCall): Promise<UpstreamAnswer> {
  const { service, region, method, target, headers, body, endpointPrefix } = call
  const scope = { service, region, ...(endpointPrefix === undefined ? {} : { endpointPrefix }) }
  const answer = await send({ method, target, headers, body }, scope)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > LOOK_UP_BYTES_MAX) {
      answer.body.destroy()
      throw new Error('the look-up answered more than the limit')
    }
    chunks.push(chunk)
  }
  const named = answer.headers.map(([name, value]) => [name.toLowerCase(), value])
  return { status: answer.status, headers: Object.fromEntries(named), body: Buffer.concat(chunks) }
}

// Carries deliveries to their channels: one at a time for each, tried again with growing pauses, given up after
// a number of attempts. A slow or dead receiver holds up its own channel and nothing else.
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../telemetry/log.ts'
import { type Channel, DeliveryFailure } from './channel.ts'
import { openChannel } from './channels/open.ts'
import type { NotifyConfig } from './notify-config.ts'
import type { Outbox, WaitingDelivery } from './outbox.ts'

export interface ChannelStanding {
  readonly name: string
  readonly kind: Channel['kind']
  readonly waiting: number
  /** Since the start, as are the other counts. */
  readonly delivered: number
  readonly failedAttempts: number
  readonly givenUp: number
  readonly dropped: number
  /** Of the last attempt; null where that went well or there was none. */
  readonly failing: string | null
  readonly lastFailure: { readonly code: string; readonly at: string } | null
}

export interface CarrierOptions {
  readonly config: NotifyConfig
  readonly outbox: Outbox
  readonly clock: Clock
  readonly consoleUrl: () => string
  readonly log: Log
  readonly isPending: (request: string) => Promise<boolean>
  /** Called once an attempt is over: more may be due. */
  readonly wake: () => void
}

type Counts = {
  -readonly [Key in keyof Omit<ChannelStanding, 'waiting' | 'name' | 'kind'>]: ChannelStanding[Key]
}

interface Line {
  readonly name: string
  readonly channel: Channel
  readonly counts: Counts
  attempt: Promise<void> | null
  /** Until when its receiver asked for nothing more. */
  heldUntilMs: number
}

export class Carrier {
  readonly #options: CarrierOptions
  readonly #lines: ReadonlyMap<string, Line>
  readonly #stopped = new AbortController()

  constructor(options: CarrierOptions) {
    this.#options = options
    this.#lines = new Map(
      Object.entries(options.config.channels).map(([name, config]) => {
        const counts = { delivered: 0, failedAttempts: 0, givenUp: 0, dropped: 0 }
        const line = { name, channel: openChannel(config), attempt: null, heldUntilMs: 0 }
        return [name, { ...line, counts: { ...counts, failing: null, lastFailure: null } }]
      }),
    )
  }

  has(channel: string): boolean {
    return this.#lines.has(channel)
  }

  dropped(channel: string): void {
    const line = this.#lines.get(channel)
    if (line === undefined) return
    if (line.counts.dropped++ === 0) this.#options.log.write('notify_dropped', { channel })
  }

  standing(): ChannelStanding[] {
    return [...this.#lines.values()].map(({ name, channel, counts }) => ({
      name,
      kind: channel.kind,
      waiting: this.#options.outbox.waitingCount(name),
      ...counts,
    }))
  }

  /** Begins whatever is due on channels that are free. */
  async send(): Promise<void> {
    for (const line of this.#lines.values()) {
      if (line.attempt !== null || this.#stopped.signal.aborted) continue
      if (line.heldUntilMs > this.#options.clock.nowMs()) continue
      const next = await this.#next(line.name)
      if (next === undefined) continue
      line.attempt = this.#attempt(line, next).finally(() => {
        line.attempt = null
        this.#options.wake()
      })
    }
  }

  /** When something is due on a channel that is free; null where nothing is. */
  nextAt(): number | null {
    const free = [...this.#lines.values()].filter(({ attempt }) => attempt === null)
    const times = free.flatMap(({ name, heldUntilMs }) => {
      const dueMs = this.#options.outbox.nextAt(name)
      return dueMs === null ? [] : [Math.max(dueMs, heldUntilMs)]
    })
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Ends attempts that are under way; each is made again after the next start. */
  async close(): Promise<void> {
    this.#stopped.abort()
    await Promise.all([...this.#lines.values()].map(({ attempt }) => attempt))
  }

  /** The next delivery that still says something true. */
  async #next(channel: string): Promise<WaitingDelivery | undefined> {
    const { outbox, clock } = this.#options
    for (;;) {
      const next = outbox.due(channel, clock.nowMs())
      if (next === undefined || !(await this.#isOver(next))) return next
      // An attempt that failed may have arrived all the same: then its end is told.
      outbox.end(next.id, next.attempts > 0 && next.follows === null ? 'surpassed' : 'void')
    }
  }

  async #isOver({ notice, follows }: WaitingDelivery): Promise<boolean> {
    const { outbox, isPending } = this.#options
    // Whoever goes ahead alone did so, and keys that travelled did, whatever became of it since.
    if (notice.breakGlass || notice.kind === 'session.suspended') return false
    if (follows === null) {
      for (const { id } of notice.requests) if (await isPending(id)) return false
      return true
    }
    const first = outbox.deliveryState(follows)
    return first !== 'delivered' && first !== 'surpassed'
  }

  async #attempt(line: Line, delivery: WaitingDelivery): Promise<void> {
    const { config, outbox, clock, consoleUrl } = this.#options
    const atMs = clock.nowMs()
    const number = delivery.attempts + 1
    const pauseMs = pauseAfter(number, config.retry)
    try {
      outbox.begin(delivery.id, atMs + pauseMs)
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(config.timeoutMs)])
      const link = (path: string) => `${consoleUrl()}${path}`
      await line.channel.send(delivery, { atMs, signal, link })
      outbox.end(delivery.id, 'delivered')
      line.counts.delivered++
      const { failing } = line.counts
      if (failing !== null) this.#options.log.write('notify_recovered', { channel: line.name })
      line.counts.failing = null
    } catch (cause) {
      if (this.#stopped.signal.aborted) return
      this.#failed(line, delivery, number, pauseMs, cause)
    }
  }

  #failed(
    line: Line,
    delivery: WaitingDelivery,
    number: number,
    pauseMs: number,
    cause: unknown,
  ): void {
    const { config, outbox, clock, log } = this.#options
    const { name, counts } = line
    const failure = cause instanceof DeliveryFailure ? cause : new DeliveryFailure('internal')
    const { code } = failure
    const nowMs = clock.nowMs()
    if (counts.failing !== code) {
      const { attempts } = config.retry
      log.write('notify_failing', { channel: name, code, attempt: number, attempts })
    }
    // Who says how long to wait means all that comes from here, not this one message.
    line.heldUntilMs = nowMs + (failure.retryAfterMs ?? 0)
    counts.failedAttempts++
    counts.failing = code
    counts.lastFailure = { code, at: new Date(nowMs).toISOString() }
    try {
      if (!failure.final && number < config.retry.attempts) {
        outbox.postpone(delivery.id, Math.max(nowMs + pauseMs, line.heldUntilMs))
        return
      }
      outbox.end(delivery.id, 'dead')
    } catch {
      // The outbox keeps the time that `begin` wrote, and the next turn says what is wrong with it.
      counts.failing = 'outbox_failed'
    }
    counts.givenUp++
    log.write('notify_given_up', { channel: name, code, attempt: number })
  }
}

/** Doubles from one attempt to the next, and the later half of it is left to chance. */
export function pauseAfter(
  attempt: number,
  { firstMs, pauseMaxMs }: NotifyConfig['retry'],
  random: () => number = Math.random,
): number {
  const wholeMs = Math.min(pauseMaxMs, firstMs * 2 ** (attempt - 1))
  return Math.round(wholeMs / 2 + (random() * wholeMs) / 2)
}

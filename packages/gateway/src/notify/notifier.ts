// Tells people of requests that wait and of those that ended: listens to the recorder, reads the store, and
// writes what is to go into the outbox. It decides nothing, and nothing waits for it: the path calls nothing in
// here, and whatever fails in here is counted and shown, never thrown.
import { Headlines } from '../api/headlines.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId } from '../lib/ids.ts'
import type { Recorded, Recorder } from '../record/recorder.ts'
import type { RequestRow, Store } from '../state/store.ts'
import type { Log } from '../telemetry/log.ts'
import { type AfterwardsParts, tellAfterwards, tellRevoked } from './afterwards.ts'
import { type Absences, standInFor } from './away.ts'
import { Carrier, type ChannelStanding } from './carrier.ts'
import { NAMED_MAX, type Notice, type NoticedRequest, noticedRequest, shown } from './notice.ts'
import type { NotifyConfig } from './notify-config.ts'
import { type Going, Outbox, type SessionDue, WAITING_MAX } from './outbox.ts'
import { channelsFor, type Routing } from './routing.ts'

/** How often everything is looked at again, whatever was heard. */
const SWEEP_MS = 60_000
/** Messages about ends in one session are this far apart: soon enough for a pager to fall silent. */
const ENDS_APART_MS_MAX = 10_000
/** Requests looked at in one go: other work of the gate comes in between. */
const SLICE = 50
/** Requests heard of that were not looked at yet; past it all are looked at. */
const HEARD_MAX = 10_000
/** Pending requests that one sweep looks for. */
const SWEPT_MAX = 1_000
/** Sweeps are at least this far apart, whatever happens. */
const SWEEPS_APART_MS = 1_000
/** Entries of a request that neither open nor end it. */
const UNHEARD = new Set(['intent', 'outcome', 'review'])
/** Entries that end requests which they do not name. */
const ENDING = new Set(['session-closed', 'epoch-activated', 'people-changed'])

export interface NotifierOptions {
  readonly config: NotifyConfig
  readonly outboxPath: string
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly gateId: string
  /** Address of the console, as people open it. */
  readonly consoleUrl: () => string
  readonly log: Log
}

export interface NotifyStanding {
  readonly channels: readonly ChannelStanding[]
  /** Requests since the start that no route told anybody of. */
  readonly unrouted: number
  /** Requests since the start that were too many to be watched. */
  readonly unwatched: number
  /** Why nothing is told at all; null where it is. */
  readonly trouble: string | null
}

export class Notifier {
  readonly #options: NotifierOptions
  readonly #headlines: Headlines
  readonly #heard = new Set<string>()
  readonly #escalated = new Set<string>()
  #afterwardsIsDue = true
  #sweepAtMs = 0
  #sweptAtMs = 0
  #timer: NodeJS.Timeout | null = null
  #timerAtMs = 0
  #turning: Promise<void> | null = null
  #open: { readonly outbox: Outbox; readonly carrier: Carrier } | null = null
  #stopHearing: () => void = () => undefined
  #isClosed = false
  #unrouted = 0
  #unwatched = 0
  #trouble: string | null = null

  constructor(options: NotifierOptions) {
    this.#options = options
    // Only of what waits, whose documents are always there.
    this.#headlines = new Headlines(async (sha256) => {
      return { document: await options.recorder.payload(sha256), gone: null }
    })
  }

  /** Begins; what was not told or not delivered before a restart comes first. Never throws. */
  start(): void {
    const { config, outboxPath, store, clock, consoleUrl, log, recorder } = this.#options
    try {
      const outbox = Outbox.open(outboxPath)
      outbox.giveUpBeside(Object.keys(config.channels))
      const wake = () => this.#wake(0)
      const isPending = async (id: string) => (await store.request(id))?.state === 'pending'
      const carrier = new Carrier({ config, outbox, clock, consoleUrl, log, isPending, wake })
      this.#open = { outbox, carrier }
    } catch {
      this.#troubled('outbox_unusable')
      return
    }
    this.#stopHearing = recorder.onRecorded((recorded) => this.#hear(recorded))
    this.#wake(0)
  }

  standing(): NotifyStanding {
    return {
      channels: this.#open?.carrier.standing() ?? [],
      unrouted: this.#unrouted,
      unwatched: this.#unwatched,
      trouble: this.#trouble,
    }
  }

  /** Where absences are kept; undefined where the outbox cannot be used. */
  absences(): Absences | undefined {
    return this.#open?.outbox
  }

  /** Stops sending; what was not delivered is sent after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopHearing()
    if (this.#timer) clearTimeout(this.#timer)
    await this.#turning
    await this.#open?.carrier.close()
    this.#open?.outbox.close()
    this.#open = null
  }

  /** Runs inside the recorder: it may only remember. */
  #hear({ type, request, breakGlass }: Recorded): void {
    if (breakGlass !== undefined || type === 'session-suspended') {
      this.#afterwardsIsDue = true
      this.#wake(1)
    }
    if (request === undefined ? !ENDING.has(type) : UNHEARD.has(type)) return
    if (request !== undefined && this.#heard.size < HEARD_MAX) this.#heard.add(request)
    else this.#sweepAtMs = Math.min(this.#sweepAtMs, this.#sweptAtMs + SWEEPS_APART_MS)
    // The state follows the entry in the same turn of the event loop; it is read in a later one.
    this.#wake(1)
  }

  #wake(inMs: number): void {
    const atMs = performance.now() + inMs
    if (this.#isClosed || (this.#timer !== null && this.#timerAtMs <= atMs)) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#turning ??= this.#turn().finally(() => {
        this.#turning = null
        this.#wake(this.#pauseMs())
      })
    }, inMs)
    this.#timer.unref()
  }

  async #turn(): Promise<void> {
    try {
      await this.#sweep()
      await this.#lookAtHeard()
      await this.#tellNew()
      await this.#tellTeams()
      await this.#tellEnded()
      await this.#tellAfterwards()
      await this.#open?.carrier.send()
      this.#trouble = null
    } catch {
      this.#sweepAtMs = this.#options.clock.nowMs() + SWEEP_MS
      this.#troubled('outbox_failed')
    }
  }

  #troubled(code: string): void {
    if (this.#trouble !== code) this.#options.log.write('notify_down', { code })
    this.#trouble = code
  }

  /** How long until something is to be done that nobody will call for. */
  #pauseMs(): number {
    if (this.#trouble !== null || this.#open === null) return SWEEP_MS
    const nowMs = this.#options.clock.nowMs()
    const waits = [
      this.#sweepAtMs - nowMs,
      ...(this.#heard.size > 0 || this.#afterwardsIsDue ? [0] : []),
    ]
    try {
      const { outbox, carrier } = this.#open
      for (const due of outbox.sessionsWith('new')) waits.push(this.#newDueAt(due) - nowMs)
      for (const due of outbox.sessionsWith('ending')) waits.push(this.#endDueAt(due) - nowMs)
      waits.push((carrier.nextAt() ?? this.#sweepAtMs) - nowMs)
    } catch {
      this.#troubled('outbox_failed')
      return SWEEP_MS
    }
    return Math.min(Math.max(Math.min(...waits), 1), SWEEP_MS)
  }

  #opened() {
    if (this.#open === null) throw new Error('the notifier is closed')
    return this.#open
  }

  async #sweep(): Promise<void> {
    const { store, clock } = this.#options
    const nowMs = clock.nowMs()
    if (nowMs < this.#sweepAtMs) return
    this.#sweptAtMs = nowMs
    this.#sweepAtMs = nowMs + SWEEP_MS
    const { outbox } = this.#opened()
    outbox.prune(nowMs)
    for (const { id } of await store.requests({ state: 'pending', limit: SWEPT_MAX }))
      this.#heard.add(id)
    for (const id of outbox.watched()) this.#heard.add(id)
    // Approvals end by what names no request as well: a closed session, an epoch, somebody removed.
    for (const id of outbox.toldLately(SWEPT_MAX)) this.#heard.add(id)
    this.#afterwardsIsDue = true
  }

  async #lookAtHeard(): Promise<void> {
    while (this.#heard.size > 0 && !this.#isClosed) {
      for (const id of [...this.#heard].slice(0, SLICE)) {
        this.#heard.delete(id)
        await this.#lookAt(id)
      }
      await others()
    }
  }

  async #lookAt(id: string): Promise<void> {
    const { store, clock } = this.#options
    const { outbox } = this.#opened()
    const row = await store.request(id)
    const known = outbox.watchState(id)
    const nowMs = clock.nowMs()
    if (row?.state === 'pending') {
      if (known === undefined && !outbox.watch(id, row.sessionId, nowMs)) this.#unwatched++
      if ((await store.escalations(id)).some(({ atMs }) => atMs !== null)) this.#escalated.add(id)
    } else if (known === 'new') {
      // It ended before anybody was told: nobody need be.
      outbox.forget(id)
    } else if (known === 'told') {
      outbox.turn(id, 'ending', nowMs)
    } else if (known === undefined && row) {
      await tellRevoked(this.#afterwards(), row)
    }
  }

  async #tellAfterwards(): Promise<void> {
    if (!this.#afterwardsIsDue) return
    this.#afterwardsIsDue = false
    await tellAfterwards(this.#afterwards())
  }

  #afterwards(): AfterwardsParts {
    const { store, clock, config } = this.#options
    return {
      ...{ store, clock, outbox: this.#opened().outbox, channels: Object.keys(config.channels) },
      channelsOf: async (person) => (await this.#routing()).channelsOf(person),
      concernOf: (row) => this.#headlines.of(row),
      going: (channel, notice, follows) => this.#going(channel, notice, follows),
    }
  }

  /** Whoever is away is told through their stand-in, where that one can be told at all. */
  async #routing(): Promise<Routing> {
    const { config, store, clock } = this.#options
    const absences = this.#opened().outbox.absences(clock.nowMs())
    const members = new Set(
      absences.length === 0 ? [] : (await store.people()).map(({ name }) => name),
    )
    const own = (person: string) =>
      Object.hasOwn(config.people, person) ? config.people[person] : undefined
    return {
      routes: config.routes,
      channelsOf: (person) =>
        own(standInFor(person, absences, (name) => members.has(name))) ?? own(person) ?? [],
    }
  }

  #newDueAt(due: SessionDue): number {
    return this.#dueAt(due, 'request.opened', this.#options.config.quietMs)
  }

  /** An agent that takes its requests back one by one makes no message of each. */
  #endDueAt(due: SessionDue): number {
    const apartMs = Math.min(this.#options.config.quietMs, ENDS_APART_MS_MAX)
    return this.#dueAt(due, 'request.closed', apartMs)
  }

  #dueAt(
    { session, sinceMs }: SessionDue,
    kind: 'request.opened' | 'request.closed',
    apartMs: number,
  ): number {
    const lastMs = this.#opened().outbox.lastToldAt(session, kind)
    return Math.max(sinceMs + this.#options.config.gatherMs, lastMs === 0 ? 0 : lastMs + apartMs)
  }

  async #tellNew(): Promise<void> {
    const { store, clock } = this.#options
    const { outbox } = this.#opened()
    const routing = await this.#routing()
    for (const due of outbox.sessionsWith('new')) {
      if (this.#isClosed) return
      if (this.#newDueAt(due) > clock.nowMs()) continue
      await others()
      const ids = outbox.requestsOf(due.session, 'new', NAMED_MAX)
      const told = new Map<string, NoticedRequest[]>()
      for (const id of ids) {
        const row = await store.request(id)
        if (row?.state !== 'pending') continue
        const concern = await this.#headlines.of(row)
        const channels = channelsFor(routing, row.requirement, concern)
        if (channels.length === 0) this.#unrouted++
        for (const channel of channels)
          told.set(channel, [...(told.get(channel) ?? []), noticedRequest(row, concern)])
      }
      const operator = (await store.request(ids[0] ?? ''))?.operator ?? ''
      const of = { session: due.session, operator: shown(operator), team: null }
      const going = [...told].flatMap(([channel, requests]) =>
        this.#going(channel, { kind: 'request.opened', ...of, requests }, null),
      )
      outbox.tell(going, ids, 'told', clock.nowMs())
    }
  }

  /** A team that is asked because nobody answered is told at once: it was waited for long enough. */
  async #tellTeams(): Promise<void> {
    const { store, clock } = this.#options
    const { outbox } = this.#opened()
    const routing = await this.#routing()
    for (const id of this.#escalated) {
      if (this.#isClosed) return
      this.#escalated.delete(id)
      const row = await store.request(id)
      if (row?.state !== 'pending') continue
      const concern = await this.#headlines.of(row)
      for (const { team, atMs, alternative } of await store.escalations(id)) {
        if (atMs === null || outbox.wasEscalated(id, team)) continue
        const channels = channelsFor(routing, [`${team}:1`], concern)
        if (channels.length === 0) this.#unrouted++
        const of = { session: row.sessionId, operator: shown(row.operator), team: shown(team) }
        const requests = [noticedRequest(row, concern, alternative)]
        const going = channels.flatMap((channel) =>
          this.#going(channel, { kind: 'request.escalated', ...of, requests }, null),
        )
        outbox.tellTeam(going, id, team, clock.nowMs())
      }
    }
  }

  async #tellEnded(): Promise<void> {
    const { store, clock } = this.#options
    const { outbox } = this.#opened()
    for (const due of outbox.sessionsWith('ending')) {
      if (this.#isClosed) return
      if (this.#endDueAt(due) > clock.nowMs()) continue
      await others()
      const ids = outbox.requestsOf(due.session, 'ending', SLICE)
      const rows: RequestRow[] = []
      for (const id of ids) {
        const row = await store.request(id)
        if (row) rows.push(row)
      }
      const going: Going[] = []
      for (const [first, group] of outbox.byOpening(rows)) {
        const requests: NoticedRequest[] = []
        for (const row of group.rows)
          requests.push(noticedRequest(row, await this.#headlines.of(row)))
        const operator = shown(group.rows[0]?.operator ?? '')
        const of = { session: due.session, operator, team: null, requests }
        going.push(...this.#going(group.channel, { kind: 'request.closed', ...of }, first))
      }
      outbox.tell(going, ids, 'forgotten', clock.nowMs())
      // What was approved may have been taken back before that was told.
      for (const id of ids) this.#heard.add(id)
    }
  }

  /** Nothing where too much waits for this channel: that is counted, and the oldest stay. */
  #going(
    channel: string,
    notice: Omit<Notice, 'at' | 'gate'>,
    follows: string | null,
  ): readonly Going[] {
    const { clock, gateId } = this.#options
    const { outbox, carrier } = this.#opened()
    if (!carrier.has(channel)) return []
    if (outbox.waitingCount(channel) >= WAITING_MAX) {
      carrier.dropped(channel)
      return []
    }
    const at = new Date(clock.nowMs()).toISOString()
    const delivery = { id: randomId('n'), notice: { ...notice, at, gate: gateId }, follows }
    return [{ channel, delivery }]
  }
}

/** Lets calls that wait be served before the next step. */
function others(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

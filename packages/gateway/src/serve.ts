// Builds a gate from its configuration and starts it: the only file that puts parts together. The AWS
// door and the people's API are two listeners; neither can do the other's work.
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { LedgerReading } from './api/ledger-pages.ts'
import { BreakGlassDesk } from './break-glass/break-glass-desk.ts'
import { hearOthers } from './cluster/hear-others.ts'
import type { Config, RoleRow } from './config.ts'
import { loadPolicySet } from './decide/policy-set.ts'
import { EpochDesk } from './epoch/activation.ts'
import {
  type ActiveEpoch,
  alsoProtecting,
  loadEpoch,
  notInForce,
  refusingReason,
  standsWords,
  stopping,
} from './epoch/active.ts'
import { contentOnDisk, type VersionedContent } from './epoch/content.ts'
import { firstEpoch } from './epoch/first-epoch.ts'
import { EpochLoading } from './epoch/loading.ts'
import { protectedRows } from './epoch/protected.ts'
import type { UpstreamAccess } from './execute/credentials.ts'
import { credentialNotices, lendingFor, ownIdentity } from './execute/lending.ts'
import { type Foundation, openFoundation } from './foundation.ts'
import type { Gate, GateFacts, RunningGate } from './gate.ts'
import { gateFacts, observingUnder, standingFor } from './gate-facts.ts'
import { snapshots } from './gate-snapshot.ts'
import { Gateway } from './gateway.ts'
import { isOpen } from './identify/open-session.ts'
import { SessionDesk } from './identify/session-desk.ts'
import { type Clock, requireGoingOn } from './lib/clock.ts'
import { type Closing, closedInTurn } from './lib/closing.ts'
import type { GivenAct } from './lib/signed-act.ts'
import { type Listening, type Measure, openListeners } from './listeners.ts'
import { type ShownAbsence, shownAbsences, takeAway } from './notify/away.ts'
import type { RunningNotifier } from './notify/start.ts'
import { deskUnder } from './path/desk-under.ts'
import { Following } from './path/following.ts'
import { PayloadDesk } from './payloads/payload-desk.ts'
import { PeopleSide } from './people/people-side.ts'
import { PlanDesk } from './plans/plan-desk.ts'
import { ReadinessLook } from './readiness.ts'
import { type ConnectDoor, openConnectDoor } from './receive/connect/connect-door.ts'
import { measureIsolation, peerUid } from './receive/isolation.ts'
import { Spool } from './receive/spool.ts'
import type { Recorder } from './record/recorder.ts'
import { Timeline } from './record/timeline.ts'
import { type Vouched, vouchedFor } from './record/vouched.ts'
import { Reloadable } from './reloadable.ts'
import { reloading } from './reloading.ts'
import type { ReviewDesk } from './review/desk.ts'
import type { EpochRow, Store } from './state/store.ts'
import { openMetrics } from './telemetry/metrics-server.ts'
import { Telemetry } from './telemetry/telemetry.ts'
import { recordLeft, startUpkeep } from './upkeep.ts'
import type { StandingDesk } from './wall/standing.ts'
import { Wall } from './wall/wall.ts'

export type { RunningGate }

/**
 * Starts a gate. Errors: GatewayError `invalid_config` or `state_error`, LedgerError (among them
 * `ledger_older_than_acknowledged`), PolicyError; `role_not_assumable` where AWS does not lend a role of
 * the configuration with tags and a source identity, `credentials_unavailable` where it cannot be asked;
 * `wall_open` where any user of the host could read or change what the gate stands on.
 */
export async function serve(
  config: Config,
  clock?: Clock,
  measure?: Measure,
): Promise<RunningGate> {
  const closing: Closing = []
  try {
    const telemetry = new Telemetry(config)
    closing.push(() => telemetry.close())
    const foundation = await openFoundation(config, clock, closing, telemetry.log)
    return await start({ config, measure, closing, telemetry }, telemetry.measuring(foundation))
  } catch (cause) {
    // A start that fails lets go of everything, so that the next one finds nothing locked.
    await closedInTurn(closing).catch(() => undefined) // why it failed is what is told
    throw cause
  }
}

type Start = {
  config: Config
  measure: Measure | undefined
  closing: Closing
  telemetry: Telemetry
}

async function start(
  { config, measure, closing, telemetry }: Start,
  foundation: Foundation,
): Promise<RunningGate> {
  const { store, recorder, clock, notices, shared } = foundation
  const wall = new Wall(config, clock)
  wall.requireShut()
  const own = await ownIdentity(config, clock)
  const signed = await store.alone('first epoch', () =>
    firstEpoch(config, store, recorder, clock, own),
  )
  const epoch = alsoProtecting(signed, protectedRows(config, own))
  notices.push(...(await foundation.endLeft()))
  const tunnels = await openConnectDoor(config, clock)
  const running = new Running({ ...foundation, config, telemetry, tunnels, epoch, own, wall })
  await running.checkRoles(config.roles)
  notices.push(...(await running.notices()))
  await running.plans.stopInterrupted()
  await recorder.record({ type: 'gate-started', epoch: epoch.number, refusing: running.refusing })
  running.hearOthers()
  const metricsUrl = await openMetrics(config, telemetry, closing)
  const { awsUrl, consoleUrl, stop } = await running.listen(
    measure ?? ((socket) => measureIsolation(socket, (uid) => wall.reaches(uid))),
  )
  const notifies = () => running.notifier.start()
  closing.push(stop, shared ? shared.inTurn('notify', notifies) : notifies())
  notices.push(...(await running.people.offerFirst()))
  telemetry.started(epoch.number, running.refusing, { awsUrl, consoleUrl })
  let ended: Promise<void> | null = null
  return {
    gate: running,
    awsUrl,
    consoleUrl,
    metricsUrl,
    notices,
    spooled: () => running.spool.held,
    stopped: shared?.stopped ?? new Promise(() => undefined),
    reload: reloading({ config, telemetry, wall, reloadable: running.reloadable }),
    close() {
      ended ??= closedInTurn(closing)
      return ended
    },
  }
}

interface RunningOptions extends Omit<Foundation, 'notices'> {
  readonly config: Config
  readonly telemetry: Telemetry
  readonly tunnels: ConnectDoor
  readonly epoch: ActiveEpoch
  /** The gate's own ARN; null where an emulator stands for AWS. */
  readonly own: string | null
  readonly wall: Wall
}

class Running implements Gate {
  readonly #options: RunningOptions
  #epoch: ActiveEpoch
  readonly #loading = new EpochLoading((row) => loadEpoch(row, this.store))
  #consoleUrl = ''
  readonly #access: UpstreamAccess
  readonly store: Store
  readonly recorder: Recorder
  readonly desk: ReviewDesk
  readonly sessions: SessionDesk
  readonly plans: PlanDesk
  readonly breakGlass: BreakGlassDesk
  readonly payloads: PayloadDesk
  readonly epochs: EpochDesk
  readonly gateway: Gateway
  readonly standing: StandingDesk
  readonly reading: LedgerReading
  readonly people: PeopleSide
  readonly clock: Clock
  readonly reloadable: Reloadable
  readonly notifier: RunningNotifier
  readonly #following: Following
  readonly readiness: ReadinessLook
  readonly telemetry: Telemetry
  #listening: Listening | null = null
  readonly spool: Spool
  readonly #vouched: Vouched
  refusing: string | null

  constructor(options: RunningOptions) {
    const { config, store, ledger, bucket, recorder, clock, gateId } = options
    this.#options = options
    this.telemetry = options.telemetry
    this.#epoch = options.epoch
    this.store = store
    this.recorder = recorder
    this.refusing = refusingReason(options.epoch)
    const timeline = new Timeline(ledger)
    this.reading = { timeline, directory: config.ledgerDirectory, bucket }
    this.spool = new Spool(join(dirname(config.statePath), 'spool'), config.uploads)
    this.#access = this.#lending()
    const access = this.#access
    const consoleUrl = () => this.people.relyingParty().origins[0] ?? this.#consoleUrl
    const notifies = { store, recorder, clock, gateId, consoleUrl }
    this.reloadable = new Reloadable(config, notifies, this.telemetry)
    const { lookUps, limits, notifier } = this.reloadable
    this.notifier = notifier
    this.#following = new Following({
      ...{ store, recorder, clock, access, lookUps },
      limits: config.follow,
    })
    const { expiresInMs, grantExpiresInMs } = config.review
    this.clock = clock
    this.people = this.#peopleSide()
    const { acts } = this.people
    const desk = { store, recorder, clock, gateId, acts, expiresInMs, grantExpiresInMs }
    this.desk = deskUnder(desk, () => this.inForce())
    const windowMs = config.review.planWindowMs
    this.sessions = this.#sessionDesk()
    this.plans = new PlanDesk({ store, recorder, clock, desk: this.desk, windowMs })
    const isEnabled = async () => (await this.inForce()).content.breakGlass === true
    this.breakGlass = new BreakGlassDesk({ ...desk, isEnabled, timeline: this.reading.timeline })
    this.payloads = new PayloadDesk({ ...desk, ledger, inForce: () => this.inForce() })
    this.epochs = new EpochDesk({
      ...{ store, recorder, clock, gateId, acts, ledger: options.ledger },
      candidate: () => this.#onDisk(),
      check: async ({ content }) => {
        await loadPolicySet({ schema: content.schema, policies: content.policies })
        await this.checkRoles(content.roles)
      },
      activated: async (row, voidedRequests) => {
        await this.#load(row)
        this.desk.wake(voidedRequests)
      },
    })
    this.standing = standingFor(options, {
      epoch: () => this.#epoch,
      notices: () => this.notices(),
      notify: () => this.notifier.standing(),
    })
    this.readiness = new ReadinessLook({
      ledger: async () => options.requireWritable(),
      state: () => store.meta('gate'),
      epoch: () => this.inForce(),
      credentials: () => access.requireOwn(),
    })
    this.#vouched = vouchedFor(options, () => this.#epoch.content.witnessed)
    this.gateway = new Gateway({
      ...{ store, clock, lookUps, metrics: this.telemetry.metrics, limits },
      recorder: this.#vouched.recorder,
      desk: this.desk,
      plans: this.plans,
      access: this.#access,
      epoch: () => this.inForce(),
      following: this.#following,
      holdMs: config.review.holdMs,
      requestUrl: (id) => `${this.#consoleUrl}/requests/${id}`,
    })
  }

  async #load(row: EpochRow): Promise<void> {
    const { config, own } = this.#options
    const epoch = await this.#loading.load(row)
    if (epoch.number < this.#epoch.number) return
    this.#epoch = alsoProtecting(epoch, protectedRows(config, own))
    this.refusing = refusingReason(this.#epoch)
  }

  /** Follows what other gateways of the same state do. */
  hearOthers(): void {
    hearOthers(this, this.#options, { access: this.#access, following: this.#following })
  }

  #sessionDesk(): SessionDesk {
    const { store, recorder, clock, gateId } = this.#options
    return new SessionDesk({
      ...{ store, recorder, clock, gateId, acts: this.people.acts },
      roles: async () => (await this.inForce()).content.roles,
      forgetEnded: () => this.#access.forgetEnded(),
      ended: (cancelled) => this.desk.wake(cancelled),
    })
  }

  #peopleSide(): PeopleSide {
    const { config, store, recorder, clock, gateId } = this.#options
    return new PeopleSide({
      ...{ config, store, recorder, clock, gateId },
      consoleUrl: () => this.#consoleUrl,
      signedBy: () => this.#epoch.content.membership?.signedBy,
      ended: async ({ cancelledRequests }) => {
        await this.#access.forgetEnded()
        this.desk.wake(cancelledRequests)
      },
    })
  }

  /** The loaded epoch, only while it is the active one and this build may decide under it. */
  async inForce(): Promise<ActiveEpoch> {
    this.#options.shared?.requireMember()
    requireGoingOn(this.clock)
    if (this.readiness.isDraining) throw stopping()
    const active = await this.store.activeEpoch()
    // Another gateway activated it: by signatures that the ledger has, for everybody.
    if (this.#options.shared && active && active.number > this.#epoch.number) {
      await this.#load(active)
    }
    if (this.refusing === null && active?.number === this.#epoch.number) return this.#epoch
    throw notInForce(this.refusing)
  }

  #onDisk(): VersionedContent {
    return contentOnDisk(this.#options.config, this.#options.own)
  }

  async notices(): Promise<string[]> {
    const stored = (await this.store.activeEpoch())?.version
    const words = standsWords(this.#epoch, this.refusing, this.#onDisk().version === stored)
    const { config } = this.#options
    words.push(...credentialNotices(config), ...this.people.notices(), ...this.payloads.notices())
    const suspended = await this.store.suspendedSessions(1, this.clock.nowMs())
    if (suspended.length > 0)
      words.push(
        'keys of sessions were used from elsewhere and wait for their operators: seconder session ls',
      )
    return [...words, ...this.#vouched.notices()]
  }

  #lending(): UpstreamAccess {
    const { config, store, clock } = this.#options
    return lendingFor(config, clock, {
      accounts: () => this.#epoch.content.ownAccounts ?? [],
      isOpen: async ({ accessKeyId }) => {
        // The last look before anything is sent: who may be dead by now sends nothing.
        this.#options.shared?.requireMember()
        const session = await store.sessionByAccessKey(accessKeyId)
        return isOpen(session, clock.nowMs())
      },
    })
  }

  /** Errors: `role_not_assumable` where AWS does not lend one of them as the gate asks (red team C2). */
  async checkRoles(roles: Readonly<Record<string, RoleRow>>): Promise<void> {
    for (const { arn } of Object.values(roles)) await this.#access.checkRole(arn)
  }

  facts(): Promise<GateFacts> {
    return gateFacts(this, this.#options, this.#options.tunnels.ca, {
      epoch: this.#epoch,
      endpoint: this.#listening?.awsUrl ?? '',
    })
  }

  observing() {
    return observingUnder(this.#epoch, this.clock.nowMs())
  }

  /** Errors: `wall_open` where the user at the other end could change what the gate stands on. */
  async requireShutTo(from: Socket | undefined): Promise<void> {
    if (from) this.#options.wall.requireShutTo(await peerUid(from))
  }

  away(): readonly ShownAbsence[] {
    return shownAbsences({ ...this.#options, absences: () => this.notifier.absences() })
  }

  async takeAway(act: GivenAct): Promise<readonly ShownAbsence[]> {
    const absences = () => this.notifier.absences()
    return takeAway({ ...this.#options, acts: this.people.acts, absences }, act)
  }

  async listen(measure: Measure): Promise<Listening> {
    const { config, store, clock, tunnels, ledger, shared } = this.#options
    const listening = await openListeners({
      ...{ config, tunnels, gate: this, spool: this.spool, measure },
      consoleListens: async (url) => {
        this.#consoleUrl = url
        await this.people.opened()
      },
    })
    this.#listening = listening
    this.telemetry.watch(
      snapshots({
        ...{ gate: this, ledger, shared, spool: this.spool, access: this.#access },
        epoch: () => this.#epoch,
        refusing: () => this.refusing,
        notify: () => this.notifier.standing(),
        load: listening.load,
      }),
    )
    await this.#following.resume()
    const interrupted = () => this.plans.stopInterrupted()
    const dropped = () => this.payloads.sweep()
    const owed = () => recordLeft(this)
    const sweeps = [
      ...[() => this.desk.sweep(), () => this.people.due()],
      ...[interrupted, dropped, owed, () => this.#following.late.record()],
    ]
    const stopUpkeep = startUpkeep(store, clock, sweeps)
    const stop = async () => {
      this.telemetry.log.write('gate_stopping', { answering: (await listening.load()).answering })
      this.readiness.drain()
      this.desk.endHolds()
      const upkeepEnded = stopUpkeep()
      this.people.firstMember.withdraw()
      await listening.stop()
      await upkeepEnded
      await this.#following.close()
      this.#access.close()
    }
    return { ...listening, stop }
  }
}

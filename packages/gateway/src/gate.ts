// The noun of a gate as its API sees it: what it can be asked, and the signed acts it takes.
import type { Socket } from 'node:net'
import type { LedgerReading } from './api/ledger-pages.ts'
import type { BreakGlassDesk } from './break-glass/break-glass-desk.ts'
import type { EpochDesk } from './epoch/activation.ts'
import type { ActiveEpoch } from './epoch/active.ts'
import type { Observing } from './epoch/observing.ts'
import type { Gateway } from './gateway.ts'
import type { SessionDesk } from './identify/session-desk.ts'
import type { Clock } from './lib/clock.ts'
import type { RelyingParty } from './lib/passkey.ts'
import type { GivenAct } from './lib/signed-act.ts'
import type { ShownAbsence } from './notify/away.ts'
import type { PayloadDesk } from './payloads/payload-desk.ts'
import type { PeopleSide } from './people/people-side.ts'
import type { PlanDesk } from './plans/plan-desk.ts'
import type { ReadinessLook } from './readiness.ts'
import type { ConnectCa } from './receive/connect/connect-door.ts'
import type { Spool } from './receive/spool.ts'
import type { Recorder } from './record/recorder.ts'
import type { Reloaded } from './reload.ts'
import type { ReviewDesk } from './review/desk.ts'
import type { Store } from './state/store.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import type { StandingDesk } from './wall/standing.ts'

export interface Gate {
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
  readonly readiness: ReadinessLook
  readonly telemetry: Telemetry
  facts(): Promise<GateFacts>
  /** Environments that do not enforce now, from memory: a probe of the gate's health asks for them. */
  observing(): readonly Observing[]
  /** The loaded epoch. Errors: `gate_refusing`, `clock_behind` where it may not decide. */
  inForce(): Promise<ActiveEpoch>
  /** Errors: `wall_open`; `from` is the connection that an act came over. */
  requireShutTo(from: Socket | undefined): Promise<void>
  /** Who is told instead of whom, now. */
  away(): readonly ShownAbsence[]
  takeAway(act: GivenAct): Promise<readonly ShownAbsence[]>
}

/** A gate that listens. */
export interface RunningGate {
  readonly gate: Gate
  /** `http://HOST:PORT` of the AWS door and of the people's API. */
  readonly awsUrl: string
  readonly consoleUrl: string
  /** Where scrapers read metrics; null where no listener is configured. */
  readonly metricsUrl: string | null
  /** Words for the operator: what was found at start that somebody should know. */
  readonly notices: readonly string[]
  /** Large bodies that are on the disk now. */
  spooled(): Spool['held']
  /**
   * Resolves, with the words for its operator, where the other gateways declared this one dead: it can do nothing
   * any more, and whoever runs it ends it.
   */
  readonly stopped: Promise<string>
  /**
   * Reads seconder.yaml again, and takes of it what a running gate takes. Errors: `invalid_config`,
   * `reload_refused`, `wall_open`; then nothing is changed.
   */
  reload(): Promise<Reloaded>
  close(): Promise<void>
}

export interface GateFacts extends ConnectCa {
  /** SHA-256 of the ledger's first entry. */
  readonly gate: string
  readonly epoch: number
  readonly version: string
  /** Why the gate answers refusals only, or null. */
  readonly refusing: string | null
  readonly roles: readonly string[]
  /** Environments that do not enforce now, and until when (red team H4). */
  readonly observing: readonly Observing[]
  readonly endpoint: string
  readonly checkpoint: { readonly size: number; readonly root: string }
  readonly verifierKey: string
  /** Whose passkeys count here, and on which pages. */
  readonly relyingParty: RelyingParty
  /** Where people of a company may sign in, or null. */
  readonly identityProvider: string | null
}

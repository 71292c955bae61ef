// What the path works with: the parts it was built of, and one call on its way down.
import type { Action, ChildAsked } from '../describe/action.ts'
import type { ActiveEpoch } from '../epoch/active.ts'
import type { UpstreamAccess } from '../execute/credentials.ts'
import type { Scope } from '../execute/exchange.ts'
import type { Identified } from '../identify/identify.ts'
import type { Clock } from '../lib/clock.ts'
import type { PlanDesk } from '../plans/plan-desk.ts'
import type { Received } from '../receive/received.ts'
import type { Recorder } from '../record/recorder.ts'
import type { ReviewDesk } from '../review/desk.ts'
import type { Store } from '../state/store.ts'
import type { GateMetrics } from '../telemetry/gate-metrics.ts'
import type { CallLimits } from './call-limits.ts'
import type { Following } from './following.ts'
import type { LookUps } from './look-ups.ts'
import type { InUpload } from './multipart.ts'

export interface GatewayParts {
  readonly store: Store
  readonly recorder: Recorder
  readonly clock: Clock
  readonly desk: ReviewDesk
  readonly plans: PlanDesk
  readonly access: UpstreamAccess
  /** The epoch in force, or why there is none. */
  readonly epoch: () => Promise<ActiveEpoch>
  readonly following: Following
  /** Shared with what follows effects, so that both stay within one budget. */
  readonly lookUps: LookUps
  readonly metrics: GateMetrics
  readonly limits: CallLimits
  readonly holdMs: number
  readonly requestUrl: (id: string) => string
}

/** One call on its way down the path. */
export interface OnPath extends Identified {
  readonly received: Received
  /** The child session that an AssumeRole asks for; null for every other call. */
  readonly child: ChildAsked | null
  /** As its parameters say; `action` is that in the light of what the gate knows of its upload. */
  readonly asSent: Action
  readonly action: Action
  /** Where it stands in a multipart upload; null for any other call. */
  readonly upload: InUpload['upload']
  /** Of a HEAD: the GET it stands for. */
  readonly twin: Action | undefined
  readonly scope: Scope
  readonly actionDigest: string
  readonly epoch: ActiveEpoch
}

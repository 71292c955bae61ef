// The parts of a running gate that a changed configuration is taken into: what is told to whom, how often somebody
// may do something, and what is logged. None of them decides anything.
import type { Config } from './config.ts'
import { LIMITS_DEFAULT } from './limits-config.ts'
import { NotifierInForce, notifierOf } from './notify/start.ts'
import { CallLimits } from './path/call-limits.ts'
import { LOOK_UP_LIMITS, LookUps } from './path/look-ups.ts'
import { LOG_DEFAULT } from './telemetry/log.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

/** What a Notifier is made of besides its configuration and the log. */
type Notifies = Omit<Parameters<typeof notifierOf>[1], 'log'>

export class Reloadable {
  readonly limits: CallLimits
  readonly lookUps: LookUps
  readonly notifier: NotifierInForce
  readonly #notifies: Notifies
  readonly #telemetry: Telemetry

  constructor(config: Config, notifies: Notifies, telemetry: Telemetry) {
    const { metrics, log } = telemetry
    const { lookUps, ...limits } = config.limits ?? LIMITS_DEFAULT
    log.name(Object.keys(config.notify?.channels ?? {}))
    this.limits = new CallLimits(notifies.clock, limits, metrics)
    this.lookUps = new LookUps(notifies.clock, { ...LOOK_UP_LIMITS, ...lookUps }, metrics)
    this.notifier = new NotifierInForce(notifierOf(config, { ...notifies, log }))
    this.#notifies = notifies
    this.#telemetry = telemetry
  }

  /** `changed`: the sections that are other than before. */
  async take(next: Config, changed: readonly string[]): Promise<void> {
    const { log } = this.#telemetry
    // First, as the one step that may fail: then nothing of the file is taken.
    if (changed.includes('notify')) {
      await this.notifier.replace(notifierOf(next, { ...this.#notifies, log }))
      log.name(Object.keys(next.notify?.channels ?? {}))
    }
    const { lookUps, ...limits } = next.limits ?? LIMITS_DEFAULT
    log.configure(next.log ?? LOG_DEFAULT)
    this.limits.configure(limits)
    this.lookUps.configure(lookUps)
  }
}

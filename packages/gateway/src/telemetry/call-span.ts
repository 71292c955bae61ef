// One call from its first byte to its answer: which stages it passed, how it was decided and how it ended. The path
// says so here as it goes; nothing of the path waits for it or depends on it.
import type { Action } from '../describe/action.ts'
import type { CallDecision, GateMetrics } from './gate-metrics.ts'
import type { Log } from './log.ts'

export type Stage =
  | 'receive'
  | 'identify'
  | 'describe'
  | 'resolve'
  | 'decide'
  | 'review'
  | 'record'
  | 'execute'

export interface CallSpan {
  /** The stage before ends here. `request`: the review request it is about. */
  enter(stage: Stage, request?: string): void
  /** Known once it is described. */
  about(action: Action): void
  /** How the gate answered; the last word counts. */
  settled(decision: CallDecision): void
  /** `cause`: what nobody expected, for the log alone. */
  refused(code: string, cause?: unknown): void
  /** `status`: of the answer that left; 0 where none did. */
  end(status: number): void
}

/** Where nobody looks. */
export const NO_SPAN: CallSpan = {
  enter: () => undefined,
  about: () => undefined,
  settled: () => undefined,
  refused: () => undefined,
  end: () => undefined,
}

/** What is not known of a call that was refused before it could be read. */
const NOT_READ = 'unknown'

/** Counts the call in the metrics when it ends. */
export class MeasuredCall implements CallSpan {
  readonly #metrics: GateMetrics
  readonly #sinceMs = performance.now()
  #action: Action | null = null
  #decision: CallDecision = 'joined'

  readonly #log: Log

  constructor(metrics: GateMetrics, log: Log) {
    this.#metrics = metrics
    this.#log = log
  }

  enter(_stage: Stage, _request?: string): void {
    // Which stage took how long is what a trace says.
  }

  about(action: Action): void {
    this.#action = action
  }

  settled(decision: CallDecision): void {
    this.#decision = decision
  }

  refused(code: string, cause?: unknown): void {
    this.#decision = 'refused'
    this.#metrics.refusals.add([code])
    if (cause !== undefined) this.#log.write('call_failed', { error: cause })
  }

  end(_status: number): void {
    const { calls, callSeconds } = this.#metrics
    const decision = this.#decision
    const effect = this.#action?.effects.at(-1) ?? NOT_READ
    const environment = this.#action === null ? NOT_READ : environmentOf(this.#action)
    calls.add([decision, effect, environment])
    callSeconds.observe((performance.now() - this.#sinceMs) / 1_000, [decision])
  }
}

/** Where it would act; `several` where that is more than one environment. */
export function environmentOf({ resources }: Action): string {
  const first = resources[0]?.environment ?? NOT_READ
  return resources.every(({ environment }) => environment === first) ? first : 'several'
}

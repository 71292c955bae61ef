// The recorder of a gate whose epoch demands witnesses: the intent of an effect that was reviewed counts as
// recorded when enough of them cosigned it. Where they do not, the effect is not begun, and the ledger says so.

import type { WitnessDemand } from './record-config.ts'
import type { Recorder } from './recorder.ts'
import type { Witnessing } from './witnessing.ts'

export interface WitnessedOptions {
  readonly recorder: Recorder
  readonly witnessing: Pick<Witnessing, 'cosigned'>
  /** What the epoch in force demands. */
  readonly demand: () => WitnessDemand | undefined
  readonly endEffect: (effect: string) => unknown
}

/** A recorder whose `record` of such an intent rejects with `not_witnessed`. */
export function witnessedRecorder(options: WitnessedOptions): Recorder {
  const { recorder, witnessing, demand, endEffect } = options
  return {
    ...recorder,
    async record(entry) {
      const index = await recorder.record(entry)
      if (entry.type !== 'intent' || entry.grant === null) return index
      const demanded = demand()
      if (demanded === undefined) return index
      try {
        await witnessing.cosigned(index + 1, demanded)
        return index
      } catch (cause) {
        const { effect } = entry
        const detail = 'too few witnesses cosigned its intent, so it was never begun'
        await recorder.record({ type: 'outcome', effect, outcome: { result: 'withheld', detail } })
        // The step of a plan is under way until its plan is ended; whoever does that ends its effect then.
        if (entry.plan === undefined) await endEffect(effect)
        throw cause
      }
    },
  }
}

// The recorder of a gate whose epoch demands witnesses: the intent of an effect that was reviewed counts as
// recorded when enough of them cosigned it. Where they do not, the effect is not begun, and the ledger says so.

import type { FileLedger, Ledger } from '@seconder/ledger/ledger'
import type { Recorder } from './recorder.ts'
import type { WitnessDemand, WitnessPart } from './witness-config.ts'
import { notWitnessed, Witnessing } from './witnessing.ts'

export interface WitnessedParts {
  readonly config: { readonly ledgerDirectory: string } & WitnessPart
  readonly ledger: Ledger & Partial<Pick<FileLedger, 'publish'>>
  readonly verifierKey: string
  readonly recorder: Recorder
  readonly store: { endEffect(effect: string): Promise<unknown> }
}

/**
 * The recorder for the path of effects. Where witnesses are configured they are asked as the ledger grows,
 * and an epoch that demands them is obeyed; where it demands them and none is configured, nothing reviewed
 * is begun.
 */
export function witnessedBy(
  { config, ledger, verifierKey, recorder, store }: WitnessedParts,
  demand: () => WitnessDemand | undefined,
): Recorder {
  const { ledgerDirectory: directory, witnesses } = config
  // What many gateways share is published by one of them, which no other can hurry.
  const publish = async () => await ledger.publish?.()
  const witnessing =
    witnesses && new Witnessing({ directory, verifierKey, config: witnesses, publish })
  witnessing?.follow(recorder)
  const endEffect = (effect: string) => store.endEffect(effect)
  return witnessedRecorder({ recorder, witnessing: witnessing ?? NOBODY, demand, endEffect })
}

const NOBODY: Pick<Witnessing, 'cosigned'> = {
  async cosigned(_size, demanded) {
    throw notWitnessed(0, demanded, 'none is configured at this gate')
  },
}

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
        await endEffect(effect)
        throw cause
      }
    },
  }
}

// Who vouches for the end of the gate's ledger beside the gate: witnesses, and places that keep a checkpoint.
// Both are asked as the ledger grows; what an epoch demands of witnesses is obeyed by the recorder made here.
import type { FileLedger, Ledger } from '@seconder/ledger/ledger'
import type { PublishedFiles } from '../lib/published-files.ts'
import { Anchors, anchorOf } from './anchors.ts'
import type { RecordConfig, WitnessDemand } from './record-config.ts'
import type { Recorder } from './recorder.ts'
import { witnessedRecorder } from './witnessed-recorder.ts'
import { notWitnessed, Witnessing } from './witnessing.ts'

export interface VouchedParts {
  readonly config: { readonly ledgerDirectory: string } & RecordConfig
  readonly ledger: Ledger & Partial<Pick<FileLedger, 'publish'>>
  readonly verifierKey: string
  readonly bucket?: PublishedFiles | null
  readonly recorder: Recorder
  readonly store: { endEffect(effect: string): Promise<unknown> }
}

export interface Vouched {
  /** For the path of effects: see witnessedRecorder. */
  readonly recorder: Recorder
  /** Words for the operator; none while all is well. */
  notices(): string[]
}

/**
 * Where witnesses are configured they are asked as the ledger grows, and an epoch that demands them is
 * obeyed; where it demands them and none is configured, nothing reviewed is begun.
 */
export function vouchedFor(
  { config, ledger, verifierKey, bucket = null, recorder, store }: VouchedParts,
  demand: () => WitnessDemand | undefined,
): Vouched {
  const { ledgerDirectory: directory, witnesses } = config
  // What many gateways share is published by one of them, which no other can hurry.
  const publish = async () => await ledger.publish?.()
  const witnessing =
    witnesses && new Witnessing({ directory, bucket, verifierKey, config: witnesses, publish })
  const places = (config.anchors ?? []).map(anchorOf)
  const anchors = new Anchors({ directory, bucket, verifierKey, anchors: places, publish })
  witnessing?.follow(recorder)
  if (places.length > 0) anchors.follow(recorder)
  const endEffect = (effect: string) => store.endEffect(effect)
  return {
    recorder: witnessedRecorder({ recorder, witnessing: witnessing ?? NOBODY, demand, endEffect }),
    notices: () => [...(witnessing?.notices() ?? []), ...anchors.notices()],
  }
}

const NOBODY: Pick<Witnessing, 'cosigned'> = {
  async cosigned(_size, demanded) {
    throw notWitnessed(0, demanded, 'none is configured at this gate')
  },
}

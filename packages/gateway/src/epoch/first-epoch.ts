// The epoch in force at start. Policies, roles and environments of the files are epoch 1 at the first
// start, and only then; later starts load what was signed.
import type { Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Store } from '../state/store.ts'
import { type ActiveEpoch, loadEpoch } from './active.ts'
import { contentOnDisk } from './content.ts'

/** Errors: PolicyError when the policies do not load; then nothing was recorded. */
export async function firstEpoch(
  config: Config,
  store: Store,
  recorder: Recorder,
  clock: Clock,
  own: string | null,
): Promise<ActiveEpoch> {
  const active = await store.activeEpoch()
  if (active) return loadEpoch(active, store)
  const { version, text } = contentOnDisk(config, own)
  const row = { number: 1, version, content: text, activatedAtMs: clock.nowMs() }
  const epoch = await loadEpoch(row, store)
  const content = await recorder.keep(text)
  const entry = { type: 'epoch-activated', epoch: 1, version, content, acts: [] } as const
  await recorder.recordThen(entry, () => store.activateEpoch(row))
  return epoch
}

// Loads an epoch once, however many calls find it in the same moment: its policies take a thread, and seconds
// where there are thousands of them.
import type { EpochRow } from '../state/store.ts'
import type { ActiveEpoch } from './active.ts'

export class EpochLoading {
  readonly #load: (row: EpochRow) => Promise<ActiveEpoch>
  #underWay: { readonly number: number; readonly loaded: Promise<ActiveEpoch> } | null = null

  constructor(load: (row: EpochRow) => Promise<ActiveEpoch>) {
    this.#load = load
  }

  /** Whoever asks while it is being loaded waits for the same; what failed is tried again by whoever asks next. */
  load(row: EpochRow): Promise<ActiveEpoch> {
    if (this.#underWay?.number === row.number) return this.#underWay.loaded
    const loaded = this.#load(row).finally(() => {
      if (this.#underWay?.loaded === loaded) this.#underWay = null
    })
    this.#underWay = { number: row.number, loaded }
    return loaded
  }
}

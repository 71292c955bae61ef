// Remembers in the state which checkpoint was acknowledged last: files older than it are refused at the next
// start, and what the state may lack is looked for after it. The hot path does not wait for it.
import type { Store } from '../state/store.ts'
import type { Remembering } from './recorder.ts'

/** How long an acknowledged checkpoint may wait to be remembered, in milliseconds. */
const REMEMBER_MS = 50

export class Checkpoints implements Remembering {
  readonly #store: Pick<Store, 'setMeta' | 'isOwed' | 'settleOwed'>
  #newest: string | null = null
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> = Promise.resolve()
  #held = 0

  constructor(store: Pick<Store, 'setMeta' | 'isOwed' | 'settleOwed'>) {
    this.#store = store
  }

  readonly acknowledged = (note: string): void => {
    this.#newest = note
    this.#soon()
  }

  readonly holding = (): (() => void) => {
    this.#held++
    return () => {
      this.#held--
      this.#soon()
    }
  }

  readonly isOwed = (id: string): Promise<boolean> => this.#store.isOwed(id)

  readonly settled = (id: string): Promise<void> => this.#store.settleOwed(id)

  /** Remembers the last one of a gate that ends, unless the state still has to follow an entry. */
  async close(note: string): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#newest = note
    await this.#writing
    await this.#write()
  }

  #soon(): void {
    if (this.#newest === null || this.#held > 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      // One at a time, so that an older one never comes last. What failed is written with the next.
      this.#writing = this.#writing.then(() => this.#write()).catch(() => this.#soon())
    }, REMEMBER_MS).unref()
  }

  async #write(): Promise<void> {
    const note = this.#newest
    if (note === null || this.#held > 0) return
    this.#newest = null
    try {
      await this.#store.setMeta('checkpoint', note)
    } catch (cause) {
      this.#newest ??= note
      throw cause
    }
  }
}

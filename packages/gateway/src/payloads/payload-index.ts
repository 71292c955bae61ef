// What each payload beside the ledger is for, read from the ledger itself: the first time from its beginning, in
// between other work, then on from where it was. Only a redaction, retention, or a payload that is gone asks for it.
import { setImmediate } from 'node:timers/promises'
import { LedgerError } from '@seconder/ledger/errors'
import type { Ledger } from '@seconder/ledger/ledger'
import { PayloadUses, retentionOf } from '@seconder/ledger/payload-uses'

/** Entries read in one go: as many as a bundle of the ledger has. */
const AT_ONCE = 256

type Members = Readonly<Record<string, unknown>>

export class PayloadIndex {
  readonly #ledger: Pick<Ledger, 'size' | 'read' | 'readPayload'>
  readonly #uses = new PayloadUses()
  #readTo = 0
  #reading: Promise<void> | undefined

  constructor(ledger: Pick<Ledger, 'size' | 'read' | 'readPayload'>) {
    this.#ledger = ledger
  }

  /** As of every entry that is durable now. */
  async caughtUp(): Promise<PayloadUses> {
    const { size } = this.#ledger
    while (this.#readTo < size) {
      this.#reading ??= this.#read(size).finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
    return this.#uses
  }

  async #read(size: number): Promise<void> {
    const decoder = new TextDecoder()
    while (this.#readTo < size) {
      const index = this.#readTo
      if (index % AT_ONCE === 0) await setImmediate()
      const entry = JSON.parse(decoder.decode(await this.#ledger.read(index))) as Members
      const days = entry['type'] === 'epoch-activated' ? await this.#days(entry) : null
      this.#uses.take(entry, days)
      this.#readTo = index + 1
    }
  }

  /** What an epoch says of retention; nothing is dropped by one whose content is not there. */
  async #days({ version }: Members): Promise<number | null> {
    try {
      return retentionOf(new TextDecoder().decode(await this.#ledger.readPayload(String(version))))
    } catch (cause) {
      // What was not read for another reason is read the next time: the index remembers what it is told.
      if (cause instanceof LedgerError && cause.code === 'payload_unknown') return null
      throw cause
    }
  }
}

// The part of the state port about entries that the ledger is owed: what ends a right is whole in the state
// first, in one transaction with the entries that say so, and these are recorded right after, by whoever lives.
import type { OwedText } from '../lib/owed-id.ts'

/** An entry that is to be recorded. */
export interface OwedEntry extends OwedText {
  readonly sinceMs: number
}

/** What is to be recorded of what ended, by all that ended with it. */
export type OwedOf<Ended> = (ended: Ended) => readonly OwedEntry[]

export interface OwedStore {
  /** Of this gateway, and since before that, in the order in which they came about. */
  owed(beforeMs: number): Promise<readonly OwedEntry[]>
  /** Whether this gateway owes it now: not since it was recorded, nor since another one took it over. */
  isOwed(id: string): Promise<boolean>
  /** It is in the ledger. */
  settleOwed(id: string): Promise<void>
}

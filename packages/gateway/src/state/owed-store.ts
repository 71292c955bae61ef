// The part of the state port about entries that the ledger is owed: what ends a right is whole in the state
// first, in one transaction with the entries that say so, and these are recorded right after, by whoever lives.
import type { OwedText } from '../lib/owed-id.ts'

/** An entry that is to be recorded. */
export interface OwedEntry extends OwedText {
  readonly sinceMs: number
}

export interface OwedStore {
  /** Of this gateway, and since before that, in the order in which they came about. */
  owed(beforeMs: number): Promise<readonly OwedEntry[]>
  /** It is in the ledger. */
  settleOwed(id: string): Promise<void>
}

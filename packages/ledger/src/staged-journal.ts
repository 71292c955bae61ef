// The journal as a verifier sees it: entries that are durable and may not be published yet, each
// batch under a signed checkpoint. Accepts what a crash can leave, and nothing else. Browser-safe.

import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
import { LedgerError } from './errors.ts'
import { type JournalRecord, type ParsedJournal, parseJournal } from './journal.ts'
import type { NoteVerifier } from './note.ts'
import type { Hasher } from './primitives.ts'
import type { Findings } from './report.ts'
import type { Inventory } from './source.ts'
import { HASH_BYTES } from './tree.ts'

/** A writer has two at most; the rest is room for crashes while publishing. */
export const JOURNALS_MAX = 8

interface StagedEntry {
  readonly file: string
  readonly entry: Uint8Array
  readonly leafHash: Uint8Array
}

/** A root that a signed checkpoint in `file` promises for the tree of some size. */
export interface PromisedRoot {
  readonly file: string
  readonly checkpoint: SignedCheckpoint
}

export class StagedJournal {
  #firstIndex = 0
  readonly #entries: StagedEntry[] = []
  /** By size. */
  readonly roots = new Map<number, PromisedRoot>()
  /** The last checkpoint in the journal, when it goes beyond the published one. */
  last: SignedCheckpoint

  private constructor(published: SignedCheckpoint) {
    this.last = published
  }

  /** Whether there is a staged entry below this index of the whole log. */
  reachesBelow(index: number): boolean {
    return this.#entries.length > 0 && this.#firstIndex < index
  }

  /** The staged entry of this index in the whole log. */
  at(index: number): StagedEntry | undefined {
    return index < this.#firstIndex ? undefined : this.#entries[index - this.#firstIndex]
  }

  /** Reads every journal file; what is wrong with one goes to `findings`. */
  static async load(
    inventory: Inventory,
    published: SignedCheckpoint,
    verifier: NoteVerifier,
    hasher: Hasher,
    findings: Findings,
  ): Promise<StagedJournal> {
    const staged = new StagedJournal(published)
    let end = published.size
    for (const [position, { name, firstIndex }] of inventory.journals.entries()) {
      if (position >= JOURNALS_MAX) {
        findings.add('unknown_file', name, `a ledger has at most ${JOURNALS_MAX} journal files`)
        continue
      }
      if (position === 0 ? firstIndex > end : firstIndex !== end) {
        findings.add('wrong_content', name, `it begins at ${firstIndex}, not ${end}`, end)
        break
      }
      if (position === 0) staged.#firstIndex = firstIndex
      const bytes = await inventory.read(name)
      if (bytes === null) break
      const journal = parseJournal(bytes, firstIndex, hasher)
      for (const record of journal.records) {
        await staged.#add(name, record, verifier, findings)
      }
      end = staged.#firstIndex + staged.#entries.length
      const isLast = position === inventory.journals.length - 1
      if (!noteEnd(name, journal, isLast, findings)) break
    }
    return staged
  }

  async #add(
    file: string,
    record: JournalRecord,
    verifier: NoteVerifier,
    findings: Findings,
  ): Promise<void> {
    for (const [position, entry] of record.entries.entries()) {
      const start = position * HASH_BYTES
      const leafHash = record.leafHashes.subarray(start, start + HASH_BYTES)
      this.#entries.push({ file, entry, leafHash })
    }
    const end = record.firstIndex + record.entries.length
    try {
      const checkpoint = await openCheckpoint(record.note, this.last.origin, [verifier])
      if (checkpoint.size !== end) {
        findings.add('wrong_content', file, `a checkpoint is not of size ${end}`, record.firstIndex)
      }
      this.roots.set(end, { file, checkpoint })
      if (end > this.last.size) this.last = checkpoint
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error
      findings.add('checkpoint_invalid', file, error.message, record.firstIndex)
    }
  }
}

/** Notes how the file ends, and whether the next one can go on after it. */
function noteEnd(
  name: string,
  { problem, unfinishedBytes }: ParsedJournal,
  isLast: boolean,
  findings: Findings,
): boolean {
  if (problem !== null) {
    findings.add('wrong_content', name, problem.message, problem.entry)
    return false
  }
  if (unfinishedBytes === 0) return true
  if (!isLast) {
    findings.add('wrong_content', name, 'a record is cut short, and another journal follows')
    return false
  }
  const message = `the last ${unfinishedBytes} bytes are a record that was never acknowledged`
  findings.unfinished.push({ file: name, message })
  return true
}

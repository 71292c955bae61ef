// What a verification found: the problems, each with the file and the entry, and what could not be
// checked at all. Plain data; runs in browsers.

/**
 * - `missing_file`: the signed checkpoint needs it, and it is not there.
 * - `unreadable`: it is there and could not be read, or is larger than any file of a ledger.
 * - `unknown_file`: nothing in a ledger has that name, or nothing signed says what is in it.
 * - `wrong_content`: its bytes are not what the signed checkpoint, or its name, says.
 * - `checkpoint_invalid`: a checkpoint that does not parse, or is not signed by the known key.
 * - `root_mismatch`: the entries do not lead to the signed root.
 * - `since_invalid`: the checkpoint given as `since` is not one of this ledger's key.
 * - `rollback`: the ledger ends before the checkpoint given as `since`.
 * - `rule_broken`: an entry does not follow from those before it: an effect without its grant, say.
 * - `not_witnessed`: fewer witnesses than were asked for cosigned the checkpoint they are said to have seen.
 * - `act_invalid`: what a person is said to have signed is not theirs, or says something else.
 * - `fork`: the ledger has another past than the checkpoint given as `since`.
 */
export type VerifyProblemCode =
  | 'missing_file'
  | 'unreadable'
  | 'unknown_file'
  | 'wrong_content'
  | 'checkpoint_invalid'
  | 'root_mismatch'
  | 'since_invalid'
  | 'rollback'
  | 'fork'
  | 'act_invalid'
  | 'not_witnessed'
  | 'rule_broken'

export interface VerifyProblem {
  /** The name below the ledger's directory, with `/`. */
  readonly file: string
  /** The index of the first entry that is concerned, where there is one. */
  readonly entry?: number
  readonly code: VerifyProblemCode
  readonly message: string
}

/** Something that a crash left and that nobody was ever told is recorded: no problem. */
export interface Unfinished {
  readonly file: string
  readonly message: string
}

export const ROLLBACK_UNSEEN = 'cannot be seen without --since'

export interface VerifyReport {
  readonly ok: boolean
  /** Entries up to the last signed checkpoint that was found, and its root. */
  readonly size: number
  readonly rootHash: Uint8Array
  /** That checkpoint; keep it, and give it as `since` the next time. Null when none is valid. */
  readonly note: string | null
  readonly payloads: number
  readonly problems: readonly VerifyProblem[]
  /** Problems beyond PROBLEMS_MAX, counted only. */
  readonly problemsOmitted: number
  readonly unfinished: readonly Unfinished[]
  readonly rollback: 'checked' | typeof ROLLBACK_UNSEEN
}

export const PROBLEMS_MAX = 1000

/** Collects problems up to PROBLEMS_MAX, and counts the rest. */
export class Findings {
  readonly problems: VerifyProblem[] = []
  readonly unfinished: Unfinished[] = []
  omitted = 0

  add(code: VerifyProblemCode, file: string, message: string, entry?: number): void {
    if (this.problems.length >= PROBLEMS_MAX) {
      this.omitted += 1
      return
    }
    this.problems.push(
      entry === undefined ? { file, code, message } : { file, entry, code, message },
    )
  }
}

// Every way the ledger says "no" or "could not tell": one class, one stable code each, and a help
// line that says what to do next. No message holds the bytes of an entry or a payload.

/**
 * Codes of LedgerError.
 *
 * - `ledger_older_than_acknowledged`: the files end before, or fork from, the checkpoint that was
 *   acknowledged. Somebody put older or other files in place. Not retried; a person must look.
 * - `ledger_corrupt`: a file does not say what the signed checkpoint says. Not retried.
 * - `ledger_locked`: another ledger, here or in another process, holds the directory. Retry later.
 * - `ledger_stopped`: an earlier write failed, so what is on the disk is not known. Restart.
 * - `ledger_closed`: the caller's mistake: it appended after `close`.
 * - `entry_too_large` / `payload_too_large`: over the format's or our limit. Not retried as it is.
 * - `queue_full`: more entries wait than the queue holds. Nothing was recorded; retry later.
 * - `entry_unknown` / `payload_unknown`: no such index or digest in this ledger.
 * - `file_too_large`: a file is larger than any that the ledger writes, so it is not read.
 * - `note_malformed` / `checkpoint_malformed`: the text is not in the C2SP form.
 * - `note_unverified`: no signature of a known key, or one that does not verify.
 * - `key_invalid`: a verifier or signing key is not an Ed25519 note key.
 * - `proof_invalid`: an inclusion or consistency proof does not lead to the root.
 * - `path_invalid`: no tile, entry bundle or other file of a ledger has that name.
 * - `assertion_invalid`: what a passkey signed does not hold for the statement, page or key.
 * - `act_invalid`: an entry holds a signed act that does not hold, or says something else than it.
 * - `size_invalid`: an index or size is not a safe whole number within the tree.
 */
export type LedgerErrorCode =
  | 'ledger_older_than_acknowledged'
  | 'ledger_corrupt'
  | 'ledger_locked'
  | 'ledger_stopped'
  | 'ledger_closed'
  | 'entry_too_large'
  | 'payload_too_large'
  | 'queue_full'
  | 'entry_unknown'
  | 'payload_unknown'
  | 'file_too_large'
  | 'note_malformed'
  | 'checkpoint_malformed'
  | 'note_unverified'
  | 'key_invalid'
  | 'proof_invalid'
  | 'path_invalid'
  | 'size_invalid'
  | 'assertion_invalid'
  | 'act_invalid'

const HELP: Readonly<Record<LedgerErrorCode, string>> = {
  ledger_older_than_acknowledged:
    'keep both copies, do not serve, and find out who replaced the ledger; ' +
    '`seconder ledger verify --since` shows the difference',
  ledger_corrupt: 'run `seconder ledger verify`, which names the file, and restore it from a copy',
  ledger_locked: 'stop the other process that has this ledger open',
  ledger_stopped: 'check the disk, then restart; recovery keeps every acknowledged entry',
  ledger_closed: 'open the ledger again',
  entry_too_large: 'store the bytes with putPayload and record their digest',
  payload_too_large: 'store the bytes elsewhere and record their digest',
  queue_full: 'retry when earlier appends have been answered',
  entry_unknown: 'ask for an index below the size of the ledger',
  payload_unknown: 'ask for a digest that putPayload returned',
  file_too_large: 'this is not a file that a ledger writes; look where it came from',
  note_malformed: 'give the whole text of the signed note, unchanged',
  checkpoint_malformed: 'give the whole text of the checkpoint, unchanged',
  note_unverified: 'check that the verifier key is the key of this ledger',
  key_invalid: 'give an Ed25519 key as name+id+base64',
  proof_invalid: 'fetch the proof again, and treat the log as forked if it stays so',
  path_invalid: 'use the names of the tlog-tiles layout',
  act_invalid: 'keep a copy, and find out who wrote the entry: the gate records no such act',
  assertion_invalid: 'sign the statement again, on the page of this gate',
  size_invalid: 'use a whole number within the size of the tree',
}

/** A refusal of the ledger. `message` and `help` hold no entry, so they may be shown. */
export class LedgerError extends Error {
  readonly code: LedgerErrorCode
  readonly help: string

  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LedgerError'
    this.code = code
    this.help = HELP[code]
  }
}

const SHOWN_CHARACTERS_MAX = 120

/** Input as it may stand in a message: printable ASCII in backticks, cut short. */
export function quoted(input: string): string {
  const printable = input.slice(0, SHOWN_CHARACTERS_MAX).replace(/[^\x20-\x7e]|`/g, '?')
  return `\`${printable}${input.length > SHOWN_CHARACTERS_MAX ? '...' : ''}\``
}

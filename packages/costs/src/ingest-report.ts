// The noun that ingesting makes: what was taken of a file, what was not and why, and both sums.

/** A reason for which rows were left out, or fields were left empty. */
export interface RowNote {
  readonly reason: string
  readonly rows: number
  /** Up to `NOTE_EXAMPLES_MAX` rows it holds for, the first data row being 1. */
  readonly examples: readonly number[]
}

export const NOTE_EXAMPLES_MAX = 5

export interface PeriodReport {
  /** `YYYY-MM` of the billing period. */
  readonly period: string
  readonly rows: number
  /** Sum of BilledCost as stored, exact decimal text. */
  readonly billed: string
}

export interface IngestReport {
  readonly export: string
  /** Of the CSV after gunzip. */
  readonly sha256: string
  readonly bytes: number
  /** True where the store already held exactly this file and nothing was done. */
  readonly unchanged: boolean
  /** Data rows that could be parsed as CSV; `taken` plus `refused`. */
  readonly rows: number
  readonly taken: number
  readonly refused: number
  /** Lines that are no CSV row of this file's width; their costs are in no sum. */
  readonly unreadableLines: number
  readonly refusals: readonly RowNote[]
  /** Rows that were taken with a field left empty. */
  readonly warnings: readonly RowNote[]
  /** FOCUS columns that would have been used and are not in the file. */
  readonly absentColumns: readonly string[]
  readonly periods: readonly PeriodReport[]
  readonly currencies: readonly string[]
  /** Sum of every BilledCost in the file that is a number, whether or not its row was taken. */
  readonly fileBilled: string
  /** Sum of BilledCost that this file left in the store. */
  readonly storedBilled: string
  /** Sum of BilledCost of refused rows; `fileBilled` is always the sum of these two. */
  readonly refusedBilled: string
}

// The row of one event: when, which event, which call, by whom, by what program, and what became of it.
// The last four are numbers of texts that many rows share.

/** Words of 32 bits: time, four of the event's ID, call, who, agent, flags. */
export const ROW_WORDS = 9
export const TIME = 0
export const ID = 1
export const CALL = 5
export const WHO = 6
export const AGENT = 7
export const FLAGS = 8

export const FLAG = {
  /** AWS answered with an error: it did not happen. */
  failed: 1,
  /** That error was a refusal for want of rights. */
  refused: 2,
  /** A service of AWS called, by itself or for somebody. */
  byService: 4,
  /** A data event: those of most trails are switched off. */
  data: 8,
} as const

/**
 * Flags of a row that is no event but stands behind one, with the ID that it shares with what was delivered to other
 * accounts: such copies have IDs of their own. Source: the record contents of CloudTrail, sharedEventID.
 */
export const LINK = {
  is: 0x100,
  /** It was delivered to the caller's own account. */
  toCaller: 0x200,
} as const

/** Rows of one chunk that a worker hands on. */
export const CHUNK_ROWS = 32_768

/**
 * A call as a trail has it: source, name, type, region, account, parameters; and where some of the parameters
 * were left out of its key, their names and the parameters without them.
 */
export type RawCall = readonly [
  eventSource: string,
  eventName: string,
  eventType: string,
  region: string,
  account: string,
  parameters: string,
  left: readonly string[],
  rest: string,
]

/** What a worker hands on: rows, and the texts that they are the first to name. */
export interface Chunk {
  readonly rows: Uint32Array<ArrayBuffer>
  readonly count: number
  readonly calls: readonly RawCall[]
  readonly whos: readonly string[]
  readonly agents: readonly string[]
  /** Session ARN and the value of its tag `agent`, as AssumeRole was asked for it. */
  readonly tags: readonly (readonly [string, string])[]
}

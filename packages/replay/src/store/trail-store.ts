// The noun that a scan makes of a trail and that every policy is then tried on: its events as columns in
// the order of time, without copies, and the texts that they share.

/** Columns of events; the same index in each is one event. Sorted by time, those without one first. */
export interface Columns {
  readonly count: number
  /** Seconds since 1970; 0 = the event tells none. */
  readonly times: Uint32Array
  /** Numbers of texts in the store. */
  readonly calls: Uint32Array
  readonly whos: Uint32Array
  readonly agents: Uint16Array
  /** Bits of FLAG. */
  readonly flags: Uint8Array
  /** How many events each row stands for; absent where each is one. */
  readonly weights?: Float64Array
  /** Four words an event; read only where an event is shown by name. */
  readonly ids: () => Uint32Array
}

/** What was wrong with a file, or with what stood in it. */
export interface FileFaultFound {
  readonly path: string
  readonly fault: string
  /** Events that were read before it, and beside the lines that are none. */
  readonly events: number
  /** Lines that are no event, in a file of one event a line: they were stepped over. */
  readonly brokenLines: number
}

export interface ScanFacts {
  readonly files: number
  /** Bytes on the disk, packed as they are. */
  readonly bytes: number
  readonly events: number
  /** Events after copies of one event ID were dropped. */
  readonly unique: number
  /** Records that are no events of calls, such as insights. */
  readonly otherRecords: number
  /** Digest and insight files that were left out by their names. */
  readonly leftOut: number
  readonly faults: readonly FileFaultFound[]
  /** Files with a fault beyond those listed. */
  readonly moreFaults: number
  /** Lines that are no event, of all files together. */
  readonly brokenLines: number
  /** Calls that were delivered to a second account too (sharedEventID), and were counted once. */
  readonly sharedCopies: number
  readonly withoutTime: number
  readonly withoutId: number
  /** Events whose call is described wider than it was, past the limit of distinct calls. */
  readonly widened: number
}

export interface TrailStore {
  readonly facts: ScanFacts
  /** KnownCall as JSON, by number. */
  readonly calls: readonly string[]
  /**
   * For each call the first one that differs from it in nothing but names of resources: where no rule
   * reads names, it has that one's answer.
   */
  readonly likes: Uint32Array
  /** Who as JSON. */
  readonly whos: readonly string[]
  readonly agents: readonly string[]
  /** Session ARN to the agent that its tag names. */
  readonly tags: ReadonlyMap<string, string>
  /** Slices of time, in order. */
  readonly slices: readonly (() => Columns)[]
}

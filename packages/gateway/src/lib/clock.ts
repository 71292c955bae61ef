// The one source of time. Stages get it as an argument; tests freeze it.

export interface Clock {
  /** Milliseconds since the Unix epoch; never goes back within one gate. */
  nowMs(): number
  /** From here on it says no earlier time than this: what the ledger last recorded, at a start. */
  notBefore?(ms: number): void
}

/** The machine's clock behind a high-water mark, so that a clock set back revives no grant. */
export function systemClock(): Clock {
  let highWaterMs = 0
  return {
    nowMs() {
      highWaterMs = Math.max(highWaterMs, Date.now())
      return highWaterMs
    },
    notBefore(ms) {
      highWaterMs = Math.max(highWaterMs, ms)
    },
  }
}

// The one source of time. Stages get it as an argument; tests freeze it.

export interface Clock {
  /** Milliseconds since the Unix epoch; never goes back within one gate. */
  nowMs(): number
}

/** The machine's clock behind a high-water mark, so that a clock set back revives no grant. */
export function systemClock(): Clock {
  let highWaterMs = 0
  return {
    nowMs() {
      highWaterMs = Math.max(highWaterMs, Date.now())
      return highWaterMs
    },
  }
}

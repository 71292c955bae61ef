// The one source of time. Stages get it as an argument; tests freeze it.
import { GatewayError } from '../errors.ts'

export interface Clock {
  /** Milliseconds since the Unix epoch; never goes back within one gate. */
  nowMs(): number
  /** From here on it says no earlier time than this: what the ledger last recorded, at a start. */
  notBefore?(ms: number): void
  /** How far the clock behind it is behind what was said already, in milliseconds: how long it stands still yet. */
  behindMs?(): number
}

/** How far behind what it said, or its ledger's last entry, a gate may be: clocks of machines differ so much. */
export const CLOCK_BEHIND_MS_MAX = 5_000

/** Time behind a high-water mark, so that a clock set back revives no grant: until it has caught up, it stands. */
export function goingOn(source: Clock): Clock & Required<Pick<Clock, 'notBefore' | 'behindMs'>> {
  let highWaterMs = Number.NEGATIVE_INFINITY
  return {
    nowMs() {
      highWaterMs = Math.max(highWaterMs, source.nowMs())
      return highWaterMs
    },
    notBefore(ms) {
      highWaterMs = Math.max(highWaterMs, ms)
    },
    behindMs: () => Math.max(0, highWaterMs - source.nowMs(), source.behindMs?.() ?? 0),
  }
}

/** The machine's clock. */
export function systemClock(): Clock {
  return goingOn({ nowMs: () => Date.now() })
}

/**
 * While time stands still nothing expires: whoever relies on a grant, a signature or a session that ends waits
 * until it goes on (red team M10). Errors: `clock_behind`.
 */
export function requireGoingOn(clock: Clock): void {
  const behindMs = clock.behindMs?.() ?? 0
  if (behindMs <= CLOCK_BEHIND_MS_MAX) return
  const seconds = Math.ceil(behindMs / 1_000)
  throw new GatewayError(
    'clock_behind',
    `nothing was done: the clock went back, and is ${seconds} s behind what this gate has recorded`,
    'tell whoever runs the gate to set its clock (on PostgreSQL: the one of the database); it goes on by itself then',
  )
}

/** At a start: time goes on from the last entry, whatever the clock says. Errors: `clock_behind`. */
export function goOnFrom(clock: Clock, lastMs: number): void {
  // It may have heard of that entry already, and stand there.
  const behindMs = Math.max(lastMs - clock.nowMs(), clock.behindMs?.() ?? 0)
  if (behindMs > CLOCK_BEHIND_MS_MAX) {
    const at = new Date(lastMs).toISOString()
    throw new GatewayError(
      'clock_behind',
      `the clock is ${Math.ceil(behindMs / 1000)} s behind the last entry of the ledger, at ${at}`,
      'set the clock of this machine (on PostgreSQL: of the database), then start again; if the entry is from a clock that was ahead, wait',
    )
  }
  clock.notBefore?.(lastMs)
}

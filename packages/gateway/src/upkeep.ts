// What a running gate does by itself, once a second: ends what is past its time, tells whom it should, and
// forgets what can no longer matter.
import { SKEW_MS } from '@seconder/aws/sigv4/verify'
import type { Clock } from './lib/clock.ts'
import { BODY_TIMES } from './receive/body.ts'
import type { Store } from './state/store.ts'

/** How often, in milliseconds. */
const UPKEEP_INTERVAL_MS = 1_000

/**
 * How long a used signature is remembered: past the last moment at which it could be verified again, and a
 * body that was begun then be whole.
 */
const SIGNATURES_KEPT_MS = 2 * SKEW_MS + BODY_TIMES.largeMs + 15 * 60_000

/** Returns what stops it. A sweep that fails is tried again at the next. */
export function startUpkeep(
  store: Store,
  clock: Clock,
  sweeps: readonly (() => Promise<unknown>)[],
): () => void {
  const timer = setInterval(() => {
    for (const sweep of sweeps) sweep().catch(() => undefined)
    store.pruneSignatures(clock.nowMs() - SIGNATURES_KEPT_MS)
  }, UPKEEP_INTERVAL_MS)
  return () => clearInterval(timer)
}

// What a running gate does by itself, once a second: ends what is past its time, tells whom it should, and
// forgets what can no longer matter.
import { SKEW_MS } from '@seconder/aws/sigv4/verify'
import type { Clock } from './lib/clock.ts'
import { BODY_TIMES } from './receive/body.ts'
import type { Recorder } from './record/recorder.ts'
import type { Store } from './state/store.ts'

/** How often, in milliseconds. */
const UPKEEP_INTERVAL_MS = 1_000

/**
 * How long a used signature is remembered: past the last moment at which it could be verified again, and a
 * body that was begun then be whole.
 */
const SIGNATURES_KEPT_MS = 2 * SKEW_MS + BODY_TIMES.largeMs + 15 * 60_000

/** How long a used nonce is: what a person signs may be on its way for a day, what an agent signs as above. */
const NONCES_KEPT_MS = { agentsMs: SIGNATURES_KEPT_MS, peopleMs: 2 * 24 * 60 * 60_000 }
/** Between two looks for nonces to forget: each reads all of them. */
const NONCES_APART_MS = 60_000

/** An entry that the state owes for longer than this, in milliseconds, is recorded by nobody else any more. */
const OWED_MS_MAX = 5_000

/** Records what the state owes the ledger and nobody records: where that failed, or who was at it is no more. */
export async function recordLeft({
  store,
  recorder,
  clock,
}: {
  readonly store: Pick<Store, 'owed'>
  readonly recorder: Pick<Recorder, 'recordOwed'>
  readonly clock: Clock
}): Promise<void> {
  await recorder.recordOwed(await store.owed(clock.nowMs() - OWED_MS_MAX))
}

/**
 * Returns what stops it, which resolves when no sweep is under way any more. A sweep that fails is tried again at the
 * next; none begins before the last one of its kind has ended.
 */
export function startUpkeep(
  store: Store,
  clock: Clock,
  sweeps: readonly (() => Promise<unknown>)[],
): () => Promise<void> {
  const prune = () => store.pruneSignatures(clock.nowMs() - SIGNATURES_KEPT_MS)
  let prunedAtMs = Number.NEGATIVE_INFINITY
  const pruneNonces = async () => {
    const nowMs = clock.nowMs()
    if (nowMs < prunedAtMs + NONCES_APART_MS) return
    prunedAtMs = nowMs
    const { agentsMs, peopleMs } = NONCES_KEPT_MS
    await store.pruneNonces({ agentsMs: nowMs - agentsMs, peopleMs: nowMs - peopleMs })
  }
  const underWay = new Map<() => Promise<unknown>, Promise<void>>()
  const timer = setInterval(() => {
    for (const sweep of [...sweeps, prune, pruneNonces]) {
      if (underWay.has(sweep)) continue
      const ended = sweep().then(
        () => undefined,
        () => undefined,
      )
      underWay.set(
        sweep,
        ended.then(() => void underWay.delete(sweep)),
      )
    }
  }, UPKEEP_INTERVAL_MS)
  return async () => {
    clearInterval(timer)
    await Promise.all(underWay.values())
  }
}
